//! The audit trail: events, their formats, and the sink they are written to.

pub mod event;
mod file;
pub mod format;
pub mod sink;
