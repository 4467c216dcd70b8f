//! Tests of the real binary with real guests.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod artifacts;
mod audit;
mod batch;
mod binary;
#[cfg(target_os = "linux")]
mod canary;
mod catalog;
mod check;
mod color;
mod compiler;
mod completions;
mod components;
mod denied;
mod escapes;
mod first_calls;
mod guests;
mod harness;
mod help;
mod install;
mod layers;
mod link;
mod link_order;
mod messages;
mod mirror;
mod misbehaving;
mod mutation;
mod output;
mod properties;
mod proposals;
mod records;
mod reference;
mod scenarios;
mod secrets;
mod shipped;
mod signals;
mod stack;
mod standard;
mod surroundings;
mod templates;
mod terminal;
mod trickle;
mod trust;
mod twins;
mod verify;
mod worlds;
