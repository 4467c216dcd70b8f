//! The operating system: files, standard streams, signals, limits of processes, and directories that can be trusted.

pub(crate) mod atomic_file;
pub(crate) mod code_memory;
pub(crate) mod confine;
mod crash;
pub(crate) mod dump;
pub(crate) mod executable;
pub(crate) mod file;
pub mod signals;
pub mod stack;
pub(crate) mod standard;
pub(crate) mod trust;
pub(crate) mod user_dirs;
pub(crate) mod write;
