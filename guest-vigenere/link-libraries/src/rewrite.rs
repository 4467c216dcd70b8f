//! Writes the component around the linked module.

use crate::component::{Component, Definition, Source, sections};
use crate::failure::{Failure, Outcome};
use crate::linked::Linked;
use crate::linker::Linker;
use crate::module::Kind;
use anyhow::{Context, Result};
use std::collections::HashMap;
use wasm_encoder::reencode::{Reencode, ReencodeComponent};
use wasm_encoder::{Alias, CanonicalFunctionSection, ComponentAliasSection, ComponentTypeSection, ExportKind};
use wasm_encoder::{InstanceSection, ModuleArg, RawSection};
use wasmparser::{CanonicalFunction, ComponentAlias, Instance, KnownCustom, Payload};

/// Writes `component` with `linked` in place of its libraries.
///
/// What the component has besides core modules stays as it is and where it is. Core items are written when something
/// needs them, which leaves out what only the libraries needed.
pub fn rewrite(component: &Component, linker: &Linker, linked: Linked) -> Result<Vec<u8>> {
    let mut writer = Writer {
        component,
        linker,
        linked,
        out: wasm_encoder::Component::new(),
        items: HashMap::new(),
        counts: [0; 4],
        modules: 0,
        instances: 0,
        instance_numbers: HashMap::new(),
        linked_instance: None,
    };
    let mut instance = 0;
    for payload in sections(component.binary) {
        writer.section(payload?, &mut instance)?;
    }
    Ok(writer.out.finish())
}

struct Writer<'c> {
    component: &'c Component<'c>,
    linker: &'c Linker<'c>,
    linked: Linked,
    out: wasm_encoder::Component,
    /// From the index in the old component to that in the new one.
    items: HashMap<(Kind, u32), u32>,
    instance_numbers: HashMap<u32, u32>,
    linked_instance: Option<u32>,
    /// How many core items, indexed by [`Kind`], core modules and core instances were written.
    counts: [u32; 4],
    modules: u32,
    instances: u32,
}

