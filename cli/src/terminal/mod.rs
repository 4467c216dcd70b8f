//! The terminal: results on stdout, messages on stderr, and escaping that makes both safe to show.

pub mod color;
pub mod escape;
pub mod output;
pub(crate) mod progress;
