//! Makes one core module of all libraries.

use crate::component::{Component, Definition};
use crate::failure::{Failure, Outcome};
use crate::module::{Kind, Module};
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{CodeSection, DataSection, ElementSection, EntityType, ExportSection, FunctionSection};
use wasm_encoder::{GlobalSection, ImportSection, Instruction, MemorySection, TableSection, TypeSection};
use wasmparser::{DataKind, ElementItems, ElementKind, FuncType, Instance, Operator, TypeRef};

/// What every import and definition of the libraries refers to.
pub struct Linker<'a> {
    component: &'a Component<'a>,
    /// By core instance (none for those that are not libraries), [`Kind`] and index in the library.
    definitions: Vec<[Vec<Definition>; 4]>,
    /// The type of each function that is not defined by a library.
    outside: BTreeMap<u32, FuncType>,
}

/// The name of each export.
pub type Exports = HashMap<(Kind, Definition), String>;

/// The module that all libraries became.
pub struct Linked {
    /// Until it is written.
    pub binary: Option<Vec<u8>>,
    /// The functions of the component that it imports: from module "", named by their position.
    pub imports: Vec<u32>,
    pub exports: Exports,
}

impl<'a> Linker<'a> {
    pub fn new(component: &'a Component<'a>) -> Result<Self> {
        let definitions = component.instances.iter().map(|_| Default::default()).collect();
        let mut linker = Self { component, definitions, outside: BTreeMap::new() };
        for (instance, library) in component.libraries() {
            let defined = linker.define(instance, library)?;
            linker.definitions[instance as usize] = defined;
        }
        Ok(linker)
    }

    /// Finds what the index spaces of `library` refer to; those of the instances before it are known.
    fn define(&mut self, instance: u32, library: &Module<'a>) -> Result<[Vec<Definition>; 4]> {
        let mut defined: [Vec<Definition>; 4] = Default::default();
        let Instance::Instantiate { args, .. } = &self.component.instances[instance as usize] else {
            bail!("instance {instance} is not a library");
        };
        for &(kind, import) in &library.imports {
            let name = import.name;
            let argument = args.iter().find(|argument| argument.name == import.module).context("missing argument")?;
            let definition = self.resolve(kind, self.component.export(argument.index, kind, name)?);
            match (definition, import.ty) {
                (Definition::Library { .. }, _) => (),
                (Definition::Outside(index), TypeRef::Func(ty)) => {
                    self.outside.insert(index, library.types[ty as usize].clone());
                }
                _ => bail!("{name} is imported from a module that stays apart"),
            }
            defined[kind as usize].push(definition);
        }
        for kind in [Kind::Function, Kind::Table, Kind::Memory, Kind::Global] {
            let imported = library.imported[kind as usize];
            let indices = imported..imported + library.defined(kind) as u32;
            defined[kind as usize].extend(indices.map(|index| Definition::Library { instance, index }));
        }
        Ok(defined)
    }

    /// Who defines item `index` of the component, in the end.
    pub fn definition(&self, kind: Kind, index: u32) -> Result<Definition> {
        Ok(self.resolve(kind, self.component.definition(kind, index)?))
    }

    fn resolve(&self, kind: Kind, definition: Definition) -> Definition {
        match definition {
            Definition::Library { instance, index } => {
                self.definitions[instance as usize][kind as usize][index as usize]
            }
            Definition::Outside(_) => definition,
        }
    }

    fn library(&self, instance: u32) -> Result<&'a Module<'a>> {
        self.component.library(instance).with_context(|| format!("instance {instance} is not a library"))
    }

    /// Links what can be reached from outside.
    pub fn link(&self) -> Result<Linked> {
        let mut used = vec![];
        for &(kind, index) in &self.component.used {
            let definition = self.definition(kind, index)?;
            if matches!(definition, Definition::Library { .. }) {
                used.push((kind, definition));
            }
        }
        let reached = self.reach(&used)?;
        let numbers = self.number(&reached);
        let mut writer = Writer { linker: self, reached: &reached, numbers, instance: 0, types: vec![] };
        writer.module(&used)
    }

