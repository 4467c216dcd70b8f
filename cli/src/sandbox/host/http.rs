//! WASI's HTTP for components that import it whatever they do, as those from JavaScript do unless told not to: every call
//! of it fails.

use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Linker, ResourceType};
use wasmtime::{Engine, Result, bail};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::io::error::Error;
use wasmtime_wasi::p2::bindings::sync::io::streams::{InputStream, OutputStream};

use super::Host;

/// What is told of it to somebody who asks.
pub const GRANT: &str = "no network: every call fails";

/// Whether the interface `name`, version included, is one of those that a component can call.
pub fn is_offered(name: &str) -> bool {
    matches!(name.split_once("@0.2."), Some(("wasi:http/types" | "wasi:http/outgoing-handler", _)))
}

/// Adds the interface `name`, of which the component wants what is in `wanted`, to `linker`.
pub fn add(linker: &mut Linker<Host>, engine: &Engine, name: &str, wanted: &ComponentInstance) -> Result<()> {
    let mut interface = linker.instance(name)?;
    for (export, item) in wanted.exports(engine) {
        match item.ty {
            ComponentItem::ComponentFunc(_) => {
                let called = format!("{name}.{export}");
                interface.func_new(export, move |_, _, _, _| bail!("it called '{called}', and there is no network"))?;
            }
            ComponentItem::Resource(_) => {
                // Those of wasi:io are the same as there. No value of any other can come to be.
                let ty = match export {
                    "input-stream" => ResourceType::host::<InputStream>(),
                    "output-stream" => ResourceType::host::<OutputStream>(),
                    "pollable" => ResourceType::host::<DynPollable>(),
                    "io-error" => ResourceType::host::<Error>(),
                    _ => ResourceType::host::<()>(),
                };
                interface.resource(export, ty, |_, _| Ok(()))?;
            }
            _ => {}
        }
    }
    Ok(())
}