impl Writer<'_> {
    fn section(&mut self, payload: Payload, instance: &mut u32) -> Result<()> {
        match payload {
            Payload::ModuleSection { .. } => (), // written with its instance
            Payload::InstanceSection(section) => {
                for made in section {
                    // Making an instance of a module has effects, as when it fills a table.
                    if matches!(made?, Instance::Instantiate { .. }) && self.component.library(*instance).is_none() {
                        self.instance(*instance)?;
                    }
                    *instance += 1;
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    let alias = alias?;
                    if !matches!(alias, ComponentAlias::CoreInstanceExport { .. }) {
                        let alias = self.component_alias(alias)?;
                        self.alias(alias);
                    }
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    let function = function?;
                    if matches!(function, CanonicalFunction::Lift { .. }) {
                        self.canonical(function)?;
                    }
                }
            }
            Payload::ComponentTypeSection(section) => {
                let mut types = ComponentTypeSection::new();
                self.parse_component_type_section(&mut types, section)?;
                self.out.section(&types);
            }
            // The names of items are for debuggers, and their numbers are others now.
            Payload::CustomSection(section) if matches!(section.as_known(), KnownCustom::ComponentName(_)) => (),
            other => {
                if let Some((id, range)) = other.as_section() {
                    self.out.section(&RawSection { id, data: self.component.bytes(range) });
                }
            }
        }
        Ok(())
    }

    /// The new index of core item `index`, which is written if it was not.
    fn item(&mut self, kind: Kind, index: u32) -> Result<u32> {
        if let Some(&new) = self.items.get(&(kind, index)) {
            return Ok(new);
        }
        let new = match self.linker.definition(kind, index)? {
            definition @ Definition::Library { .. } => {
                let instance = self.linked_instance()?;
                let name = self.linked.exports.get(&(kind, definition)).context("an export was left out")?.clone();
                self.alias(Alias::CoreInstanceExport { instance, kind: kind.into(), name: &name });
                self.count(kind)
            }
            Definition::Outside(origin) if origin != index => self.item(kind, origin)?,
            Definition::Outside(_) => {
                match self.component.source(kind, index) {
                    &Source::Export { instance, name } => {
                        let instance = self.instance(instance)?;
                        self.alias(Alias::CoreInstanceExport { instance, kind: kind.into(), name });
                    }
                    Source::Canonical(function) => self.canonical(function.clone())?,
                }
                self.count(kind)
            }
        };
        self.items.insert((kind, index), new);
        Ok(new)
    }

    fn count(&mut self, kind: Kind) -> u32 {
        self.counts[kind as usize] += 1;
        self.counts[kind as usize] - 1
    }

    fn alias(&mut self, alias: Alias) {
        let mut aliases = ComponentAliasSection::new();
        aliases.alias(alias);
        self.out.section(&aliases);
    }

    fn canonical(&mut self, function: CanonicalFunction) -> Result<()> {
        let mut canonical = CanonicalFunctionSection::new();
        self.parse_component_canonical(&mut canonical, function)?;
        self.out.section(&canonical);
        Ok(())
    }

    /// The new index of core instance `index`, no library, which is written if it was not.
    fn instance(&mut self, index: u32) -> Result<u32> {
        if let Some(&new) = self.instance_numbers.get(&index) {
            return Ok(new);
        }
        let new = match &self.component.instances[index as usize] {
            Instance::Instantiate { module_index, args } => {
                let mut arguments = vec![];
                for argument in args {
                    arguments.push((argument.name, self.instance(argument.index)?));
                }
                let module = self.component.modules[*module_index as usize].binary;
                self.instantiate(module, &arguments)
            }
            Instance::FromExports(exports) => {
                let mut items = vec![];
                for export in exports {
                    let kind = Kind::of(export.kind)?;
                    items.push((export.name, kind.into(), self.item(kind, export.index)?));
                }
                self.bundle(items)
            }
        };
        self.instance_numbers.insert(index, new);
        Ok(new)
    }

    /// The index of the instance of the linked module, which is written if it was not.
    fn linked_instance(&mut self) -> Result<u32> {
        if let Some(instance) = self.linked_instance {
            return Ok(instance);
        }
        let binary = self.linked.binary.take().context("a function that the libraries import needs them itself")?;
        let mut functions = vec![];
        for (name, index) in std::mem::take(&mut self.linked.imports).into_iter().enumerate() {
            functions.push((name.to_string(), ExportKind::Func, self.item(Kind::Function, index)?));
        }
        let imports = self.bundle(functions);
        let instance = self.instantiate(&binary, &[("", imports)]);
        self.linked_instance = Some(instance);
        Ok(instance)
    }

    fn instantiate(&mut self, module: &[u8], arguments: &[(&str, u32)]) -> u32 {
        self.out.section(&RawSection { id: wasm_encoder::ComponentSectionId::CoreModule.into(), data: module });
        self.modules += 1;
        let arguments: Vec<_> = arguments.iter().map(|&(name, index)| (name, ModuleArg::Instance(index))).collect();
        let mut instances = InstanceSection::new();
        instances.instantiate(self.modules - 1, arguments);
        self.add_instance(&instances)
    }

    fn bundle<N: AsRef<str>>(&mut self, items: Vec<(N, ExportKind, u32)>) -> u32 {
        let mut instances = InstanceSection::new();
        instances.export_items(items);
        self.add_instance(&instances)
    }

    fn add_instance(&mut self, section: &InstanceSection) -> u32 {
        self.out.section(section);
        self.instances += 1;
        self.instances - 1
    }
}

impl Reencode for Writer<'_> {
    type Error = Failure;

    fn function_index(&mut self, index: u32) -> Outcome<u32> {
        self.item(Kind::Function, index).map_err(Failure::new)
    }

    fn table_index(&mut self, index: u32) -> Outcome<u32> {
        self.item(Kind::Table, index).map_err(Failure::new)
    }

    fn memory_index(&mut self, index: u32) -> Outcome<u32> {
        self.item(Kind::Memory, index).map_err(Failure::new)
    }
}

impl ReencodeComponent for Writer<'_> {}
