//! A component, read into its index spaces.

use crate::module::{Kind, Module};
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::ops::Range;
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExport, ComponentExternalKind, ComponentImport,
    ComponentInstance, ComponentType, Instance, KnownCustom, Parser, Payload,
};

/// An index space of a component: one of those for what core modules share, or its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Space {
    Core(Kind),
    Type,
    Function,
    Instance,
    Component,
}

impl Space {
    pub fn of(kind: ComponentExternalKind) -> Result<Self> {
        Ok(match kind {
            ComponentExternalKind::Type => Self::Type,
            ComponentExternalKind::Func => Self::Function,
            ComponentExternalKind::Instance => Self::Instance,
            ComponentExternalKind::Component => Self::Component,
            ComponentExternalKind::Module => bail!("core modules that are imported or exported are not supported"),
            ComponentExternalKind::Value => bail!("values are not supported"),
        })
    }
}

/// Where an item of an index space comes from.
pub enum Source<'a> {
    CoreExport {
        instance: u32,
        name: &'a str,
    },
    /// A core function, or a function of the component that is lifted from one.
    Canonical(CanonicalFunction),
    Type(ComponentType<'a>),
    Import(ComponentImport<'a>),
    Alias(ComponentAlias<'a>),
    Instance(ComponentInstance<'a>),
    Component(Parser, Range<u64>),
    /// An export is an item in its turn.
    Export(ComponentExport<'a>),
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
    /// The core instances.
    pub instances: Vec<Instance<'a>>,
    items: HashMap<Space, Vec<Source<'a>>>,
    /// The exports that are not left out, as the items that they are.
    pub exports: Vec<(Space, u32)>,
    /// The sections that are for tools, except the names: those are for debuggers, and their numbers will be others.
    pub custom: Vec<Range<u64>>,
    /// The imports and exports that are left out: names of them, or of what they are part of.
    pub without: &'a [String],
}

impl<'a> Component<'a> {
    /// Reads `binary`, a valid component.
    pub fn read(binary: &'a [u8], without: &'a [String]) -> Result<Self> {
        let mut component = Self {
            binary,
            modules: vec![],
            instances: vec![],
            items: HashMap::new(),
            exports: vec![],
            custom: vec![],
            without,
        };
        for payload in sections(binary) {
            component.read_section(payload?)?;
        }
        component.check_left_out()?;
        Ok(component)
    }

    fn read_section(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::Version { .. } | Payload::End(_) => (),
            Payload::ModuleSection { unchecked_range, .. } => {
                self.modules.push(Module::read(self.bytes(unchecked_range))?);
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    self.instances.push(instance?);
                }
            }
            Payload::ComponentSection { parser, unchecked_range } => {
                self.push(Space::Component, Source::Component(parser, unchecked_range));
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    self.push(Space::Instance, Source::Instance(instance?));
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    match alias? {
                        ComponentAlias::CoreInstanceExport { kind, instance_index: instance, name } => {
                            self.push(Space::Core(Kind::of(kind)?), Source::CoreExport { instance, name });
                        }
                        alias @ ComponentAlias::InstanceExport { kind, .. } => {
                            self.push(Space::of(kind)?, Source::Alias(alias));
                        }
                        ComponentAlias::Outer { .. } => bail!("an alias of what is there already is not supported"),
                    }
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    let function = function?;
                    let is_lifted = matches!(function, CanonicalFunction::Lift { .. });
                    let space = if is_lifted { Space::Function } else { Space::Core(Kind::Function) };
                    self.push(space, Source::Canonical(function));
                }
            }
            Payload::ComponentTypeSection(section) => {
                for ty in section {
                    self.push(Space::Type, Source::Type(ty?));
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    let import = import?;
                    self.push(Space::of(import.ty.kind())?, Source::Import(import));
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    let (space, name) = (Space::of(export.kind)?, export.name.name);
                    let index = self.push(space, Source::Export(export));
                    if !self.is_left_out(name) {
                        self.exports.push((space, index));
                    }
                }
            }
            Payload::CustomSection(section) => {
                if !matches!(section.as_known(), KnownCustom::ComponentName(_)) {
                    self.custom.push(section.range());
                }
            }
            _ => bail!("a component with core types of its own or a start function is not supported"),
        }
        Ok(())
    }

    /// Adds an item to `space` and returns its index.
    fn push(&mut self, space: Space, source: Source<'a>) -> u32 {
        let items = self.items.entry(space).or_default();
        items.push(source);
        items.len() as u32 - 1
    }

    /// Every import and export.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.items.values().flatten().filter_map(|source| match source {
            Source::Import(import) => Some(import.name.name),
            Source::Export(export) => Some(export.name.name),
            _ => None,
        })
    }

    pub fn source(&self, space: Space, index: u32) -> &Source<'a> {
        &self.items[&space][index as usize]
    }

    /// The core items that the component itself uses, for its exports and for what the libraries import.
    pub fn used(&self) -> Result<Vec<(Kind, u32)>> {
        let mut used = vec![];
        for &(space, index) in &self.exports {
            self.used_by(space, index, &mut used)?;
        }
        for source in
            [Space::Core(Kind::Function), Space::Type].iter().flat_map(|space| self.items.get(space)).flatten()
        {
            match source {
                Source::Canonical(CanonicalFunction::Lower { options, .. }) => read_options(options, &mut used),
                &Source::Type(ComponentType::Resource { dtor: Some(destructor), .. }) => {
                    used.push((Kind::Function, destructor));
                }
                _ => (),
            }
        }
        Ok(used)
    }

    /// Adds to `used` what item `index`, which is part of an export, is lifted from. It goes through instances, as
    /// wit-component exports functions, and not through what nested components take from around them.
    fn used_by(&self, space: Space, index: u32, used: &mut Vec<(Kind, u32)>) -> Result<()> {
        match self.source(space, index) {
            Source::Canonical(CanonicalFunction::Lift { core_func_index, options, .. }) => {
                used.push((Kind::Function, *core_func_index));
                read_options(options, used);
            }
            Source::Instance(ComponentInstance::Instantiate { args, .. }) => {
                for argument in args {
                    self.used_by(Space::of(argument.kind)?, argument.index, used)?;
                }
            }
            Source::Instance(ComponentInstance::FromExports(exports)) => {
                for export in exports {
                    self.used_by(Space::of(export.kind)?, export.index, used)?;
                }
            }
            Source::Alias(ComponentAlias::InstanceExport { instance_index, .. }) => {
                self.used_by(Space::Instance, *instance_index, used)?;
            }
            Source::Export(export) => {
                self.used_by(Space::of(export.kind)?, export.index, used)?;
            }
            _ => (),
        }
        Ok(())
    }

    /// A part of the component.
    pub fn bytes(&self, range: Range<u64>) -> &'a [u8] {
        &self.binary[range.start as usize..range.end as usize]
    }

    /// The module that core instance `instance` is made from, if it is made from one.
    fn module(&self, instance: u32) -> Option<&Module<'a>> {
        match &self.instances[instance as usize] {
            Instance::Instantiate { module_index, .. } => Some(&self.modules[*module_index as usize]),
            Instance::FromExports(_) => None,
        }
    }

    /// The library that core instance `instance` is made from, if it is one.
    pub fn library(&self, instance: u32) -> Option<&Module<'a>> {
        self.module(instance).filter(|module| !module.is_shim() && !module.is_fixup())
    }

    /// The core instances that are made from libraries.
    pub fn libraries(&self) -> impl Iterator<Item = (u32, &Module<'a>)> {
        (0..self.instances.len() as u32).filter_map(|instance| Some((instance, self.library(instance)?)))
    }

    /// Who defines core item `index` of the component. A library may itself have imported what it exports.
    pub fn definition(&self, kind: Kind, index: u32) -> Result<Definition> {
        match *self.source(Space::Core(kind), index) {
            Source::CoreExport { instance, name } => self.export(instance, kind, name),
            _ => Ok(Definition::Outside(index)),
        }
    }

    /// Who defines what core instance `instance` exports as `name`.
    pub fn export(&self, instance: u32, kind: Kind, name: &str) -> Result<Definition> {
        if let Some(library) = self.library(instance) {
            let &(_, index) = library.exports.get(name).with_context(|| format!("no library exports {name}"))?;
            return Ok(Definition::Library { instance, index });
        }
        let exports = match &self.instances[instance as usize] {
            Instance::FromExports(exports) => exports,
            Instance::Instantiate { .. } => self.behind_shim()?,
        };
        let export = exports.iter().find(|export| export.name == name).with_context(|| format!("{name} is missing"))?;
        self.definition(kind, export.index)
    }

    /// What the functions of wit-component's shim call, once the fixup has filled its table: the fixup's arguments.
    fn behind_shim(&self) -> Result<&[wasmparser::Export<'a>]> {
        let fixup =
            (0..).zip(&self.instances).find(|&(instance, _)| self.module(instance).is_some_and(Module::is_fixup));
        if let Some((_, Instance::Instantiate { args, .. })) = fixup
            && let [argument] = &**args
            && let Instance::FromExports(exports) = &self.instances[argument.index as usize]
        {
            return Ok(exports);
        }
        bail!("there is a shim, and nothing that fills its table")
    }
}

fn read_options(options: &[CanonicalOption], used: &mut Vec<(Kind, u32)>) {
    used.extend(options.iter().filter_map(|option| match *option {
        CanonicalOption::Memory(index) => Some((Kind::Memory, index)),
        CanonicalOption::Realloc(index) | CanonicalOption::PostReturn(index) | CanonicalOption::Callback(index) => {
            Some((Kind::Function, index))
        }
        _ => None,
    }));
}

/// The sections of a component, without going into those of the modules and components in it.
fn sections(binary: &[u8]) -> impl Iterator<Item = wasmparser::Result<Payload<'_>>> {
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
