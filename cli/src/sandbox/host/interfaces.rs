//! The interfaces that a guest may import.

use wasmtime::Result;
use wasmtime::component::LinkerInstance;

use super::{Host, audit_log, clocks, command, denied, io, random};

/// An interface that a guest may import.
pub(super) struct Interface {
    /// Its name, without the version.
    name: &'static str,
    /// What the host grants for it, in a few words.
    pub grant: &'static str,
    /// Defines one of its functions, given the name of the interface with its version, and that of the function. A
    /// function that the interface does not have stays undefined.
    pub define: fn(&mut LinkerInstance<'_, Host>, &str, &str) -> Result<()>,
}

macro_rules! interfaces {
    ($($name:literal: $grant:literal, $define:path;)*) => {
        &[$(Interface { name: $name, grant: $grant, define: $define }),*]
    };
}

/// All of WASI 0.2 except the command's `run`, and WASI's HTTP. Some toolchains import interfaces that their guests do
/// not use, so those are included.
const WASI: &[Interface] = interfaces! {
    "wasi:cli/environment": "the settings; no arguments", command::define;
    "wasi:cli/exit": "ends the call with an error", command::define;
    "wasi:cli/stdin": "empty", command::define;
    "wasi:cli/stdout": "written to the log", command::define;
    "wasi:cli/stderr": "written to the log", command::define;
    "wasi:cli/terminal-input": "no terminal", command::define;
    "wasi:cli/terminal-output": "no terminal", command::define;
    "wasi:cli/terminal-stdin": "no terminal", command::define;
    "wasi:cli/terminal-stdout": "no terminal", command::define;
    "wasi:cli/terminal-stderr": "no terminal", command::define;
    "wasi:clocks/wall-clock": "fixed, unless the manifest declares clocks", clocks::define_wall_clock;
    "wasi:clocks/monotonic-clock": "fixed, unless the manifest declares clocks", clocks::define_monotonic_clock;
    "wasi:filesystem/preopens": "no directories", denied::define;
    "wasi:filesystem/types": "no files", denied::define;
    "wasi:http/types": "no network: every call fails", denied::define;
    "wasi:http/outgoing-handler": "no network: every call fails", denied::define;
    "wasi:io/error": "for standard streams", io::define_error;
    "wasi:io/poll": "sleeps no longer than the time limit", io::define_poll;
    "wasi:io/streams": "for standard streams", io::define_streams;
    "wasi:random/random": "random bytes of the system", random::define;
    "wasi:random/insecure": "fixed", random::define;
    "wasi:random/insecure-seed": "fixed", random::define;
    "wasi:sockets/instance-network": "no network", denied::define;
    "wasi:sockets/network": "no network", denied::define;
    "wasi:sockets/ip-name-lookup": "no network", denied::define;
    "wasi:sockets/tcp": "no network", denied::define;
    "wasi:sockets/tcp-create-socket": "no network", denied::define;
    "wasi:sockets/udp": "no network", denied::define;
    "wasi:sockets/udp-create-socket": "no network", denied::define;
};

/// The one interface of the contract that the host implements. Its version never changes.
const AUDIT_LOG: &str = "saritnike:cipher/audit-log@0.1.0";

/// Finds the interface `name`, version included, if it is offered. Any version 0.2.x of WASI is.
pub(super) fn find(name: &str) -> Option<&'static Interface> {
    static AUDIT: Interface = Interface { name: AUDIT_LOG, grant: "the audit log", define: audit_log::define };
    if name == AUDIT_LOG {
        return Some(&AUDIT);
    }
    let (interface, version) = name.split_once('@')?;
    WASI.iter().find(|offered| offered.name == interface && version.starts_with("0.2."))
}
