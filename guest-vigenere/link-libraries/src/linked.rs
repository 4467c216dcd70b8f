//! Writes one core module that is all libraries.

use crate::component::Definition;
use crate::failure::{Failure, Outcome};
use crate::linker::{Linker, Reached};
use crate::module::Kind;
use anyhow::{Context, Result, ensure};
use std::collections::HashMap;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{CodeSection, DataSection, ElementSection, EntityType, ExportSection, FunctionSection};
use wasm_encoder::{GlobalSection, ImportSection, Instruction, MemorySection, TableSection, TypeSection};
use wasmparser::{DataKind, FuncType, Operator};

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
