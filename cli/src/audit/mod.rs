//! The audit trail: events, how they are written, and where they go.

pub mod event;
pub mod format;
pub mod sink;
