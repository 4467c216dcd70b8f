//! The sandbox: one instance of a guest, its imports, and its limits.

pub mod contract;
pub mod epoch;
mod error;
mod host;
pub mod instance;
mod lift;
mod limiter;
pub mod message;
