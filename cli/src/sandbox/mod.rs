//! The sandbox: one instance of a guest, what it may import, and the limits on what it uses.

pub mod contract;
pub mod epoch;
mod error;
mod host;
pub mod instance;
mod lift;
mod limiter;
pub mod message;
