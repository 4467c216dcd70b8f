//! The sandbox: one instance of a guest, its imports, and its limits.

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
