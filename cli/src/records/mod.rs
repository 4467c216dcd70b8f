//! Records: splitting an input into messages, and processing them.
//!
//! A [`run`] passes blocks of records to workers, which process [`lines`] or the requests of a [`batch`], and writes
//! their answers in input order. A single [`message`] has no run.

pub(crate) mod answers;
pub(crate) mod batch;
pub mod blocks;
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
mod utf8;
mod verify;
mod work;
pub(crate) mod writer;
