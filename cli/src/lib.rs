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
//!
//! Where to add what:
//!
//! | addition | place |
//! |---|---|
//! | a flag | `commands/options`, or the file of its command |
//! | a command | a file in `commands`, and a variant in `commands/mod.rs` |
//! | an audit format | a file in `audit` |
//! | an exit status, or a kind of failure | `exit.rs` |
//! | a limit | `limits.rs`, with its option in `commands/options/limits.rs` |
//! | a template | a folder in `templates` next to `src`, and a constant in `templates.rs` |
//! | a WASI interface | a row in `sandbox/host/interfaces.rs`, and a file in `sandbox/host` that defines its functions |
//! | a conformance case | a file in `conformance` |

mod audit;
mod code;
mod commands;
mod conformance;
pub mod exit;
mod guest;
mod limits;
mod platform;
mod records;
mod sandbox;
mod templates;
mod terminal;

// For main.rs.
pub use code::compile::compiler;
pub use commands::{Cli, print_usage};
pub use platform::{signals, stack};
pub use terminal::{color, output};

// For the tests and the fuzz targets.
pub use audit::lines::EventLines;
pub use code::{artifact, engine, link};
pub use guest::catalog::Catalog;
pub use guest::{Guest, manifest, settings};
pub use limits::Limits;
pub use records::{blocks, request, split};
pub use sandbox::contract::{self, Operation};
pub use sandbox::epoch::EpochTicker;
pub use sandbox::instance::GuestPre;
pub use terminal::escape;
