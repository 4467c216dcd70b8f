//! Why a guest failed, in one sentence for the user.

use anyhow::{Error, Result, anyhow, bail};
use wasmtime::Trap;
use wasmtime::component::ResourceTableError;
use wasmtime_wasi::I32Exit;

use crate::exit::{Failure, Kind};
use crate::limits::{Exceeded, RESOURCES};
use crate::sandbox::host::Host;
use crate::terminal::escape;

/// How many missing imports are named.
const SHOWN_IMPORTS: usize = 10;

/// Fails if a component imports what the host does not offer.
///
/// # Errors
///
/// With the names of what is `missing`, unless there is nothing.
pub fn if_imports_are_missing(name: &str, missing: &[String]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let mut names: Vec<String> =
        missing.iter().take(SHOWN_IMPORTS).map(|import| format!("'{}'", escape::start(import))).collect();
    if missing.len() > SHOWN_IMPORTS {
        names.push(format!("{} more", missing.len() - SHOWN_IMPORTS));
    }
    bail!("{name} imports {}, which cipher does not offer", names.join(", "))
}

/// Why the guest `name` cannot be linked: because of `problems` where there are some, in other words than wasmtime's.
pub fn of_linking(name: &str, problems: &[String], error: wasmtime::Error) -> Error {
    log::debug!("{error:?}");
    let cause = error.root_cause().to_string();
    let reason = if problems.is_empty() { escape::start(&cause).into_owned() } else { problems.join("; ") };
    anyhow!("{name} does not fit the contract: {reason}")
}

/// Why a call of the guest `name`, or its start, failed.
pub fn of_call(name: &str, error: wasmtime::Error, host: &Host) -> Error {
    log::debug!("{error:?}");
    let cause = error.root_cause();
    if cause.is::<std::io::Error>() || cause.is::<rustix::io::Errno>() {
        let message = format!("the system does not give what {name} needs to run: {cause}");
        return Failure::new(Kind::System, message).into();
    }
    let printed = log_printed(name, host);
    anyhow!(if let Some(exceeded) = exceeded(&error, host) {
        format!("{name} {exceeded}")
    } else if let Some(exit) = error.downcast_ref::<I32Exit>() {
        match last_line(&printed) {
            // In a language that cannot trap without a word of its own, the way to fail after giving a reason.
            Some(line) if exit.0 != 0 => format!("{name} failed: {}", escape::start(line)),
            _ => format!("{name} exited with status {} instead of returning a result", exit.0),
        }
    } else if let Some(trap) = error.downcast_ref::<Trap>() {
        match last_line(&printed) {
            // The guest's own reason, by the contract its last line.
            Some(line) if *trap == Trap::UnreachableCodeReached => format!("{name} failed: {}", escape::start(line)),
            _ => format!("{name} trapped: {}", explain(trap)),
        }
    } else {
        format!("{name} broke the contract: {}", escape::start(&cause.to_string()))
    })
}

/// The limit that the guest ran into, if it did.
fn exceeded(error: &wasmtime::Error, host: &Host) -> Option<Exceeded> {
    if let Some(exceeded) = error.downcast_ref::<Exceeded>() {
        Some(exceeded.clone())
    } else if host.meter.denied {
        Some(host.meter.out_of_memory())
    } else if let Some(ResourceTableError::Full) = error.downcast_ref() {
        Some(Exceeded::Resources(RESOURCES))
    } else {
        // wasmtime has no other sign of it.
        let is_too_long = error.root_cause().to_string().contains("fuel allocated for hostcalls");
        is_too_long.then(|| host.meter.too_long())
    }
}

/// Logs what the guest `name` printed in a call, and returns it.
pub fn log_printed(name: &str, host: &Host) -> String {
    let (printed, dropped) = host.take_printed();
    if dropped > 0 {
        log::info!("{name} printed {dropped} bytes more, before this");
    }
    for line in printed.lines() {
        log::info!("{name} printed: {}", escape::start(line));
    }
    printed
}

fn explain(trap: &Trap) -> String {
    match trap {
        Trap::StackOverflow => "its stack is full (a recursion too deep?)".to_owned(),
        Trap::UnreachableCodeReached => "it reached code marked as unreachable".to_owned(),
        other => other.to_string().trim_start_matches("wasm trap: ").to_owned(),
    }
}

/// The last line with words of the guest's own; a panic in Rust ends with one that is not.
fn last_line(printed: &str) -> Option<&str> {
    let own = |line: &&str| !line.is_empty() && !line.starts_with("note: run with `RUST_BACKTRACE=1`");
    printed.lines().rev().map(str::trim).find(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_last_line_that_is_the_guest_s_own() {
        assert_eq!(last_line("first\n  it does not do \n\n"), Some("it does not do"));
        let panic = "\nthread '<unnamed>' (1) panicked at src/lib.rs:9:5:\nit does not do\n\
            note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        assert_eq!(last_line(panic), Some("it does not do"));
        assert_eq!(last_line(" \n"), None);
    }
}
