//! From the bytes of a component, which anybody may have written, to machine code, within limits.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};
use wasmparser::{Parser, Payload, Validator};

use crate::code::engine;
use crate::code::link;
use crate::guest::Guest;
use crate::limits::Limits;
use crate::terminal::escape;
use crate::terminal::progress;

/// How deep the types of a component may be nested in each other. Those that tools make have a depth of 3 or 4.
const MOST_NESTED: usize = 8000;
/// The stack of the thread that compiles, in bytes. wasmparser 0.254 calls itself for every instance or component type
/// within another, and takes 4 KiB of stack at the most each time; the rest is what Cranelift is used to.
const STACK_BYTES: usize = MOST_NESTED * 8 * 1024 + (2 << 20);

/// Compiles the component of `guest` to what [`engine::loader`] loads.
///
/// It is done on a thread of its own, which the time limit leaves behind: the process ends soon after.
///
/// # Errors
///
/// When `bytes` are no component that wasmtime knows to compile, or it takes too long.
pub fn compile(guest: &Guest, bytes: Vec<u8>, limits: &Limits) -> Result<Vec<u8>> {
    let path = guest.component.display();
    match kind_of(&bytes) {
        Kind::Component => {}
        Kind::CoreModule => {
            bail!("'{path}' is a core WebAssembly module; a component is needed (wasm-tools component new)")
        }
        Kind::MachineCode => {
            bail!("'{path}' is compiled machine code; cipher loads none that it did not compile itself")
        }
        Kind::Text => bail!("'{path}' is WebAssembly text; assemble it first (wasm-tools parse)"),
        Kind::Other => bail!("'{path}' is not a WebAssembly component"),
    }
    check_nesting(&bytes).with_context(|| format!("'{path}' is not compiled"))?;
    let (sender, receiver) = channel();
    thread::Builder::new()
        .name("compiler".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let code = translate(&bytes);
            // Nobody listens any more once the time is up.
            let _ = sender.send(code);
        })
        .context("cannot start a thread to compile on")?;
    let message = format!("compiling {} for its first use", guest.name);
    log::info!("{message}");
    match progress::spin(message, || receiver.recv_timeout(limits.compile_time)) {
        Ok(code) => code.map_err(|error| match escape::line(&error.root_cause().to_string()) {
            // wasmtime says which of its features that would need, and has no other sign of it.
            reason if reason.contains("component model async") => {
                anyhow!("'{path}' has async functions, which cipher does not run; those of the contract are not async")
            }
            reason => anyhow!("'{path}' is not a valid component: {reason}"),
        }),
        Err(RecvTimeoutError::Timeout) => {
            let limit = humantime::format_duration(limits.compile_time);
            bail!("'{path}' took longer than {limit} to compile (--compile-timeout)")
        }
        Err(RecvTimeoutError::Disconnected) => bail!("the compiler failed on '{path}', which is a bug in it"),
    }
}

/// Validates and compiles `bytes`.
fn translate(bytes: &[u8]) -> Result<Vec<u8>> {
    // The engine accepts slightly more than a guest may use. This takes 1 % of the time that compiling takes.
    Validator::new_with_features(engine::PROPOSALS).validate_all(bytes)?;
    Ok(link::precompile(&engine::compiler()?, bytes)?)
}

/// Makes sure that parsing `bytes` does not overflow a stack of [`STACK_BYTES`], which would abort the process.
///
/// wasmparser bounds the nesting of values' types, but not that of instance and component types, each of which starts with a
/// byte of its own. So there cannot be more of them than such bytes.
///
/// # Errors
///
/// When there are more in one section than a component needs.
pub fn check_nesting(bytes: &[u8]) -> Result<()> {
    // Whatever else is wrong ends the compiler's parse at the same place.
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        if let Payload::ComponentTypeSection(section) = payload {
            let starts = bytes[section.range()].iter().filter(|byte| matches!(byte, 0x41 | 0x42)).count();
            ensure!(starts <= MOST_NESTED, "its types may be nested deeper than {MOST_NESTED} levels");
        }
    }
    Ok(())
}

enum Kind {
    Component,
    CoreModule,
    MachineCode,
    Text,
    Other,
}

/// What the first bytes of a file say it is (the WebAssembly binary format: magic, version, layer).
fn kind_of(bytes: &[u8]) -> Kind {
    match bytes {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Kind::Component,
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Kind::CoreModule,
        [0x7f, b'E', b'L', b'F', ..] => Kind::MachineCode,
        _ if bytes.starts_with(b"(component") => Kind::Text,
        _ => Kind::Other,
    }
}
