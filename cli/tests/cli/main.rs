//! The program as its users meet it: the real binary, the real guests, bytes in and bytes out.

mod artifacts;
mod audit;
mod batch;
mod cases;
mod catalog;
mod check;
mod cipher;
mod color;
mod completions;
mod first_calls;
mod guests;
mod help;
mod messages;
mod misbehaving;
mod output;
mod properties;
mod readme;
mod records;
mod reference;
mod signals;
mod stack;
mod templates;
mod tidy;
mod trickle;
mod worlds;
