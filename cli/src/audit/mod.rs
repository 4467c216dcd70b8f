//! Audit events: their formats, and the sink that they are written to.
//!
//! A format is a file that implements [`Syntax`](format::Syntax), such as `text` and `json`. It also needs a variant of
//! [`Encoding`](format::Encoding), and one of the option `--audit-format` (`commands/options/audit.rs`).

pub(crate) mod event;
mod file;
pub(crate) mod format;
mod json;
pub(crate) mod lines;
pub(crate) mod sink;
mod text;
