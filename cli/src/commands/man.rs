//! `cipher man`, with which `scripts/install` makes the manual.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory};

use super::Cli;

/// The manual, a page for every command.
#[derive(Debug, Args)]
pub struct Man {
    /// Where to write it, such as PREFIX/share/man/man1; it is made if it does not exist
    directory: PathBuf,
}

impl Man {
    /// Writes `cipher.1`, `cipher-encrypt.1` and so on.
    ///
    /// # Errors
    ///
    /// When a page cannot be written.
    pub fn run(self) -> Result<()> {
        let written = fs::create_dir_all(&self.directory)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &self.directory));
        written.with_context(|| format!("cannot write the manual to '{}'", self.directory.display()))
    }
}
