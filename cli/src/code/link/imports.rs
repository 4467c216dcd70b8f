//! The parts of the interfaces for files, sockets, and HTTP that a component uses.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Result;
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind as Kind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Payload,
};

/// The interfaces that define denied resources, in any version 0.2.x.
const INTERFACES: [&str; 5] =
    ["wasi:filesystem/types", "wasi:http/types", "wasi:sockets/ip-name-lookup", "wasi:sockets/tcp", "wasi:sockets/udp"];

/// An imported instance of such an interface.
pub(super) struct Import {
    /// Its type: the index, and the offset of the definition.
    ty: u32,
    pub(super) type_offset: usize,
}

/// An alias of a function of an imported instance.
pub(super) struct Alias<'a> {
    pub(super) offset: usize,
    pub(super) instance: u32,
    pub(super) name: &'a str,
}

/// The imports of a component, and its uses of the items of these interfaces.
#[derive(Default)]
pub(super) struct Imports<'a> {
    /// The indices of all imported instances.
    pub(super) imported: Vec<u32>,
    /// The instances of these interfaces, except those that share their type or are passed on.
    pub(super) instances: BTreeMap<u32, Import>,
    /// The aliases of their functions, by the index of the function.
    pub(super) aliases: BTreeMap<u32, Alias<'a>>,
    /// The functions that are exported, or passed on to another instance.
    pub(super) passed_on: HashSet<u32>,
    /// The lowered functions: their positions among the outside functions, and their indices.
    pub(super) lowered: Vec<(u32, u32)>,
    /// The `resource.drop`s: their positions among the outside functions, and the indices of the resources.
    pub(super) drops: Vec<(u32, u32)>,
    /// The offset of each type, unless it is an alias, an import, or an export.
    types: Vec<Option<usize>>,
    /// The number of imports and exports with each instance type.
    type_uses: HashMap<u32, usize>,
    function_count: u32,
    instance_count: u32,
    outside_count: u32,
}

impl<'a> Imports<'a> {
    /// Reads the sections of a component itself.
    pub(super) fn read(sections: &[Payload<'a>]) -> Result<Self> {
        let mut imports = Self::default();
        for section in sections {
            imports.read_section(section)?;
        }
        let Self { instances, aliases, type_uses, .. } = &mut imports;
        instances.retain(|_, import| type_uses.get(&import.ty) == Some(&1));
        aliases.retain(|_, alias| instances.contains_key(&alias.instance));
        Ok(imports)
    }

    fn read_section(&mut self, section: &Payload<'a>) -> Result<()> {
        match section {
            Payload::ComponentTypeSection(section) => {
                for ty in section.clone().into_iter_with_offsets() {
                    self.types.push(Some(ty?.0));
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    let import = import?;
                    self.read_import(import.name.name, import.ty);
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone().into_iter_with_offsets() {
                    let (offset, alias) = alias?;
                    self.read_alias(offset, &alias);
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    match instance? {
                        ComponentInstance::Instantiate { args, .. } => {
                            args.iter().for_each(|argument| self.pass_on(argument.kind, argument.index));
                        }
                        ComponentInstance::FromExports(exports) => {
                            exports.iter().for_each(|export| self.pass_on(export.kind, export.index));
                        }
                    }
                    self.define(Kind::Instance);
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    let export = export?;
                    self.use_type(export.ty);
                    self.pass_on(export.kind, export.index);
                    self.define(export.kind);
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section.clone() {
                    self.read_canonical(&function?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn read_import(&mut self, name: &str, ty: ComponentTypeRef) {
        if let ComponentTypeRef::Instance(_) = ty {
            self.imported.push(self.instance_count);
        }
        if let ComponentTypeRef::Instance(ty) = ty
            && let Some((interface, version)) = name.split_once('@')
            && INTERFACES.contains(&interface)
            && version.starts_with("0.2.")
            && let Some(&Some(type_offset)) = self.types.get(ty as usize)
        {
            self.instances.insert(self.instance_count, Import { ty, type_offset });
        }
        self.use_type(Some(ty));
        self.define(ty.kind());
    }

    fn read_alias(&mut self, offset: usize, alias: &ComponentAlias<'a>) {
        match *alias {
            ComponentAlias::InstanceExport { kind, instance_index: instance, name } => {
                if kind == Kind::Func && self.instances.contains_key(&instance) {
                    self.aliases.insert(self.function_count, Alias { offset, instance, name });
                }
                self.define(kind);
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Type, .. } => self.define(Kind::Type),
            _ => {}
        }
    }

    fn read_canonical(&mut self, function: &CanonicalFunction) {
        match *function {
            CanonicalFunction::Lift { .. } => return self.define(Kind::Func),
            CanonicalFunction::Lower { func_index, .. } => self.lowered.push((self.outside_count, func_index)),
            CanonicalFunction::ResourceDrop { resource } => self.drops.push((self.outside_count, resource)),
            _ => {}
        }
        self.outside_count += 1;
    }

    fn define(&mut self, kind: Kind) {
        match kind {
            Kind::Func => self.function_count += 1,
            Kind::Type => self.types.push(None),
            Kind::Instance => self.instance_count += 1,
            _ => {}
        }
    }

    fn use_type(&mut self, ty: Option<ComponentTypeRef>) {
        if let Some(ComponentTypeRef::Instance(ty)) = ty {
            *self.type_uses.entry(ty).or_default() += 1;
        }
    }

    fn pass_on(&mut self, kind: Kind, index: u32) {
        match kind {
            Kind::Func => _ = self.passed_on.insert(index),
            Kind::Instance => _ = self.instances.remove(&index),
            _ => {}
        }
    }
}
