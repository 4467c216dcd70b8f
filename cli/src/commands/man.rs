//! `cipher man`, with which `scripts/install` makes the manual.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Command, CommandFactory};

use super::Cli;
use crate::code::engine;

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
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        let written = fs::create_dir_all(&self.directory).and_then(|()| write_pages(&command, &self.directory));
        written.with_context(|| format!("cannot write the manual to '{}'", self.directory.display()))
    }
}

/// Writes the page of `command`, and of those below it.
fn write_pages(command: &Command, directory: &Path) -> io::Result<()> {
    let page = clap_mangen::Man::new(command.clone()).source(format!("cipher {}", engine::VERSION));
    let mut text = Vec::new();
    page.render(&mut text)?;
    // What follows the options are commands, to be read line by line.
    let text = String::from_utf8_lossy(&text).replacen("\n.SH EXTRA\n", "\n.SH EXAMPLES\n.nf\n", 1);
    fs::write(directory.join(page.get_filename()), text)?;
    let mut shown = command.get_subcommands().filter(|below| !below.is_hide_set());
    shown.try_for_each(|below| write_pages(below, directory))
}
