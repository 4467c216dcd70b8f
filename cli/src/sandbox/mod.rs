//! The sandbox: one instance of a guest, its imports, and its limits.
//!
//! The interfaces that a guest may import are listed in `host/interfaces.rs`.

pub mod contract;
pub(crate) mod epoch;
mod error;
mod events;
mod host;
pub(crate) mod instance;
mod lift;
mod limiter;
pub(crate) mod message;
mod python;
