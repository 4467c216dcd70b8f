//! The audit trail: events, how they are written down, and the sink that they are written to.

pub mod event;
mod file;
pub mod format;
pub mod sink;
