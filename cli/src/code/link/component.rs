//! A component, read in one pass: every core item is resolved to its definition as soon as it is read.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, ComponentType, FuncType, Instance, InstantiationArg, KnownCustom, Parser, Payload,
    TypeRef, ValidPayload, Validator,
};

use super::denied::Denied;
use super::module::{Kind, Module, PerKind};
use crate::code::engine;

/// The definition of a core item, behind all its imports and exports.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Definition {
    /// A function that the component makes, such as a lowered import: its position among those.
    Outside(u32),
    /// An item of a library: its position among the library's own items of that kind.
    Own { library: usize, index: u32 },
}

/// A core module with the definitions of its index spaces, imports included.
pub(super) struct Library<'a> {
    pub(super) module: Module<'a>,
    pub(super) items: PerKind<Vec<Definition>>,
}

impl Library<'_> {
    /// The definition of item `index` of this module.
    pub(super) fn item(&self, kind: Kind, index: u32) -> Result<Definition> {
        self.items[kind as usize].get(index as usize).copied().context("an index is out of range")
    }
}

/// The exports of a core instance.
type Exports<'a> = HashMap<&'a str, (Kind, Definition)>;

#[derive(Default)]
pub(super) struct Component<'a> {
    pub(super) bytes: &'a [u8],
    /// The core modules in the order of their instantiation.
    pub(super) libraries: Vec<Library<'a>>,
    /// The sections of the component itself, in order.
    pub(super) sections: Vec<Payload<'a>>,
    /// The items of libraries that the component itself uses, each once. Others refer to them by their position here.
    pub(super) used: PerKind<Vec<Definition>>,
    /// The types of the outside functions that libraries import.
    pub(super) outside: BTreeMap<u32, FuncType>,
    /// The imported functions that are left out.
    pub(super) denied: Denied<'a>,
    /// The core index spaces.
    core: PerKind<Vec<Definition>>,
    positions: HashMap<(Kind, Definition), u32>,
    instances: Vec<Exports<'a>>,
    /// The core modules; those that have an instance are in `libraries`.
    modules: Vec<Option<Module<'a>>>,
    outside_count: u32,
    /// The outside functions that the component itself uses.
    outside_used: HashSet<u32>,
}

/// The part being read, while it is not the component itself.
enum Nested {
    Module,
    Component,
}

