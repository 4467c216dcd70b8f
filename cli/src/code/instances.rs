//! The memory of a component's instances besides memories and tables, counted before it is compiled.
//!
//! Every instance of a core module has room for its imports, functions, and globals, which is not counted as memory of
//! the guest: a million globals in 200 instances once took 3.1 GB. It is filled before the guest runs, so no time limit
//! applies.

use anyhow::{Result, ensure};
use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, ComponentTypeRef, Encoding,
    Instance, Parser, Payload,
};

use crate::exit::{Failure, Kind};
use crate::limits::{INSTANCE_BYTES, Size};

/// For an instance itself, in bytes.
const BASE_BYTES: u64 = 2048;
/// For an import, a function, a table, a memory, or a global; more than wasmtime takes for any of them.
const ITEM_BYTES: u64 = 48;
/// For a byte of an element section: each is at most one value of 16 bytes.
const ELEMENT_BYTES: u64 = 16;

/// The size of an instance of a module or component, in bytes; `None` for an imported one.
type Cost = Option<u64>;

/// A module or component that is being read.
#[derive(Default)]
struct Frame {
    is_component: bool,
    /// The size of an instance.
    bytes: u64,
    /// The modules and components that it can instantiate, by their indices.
    modules: Vec<Cost>,
    components: Vec<Cost>,
}

/// Checks that an instance of the component in `bytes` takes no more than [`INSTANCE_BYTES`].
///
/// # Errors
///
/// When it may take more. The compiler reports every other defect of the component.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    let mut frames = Vec::new();
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        if let Payload::End(_) = payload {
            let Some(ended) = frames.pop() else { return Ok(()) };
            let Some(outer) = frames.last_mut() else { return check_bytes(&ended) };
            let kind: fn(&mut Frame) -> &mut Vec<Cost> =
                if ended.is_component { |outer| &mut outer.components } else { |outer| &mut outer.modules };
            kind(outer).push(Some(ended.bytes));
        } else if count(&mut frames, payload)?.is_none() {
            return Ok(());
        }
    }
    Ok(())
}

fn check_bytes(root: &Frame) -> Result<()> {
    let limit = INSTANCE_BYTES;
    let problem = || Failure::new(Kind::Component, format!("its instances take more than {} in the host", Size(limit)));
    ensure!(root.bytes <= limit, problem());
    Ok(())
}

/// Adds `payload` to the innermost frame. `None` if the component is invalid.
fn count(frames: &mut Vec<Frame>, payload: Payload<'_>) -> Result<Option<()>> {
    if let Payload::Version { encoding, .. } = payload {
        frames.push(Frame { is_component: encoding == Encoding::Component, bytes: BASE_BYTES, ..Frame::default() });
        return Ok(Some(()));
    }
    let Some((frame, outer)) = frames.split_last_mut() else { return Ok(None) };
    let items = match payload {
        Payload::ImportSection(section) => section.range().len() as u64,
        Payload::FunctionSection(section) => u64::from(section.count()),
        Payload::TableSection(section) => u64::from(section.count()),
        Payload::MemorySection(section) => u64::from(section.count()),
        Payload::GlobalSection(section) => u64::from(section.count()),
        Payload::ComponentCanonicalSection(section) => u64::from(section.count()),
        Payload::ElementSection(section) => {
            frame.add(Some(section.range().len() as u64 * ELEMENT_BYTES))?;
            0
        }
        Payload::InstanceSection(section) => {
            for instance in section.into_iter().map_while(Result::ok) {
                if let Instance::Instantiate { module_index, .. } = instance {
                    let Some(&cost) = frame.modules.get(module_index as usize) else { return Ok(None) };
                    frame.add(cost)?;
                }
            }
            0
        }
        Payload::ComponentInstanceSection(section) => {
            for instance in section.into_iter().map_while(Result::ok) {
                if let ComponentInstance::Instantiate { component_index, .. } = instance {
                    let Some(&cost) = frame.components.get(component_index as usize) else { return Ok(None) };
                    frame.add(cost)?;
                }
            }
            0
        }
        payload => return Ok(name(frame, outer, payload)),
    };
    frame.add(Some(items * ITEM_BYTES))?;
    Ok(Some(()))
}

