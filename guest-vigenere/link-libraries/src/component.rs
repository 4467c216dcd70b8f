//! A component, read as far as its core modules are concerned.

use crate::module::{Kind, Module};
use anyhow::{Context, Result, bail};
use std::ops::Range;
use wasmparser::{CanonicalFunction, CanonicalOption, ComponentAlias, ComponentType, Instance, Parser, Payload};

/// Where an item of a core index space of the component comes from.
pub enum Source<'a> {
    Export { instance: u32, name: &'a str },
    Canonical(CanonicalFunction),
}

/// Who defines an item: a library (its instance, and the index in the library), or something that is not linked (the
/// index in the component).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Definition {
    Outside(u32),
    Library { instance: u32, index: u32 },
}

pub struct Component<'a> {
    pub binary: &'a [u8],
    pub modules: Vec<Module<'a>>,
    pub instances: Vec<Instance<'a>>,
    /// Indexed by [`Kind`].
    items: [Vec<Source<'a>>; 4],
    /// What is used by something else than a library.
    pub used: Vec<(Kind, u32)>,
}

impl<'a> Component<'a> {
    pub fn read(binary: &'a [u8]) -> Result<Self> {
        let mut component =
            Self { binary, modules: vec![], instances: vec![], items: Default::default(), used: vec![] };
        for payload in sections(binary) {
            component.read_section(payload?)?;
        }
        for instance in &component.instances {
            let Instance::Instantiate { module_index, args } = instance else { continue };
            if !component.modules[*module_index as usize].is_shim_or_fixup() {
                continue;
            }
            for argument in args {
                if let Instance::FromExports(exports) = &component.instances[argument.index as usize] {
                    for export in exports {
                        component.used.push((Kind::of(export.kind)?, export.index));
                    }
                }
            }
        }
        Ok(component)
    }

    fn read_section(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::ModuleSection { unchecked_range, .. } => {
                self.modules.push(Module::read(self.bytes(unchecked_range))?);
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.instances.push(instance?);
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    if let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = alias? {
                        let source = Source::Export { instance: instance_index, name };
                        self.items[Kind::of(kind)? as usize].push(source);
                    }
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    let function = function?;
                    self.read_options(&function);
                    if let CanonicalFunction::Lift { core_func_index, .. } = function {
                        self.used.push((Kind::Function, core_func_index));
                    } else {
                        self.items[Kind::Function as usize].push(Source::Canonical(function));
                    }
                }
            }
            Payload::ComponentTypeSection(section) => {
                for ty in section {
                    if let ComponentType::Resource { dtor: Some(destructor), .. } = ty? {
                        self.used.push((Kind::Function, destructor));
                    }
                }
            }
            _ => (),
        }
        Ok(())
    }

    fn read_options(&mut self, function: &CanonicalFunction) {
        let (CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. }) = function else {
            return;
        };
        self.used.extend(options.iter().filter_map(|option| match *option {
            CanonicalOption::Memory(index) => Some((Kind::Memory, index)),
            CanonicalOption::Realloc(index) | CanonicalOption::PostReturn(index) | CanonicalOption::Callback(index) => {
                Some((Kind::Function, index))
            }
            _ => None,
        }));
    }

    /// A part of the component.
    pub fn bytes(&self, range: Range<u64>) -> &'a [u8] {
        &self.binary[range.start as usize..range.end as usize]
    }

    /// The library that core instance `instance` is made from, if it is one.
    pub fn library(&self, instance: u32) -> Option<&Module<'a>> {
        match &self.instances[instance as usize] {
            Instance::Instantiate { module_index, .. } => {
                Some(&self.modules[*module_index as usize]).filter(|module| !module.is_shim_or_fixup())
            }
            Instance::FromExports(_) => None,
        }
    }

    /// The core instances that are made from libraries.
    pub fn libraries(&self) -> impl Iterator<Item = (u32, &Module<'a>)> {
        (0..self.instances.len() as u32).filter_map(|instance| Some((instance, self.library(instance)?)))
    }

    pub fn source(&self, kind: Kind, index: u32) -> &Source<'a> {
        &self.items[kind as usize][index as usize]
    }

    /// Who defines item `index` of the component. A library may itself have imported what it exports.
    pub fn definition(&self, kind: Kind, index: u32) -> Result<Definition> {
        match *self.source(kind, index) {
            Source::Export { instance, name } if self.library(instance).is_some() => self.export(instance, kind, name),
            _ => Ok(Definition::Outside(index)),
        }
    }

    /// Who defines what `instance` exports as `name`.
    pub fn export(&self, instance: u32, kind: Kind, name: &str) -> Result<Definition> {
        if let Some(library) = self.library(instance) {
            let &(_, index) = library.exports.get(name).with_context(|| format!("no library exports {name}"))?;
            return Ok(Definition::Library { instance, index });
        }
        let Instance::FromExports(exports) = &self.instances[instance as usize] else {
            bail!("{name} is imported from a module that stays apart");
        };
        let export = exports.iter().find(|export| export.name == name).with_context(|| format!("{name} is missing"))?;
        self.definition(kind, export.index)
    }
}

/// The sections of a component, without going into those of the modules and components in it.
pub fn sections(binary: &[u8]) -> impl Iterator<Item = wasmparser::Result<Payload<'_>>> {
    let mut depth = 0;
    Parser::new(0).parse_all(binary).filter(move |payload| {
        let depth_before = depth;
        match payload {
            Ok(Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth -= 1,
            _ => (),
        }
        depth_before == 0
    })
}
