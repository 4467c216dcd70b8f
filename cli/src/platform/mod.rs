//! Everything that differs between operating systems.

pub mod file;
pub mod signals;
pub mod stack;
pub mod standard;
pub mod user_dirs;
pub mod write;
