//! The architecture of `cipher`: data flows in one direction, from the arguments to the output.
//!
//! ```text
//! arguments -> guest (which component, how configured) -> code (compiled, cached, mapped)
//!           -> sandbox (one instance, limits) -> records (text in) -> call
//!           -> audit (events to their sink) -> output (text out)
//! ```
//!
//! Each folder is one concern. A folder imports only from the folders below it in this list:
//!
//! | folder | contents |
//! |---|---|
//! | `commands` | one file per command; the only code that knows clap |
//! | `conformance` | the suite behind `cipher check` |
//! | `records` | splitting an input into records, and the workers that process them |
//! | `sandbox` | one instance of a guest, its host interfaces and its limits |
//! | `code` | the engine, the compiler, and the artifact cache |
//! | `guest` | which guests exist, their manifests and settings |
//! | `audit` | audit events, their formats, and the sink they are written to |
//! | `terminal` | results and diagnostics: output, escaping, progress, color |
//! | `platform` | everything that differs between operating systems |
//!
//! `limits`, `exit`, and `templates` are single files. Only `code` and `sandbox` know wasmtime.

pub mod audit;
pub mod code;
pub mod commands;
pub mod conformance;
pub mod exit;
pub mod guest;
pub mod limits;
pub mod platform;
pub mod records;
pub mod sandbox;
pub mod templates;
pub mod terminal;
