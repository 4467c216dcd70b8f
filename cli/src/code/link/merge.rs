//! Writes one core module that holds all libraries.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use anyhow::{Context, Result};
use wasm_encoder::reencode::{self, Reencode, RoundtripReencoder};
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, ImportSection, Instruction, MemorySection, RefType,
    TableSection, TableType, TypeSection,
};
use wasmparser::{FuncType, Operator};

use super::component::{Component, Definition, Library};
use super::layout::Layout;
use super::module::Kind;
use super::reach::ReachableItems;

/// The name of the table through which the merged module calls outside functions.
pub(super) const IMPORT_TABLE: &str = "imports";

/// The module merged from all libraries, and the one that completes it.
pub(super) struct MergedModule {
    pub(super) module: Vec<u8>,
    /// Fills the table of imports. The merged module imports nothing itself, because lowered functions need its memory.
    pub(super) fixup: Vec<u8>,
    /// The outside functions that `fixup` imports, each named by its position here.
    pub(super) imports: Vec<u32>,
}

/// The name of the merged module's export for the item at `position` in [`Component::used`].
pub(super) fn export_name(kind: Kind, position: usize) -> String {
    format!("{kind:?}{position}")
}

/// Writes the libraries of `component` as one module.
pub(super) fn merge(component: &Component, reached: &ReachableItems, layout: &Layout) -> Result<MergedModule> {
    let imports = reached.outside.iter().copied().filter(|&position| !component.denied.contains(position));
    let imports: Vec<_> = imports.collect();
    let types = imports.iter().map(|position| component.outside.get(position).context("a function has no type"));
    let types = types.collect::<Result<Vec<_>>>()?;
    let mut sections = Sections::default();
    let mut interned = Types::default();
    sections.add_outside(component, &reached.outside, layout, &mut interned)?;
    for (position, library) in component.libraries.iter().enumerate() {
        let local = vec![None; library.module.types.len()];
        let (elements, data) = (sections.elements.len(), sections.data.len());
        let mut translator = Translator { library, layout, types: &mut interned, local, elements, data };
        sections.add_library(&mut translator, reached.functions.get(position).context("a library is out of range")?)?;
    }
    sections.add_exports(component, layout)?;
    sections.tables.table(import_table(types.len()));
    let counts_data = component.libraries.iter().any(|library| library.module.counts_data);
    Ok(MergedModule { module: sections.module(&interned, counts_data), fixup: fixup(&types)?, imports })
}

/// A module that imports functions of `types` from module "", named by their position, and the table that it puts them
/// in.
fn fixup(types: &[&FuncType]) -> Result<Vec<u8>> {
    let (mut type_section, mut imports, mut elements) =
        (TypeSection::new(), ImportSection::new(), ElementSection::new());
    for (position, ty) in (0..).zip(types) {
        type_section.ty().func_type(&RoundtripReencoder.func_type((*ty).clone())?);
        imports.import("", &position.to_string(), EntityType::Function(position));
    }
    imports.import("", IMPORT_TABLE, import_table(types.len()));
    let functions: Vec<_> = (0..types.len() as u32).collect();
    elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(functions.into()));
    let mut module = wasm_encoder::Module::new();
    module.section(&type_section).section(&imports).section(&elements);
    Ok(module.finish())
}

fn import_table(functions: usize) -> TableType {
    let count = functions as u64;
    TableType { element_type: RefType::FUNCREF, minimum: count, maximum: Some(count), table64: false, shared: false }
}

/// The sections of the merged module.
#[derive(Default)]
struct Sections {
    functions: FunctionSection,
    tables: TableSection,
    memories: MemorySection,
    globals: GlobalSection,
    exports: ExportSection,
    elements: ElementSection,
    code: CodeSection,
    data: DataSection,
}

impl Sections {
    /// Adds a function in place of each outside one, which calls it through the table of imports, the last table, or
    /// fails as it would.
    fn add_outside(
        &mut self,
        component: &Component,
        outside: &BTreeSet<u32>,
        layout: &Layout,
        interned: &mut Types,
    ) -> Result<()> {
        let table = layout.counts[Kind::Table as usize];
        let mut imports = 0..;
        for &position in outside {
            let ty = component.outside.get(&position).context("a function has no type")?;
            let index = interned.index(ty)?;
            let mut body = Function::new([]);
            if component.denied.contains(position) {
                let stand_in = Definition::Outside(component.denied.stand_in);
                let stand_in = layout.index(Kind::Function, stand_in).context("a function is left out")?;
                body.instructions().local_get(0).call(stand_in).unreachable().end();
            } else {
                for parameter in 0..ty.params().len() as u32 {
                    body.instructions().local_get(parameter);
                }
                let import = imports.next().context("there are too many imports")?;
                body.instructions().i32_const(import).call_indirect(table, index).end();
            }
            self.functions.function(index);
            self.code.function(&body);
        }
        Ok(())
    }