    /// Finds the functions that can be called, and the globals that they write. What is in a table can be called:
    /// numbers of functions are in the memory, too, where nobody knows them from other numbers.
    fn reach(&self, used: &[(Kind, Definition)]) -> Result<Reached> {
        let mut reached = Reached::default();
        let mut waiting: Vec<_> =
            used.iter().filter(|(kind, _)| *kind == Kind::Function).map(|&(_, function)| function).collect();
        for (instance, library) in self.component.libraries() {
            let functions = &self.definitions[instance as usize][Kind::Function as usize];
            for element in &library.elements {
                ensure!(matches!(element.kind, ElementKind::Active { .. }), "only active elements are supported");
                let ElementItems::Functions(items) = &element.items else { bail!("only functions can be elements") };
                for item in items.clone() {
                    waiting.push(functions[item? as usize]);
                }
            }
        }
        while let Some(function) = waiting.pop() {
            if !reached.functions.insert(function) {
                continue;
            }
            let Definition::Library { instance, index } = function else { continue };
            let [functions, _, _, globals] = &self.definitions[instance as usize];
            for operator in self.library(instance)?.body(index).get_operators_reader()? {
                match operator? {
                    Operator::Call { function_index }
                    | Operator::ReturnCall { function_index }
                    | Operator::RefFunc { function_index } => waiting.push(functions[function_index as usize]),
                    Operator::GlobalSet { global_index } => {
                        reached.written.insert(globals[global_index as usize]);
                    }
                    _ => (),
                }
            }
        }
        Ok(reached)
    }

    /// The value of a global that nothing writes. What the host knows as addresses when it links, libraries import as
    /// globals; the snapshot that componentize-py takes after the start has the final values in place of the first.
    fn constant(&self, reached: &Reached, global: Definition) -> Option<i32> {
        let Definition::Library { instance, index } = global else { return None };
        if reached.written.contains(&global) {
            return None;
        }
        let globals = &self.definitions[instance as usize][Kind::Global as usize];
        let mut values = vec![];
        for operator in self.library(instance).ok()?.global(index).init_expr.get_operators_reader() {
            match operator.ok()? {
                Operator::I32Const { value } => values.push(value),
                Operator::GlobalGet { global_index } => {
                    values.push(self.constant(reached, globals[global_index as usize])?);
                }
                Operator::I32Add => {
                    let (right, left): (i32, i32) = (values.pop()?, values.pop()?);
                    values.push(left.wrapping_add(right));
                }
                Operator::End => return values.pop(),
                _ => break,
            }
        }
        None
    }

    /// Gives what is kept its index in the linked module: by kind, in the order of the libraries, imports first.
    fn number(&self, reached: &Reached) -> [HashMap<Definition, u32>; 4] {
        let of = |definitions: &mut dyn Iterator<Item = Definition>| definitions.zip(0..).collect();
        let defined = |kind| {
            self.component.libraries().flat_map(move |(instance, library)| {
                let imported = library.imported[kind as usize];
                let indices = imported..imported + library.defined(kind) as u32;
                indices.map(move |index| Definition::Library { instance, index })
            })
        };
        [
            of(&mut reached.functions.iter().copied()),
            of(&mut defined(Kind::Table)),
            of(&mut defined(Kind::Memory)),
            of(&mut defined(Kind::Global).filter(|&global| self.constant(reached, global).is_none())),
        ]
    }
}

#[derive(Default)]
struct Reached {
    /// In the order of the linked module.
    functions: BTreeSet<Definition>,
    written: HashSet<Definition>,
}

/// Writes the linked module, translating what is in library `instance`.
struct Writer<'l, 'a> {
    linker: &'l Linker<'a>,
    reached: &'l Reached,
    numbers: [HashMap<Definition, u32>; 4],
    instance: u32,
    types: Vec<FuncType>,
}

