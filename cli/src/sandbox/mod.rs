//! The sandbox: one instance of a guest, what it may import, and the limits on what it uses.

pub mod contract;
pub mod epoch;
pub mod error;
pub mod host;
pub mod instance;
pub mod lift;
pub mod limiter;
