//! Writes one core module that is all libraries.

use crate::component::Definition;
use crate::failure::{Failure, Outcome};
use crate::linker::{Linker, Reached};
use crate::module::Kind;
use anyhow::{Context, Result, ensure};
use std::collections::HashMap;
use wasm_encoder::reencode::{self, Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalSection, ImportSection, Instruction, MemorySection, RefType, TableSection, TableType,
    TypeSection,
};
use wasmparser::{DataKind, FuncType, Operator};

/// The name of each export.
pub type Exports = HashMap<(Kind, Definition), String>;

/// The name of the table through which the linked module calls what it would else import. (Those of its other exports
/// are numbers.)
pub const IMPORT_TABLE: &str = "imports";

/// The module that all libraries became.
pub struct Linked {
    pub binary: Vec<u8>,
    /// The functions of the component that it calls, with their types. It imports nothing, since they may need its memory:
    /// it calls them through [`IMPORT_TABLE`], where each has the position that it has here.
    pub imports: Vec<(u32, FuncType)>,
    pub exports: Exports,
}

/// A module that fills the table of the linked one: it imports the functions `types` from module "", named by their
/// position, and the table.
pub fn fixup<'t>(types: impl ExactSizeIterator<Item = &'t FuncType>) -> Result<Vec<u8>> {
    let (mut type_section, mut imports, mut elements) =
        (TypeSection::new(), ImportSection::new(), ElementSection::new());
    let count = types.len() as u32;
    for (ty, position) in types.zip(0..) {
        type_section.ty().func_type(&RoundtripReencoder.func_type(ty.clone())?);
        imports.import("", &position.to_string(), EntityType::Function(position));
    }
    imports.import("", IMPORT_TABLE, table(count));
    let functions = Elements::Functions((0..count).collect::<Vec<_>>().into());
    elements.active(None, &ConstExpr::i32_const(0), functions);
    let mut module = wasm_encoder::Module::new();
    module.section(&type_section).section(&imports).section(&elements);
    Ok(module.finish())
}

/// The type of a table of `count` functions.
fn table(count: u32) -> TableType {
    let count = u64::from(count);
    TableType { element_type: RefType::FUNCREF, minimum: count, maximum: Some(count), table64: false, shared: false }
}

/// Writes the linked module, translating what is in library `instance`.
pub struct Writer<'l, 'a> {
    pub linker: &'l Linker<'a>,
    pub reached: &'l Reached,
    pub numbers: [HashMap<Definition, u32>; 4],
    pub instance: u32,
    pub types: Vec<FuncType>,
}

impl Writer<'_, '_> {
    pub fn module(mut self, used: &[(Kind, Definition)]) -> Result<Linked> {
        let (mut functions, mut code) = (FunctionSection::new(), CodeSection::new());
        self.outside(&mut functions, &mut code);
        self.functions(&mut functions, &mut code)?;
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
        let (exports, mut export_section) = self.exports(used)?;
        export_section.export(IMPORT_TABLE, ExportKind::Table, self.import_table());
        tables.table(table(self.reached.imported.len() as u32));
        let mut types = TypeSection::new();
        for ty in std::mem::take(&mut self.types) {
            types.ty().func_type(&self.func_type(ty)?);
        }
        let mut module = wasm_encoder::Module::new();
        module.section(&types).section(&functions).section(&tables).section(&memories).section(&globals);
        module.section(&export_section).section(&elements).section(&code).section(&data);
        let imports = self.reached.imported.iter().map(|&index| (index, self.linker.outside[&index].clone())).collect();
        Ok(Linked { binary: module.finish(), imports, exports })
    }

    /// The index of the table of imports, the last one.
    fn import_table(&self) -> u32 {
        self.numbers[Kind::Table as usize].len() as u32
    }

    /// Writes a function in place of each outside: what calls it through the table, or what answers for it.
    fn outside(&mut self, functions: &mut FunctionSection, code: &mut CodeSection) {
        for (&index, position) in self.reached.imported.iter().zip(0..) {
            let ty = &self.linker.outside[&index];
            let type_index = self.number_of_type(ty);
            let mut body = Function::new([]);
            for parameter in 0..ty.params().len() as u32 {
                body.instructions().local_get(parameter);
            }
            body.instructions().i32_const(position).call_indirect(self.import_table(), type_index).end();
            functions.function(type_index);
            code.function(&body);
        }
        for (index, &answer) in &self.reached.left_out {
            functions.function(self.number_of_type(&self.linker.outside[index]));
            code.function(&answer.body());
        }
    }

    fn functions(&mut self, functions: &mut FunctionSection, code: &mut CodeSection) -> Result<()> {
        for &(instance, index) in &self.reached.functions {
            self.instance = instance;
            let library = self.linker.library(instance)?;
            functions.function(self.number_of_type(library.function_type(index)));
            self.parse_function_body(code, library.body(index).clone())?;
        }
        Ok(())
    }

    fn exports(&self, used: &[(Kind, Definition)]) -> Result<(Exports, ExportSection)> {
        let mut exports = Exports::new();
        let mut section = ExportSection::new();
        for &(kind, definition) in used {
            if !exports.contains_key(&(kind, definition)) {
                let name = exports.len().to_string();
                let number = self.numbers[kind as usize].get(&definition);
                section.export(&name, kind.into(), *number.context("a constant is used outside of the libraries")?);
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
        number.copied().ok_or_else(|| Failure::new("something that cannot be reached is used"))
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
