//! The terminal: results on stdout, diagnostics on stderr, and what makes both safe to show.

pub mod color;
pub mod escape;
pub mod output;
pub mod progress;
