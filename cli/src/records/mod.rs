//! Records: splitting an input into messages, and the workers that process them.

pub mod batch;
pub mod blocks;
pub mod chunk;
pub mod files;
pub mod guests;
pub mod lines;
pub mod message;
mod pace;
mod queue;
pub mod request;
pub mod run;
pub mod split;
