//! Compiled code: the engine, the compiler, and the artifact cache.
//!
//! [`artifact`] is the entry point: it finds the code of a guest in the [`cache`], or has it [compiled](compile) in a
//! process of its own, [linked](link) if it has dynamic libraries.

pub(crate) mod address_space;
pub mod artifact;
pub(crate) mod cache;
pub(crate) mod compile;
mod component_file;
mod deserialize;
pub mod engine;
mod instances;
pub mod link;