impl<'a> Component<'a> {
    /// Reads `bytes`, a valid component.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut component = Self { bytes, ..Self::default() };
        let mut nesting = vec![];
        // This validator is only for types: it validates no function bodies.
        let (mut validator, mut types) = (Validator::new_with_features(engine::PROPOSALS), None);
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            if let ValidPayload::End(ended) = validator.payload(&payload)? {
                types = Some(ended);
            }
            let entered = match payload {
                Payload::ModuleSection { .. } => Some(Nested::Module),
                Payload::ComponentSection { .. } => Some(Nested::Component),
                _ => None,
            };
            let left = matches!(payload, Payload::End(_));
            match nesting.last() {
                None => component.read_section(payload)?,
                Some(Nested::Module) => {
                    component
                        .modules
                        .last_mut()
                        .and_then(Option::as_mut)
                        .context("a module is missing")?
                        .read(payload)?;
                }
                Some(Nested::Component) => check_nested(&payload)?,
            }
            if left {
                nesting.pop();
            }
            nesting.extend(entered);
        }
        component.denied = Denied::find(&component, &types.context("the component does not end")?)?;
        Ok(component)
    }

    /// The maximum size of the linked component. Larger indices and constants make code grow by a few percent.
    pub(super) fn size_limit(&self) -> usize {
        self.bytes.len() * 2
    }

    /// The bytes in `range`.
    pub(super) fn slice(&self, range: Range<usize>) -> Result<&'a [u8]> {
        self.bytes.get(range).context("a section is out of range")
    }

    /// The index in the linked component of core item `index` of this one: aliases of the linked module's
    /// exports come first, then the functions that the component makes.
    pub(super) fn core_index(&self, kind: Kind, index: u32) -> Result<u32> {
        match self.core_item(kind, index)? {
            Definition::Outside(position) => Ok(self.outside_index(position)),
            own @ Definition::Own { .. } => {
                self.positions.get(&(kind, own)).copied().context("an item is not exported")
            }
        }
    }

    /// The index in the linked component of outside function `position`.
    pub(super) fn outside_index(&self, position: u32) -> u32 {
        self.used[Kind::Function as usize].len() as u32 + position - self.denied.before(position)
    }

    /// The type of the outside function at `position`, if only libraries use it.
    pub(super) fn library_import(&self, position: u32) -> Option<&FuncType> {
        self.outside.get(&position).filter(|_| !self.outside_used.contains(&position))
    }

    fn core_item(&self, kind: Kind, index: u32) -> Result<Definition> {
        self.core[kind as usize].get(index as usize).copied().context("an index is out of range")
    }

    fn read_section(&mut self, payload: Payload<'a>) -> Result<()> {
        match &payload {
            Payload::ModuleSection { .. } => {
                self.modules.push(Some(Module::default()));
                return Ok(());
            }
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    let exports = self.instantiate(instance?)?;
                    self.instances.push(exports);
                }
                return Ok(());
            }
            Payload::Version { .. } | Payload::End(_) => return Ok(()),
            // The name section is only for debuggers, and its indices would be wrong.
            Payload::CustomSection(section) if matches!(section.as_known(), KnownCustom::ComponentName(_)) => {
                return Ok(());
            }
            Payload::CustomSection(_) | Payload::ComponentSection { .. } => {}
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    self.read_alias(alias?)?;
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section.clone() {
                    self.read_canonical(&function?)?;
                }
            }
            Payload::ComponentTypeSection(section) => {
                for ty in section.clone() {
                    if let ComponentType::Resource { dtor: Some(destructor), .. } = ty? {
                        self.use_item(Kind::Function, destructor)?;
                    }
                }
            }
            _ => check_shared(&payload)?,
        }
        self.sections.push(payload);
        Ok(())
    }

    fn read_alias(&mut self, alias: ComponentAlias<'a>) -> Result<()> {
        if let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = alias {
            let kind = Kind::of(kind)?;
            let definition = self.export(instance_index, kind, name)?;
            self.core[kind as usize].push(definition);
            return Ok(());
        }
        check_alias(&alias)
    }

    fn read_canonical(&mut self, function: &CanonicalFunction) -> Result<()> {
        match function {
            CanonicalFunction::Lift { core_func_index, options, .. } => {
                self.use_item(Kind::Function, *core_func_index)?;
                return self.read_options(options);
            }
            CanonicalFunction::Lower { options, .. } => self.read_options(options)?,
            CanonicalFunction::ResourceNew { .. }
            | CanonicalFunction::ResourceDrop { .. }
            | CanonicalFunction::ResourceRep { .. } => {}
            _ => bail!("it uses a canonical function other than those for calls and resources"),
        }
        self.core[Kind::Function as usize].push(Definition::Outside(self.outside_count));
        self.outside_count += 1;
        Ok(())
    }

    fn read_options(&mut self, options: &[CanonicalOption]) -> Result<()> {
        for option in options {
            match *option {
                CanonicalOption::Memory(index) => self.use_item(Kind::Memory, index)?,
                CanonicalOption::Realloc(index) | CanonicalOption::PostReturn(index) => {
                    self.use_item(Kind::Function, index)?;
                }
                CanonicalOption::UTF8 | CanonicalOption::UTF16 | CanonicalOption::CompactUTF16 => {}
                _ => bail!("it uses a canonical option for async calls or garbage collection"),
            }
        }
        Ok(())
    }

    /// Records that the component itself uses core item `index`.
    fn use_item(&mut self, kind: Kind, index: u32) -> Result<()> {
        match self.core_item(kind, index)? {
            Definition::Outside(position) => _ = self.outside_used.insert(position),
            own @ Definition::Own { .. } => {
                if let Entry::Vacant(entry) = self.positions.entry((kind, own)) {
                    entry.insert(self.used[kind as usize].len() as u32);
                    self.used[kind as usize].push(own);
                }
            }
        }
        Ok(())
    }

    fn export(&self, instance: u32, kind: Kind, name: &str) -> Result<Definition> {
        let exports = self.instances.get(instance as usize).context("an instance is out of range")?;
        let &(found, definition) = exports.get(name).context("an export is missing")?;
        ensure!(found == kind, "an export is of another kind");
        Ok(definition)
    }

    fn instantiate(&mut self, instance: Instance<'a>) -> Result<Exports<'a>> {
        match instance {
            Instance::FromExports(exports) => exports
                .iter()
                .map(|export| {
                    let kind = Kind::of(export.kind)?;
                    Ok((export.name, (kind, self.core_item(kind, export.index)?)))
                })
                .collect(),
            Instance::Instantiate { module_index, args } => {
                let module = self.modules.get_mut(module_index as usize).context("a module is out of range")?;
                let module = module.take().context("a core module has more than one instance")?;
                self.add_library(module, &args)
            }
        }
    }

    fn add_library(&mut self, module: Module<'a>, args: &[InstantiationArg<'a>]) -> Result<Exports<'a>> {
        let library = self.libraries.len();
        let args: HashMap<_, _> = args.iter().map(|argument| (argument.name, argument.index)).collect();
        let mut items: PerKind<Vec<Definition>> = PerKind::default();
        for import in &module.imports {
            let kind = Kind::of_import(import.ty)?;
            let &instance = args.get(import.module).context("an argument is missing")?;
            let definition = self.export(instance, kind, import.name)?;
            if let (Definition::Outside(position), TypeRef::Func(ty)) = (definition, import.ty) {
                let ty = module.types.get(ty as usize).context("a type is out of range")?;
                self.outside.entry(position).or_insert_with(|| ty.clone());
            }
            items[kind as usize].push(definition);
        }
        for kind in Kind::ALL {
            items[kind as usize].extend((0..module.count(kind) as u32).map(|index| Definition::Own { library, index }));
        }
        let library = Library { module, items };
        let exports = library.module.exports.iter().map(|export| {
            let kind = Kind::of(export.kind)?;
            Ok((export.name, (kind, library.item(kind, export.index)?)))
        });
        let exports = exports.collect::<Result<_>>()?;
        self.libraries.push(library);
        Ok(exports)
    }
}

