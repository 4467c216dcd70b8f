//! `cipher new`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::templates::{self, File};
use crate::terminal::color;

const EXAMPLES: &str = "\
Examples:
  cipher new Atbash --language rust
  cipher new Rot47 --language python ~/src/rot47";

/// A project for a guest.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct New {
    /// What the algorithm is called: ASCII letters, digits, '-', '_' and '.', first a letter
    name: String,
    /// Where to write it, a directory that is empty or does not exist [default: the name in lower case]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// The language to write it in
    #[arg(long, short, value_enum)]
    language: Language,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Language {
    Rust,
    Python,
    Javascript,
    C,
}

impl Language {
    fn files(self) -> &'static [File] {
        match self {
            Self::Rust => templates::RUST,
            Self::Python => templates::PYTHON,
            Self::Javascript => templates::JAVASCRIPT,
            Self::C => templates::C,
        }
    }
}

impl New {
    /// Writes the project.
    ///
    /// # Errors
    ///
    /// When the name or the directory does not do, or a file cannot be written.
    pub fn run(self) -> Result<()> {
        let directory = self.directory.unwrap_or_else(|| self.name.to_lowercase().into());
        templates::write(self.language.files(), &self.name, &directory)?;
        let shown = directory.display();
        color::print_hint(&format!("wrote the project; go on with 'cd {shown} && ./build', and see {shown}/README.md"));
        Ok(())
    }
}
