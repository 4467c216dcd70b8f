//! The architecture of `cipher`: data flows in one direction, from the arguments to the output.
//!
//! ```text
//! arguments -> guest (which component, how configured) -> code (compiled, cached, mapped)
//!           -> sandbox (one instance, limits) -> records (text in) -> call
//!           -> audit (events to their sink) -> output (text out)
//! ```
//!
//! Each module is one concern, and imports only from the modules below it in this table:
//!
//! | module | contents |
//! |---|---|
//! | `commands` | one file per command; the only code that knows clap |
//! | `templates` | the projects that `cipher new` writes |
//! | `conformance` | the suite behind `cipher check` |
//! | `records` | splitting an input into records, and the workers that process them |
//! | `sandbox` | one instance of a guest, its host interfaces and its limits |
//! | `code` | the engine, the compiler, and the artifact cache |
//! | `guest` | which guests exist, their manifests and settings |
//! | `audit` | audit events, their formats, and the sink they are written to |
//! | `terminal` | results and diagnostics: output, escaping, progress, color |
//! | `platform` | everything that differs between operating systems |
//! | `exit` | failures, their kinds, and the exit statuses |
//! | `limits` | the limits of a run and their defaults |
//!
//! Only `code` and `sandbox` know wasmtime.

pub mod audit;
pub mod code;
pub mod commands;
mod conformance;
pub mod exit;
pub mod guest;
pub mod limits;
pub mod platform;
pub mod records;
pub mod sandbox;
mod templates;
pub mod terminal;
