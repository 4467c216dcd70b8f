//! Compiled code: the engine, the compiler, and the artifact cache.

pub mod artifact;
pub mod cache;
pub mod compile;
pub mod engine;
mod instances;
pub mod link;
