//! Why a guest failed, in one line for the user.

use std::fmt::Display;

use anyhow::{Error, Result};
use wasmtime::Trap;
use wasmtime::component::ResourceTableError;
use wasmtime_wasi::I32Exit;

use crate::code::address_space;
use crate::exit::{Failure, Kind};
use crate::guest::Guest;
use crate::limits::{ExceededLimit, HANDLES, HOST_CALL_BYTES, RESOURCES};
use crate::sandbox::host::Host;
use crate::sandbox::python;
use crate::terminal::escape;

/// The maximum number of missing imports that are named.
const SHOWN_IMPORTS: usize = 10;

/// Fails if there are imports that the host does not offer.
///
/// # Errors
///
/// When `missing` is not empty; the message has the names.
pub(super) fn if_imports_are_missing(name: &str, missing: &[String]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let mut names: Vec<String> =
        missing.iter().take(SHOWN_IMPORTS).map(|import| format!("'{}'", escape::start(import))).collect();
    if missing.len() > SHOWN_IMPORTS {
        names.push(format!("{} more", missing.len() - SHOWN_IMPORTS));
    }
    let names = names.join(", ");
    Err(Failure::new(Kind::Contract, format!("{name} imports {names}, which cipher does not offer")).into())
}

/// Why the guest `name` cannot be linked: because of `problems` if there are any, which are clearer than wasmtime's
/// message.
pub(super) fn of_linking(name: &str, problems: &[String], error: wasmtime::Error) -> Error {
    log::debug!("{error:?}");
    let cause = error.root_cause().to_string();
    let reason = if problems.is_empty() { escape::start(&cause).into_owned() } else { problems.join("; ") };
    Failure::new(Kind::Contract, format!("{name} does not satisfy the contract: {reason}")).into()
}

/// Why a call or the instantiation of `guest` failed.
pub(super) fn of_call(guest: &Guest, error: wasmtime::Error, host: &mut Host) -> Error {
    log::debug!("{error:?}");
    let name = guest.name.as_str();
    let printed = log_printed(name, host);
    if let Some(exceeded) = exceeded(&error, host) {
        // Unlike time and the size of a result, memory and resources add up over the calls of an instance.
        host.exhausted = matches!(
            exceeded,
            ExceededLimit::Memory(_)
                | ExceededLimit::AddressSpace(_)
                | ExceededLimit::Table(_)
                | ExceededLimit::Resources(_)
        );
        return of_limit(name, &exceeded);
    }
    let (exit, trap) = (error.downcast_ref::<I32Exit>(), error.downcast_ref::<Trap>());
    // The guest's own reason: by the contract, its last line. Languages that print a message of their own on a trap
    // fail with an exit instead.
    let gives_reason = exit.is_some_and(|exit| exit.0 != 0) || trap == Some(&Trap::UnreachableCodeReached);
    if let (true, Some(problem)) = (gives_reason, python::problem(&printed)) {
        return Failure::new(Kind::Trapped, format!("{name} failed: {problem}")).into();
    }
    if let (true, Some(reason)) = (gives_reason, last_line(&printed)) {
        let kind = if names_setting(reason, guest, host) { Kind::Setting } else { Kind::Refused };
        return Failure::new(kind, format!("{name} failed: {}", escape::start(reason))).into();
    }
    let cause = error.root_cause();
    let (kind, message) = if let Some(I32Exit(status)) = exit {
        (Kind::Trapped, format!("{name} exited with status {status} instead of returning a result"))
    } else if let Some(trap) = trap {
        (Kind::Trapped, format!("{name} trapped: {}", explain(trap)))
    } else if is_of_system(&error) {
        return of_resources(name, &cause);
    } else {
        (Kind::Trapped, format!("{name} broke the contract: {}", escape::start(&cause.to_string())))
    };
    Failure::new(kind, message).into()
}

/// The error if the system refused a resource that the guest `name` needs, because of `cause`.
pub(super) fn of_resources(name: &str, cause: &impl Display) -> Error {
    let message = format!("not enough system resources to run {name}: {cause}{}", address_space::note());
    Failure::new(Kind::System, message).into()
}

/// Whether the system refused a resource.
pub(super) fn is_of_system(error: &wasmtime::Error) -> bool {
    let cause = error.root_cause();
    cause.is::<std::io::Error>() || cause.is::<rustix::io::Errno>()
}

/// The error of the guest `name` that exceeded a limit.
pub(super) fn of_limit(name: &str, exceeded: &ExceededLimit) -> Error {
    Failure::new(Kind::Limit, format!("{name} {exceeded}")).into()
}

/// The limit that the guest exceeded, if it did.
fn exceeded(error: &wasmtime::Error, host: &Host) -> Option<ExceededLimit> {
    if let Some(exceeded) = error.downcast_ref::<ExceededLimit>() {
        Some(exceeded.clone())
    } else if let Some(denied) = host.limiter.denied() {
        Some(denied)
    } else if let Some(ResourceTableError::Full) = error.downcast_ref() {
        Some(ExceededLimit::Resources(RESOURCES))
    } else {
        exceeded_by_message(&error.root_cause().to_string())
    }
}

/// The limits for which wasmtime has no type. Tests with the guests `passes-too-much` and `handles-many` fail if it
/// changes its wording.
fn exceeded_by_message(message: &str) -> Option<ExceededLimit> {
    if message.contains("fuel allocated for hostcalls") {
        Some(ExceededLimit::HostCall(HOST_CALL_BYTES))
    } else if message.contains("store handle limit exceeded") {
        Some(ExceededLimit::Resources(HANDLES))
    } else {
        None
    }
}

/// Whether `reason` begins with the name of a setting, which may be missing. A guest without a manifest declares none.
fn names_setting(reason: &str, guest: &Guest, host: &Host) -> bool {
    let end = reason.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(reason.len());
    let declared = guest.manifest.iter().flat_map(|manifest| manifest.settings.keys());
    declared.chain(host.environment.iter().map(|(variable, _)| variable)).any(|variable| variable == &reason[..end])
}

/// Logs the text that the guest `name` printed in a call, and returns it.
pub(super) fn log_printed(name: &str, host: &mut Host) -> String {
    let (printed, dropped) = host.take_printed();
    if dropped > 0 {
        log::info!("{name} printed {dropped} bytes before this, which were dropped");
    }
    for line in printed.lines() {
        log::info!("{name} printed: {}", escape::start(line));
    }
    printed
}

fn explain(trap: &Trap) -> String {
    match trap {
        Trap::StackOverflow => "its stack overflowed (infinite recursion?)".to_owned(),
        Trap::UnreachableCodeReached => "it reached code marked as unreachable".to_owned(),
        other => other.to_string().trim_start_matches("wasm trap: ").to_owned(),
    }
}

/// The last line of the guest's own text. A Rust panic adds a note after it.
fn last_line(printed: &str) -> Option<&str> {
    let own = |line: &&str| !line.is_empty() && !line.starts_with("note: run with `RUST_BACKTRACE=1`");
    printed.lines().rev().map(str::trim).find(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_is_last_line_of_guest() {
        assert_eq!(last_line("first\n  it does not do \n\n"), Some("it does not do"));
        let panic = "\nthread '<unnamed>' (1) panicked at src/lib.rs:9:5:\nit does not do\n\
            note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        assert_eq!(last_line(panic), Some("it does not do"));
        assert_eq!(last_line(" \n"), None);
    }
}