/// Refuses a nested component that contains code, or takes code from an enclosing component.
fn check_nested(payload: &Payload) -> Result<()> {
    match payload {
        Payload::Version { .. } | Payload::End(_) | Payload::CustomSection(_) => Ok(()),
        Payload::ComponentSection { .. } | Payload::ComponentTypeSection(_) => Ok(()),
        Payload::ComponentAliasSection(section) => {
            section.clone().into_iter().try_for_each(|alias| check_alias(&alias?))
        }
        _ => check_shared(payload).context("a nested component"),
    }
}

fn check_alias(alias: &ComponentAlias) -> Result<()> {
    match alias {
        ComponentAlias::InstanceExport { kind, .. } => check_kind(*kind),
        ComponentAlias::Outer { kind: ComponentOuterAliasKind::Type | ComponentOuterAliasKind::Component, .. } => {
            Ok(())
        }
        _ => bail!("an alias of a core module, core type or core item is not supported"),
    }
}

/// Refuses a section that shares core modules or values, or is of an unknown kind.
fn check_shared(payload: &Payload) -> Result<()> {
    match payload {
        Payload::ComponentImportSection(section) => {
            section.clone().into_iter().try_for_each(|import| check_kind(import?.ty.kind()))
        }
        Payload::ComponentExportSection(section) => {
            section.clone().into_iter().try_for_each(|export| check_kind(export?.kind))
        }
        Payload::ComponentInstanceSection(section) => {
            section.clone().into_iter().try_for_each(|instance| match instance? {
                ComponentInstance::Instantiate { args, .. } => {
                    args.iter().try_for_each(|argument| check_kind(argument.kind))
                }
                ComponentInstance::FromExports(exports) => {
                    exports.iter().try_for_each(|export| check_kind(export.kind))
                }
            })
        }
        _ => bail!("it has code in a nested component, a start function, or core types"),
    }
}

fn check_kind(kind: ComponentExternalKind) -> Result<()> {
    match kind {
        ComponentExternalKind::Module => bail!("it shares a core module"),
        ComponentExternalKind::Value => bail!("it shares a value"),
        _ => Ok(()),
    }
}
