//! The commands: one file each, a struct of options and one method.

use std::io;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::engine;

mod batch;
mod cache;
mod inspect;
mod list;
mod new;
mod options;
mod transform;

const EXAMPLES: &str = "\
Examples:
  cipher encrypt Caesar 'Hello, World!'
  cipher decrypt Vigenere --set VIGENERE_KEYWORD=LEMON LXFOPVEFRNHR
  tail -f log | cipher encrypt Caesar --lines

Exit status: 0 done, 1 something failed, 2 wrong usage.
RUST_LOG=info shows what an algorithm prints, RUST_LOG=debug the whole chain of an error.";

/// Encrypt and decrypt text with sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
#[command(name = "cipher", version = engine::VERSION, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Encrypt a text, or standard input
    #[command(after_help = transform::ENCRYPT_EXAMPLES)]
    Encrypt(transform::Transform),
    /// Decrypt a text, or standard input
    #[command(after_help = transform::DECRYPT_EXAMPLES)]
    Decrypt(transform::Transform),
    /// Run requests, a JSON object a line
    Batch(batch::Batch),
    /// List the algorithms that there are, with their settings
    List(list::List),
    /// Show what a component imports and exports, and whether it fits, without running it
    Inspect(inspect::Inspect),
    /// Start a project for an algorithm of your own
    New(new::New),
    /// Show, fill or clear the store of compiled machine code
    Cache(cache::Cache),
}

/// Prints help, the version or a usage error, and returns the exit status.
pub fn print_usage(usage: &clap::Error) -> ExitCode {
    match usage.print() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2)),
    }
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// One whose message is the line for the user.
    pub fn run(self) -> Result<()> {
        use crate::session::Operation::{Decrypt, Encrypt};
        match self.command {
            Command::Encrypt(transform) => transform.run(Encrypt),
            Command::Decrypt(transform) => transform.run(Decrypt),
            Command::Batch(batch) => batch.run(),
            Command::List(list) => list.run(),
            Command::Inspect(inspect) => inspect.run(),
            Command::New(new) => new.run(),
            Command::Cache(cache) => cache.run(),
        }
    }
}
