//! Records: cutting an input into messages, and the workers that process them.

pub mod message;
pub mod pipeline;
pub mod request;
pub mod split;
pub mod workers;