    /// Adds the sections that `translator` translates, with only the functions in `reached`.
    fn add_library(&mut self, translator: &mut Translator, reached: &[bool]) -> Result<()> {
        let module = &translator.library.module;
        for table in &module.tables {
            translator.parse_table(&mut self.tables, table.clone())?;
        }
        for &memory in &module.memories {
            self.memories.memory(translator.memory_type(memory)?);
        }
        let imported = translator.library.items[Kind::Global as usize].len() - module.globals.len();
        let definitions = translator.library.items[Kind::Global as usize].iter().skip(imported);
        for (global, &definition) in module.globals.iter().zip(definitions) {
            if translator.layout.constant(definition).is_none() {
                translator.parse_global(&mut self.globals, global.clone())?;
            }
        }
        for ((&ty, body), _) in
            module.functions.iter().zip(&module.bodies).zip(reached).filter(|(_, reached)| **reached)
        {
            self.functions.function(translator.type_index(ty)?);
            translator.parse_function_body(&mut self.code, body.clone())?;
        }
        for element in &module.elements {
            translator.parse_element(&mut self.elements, element.clone())?;
        }
        for datum in &module.data {
            translator.parse_data(&mut self.data, datum.clone())?;
        }
        Ok(())
    }

    fn add_exports(&mut self, component: &Component, layout: &Layout) -> Result<()> {
        for kind in Kind::ALL {
            for (position, &definition) in component.used[kind as usize].iter().enumerate() {
                let index = layout.index(kind, definition).context("an export is left out")?;
                self.exports.export(&export_name(kind, position), kind.into(), index);
            }
        }
        self.exports.export(IMPORT_TABLE, ExportKind::Table, layout.counts[Kind::Table as usize]);
        Ok(())
    }

    fn module(&self, types: &Types, counts_data: bool) -> Vec<u8> {
        let mut module = wasm_encoder::Module::new();
        module.section(&types.section).section(&self.functions).section(&self.tables).section(&self.memories);
        module.section(&self.globals).section(&self.exports).section(&self.elements);
        if counts_data {
            module.section(&DataCountSection { count: self.data.len() });
        }
        module.section(&self.code).section(&self.data);
        module.finish()
    }
}

/// The types of the merged module, each once.
#[derive(Default)]
struct Types {
    section: TypeSection,
    indices: HashMap<FuncType, u32>,
}

impl Types {
    fn index(&mut self, ty: &FuncType) -> Result<u32, reencode::Error<MissingItem>> {
        if let Some(&index) = self.indices.get(ty) {
            return Ok(index);
        }
        let encoded = RoundtripReencoder.func_type(ty.clone()).map_err(|_| reencode::Error::UserError(MissingItem))?;
        let index = self.section.len();
        self.section.ty().func_type(&encoded);
        self.indices.insert(ty.clone(), index);
        Ok(index)
    }
}

/// Translates the indices of one library to those of the merged module.
struct Translator<'t, 'a> {
    library: &'t Library<'a>,
    layout: &'t Layout,
    types: &'t mut Types,
    /// The types that were translated before, so that a large one is hashed once.
    local: Vec<Option<u32>>,
    /// The number of elements and data segments of the libraries before this one.
    elements: u32,
    data: u32,
}

impl Translator<'_, '_> {
    fn definition(&self, kind: Kind, index: u32) -> Result<Definition, reencode::Error<MissingItem>> {
        self.library.item(kind, index).map_err(|_| reencode::Error::UserError(MissingItem))
    }

    fn index(&self, kind: Kind, index: u32) -> Result<u32, reencode::Error<MissingItem>> {
        self.layout.index(kind, self.definition(kind, index)?).ok_or(reencode::Error::UserError(MissingItem))
    }
}

impl Reencode for Translator<'_, '_> {
    type Error = MissingItem;

    fn function_index(&mut self, index: u32) -> Result<u32, reencode::Error<MissingItem>> {
        self.index(Kind::Function, index)
    }

    fn table_index(&mut self, index: u32) -> Result<u32, reencode::Error<MissingItem>> {
        self.index(Kind::Table, index)
    }

    fn memory_index(&mut self, index: u32) -> Result<u32, reencode::Error<MissingItem>> {
        self.index(Kind::Memory, index)
    }

    fn global_index(&mut self, index: u32) -> Result<u32, reencode::Error<MissingItem>> {
        self.index(Kind::Global, index)
    }

    fn type_index(&mut self, index: u32) -> Result<u32, reencode::Error<MissingItem>> {
        let known = self.local.get_mut(index as usize).ok_or(reencode::Error::UserError(MissingItem))?;
        if let Some(known) = *known {
            return Ok(known);
        }
        let ty = self.library.module.types.get(index as usize).ok_or(reencode::Error::UserError(MissingItem))?;
        Ok(*known.insert(self.types.index(ty)?))
    }

    fn data_index(&mut self, index: u32) -> Result<u32, reencode::Error<MissingItem>> {
        Ok(self.data.saturating_add(index))
    }

    fn element_index(&mut self, index: u32) -> Result<u32, reencode::Error<MissingItem>> {
        Ok(self.elements.saturating_add(index))
    }

    fn instruction<'b>(&mut self, operator: Operator<'b>) -> Result<Instruction<'b>, reencode::Error<MissingItem>> {
        if let Operator::GlobalGet { global_index } = operator
            && let Some(value) = self.layout.constant(self.definition(Kind::Global, global_index)?)
        {
            return Ok(Instruction::I32Const(value));
        }
        reencode::utils::instruction(self, operator)
    }
}

/// A library uses an item that the merged module does not have.
#[derive(Debug)]
struct MissingItem;

impl fmt::Display for MissingItem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a library uses an item that is left out")
    }
}

impl std::error::Error for MissingItem {}
