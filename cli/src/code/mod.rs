//! Compiled code: the engine, the compiler, and the artifact cache.

pub mod artifact;
pub(crate) mod cache;
pub(crate) mod compile;
mod deserialize;
pub mod engine;
mod instances;
pub mod link;
mod source;
