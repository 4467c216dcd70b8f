//! Everything that differs between operating systems.

pub mod atomic_file;
pub mod confine;
pub mod dump;
pub mod executable;
pub mod file;
pub mod signals;
pub mod stack;
pub mod standard;
pub mod trust;
pub mod user_dirs;
pub mod write;
