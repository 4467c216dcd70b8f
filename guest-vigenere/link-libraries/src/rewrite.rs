//! Writes the component around the linked module.

use crate::component::{Component, Definition, Source, Space};
use crate::failure::{Failure, Outcome};
use crate::linked::{self, Linked};
use crate::linker::Linker;
use crate::module::Kind;
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::collections::HashMap;
use wasm_encoder::reencode::{Reencode, ReencodeComponent, component_utils};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, ComponentAliasSection, ComponentExportSection, ComponentImportSection,
    ComponentInstanceSection, ComponentSection, ComponentSectionId, ComponentTypeSection, ExportKind, InstanceSection,
    ModuleArg, NestedComponentSection, RawSection, SectionId,
};
use wasmparser::{CanonicalFunction, ComponentInstance, ComponentType};

/// What is wrong where something of a library is needed that [`Component::used`] did not find.
const UNFORESEEN: &str = "it uses something of a library in a way that is not supported";

/// Writes `component` with `linked` in place of its libraries.
///
/// The linked module comes first, with what it imports, then one export after the other. Whatever one of them needs is
/// written before it, and what none of them needs is gone.
pub fn rewrite(component: &Component, linker: &Linker, linked: Linked) -> Result<Vec<u8>> {
    let mut writer = Writer {
        component,
        linker,
        linked,
        out: wasm_encoder::Component::new(),
        items: HashMap::new(),
        counts: HashMap::new(),
        modules: 0,
        instances: 0,
        linked_instance: 0,
        depth: 0,
        failure: None,
    };
    writer.link()?;
    for &(space, index) in &component.exports {
        writer.item(space, index)?;
    }
    for custom in &component.custom {
        writer.out.section(&RawSection { id: SectionId::Custom.into(), data: component.bytes(custom.clone()) });
    }
    Ok(writer.out.finish())
}

struct Writer<'c> {
    component: &'c Component<'c>,
    linker: &'c Linker<'c>,
    linked: Linked,
    out: wasm_encoder::Component,
    /// From the index in the old component to that in the new one.
    items: HashMap<(Space, u32), u32>,
    /// How many items, core modules and core instances were written.
    counts: HashMap<Space, u32>,
    modules: u32,
    instances: u32,
    linked_instance: u32,
    /// Within how many types and components that have index spaces of their own.
    depth: u32,
    /// What went wrong where the encoder's trait has no place for an error.
    failure: Option<anyhow::Error>,
}

impl<'c> Writer<'c> {
    /// The new index of item `index`, which is written if it was not.
    fn item(&mut self, space: Space, index: u32) -> Result<u32> {
        if let Some(&new) = self.items.get(&(space, index)) {
            return Ok(new);
        }
        // The item is the component's, even if it is needed within a type.
        let depth = std::mem::take(&mut self.depth);
        let new = match space {
            Space::Core(kind) => self.core_item(kind, index),
            _ => self.own_item(space, index),
        };
        self.depth = depth;
        let new = new?;
        self.items.insert((space, index), new);
        Ok(new)
    }

    fn core_item(&mut self, kind: Kind, index: u32) -> Result<u32> {
        match self.linker.definition(kind, index)? {
            definition @ Definition::Library { .. } => {
                let name = self.linked.exports.get(&(kind, definition)).context(UNFORESEEN)?.clone();
                Ok(self.core_alias(kind, &name))
            }
            Definition::Outside(origin) if origin != index => self.item(Space::Core(kind), origin),
            Definition::Outside(_) => {
                let Source::Canonical(function) = self.component.source(Space::Core(kind), index) else {
                    bail!("a core item comes from neither a module nor the component");
                };
                self.canonical(function.clone())?;
                Ok(self.count(Space::Core(kind)))
            }
        }
    }

    fn own_item(&mut self, space: Space, index: u32) -> Result<u32> {
        match self.component.source(space, index) {
            Source::Export(export) => {
                self.check_kept(export.name.name)?;
                let mut exports = ComponentExportSection::new();
                self.parse_component_export(&mut exports, export.clone())?;
                self.section(&exports)?;
            }
            Source::Canonical(function) => self.canonical(function.clone())?,
            Source::Type(ty) => self.ty(ty.clone())?,
            Source::Import(import) => {
                self.check_kept(import.name.name)?;
                let ty = self.component_type_ref(import.ty)?;
                let mut imports = ComponentImportSection::new();
                imports.import(import.name, ty);
                self.section(&imports)?;
            }
            Source::Alias(alias) => {
                let alias = self.component_alias(alias.clone())?;
                let mut aliases = ComponentAliasSection::new();
                aliases.alias(alias);
                self.section(&aliases)?;
            }
            Source::Instance(instance) => self.own_instance(instance.clone())?,
            Source::Component(parser, range) => {
                let mut nested = wasm_encoder::Component::new();
                let bytes = self.component.bytes(range.clone());
                self.push_depth();
                component_utils::parse_component(self, &mut nested, parser.clone(), bytes, self.component.binary)?;
                self.pop_depth();
                self.section(&NestedComponentSection(&nested))?;
            }
            Source::CoreExport { .. } => bail!("an item of the component comes from a core module"),
        }
        Ok(self.count(space))
    }

