//! `cipher new`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::exit::{Failure, Kind};
use crate::templates::{self, File};
use crate::terminal::escape;
use crate::terminal::output::Output;

const EXAMPLES: &str = "\
Examples:
  cipher new Atbash --language rust
  cipher new Rot47 --language python ~/src/rot47
  cipher new Seal --language rust --kind authenticated";

/// Options of `cipher new`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct New {
    /// Name of the algorithm: ASCII letters, digits, '-', '_' and '.', starting with a letter
    name: String,
    /// Directory for the project, empty or not yet created [default: the name in lower case]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Programming language of the project
    #[arg(long, short, value_enum)]
    language: Language,
    /// Kind of cipher to start from: classic, or authenticated (in Rust and Python)
    #[arg(long, value_enum, default_value = "classic", hide_possible_values = true)]
    kind: TemplateKind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TemplateKind {
    /// A classical cipher, which is not secure
    Classic,
    /// Encryption under a secret key that refuses altered text
    Authenticated,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Language {
    Rust,
    Python,
    Javascript,
    C,
}

/// The template for `language`; not every kind exists in every language.
fn template(language: Language, kind: TemplateKind) -> Option<&'static [File]> {
    match (kind, language) {
        (TemplateKind::Classic, Language::Rust) => Some(templates::RUST),
        (TemplateKind::Classic, Language::Python) => Some(templates::PYTHON),
        (TemplateKind::Classic, Language::Javascript) => Some(templates::JAVASCRIPT),
        (TemplateKind::Classic, Language::C) => Some(templates::C),
        (TemplateKind::Authenticated, Language::Rust) => Some(templates::AUTHENTICATED_RUST),
        (TemplateKind::Authenticated, Language::Python) => Some(templates::AUTHENTICATED_PYTHON),
        (TemplateKind::Authenticated, _) => None,
    }
}

impl New {
    /// Writes the project, and prints the next commands to run.
    ///
    /// # Errors
    ///
    /// When the name or the directory cannot be used, or a file cannot be written.
    pub(super) fn run(self) -> Result<()> {
        let directory = self.directory.unwrap_or_else(|| self.name.to_lowercase().into());
        let Some(files) = template(self.language, self.kind) else {
            let message = "--kind authenticated needs --language rust or python";
            return Err(Failure::new(Kind::Usage, message).into());
        };
        templates::write(files, &self.name, &directory)?;
        let (name, shown) = (&self.name, quoted(&directory));
        let next = format!("created {shown}; next:\n  cd {shown}\n  ./build\n  cipher check ./{name}.wasm\n");
        Output::stdout()?.write(next.as_bytes())
    }
}

/// `path` as a word for a shell that is safe to show on a terminal.
fn quoted(path: &Path) -> String {
    let path = escape::line(&path.to_string_lossy()).into_owned();
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ',' | ':' | '@' | '~');
    if !path.is_empty() && !path.starts_with('-') && path.chars().all(is_plain) {
        return path;
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}
