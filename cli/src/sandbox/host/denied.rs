//! The interfaces that a guest may import, but that are denied: files, sockets, HTTP.
//!
//! Most of their functions take a handle that no guest can have, so wasmtime fails the call before it gets here. A
//! component with dynamic libraries is compiled without them (`code/link/denied.rs`). The other functions return what
//! wasmtime-wasi returns when nothing is allowed, so that a guest written for another host works here, too. A test
//! compares the two. None of this needs a file descriptor, a thread, or a type for each resource.

use wasmtime::component::{LinkerInstance, Val};
use wasmtime::{Result, StoreContextMut, bail};

use super::resources::Network;
use super::{Host, define as define_function};

/// Defines `function` of `interface`.
pub(super) fn define(instance: &mut LinkerInstance<'_, Host>, interface: &str, function: &str) -> Result<()> {
    match function {
        "instance-network" => define_function(instance, function, |host, ()| Ok((host.resources.push(Network)?,))),
        "get-directories" => answer(instance, function, || Val::List(Vec::new())),
        "create-tcp-socket" | "create-udp-socket" => answer(instance, function, || error_code("access-denied")),
        "resolve-addresses" => answer(instance, function, || error_code("permanent-resolver-failure")),
        _ => {
            let called = format!("{interface}.{function}");
            instance.func_new(function, move |_, _, _, _| bail!("it called '{called}', which is denied"))
        }
    }
}

fn answer(instance: &mut LinkerInstance<'_, Host>, function: &str, value: fn() -> Val) -> Result<()> {
    instance.func_new(function, move |mut store: StoreContextMut<'_, Host>, _, params, results| {
        store.data().limiter.time_left()?;
        for param in params {
            if let Val::Resource(borrowed) = param {
                borrowed.resource_drop(&mut store)?;
            }
        }
        results.fill_with(value);
        Ok(())
    })
}

fn error_code(name: &str) -> Val {
    Val::Result(Err(Some(Box::new(Val::Enum(name.to_owned())))))
}