    fn check_kept(&self, name: &str) -> Result<()> {
        ensure!(!self.component.is_left_out(name), "{name} cannot be left out: what is kept needs it");
        Ok(())
    }

    fn section(&mut self, section: &impl ComponentSection) -> Result<()> {
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => {
                self.out.section(section);
                Ok(())
            }
        }
    }

    fn count(&mut self, space: Space) -> u32 {
        let count = self.counts.entry(space).or_default();
        *count += 1;
        *count - 1
    }

    /// The new index of what the linked module exports as `name`.
    fn core_alias(&mut self, kind: Kind, name: &str) -> u32 {
        let mut aliases = ComponentAliasSection::new();
        aliases.alias(Alias::CoreInstanceExport { instance: self.linked_instance, kind: kind.into(), name });
        self.out.section(&aliases);
        self.count(Space::Core(kind))
    }

    fn canonical(&mut self, function: CanonicalFunction) -> Result<()> {
        let mut canonical = CanonicalFunctionSection::new();
        self.parse_component_canonical(&mut canonical, function)?;
        self.section(&canonical)
    }

    fn ty(&mut self, ty: ComponentType) -> Result<()> {
        let mut types = ComponentTypeSection::new();
        self.parse_component_type(types.ty(), ty)?;
        self.section(&types)
    }

    fn own_instance(&mut self, instance: ComponentInstance) -> Result<()> {
        let mut instances = ComponentInstanceSection::new();
        self.parse_component_instance(&mut instances, instance)?;
        self.section(&instances)
    }

    /// Writes the linked module and its instance, and what fills its table of imports.
    fn link(&mut self) -> Result<()> {
        let module = std::mem::take(&mut self.linked.binary);
        self.linked_instance = self.instantiate(&module, &[]);
        let imports = std::mem::take(&mut self.linked.imports);
        let mut items = vec![];
        for (position, &(index, _)) in imports.iter().enumerate() {
            let function = self.item(Space::Core(Kind::Function), index)?;
            items.push((position.to_string(), ExportKind::Func, function));
        }
        let table = self.core_alias(Kind::Table, linked::IMPORT_TABLE);
        items.push((linked::IMPORT_TABLE.to_owned(), ExportKind::Table, table));
        let mut instances = InstanceSection::new();
        instances.export_items(items);
        let items = self.add_instance(&instances);
        self.instantiate(&linked::fixup(imports.iter().map(|(_, ty)| ty))?, &[("", items)]);
        Ok(())
    }

    fn instantiate(&mut self, module: &[u8], arguments: &[(&str, u32)]) -> u32 {
        self.out.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data: module });
        self.modules += 1;
        let arguments: Vec<_> = arguments.iter().map(|&(name, index)| (name, ModuleArg::Instance(index))).collect();
        let mut instances = InstanceSection::new();
        instances.instantiate(self.modules - 1, arguments);
        self.add_instance(&instances)
    }

    fn add_instance(&mut self, section: &InstanceSection) -> u32 {
        self.out.section(section);
        self.instances += 1;
        self.instances - 1
    }

    /// The new index of an item of the component itself, in a scope that is `depth` scopes within it. Others stay as they
    /// are: what has index spaces of its own is written whole.
    fn own_index(&mut self, space: Space, index: u32, depth: u32) -> u32 {
        if depth != 0 {
            return index;
        }
        self.item(space, index).unwrap_or_else(|error| {
            self.failure.get_or_insert(error);
            index
        })
    }

    fn core_index(&mut self, kind: Kind, index: u32) -> Outcome<u32> {
        if self.depth == 0 { self.item(Space::Core(kind), index).map_err(Failure::new) } else { Ok(index) }
    }
}

impl Reencode for Writer<'_> {
    type Error = Failure;

    fn function_index(&mut self, index: u32) -> Outcome<u32> {
        self.core_index(Kind::Function, index)
    }

    fn table_index(&mut self, index: u32) -> Outcome<u32> {
        self.core_index(Kind::Table, index)
    }

    fn memory_index(&mut self, index: u32) -> Outcome<u32> {
        self.core_index(Kind::Memory, index)
    }
}

impl ReencodeComponent for Writer<'_> {
    fn push_depth(&mut self) {
        self.depth += 1;
    }

    fn pop_depth(&mut self) {
        self.depth -= 1;
    }

    fn component_type_index(&mut self, index: u32) -> u32 {
        self.own_index(Space::Type, index, self.depth)
    }

    fn component_func_index(&mut self, index: u32) -> u32 {
        self.own_index(Space::Function, index, self.depth)
    }

    fn component_instance_index(&mut self, index: u32) -> u32 {
        self.own_index(Space::Instance, index, self.depth)
    }

    fn component_index(&mut self, index: u32) -> u32 {
        self.own_index(Space::Component, index, self.depth)
    }

    fn outer_module_index(&mut self, count: u32, index: u32) -> u32 {
        if count == self.depth {
            self.failure.get_or_insert(anyhow!("core modules that nested components share are not supported"));
        }
        index
    }

    fn outer_component_type_index(&mut self, count: u32, index: u32) -> u32 {
        self.own_index(Space::Type, index, self.depth - count)
    }

    fn outer_component_index(&mut self, count: u32, index: u32) -> u32 {
        self.own_index(Space::Component, index, self.depth - count)
    }
}
