//! Finds what the libraries' imports refer to, and what of the libraries is needed.

use crate::component::{Component, Definition};
use crate::left_out::Answer;
use crate::linked::{Linked, Writer};
use crate::module::{Kind, Module};
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use wasmparser::{ElementItems, ElementKind, FuncType, Instance, Operator, TypeRef};

/// What every import and definition of the libraries refers to.
pub struct Linker<'a> {
    pub component: &'a Component<'a>,
    /// By core instance (none for those that are not libraries), [`Kind`] and index in the library.
    pub definitions: Vec<[Vec<Definition>; 4]>,
    /// The type of each function that is not defined by a library.
    pub outside: BTreeMap<u32, FuncType>,
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
            let definition = self.resolve(kind, self.component.export(argument.index, kind, name)?)?;
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
        self.resolve(kind, self.component.definition(kind, index)?)
    }

    fn resolve(&self, kind: Kind, definition: Definition) -> Result<Definition> {
        let Definition::Library { instance, index } = definition else { return Ok(definition) };
        if index >= self.library(instance)?.imported[kind as usize] {
            return Ok(definition); // it may be that of an instance that comes later, through the shim
        }
        let definitions = &self.definitions[instance as usize][kind as usize];
        definitions.get(index as usize).copied().context("an import is passed on before it is there")
    }

    pub fn library(&self, instance: u32) -> Result<&'a Module<'a>> {
        self.component.library(instance).with_context(|| format!("instance {instance} is not a library"))
    }

    /// Links what can be reached from outside.
    pub fn link(&self) -> Result<Linked> {
        let mut used = vec![];
        for (kind, index) in self.component.used()? {
            let definition = self.definition(kind, index)?;
            if matches!(definition, Definition::Library { .. }) {
                used.push((kind, definition));
            }
        }
        let reached = self.reach(&used)?;
        let numbers = self.number(&reached);
        Writer { linker: self, reached: &reached, numbers, instance: 0, types: vec![] }.module(&used)
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
            let (instance, index) = match function {
                Definition::Library { instance, index } => (instance, index),
                Definition::Outside(index) => {
                    match self.component.left_out(index) {
                        Some(answer) => _ = reached.left_out.insert(index, answer),
                        None => _ = reached.imported.insert(index),
                    }
                    continue;
                }
            };
            if !reached.functions.insert((instance, index)) {
                continue;
            }
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
    pub fn constant(&self, reached: &Reached, global: Definition) -> Option<i32> {
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

    /// Gives what is kept its index in the linked module: by kind, in the order of the libraries. The functions that stand
    /// for those outside come first.
    fn number(&self, reached: &Reached) -> [HashMap<Definition, u32>; 4] {
        let of = |definitions: &mut dyn Iterator<Item = Definition>| definitions.zip(0..).collect();
        let defined = |kind| {
            self.component.libraries().flat_map(move |(instance, library)| {
                let imported = library.imported[kind as usize];
                let indices = imported..imported + library.defined(kind) as u32;
                indices.map(move |index| Definition::Library { instance, index })
            })
        };
        let outside = reached.imported.iter().chain(reached.left_out.keys());
        let own = reached.functions.iter().map(|&(instance, index)| Definition::Library { instance, index });
        [
            of(&mut outside.map(|&index| Definition::Outside(index)).chain(own)),
            of(&mut defined(Kind::Table)),
            of(&mut defined(Kind::Memory)),
            of(&mut defined(Kind::Global).filter(|&global| self.constant(reached, global).is_none())),
        ]
    }
}

/// What can be reached from outside.
#[derive(Default)]
pub struct Reached {
    /// The functions of the component that the libraries call.
    pub imported: BTreeSet<u32>,
    /// Those that are left out.
    pub left_out: BTreeMap<u32, Answer>,
    /// The functions of the libraries (instance, and index in it), in the order of the linked module.
    pub functions: BTreeSet<(u32, u32)>,
    written: HashSet<Definition>,
}
