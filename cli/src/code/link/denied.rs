//! The imported functions that a linked component leaves out, because every call of them fails.
//!
//! The sandbox hands out no files, sockets, or HTTP requests, so no guest has a handle of one. Most functions of their
//! interfaces take such a handle first. A call fails when this argument is converted, before it reaches the host, and
//! `resource.drop` fails with the same error. So one `resource.drop` of the component stands in for all of them. The
//! few functions that take no such handle, such as those that create a socket, stay.
//!
//! The imports of the component stay, and so do the indices of its own functions and types. Only the types of imported
//! instances lose functions. An alias of a lost function leads to another function of its instance; nothing uses that
//! alias.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use wasmparser::FuncType;
use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentEntityType, ComponentValType, ResourceId,
};
use wasmparser::types::{Types, TypesRef};

use super::component::Component;
use super::imports::{Alias, Imports};

/// The resources that a guest may have, whatever interface defines them.
const GRANTED: [&str; 6] = ["error", "input-stream", "io-error", "network", "output-stream", "pollable"];

/// The functions that are left out, and what replaces them.
#[derive(Default)]
pub(super) struct Denied<'a> {
    /// The positions of outside functions, in ascending order.
    functions: Vec<u32>,
    /// The position of the outside function that stands in for them.
    pub(super) stand_in: u32,
    /// The functions that an instance type loses, by the offset of the type.
    pub(super) lost: HashMap<usize, HashSet<&'a str>>,
    /// The instance and the function that an alias leads to instead, by the offset of the alias.
    pub(super) aliases: HashMap<usize, (u32, &'a str)>,
}

impl<'a> Denied<'a> {
    /// Finds the functions that `component`, which has these `types`, can do without.
    pub(super) fn find(component: &Component<'a>, types: &Types) -> Result<Self> {
        let imports = Imports::read(&component.sections)?;
        let resources = Resources::of(&imports, types.as_ref());
        let drops = imports.drops.iter().filter(|&&(position, resource)| {
            component.library_import(position).is_some() && resources.contain_type(resource)
        });
        let mut functions: Vec<_> = drops.map(|&(position, _)| position).collect();
        if functions.is_empty() {
            return Ok(Self::default());
        }
        let stand_in = functions.remove(0);
        let mut kept = imports.passed_on.clone();
        for &(position, function) in &imports.lowered {
            let lowered = component.library_import(position).filter(|_| imports.aliases.contains_key(&function));
            if lowered.is_some_and(|lowered| resources.fail_call(function, lowered)) {
                functions.push(position);
            } else {
                kept.insert(function);
            }
        }
        functions.sort_unstable();
        let mut denied = Self { functions, stand_in, ..Self::default() };
        denied.drop_exports(&imports, &kept);
        Ok(denied)
    }

    /// Whether the outside function at `position` is left out.
    pub(super) fn contains(&self, position: u32) -> bool {
        self.functions.binary_search(&position).is_ok()
    }

    /// The number of outside functions before `position` that are left out.
    pub(super) fn before(&self, position: u32) -> u32 {
        self.functions.partition_point(|&function| function < position) as u32
    }

    /// Drops all functions except those in `kept` from their instances. The first alias of each instance stays, and the
    /// others lead there.
    fn drop_exports(&mut self, imports: &Imports<'a>, kept: &HashSet<u32>) {
        let kept = kept.iter().filter_map(|function| imports.aliases.get(function));
        let kept: HashSet<_> = kept.map(|alias| (alias.instance, alias.name)).collect();
        let mut first = HashMap::new();
        for Alias { offset, instance, name } in imports.aliases.values() {
            let target = *first.entry(instance).or_insert(*name);
            if let Some(import) = imports.instances.get(instance)
                && target != *name
                && !kept.contains(&(*instance, name))
            {
                self.lost.entry(import.type_offset).or_default().insert(name);
                self.aliases.insert(*offset, (*instance, target));
            }
        }
    }
}

/// The resources of which no guest has a handle.
struct Resources<'t> {
    types: TypesRef<'t>,
    denied: HashSet<ResourceId>,
}

impl<'t> Resources<'t> {
    /// The resources that denied interfaces define, instead of only using them.
    fn of(imports: &Imports, types: TypesRef<'t>) -> Self {
        let (mut seen, mut denied) = (HashSet::new(), HashSet::new());
        for instance in &imports.imported {
            for (name, export) in &types[types.component_instance_at(*instance)].exports {
                if let ComponentEntityType::Type { referenced: ComponentAnyTypeId::Resource(resource), .. } = export.ty
                    && seen.insert(resource.resource())
                    && imports.instances.contains_key(instance)
                    && !GRANTED.contains(&name.as_str())
                {
                    denied.insert(resource.resource());
                }
            }
        }
        Self { types, denied }
    }

    /// Whether the type with this index is one of them.
    fn contain_type(&self, index: u32) -> bool {
        let ty = self.types.component_any_type_at(index);
        matches!(ty, ComponentAnyTypeId::Resource(resource) if self.denied.contains(&resource.resource()))
    }

    /// Whether every call of `function`, which has the type `lowered` in core modules, fails at its first argument.
    fn fail_call(&self, function: u32, lowered: &FuncType) -> bool {
        let params = &self.types[self.types.component_function_at(function)].params;
        let Some((_, ComponentValType::Type(first))) = params.first() else { return false };
        let (ComponentDefinedType::Own(resource) | ComponentDefinedType::Borrow(resource)) = &self.types[*first] else {
            return false;
        };
        // Many arguments are passed in memory. Then only a pointer to them is left, and maybe one to the result.
        let in_memory = params.len() > 1 && lowered.params().len() <= 2;
        self.denied.contains(&resource.resource()) && !in_memory
    }
}
