//! Writes the component around the merged module.

use std::ops::{Range, RangeFrom};

use anyhow::{Context, Result, bail};
use wasm_encoder::reencode::{ReencodeComponent as _, RoundtripReencoder};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, ComponentAliasSection, ComponentExportKind, ComponentSectionId,
    ComponentTypeSection, ExportKind, InstanceSection, ModuleArg, RawSection, ValType,
};
use wasmparser::{
    CanonicalFunction, CanonicalOption as Parsed, ComponentAlias, ComponentAliasSectionReader,
    ComponentCanonicalSectionReader, ComponentType, ComponentTypeRef, ComponentTypeSectionReader, FromReader,
    InstanceTypeDeclaration, Payload, SectionLimited,
};

use super::component::Component;
use super::merge::{IMPORT_TABLE, MergedModule, export_name};
use super::module::Kind;

/// Writes `component` with `merged` in place of its core modules and their instances.
///
/// The merged module, its instance, and aliases of everything that the component takes from it come first. The sections
/// of the component follow, with the same index spaces as before, except those of core items. The fixup comes last:
/// nothing runs during instantiation, because no module has a start function.
pub(super) fn rewrite(component: &Component, merged: &MergedModule) -> Result<Vec<u8>> {
    let mut out = wasm_encoder::Component::new();
    instantiate(&mut out, 0, &merged.module, &[]);
    let mut aliases = ComponentAliasSection::new();
    for kind in Kind::ALL {
        for position in 0..component.used[kind as usize].len() {
            let name = &export_name(kind, position);
            aliases.alias(Alias::CoreInstanceExport { instance: 0, kind: kind.into(), name });
        }
    }
    aliases.alias(Alias::CoreInstanceExport { instance: 0, kind: ExportKind::Table, name: IMPORT_TABLE });
    out.section(&aliases);
    let mut positions = 0..;
    for section in &component.sections {
        match section {
            Payload::ComponentAliasSection(section) => write_aliases(&mut out, component, section)?,
            Payload::ComponentTypeSection(section) => write_types(&mut out, component, section)?,
            Payload::ComponentCanonicalSection(section) => {
                write_canonical(&mut out, component, section, &mut positions)?
            }
            _ => {
                let (id, range) = section.as_section().context("a section has no contents")?;
                out.section(&RawSection { id, data: component.slice(range)? });
            }
        }
    }
    complete(&mut out, component, merged);
    Ok(out.finish())
}

/// Writes the fixup, with the functions that it imports.
fn complete(out: &mut wasm_encoder::Component, component: &Component, merged: &MergedModule) {
    let functions = merged
        .imports
        .iter()
        .enumerate()
        .map(|(position, &outside)| (position.to_string(), ExportKind::Func, component.outside_index(outside)));
    // Its alias is the only one of a table: nothing in a component can use another.
    let table = (IMPORT_TABLE.to_owned(), ExportKind::Table, component.used[Kind::Table as usize].len() as u32);
    let mut instances = InstanceSection::new();
    instances.export_items(functions.chain([table]).collect::<Vec<_>>());
    out.section(&instances);
    instantiate(out, 1, &merged.fixup, &[("", 1)]);
}

/// Writes `module`, which becomes core module `index`, and an instance of it.
fn instantiate(out: &mut wasm_encoder::Component, index: u32, module: &[u8], arguments: &[(&str, u32)]) {
    out.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data: module });
    let mut instances = InstanceSection::new();
    instances.instantiate(index, arguments.iter().map(|&(name, instance)| (name, ModuleArg::Instance(instance))));
    out.section(&instances);
}

/// Writes the aliases that are not of core items. Those of functions that are left out lead elsewhere.
fn write_aliases(
    out: &mut wasm_encoder::Component,
    component: &Component,
    section: &ComponentAliasSectionReader,
) -> Result<()> {
    for (range, alias) in items(section)? {
        if matches!(alias, ComponentAlias::CoreInstanceExport { .. }) {
            continue;
        }
        if let Some(&(instance, name)) = component.denied.aliases.get(&range.start) {
            let mut aliases = ComponentAliasSection::new();
            aliases.alias(Alias::InstanceExport { instance, kind: ComponentExportKind::Func, name });
            out.section(&aliases);
        } else {
            write_raw(out, ComponentSectionId::Alias, component, range)?;
        }
    }
    Ok(())
}