impl Frame {
    fn add(&mut self, cost: Cost) -> Result<()> {
        let problem =
            "it instantiates a core module or a component that it imports, which no toolchain for guests does";
        let bytes = cost.ok_or_else(|| Failure::new(Kind::Component, problem))?;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }
}

/// Adds the modules and components to which `payload` gives an index without containing them.
fn name(frame: &mut Frame, outer: &[Frame], payload: Payload<'_>) -> Option<()> {
    match payload {
        Payload::ComponentImportSection(section) => {
            for import in section.into_iter().map_while(Result::ok) {
                match import.ty {
                    ComponentTypeRef::Module(_) => frame.modules.push(None),
                    ComponentTypeRef::Component(_) => frame.components.push(None),
                    _ => {}
                }
            }
        }
        Payload::ComponentExportSection(section) => {
            for export in section.into_iter().map_while(Result::ok) {
                let index = export.index as usize;
                match export.kind {
                    ComponentExternalKind::Module => frame.modules.push(*frame.modules.get(index)?),
                    ComponentExternalKind::Component => frame.components.push(*frame.components.get(index)?),
                    _ => {}
                }
            }
        }
        Payload::ComponentAliasSection(section) => {
            for alias in section.into_iter().map_while(Result::ok) {
                match alias {
                    ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. } => {
                        frame.modules.push(None);
                    }
                    ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => {
                        frame.components.push(None);
                    }
                    ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, count, index } => {
                        let cost = *enclosing(frame, outer, count)?.modules.get(index as usize)?;
                        frame.modules.push(cost);
                    }
                    ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                        let cost = *enclosing(frame, outer, count)?.components.get(index as usize)?;
                        frame.components.push(cost);
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
    Some(())
}

/// The frame `count` levels out from `frame`.
fn enclosing<'a>(frame: &'a Frame, outer: &'a [Frame], count: u32) -> Option<&'a Frame> {
    match count {
        0 => Some(frame),
        _ => outer.get(outer.len().checked_sub(count as usize)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(text: &str) -> bool {
        check(&wat::parse_str(text).unwrap()).is_err()
    }

    /// A component that instantiates a module of many globals many times.
    fn globals(count: usize, instances: usize) -> String {
        let (globals, instances) =
            ("(global i64 (i64.const -1))".repeat(count), "(core instance (instantiate 0))".repeat(instances));
        format!("(component (core module {globals}) {instances})")
    }

    #[test]
    fn bounds_globals_of_all_instances() {
        assert!(!is_refused(&globals(1000, 100)));
        assert!(is_refused(&globals(10_000, 200)));
    }

    #[test]
    fn bounds_nested_components() {
        let mut component = "(component (core module) (core instance (instantiate 0)))".to_owned();
        for _ in 0..3 {
            assert!(!is_refused(&component));
            component = format!("(component {component} {})", "(instance (instantiate 0))".repeat(20));
        }
        assert!(is_refused(&component));
    }

    #[test]
    fn counts_aliases_of_outer_modules() {
        let alias = |instances: usize| {
            let instances = "(core instance (instantiate $a))".repeat(instances);
            let globals = "(global i64 (i64.const -1))".repeat(10_000);
            format!(
                "(component (core module $m {globals}) (component (alias outer 1 $m (core module $a)) {instances}) (instance (instantiate 0)))"
            )
        };
        assert!(!is_refused(&alias(10)));
        assert!(is_refused(&alias(200)));
    }

    #[test]
    fn refuses_instances_of_imports() {
        assert!(is_refused(r#"(component (import "m" (core module $m)) (core instance (instantiate $m)))"#));
        assert!(is_refused(r#"(component (import "c" (component $c)) (instance (instantiate $c)))"#));
    }
}
