//! The architecture of `cipher`: data goes one way, from the arguments to the output.
//!
//! ```text
//! args -> catalog (which guest) -> artifacts (its machine code, mapped) -> session (sandbox, limits, one instance)
//!      -> records (text in) -> call -> audit (entries to their sink) -> output (text out)
//! ```
//!
//! A module is one noun, and none points back up the arrow. Only `main` and [`commands`] know clap; only [`engine`],
//! [`compiler`], [`artifacts`], [`clock`], [`contract`], [`host`], [`limits`], [`lift`], [`session`] and [`failure`] know
//! wasmtime. In this field *store* means `wasmtime::Store`, so the store of compiled code is called [`artifacts`],
//! and a directory of it a [`shelf`].

pub mod commands;

// Which guest, and how it is set.
pub mod catalog;
pub mod manifest;
pub mod settings;

// Its machine code.
pub mod artifacts;
pub mod compiler;
pub mod engine;
pub mod shelf;

// Its sandbox.
pub mod clock;
pub mod contract;
pub mod failure;
pub mod host;
pub mod lift;
pub mod limits;
pub mod session;

// Whether it keeps the contract.
pub mod kit;

// Text in.
pub mod input;
pub mod jobs;
pub mod pipeline;
pub mod records;
pub mod request;

// Audit entries and text out.
pub mod audit;
pub mod escape;
pub mod output;

// What more than one of them needs.
pub mod interrupt;
pub mod progress;
pub mod regular_file;
pub mod standard;

// What a new guest starts from.
pub mod templates;
