//! The audit trail: events, their formats, and the sink they are written to.

pub(crate) mod event;
mod file;
pub(crate) mod format;
mod json;
pub(crate) mod lines;
pub(crate) mod sink;
mod text;
