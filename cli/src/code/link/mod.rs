//! Links the dynamic libraries within a component into one core module, before the component is compiled.
//!
//! componentize-py builds a component from a dozen core modules (libc, CPython, its own runtime, and so on) that are
//! linked by instantiation: each imports functions and addresses of the others by name, about 1,600 in all. The host
//! resolves them all for each instance, and fills a table of 5,700 functions, because the module that owns the table
//! does not define them. In one module, calls are direct, addresses are constants, and the table is filled lazily.
//!
//! The linked component means the same as the original: all core modules are merged, in the order of their
//! instantiation, and every section of the component itself is kept, with new indices for the items that it takes from
//! core modules. No module is recognized by name: wit-component's shim and fixup modules are merged like the others.
//! Only imported functions that always fail are left out (module `denied`).
//!
//! Components are untrusted. The pass takes linear time, does not recurse, and refuses every shape that it does not
//! handle; a refused component is compiled unlinked.
//!
//! The conventions of dynamic libraries:
//! <https://github.com/WebAssembly/tool-conventions/blob/main/DynamicLinking.md>; the binary format of components:
//! <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md>.

mod component;
mod denied;
mod imports;
mod layout;
mod merge;
mod module;
mod reach;
mod rewrite;

use std::fmt;

use anyhow::{Result, ensure};
use wasmparser::{Parser, Payload};
use wasmtime::Engine;

use crate::terminal::escape;
use component::Component;

/// The version of this pass, part of an artifact's fingerprint: raise it with every change of the output.
pub(crate) const VERSION: u32 = 2;

/// The minimum number of dynamic libraries that are worth linking.
const LIBRARIES_MIN: usize = 2;

/// A component with its core modules merged into one.
#[derive(Debug)]
pub struct LinkedComponent {
    /// The bytes of the new component.
    pub bytes: Vec<u8>,
    /// The number of core modules that were merged.
    pub modules: usize,
}

/// Why a component is compiled unlinked.
#[derive(Debug)]
pub enum LinkError {
    /// The component has too few dynamic libraries to gain from linking.
    NoLibraries,
    /// The component has a shape that the pass does not handle.
    Unsupported(anyhow::Error),
}

impl fmt::Display for LinkError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLibraries => formatter.write_str("it has fewer than two dynamic libraries"),
            Self::Unsupported(reason) => write!(formatter, "{reason:#}"),
        }
    }
}

/// Compiles `component`, which is valid under [`engine::PROPOSALS`](super::engine::PROPOSALS), linked if that is
/// possible.
///
/// # Errors
///
/// When `component` itself does not compile.
pub(crate) fn precompile(engine: &Engine, component: &[u8]) -> wasmtime::Result<Vec<u8>> {
    match link(component) {
        Ok(LinkedComponent { bytes, modules }) => match engine.precompile_component(&bytes) {
            Ok(code) => {
                log::debug!("linked {modules} modules into one");
                return Ok(code);
            }
            Err(error) => {
                let reason = escape::line(&format!("{error:#}")).into_owned();
                log::debug!("not linked: the linked component does not compile: {reason}");
            }
        },
        Err(reason) => log::debug!("not linked: {reason}"),
    }
    engine.precompile_component(component)
}

/// Merges the core modules of `component` into one.
///
/// `component` has to be valid under [`engine::PROPOSALS`](super::engine::PROPOSALS): dropped functions are not
/// validated again.
///
/// # Errors
///
/// When there is nothing to gain, or the pass does not handle the component.
pub fn link(component: &[u8]) -> Result<LinkedComponent, LinkError> {
    if libraries(component) < LIBRARIES_MIN {
        return Err(LinkError::NoLibraries);
    }
    merge(component).map_err(LinkError::Unsupported)
}

/// Counts the dynamic libraries in `component`, up to the first invalid byte.
fn libraries(component: &[u8]) -> usize {
    let payloads = Parser::new(0).parse_all(component).map_while(Result::ok);
    payloads
        .filter(|payload| matches!(payload, Payload::CustomSection(section) if section.name() == "dylink.0"))
        .count()
}

fn merge(bytes: &[u8]) -> Result<LinkedComponent> {
    let component = Component::read(bytes)?;
    let reached = reach::reach(&component)?;
    let layout = layout::Layout::new(&component, &reached)?;
    let module = merge::merge(&component, &reached, &layout)?;
    let bytes = rewrite::rewrite(&component, &module)?;
    ensure!(bytes.len() <= component.size_limit(), "it would grow to {} bytes", bytes.len());
    Ok(LinkedComponent { bytes, modules: component.libraries.len() })
}