/// Writes types unchanged, except for the destructors of resources, and instances without the functions that they lose.
fn write_types(
    out: &mut wasm_encoder::Component,
    component: &Component,
    section: &ComponentTypeSectionReader,
) -> Result<()> {
    for (range, ty) in items(section)? {
        let mut types = ComponentTypeSection::new();
        match (ty, component.denied.lost.get(&range.start)) {
            (ComponentType::Resource { dtor: Some(destructor), .. }, _) => {
                types.ty().resource(ValType::I32, Some(component.core_index(Kind::Function, destructor)?));
            }
            (ComponentType::Instance(declarations), Some(lost)) => {
                let kept = declarations.into_iter().filter(|declaration| match declaration {
                    InstanceTypeDeclaration::Export { name, ty: ComponentTypeRef::Func(_) } => {
                        !lost.contains(name.name)
                    }
                    _ => true,
                });
                types.ty().instance(&RoundtripReencoder.component_instance_type(kept.collect())?);
            }
            _ => {
                write_raw(out, ComponentSectionId::Type, component, range)?;
                continue;
            }
        }
        out.section(&types);
    }
    Ok(())
}

/// Writes canonical functions, except those that are left out.
fn write_canonical(
    out: &mut wasm_encoder::Component,
    component: &Component,
    section: &ComponentCanonicalSectionReader,
    positions: &mut RangeFrom<u32>,
) -> Result<()> {
    let mut functions = CanonicalFunctionSection::new();
    for function in section.clone() {
        let function = function?;
        let is_outside = !matches!(function, CanonicalFunction::Lift { .. });
        if is_outside && positions.next().is_some_and(|position| component.denied.contains(position)) {
            continue;
        }
        match function {
            CanonicalFunction::Lift { core_func_index, type_index, options } => {
                let function = component.core_index(Kind::Function, core_func_index)?;
                functions.lift(function, type_index, translate(component, &options)?);
            }
            CanonicalFunction::Lower { func_index, options } => {
                functions.lower(func_index, translate(component, &options)?);
            }
            CanonicalFunction::ResourceNew { resource } => _ = functions.resource_new(resource),
            CanonicalFunction::ResourceDrop { resource } => _ = functions.resource_drop(resource),
            CanonicalFunction::ResourceRep { resource } => _ = functions.resource_rep(resource),
            _ => bail!("an unknown canonical function"),
        }
    }
    out.section(&functions);
    Ok(())
}

fn translate(component: &Component, options: &[Parsed]) -> Result<Vec<CanonicalOption>> {
    let translate = |option: &Parsed| {
        Ok(match *option {
            Parsed::UTF8 => CanonicalOption::UTF8,
            Parsed::UTF16 => CanonicalOption::UTF16,
            Parsed::CompactUTF16 => CanonicalOption::CompactUTF16,
            Parsed::Memory(index) => CanonicalOption::Memory(component.core_index(Kind::Memory, index)?),
            Parsed::Realloc(index) => CanonicalOption::Realloc(component.core_index(Kind::Function, index)?),
            Parsed::PostReturn(index) => CanonicalOption::PostReturn(component.core_index(Kind::Function, index)?),
            _ => bail!("an unknown canonical option"),
        })
    };
    options.iter().map(translate).collect()
}

/// The items of `section`, with the bytes that they are made of.
fn items<'a, T: FromReader<'a>>(section: &SectionLimited<'a, T>) -> Result<Vec<(Range<usize>, T)>> {
    let mut items: Vec<(Range<usize>, T)> = vec![];
    for item in section.clone().into_iter_with_offsets() {
        let (start, item) = item?;
        if let Some((last, _)) = items.last_mut() {
            last.end = start;
        }
        items.push((start..section.range().end, item));
    }
    Ok(items)
}

/// Writes a section of one item, the bytes in `range`.
fn write_raw(
    out: &mut wasm_encoder::Component,
    id: ComponentSectionId,
    component: &Component,
    range: Range<usize>,
) -> Result<()> {
    let mut data = vec![1];
    data.extend_from_slice(component.slice(range)?);
    out.section(&RawSection { id: id.into(), data: &data });
    Ok(())
}
