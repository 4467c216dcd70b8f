//! Records: splitting an input into messages, and the workers that process them.

pub(crate) mod batch;
pub mod blocks;
pub(crate) mod chunk;
pub(crate) mod ends;
pub(crate) mod files;
pub(crate) mod guests;
pub(crate) mod lines;
pub(crate) mod message;
mod pace;
mod queue;
pub mod request;
pub(crate) mod run;
pub(crate) mod session;
pub mod split;
mod verify;
mod work;
