//! The resources that a guest may hold.

use std::time::Instant;

use wasmtime::Result;
use wasmtime::component::{LinkerInstance, Resource, ResourceType};
use wasmtime_wasi::p2::bindings::cli::terminal_input::TerminalInput;
use wasmtime_wasi::p2::bindings::cli::terminal_output::TerminalOutput;

use super::Host;

/// A stream that a guest reads from: stdin, which is at its end.
pub(super) struct InputStream;
/// A stream that a guest writes to: stdout or stderr, which go to the same place.
pub(super) struct OutputStream;
/// The error of a stream. No stream fails, so no guest has one.
pub(super) struct IoError;
/// The network of a guest. All its sockets are denied.
pub(super) struct Network;
/// A resource of a denied interface: a file, a socket, a request. No guest has one, and `code/link/denied.rs` relies on
/// that.
struct DeniedResource;

/// A pollable: something that a guest waits for.
pub(super) enum Pollable {
    /// Nothing: it is always ready.
    Ready,
    /// An instant.
    At(Instant),
    /// An instant too far away to be reached.
    Never,
}

/// Defines the resource `name` of any interface.
///
/// Names are unique except for `pollable` and the like, which are the same resource everywhere.
pub(super) fn define(instance: &mut LinkerInstance<'_, Host>, name: &str) -> Result<()> {
    match name {
        "input-stream" => owned::<InputStream>(instance, name),
        "output-stream" => owned::<OutputStream>(instance, name),
        "pollable" => owned::<Pollable>(instance, name),
        "network" => owned::<Network>(instance, name),
        "error" | "io-error" => owned::<IoError>(instance, name),
        "terminal-input" => owned::<TerminalInput>(instance, name),
        "terminal-output" => owned::<TerminalOutput>(instance, name),
        _ => owned::<DeniedResource>(instance, name),
    }
}

fn owned<T: Send + 'static>(instance: &mut LinkerInstance<'_, Host>, name: &str) -> Result<()> {
    instance.resource(name, ResourceType::host::<T>(), |mut store, rep| {
        store.data_mut().resources.delete(Resource::<T>::new_own(rep))?;
        Ok(())
    })
}