impl Writer<'_, '_> {
    fn module(&mut self, used: &[(Kind, Definition)]) -> Result<Linked> {
        let (imports, import_section) = self.imports()?;
        let (functions, code) = self.code()?;
        let (mut tables, mut memories, mut globals) = (TableSection::new(), MemorySection::new(), GlobalSection::new());
        let (mut elements, mut data) = (ElementSection::new(), DataSection::new());
        for (instance, library) in self.linker.component.libraries() {
            self.instance = instance;
            for table in &library.tables {
                self.parse_table(&mut tables, table.clone())?;
            }
            for &memory in &library.memories {
                memories.memory(self.memory_type(memory)?);
            }
            for (global, index) in library.globals.iter().zip(library.imported[Kind::Global as usize]..) {
                if self.numbers[Kind::Global as usize].contains_key(&Definition::Library { instance, index }) {
                    self.parse_global(&mut globals, global.clone())?;
                }
            }
            for element in &library.elements {
                self.parse_element(&mut elements, element.clone())?;
            }
            for datum in &library.data {
                ensure!(matches!(datum.kind, DataKind::Active { .. }), "only active data are supported");
                self.parse_data(&mut data, datum.clone())?;
            }
        }
        let (exports, export_section) = self.exports(used)?;
        let mut types = TypeSection::new();
        for ty in std::mem::take(&mut self.types) {
            types.ty().func_type(&self.func_type(ty)?);
        }
        let mut module = wasm_encoder::Module::new();
        module.section(&types).section(&import_section).section(&functions).section(&tables).section(&memories);
        module.section(&globals).section(&export_section).section(&elements).section(&code).section(&data);
        Ok(Linked { binary: Some(module.finish()), imports, exports })
    }

    fn imports(&mut self) -> Result<(Vec<u32>, ImportSection)> {
        let mut imports = vec![];
        let mut section = ImportSection::new();
        for function in &self.reached.functions {
            let &Definition::Outside(index) = function else { break };
            let ty = self.number_of_type(&self.linker.outside[&index]);
            section.import("", &imports.len().to_string(), EntityType::Function(ty));
            imports.push(index);
        }
        Ok((imports, section))
    }

    fn code(&mut self) -> Result<(FunctionSection, CodeSection)> {
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for function in &self.reached.functions {
            let &Definition::Library { instance, index } = function else { continue };
            self.instance = instance;
            let library = self.linker.library(instance)?;
            functions.function(self.number_of_type(library.function_type(index)));
            self.parse_function_body(&mut code, library.body(index).clone())?;
        }
        Ok((functions, code))
    }

    fn exports(&self, used: &[(Kind, Definition)]) -> Result<(Exports, ExportSection)> {
        let mut exports = Exports::new();
        let mut section = ExportSection::new();
        for &(kind, definition) in used {
            if !exports.contains_key(&(kind, definition)) {
                let name = exports.len().to_string();
                section.export(&name, kind.into(), self.numbers[kind as usize][&definition]);
                exports.insert((kind, definition), name);
            }
        }
        Ok((exports, section))
    }

    fn number_of_type(&mut self, ty: &FuncType) -> u32 {
        let known = self.types.iter().position(|known| known == ty);
        known.unwrap_or_else(|| {
            self.types.push(ty.clone());
            self.types.len() - 1
        }) as u32
    }

    fn number(&self, kind: Kind, index: u32) -> Outcome<u32> {
        let definition = self.linker.definitions[self.instance as usize][kind as usize][index as usize];
        let number = self.numbers[kind as usize].get(&definition);
        number.copied().ok_or_else(|| Failure::new("something that was left out is used"))
    }
}

impl Reencode for Writer<'_, '_> {
    type Error = Failure;

    fn function_index(&mut self, index: u32) -> Outcome<u32> {
        self.number(Kind::Function, index)
    }

    fn table_index(&mut self, index: u32) -> Outcome<u32> {
        self.number(Kind::Table, index)
    }

    fn memory_index(&mut self, index: u32) -> Outcome<u32> {
        self.number(Kind::Memory, index)
    }

    fn global_index(&mut self, index: u32) -> Outcome<u32> {
        self.number(Kind::Global, index)
    }

    fn type_index(&mut self, index: u32) -> Outcome<u32> {
        let library = self.linker.component.library(self.instance);
        let library = library.ok_or_else(|| Failure::new("a type is used outside of a library"))?;
        Ok(self.number_of_type(&library.types[index as usize]))
    }

    fn data_index(&mut self, _: u32) -> Outcome<u32> {
        Err(Failure::new("memory.init or data.drop is not supported"))
    }

    fn element_index(&mut self, _: u32) -> Outcome<u32> {
        Err(Failure::new("table.init or elem.drop is not supported"))
    }

    fn instruction<'b>(&mut self, operator: Operator<'b>) -> Outcome<Instruction<'b>> {
        if let Operator::GlobalGet { global_index } = operator {
            let global = self.linker.definitions[self.instance as usize][Kind::Global as usize][global_index as usize];
            if let Some(value) = self.linker.constant(self.reached, global) {
                return Ok(Instruction::I32Const(value));
            }
        }
        reencode::utils::instruction(self, operator)
    }
}
