//! `cipher completions`, and `cipher complete`, which is what a shell calls then.

use std::ffi::{OsStr, OsString};

use anyhow::Result;
use clap::{Arg, Args, Command, CommandFactory, Id, ValueEnum};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter};

use super::Cli;
use crate::guest::catalog::{self, Catalog};
use crate::terminal::output::Output;

/// What the arguments are called in help that name an algorithm.
const ALGORITHM: &str = "ALGORITHM";

const EXAMPLES: &str = "\
Examples:
  source <(cipher completions bash)     in ~/.bashrc
  source <(cipher completions zsh)      in ~/.zshrc, after compinit
  cipher completions fish | source      in ~/.config/fish/config.fish";

/// What a shell needs to complete the words of a call.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    /// Writes the script.
    ///
    /// # Errors
    ///
    /// When it does not reach standard output.
    pub fn run(self) -> Result<()> {
        let script = match self.shell {
            Shell::Bash => include_str!("../../completions/cipher.bash"),
            Shell::Zsh => include_str!("../../completions/_cipher"),
            Shell::Fish => include_str!("../../completions/cipher.fish"),
        };
        Output::stdout()?.write(script.as_bytes())
    }
}

/// A call that is being typed.
#[derive(Debug, Args)]
pub struct Complete {
    /// Which of the words is to be completed, the first being 0
    index: usize,
    /// The words so far
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

impl Complete {
    /// Writes the candidates, a line for each: the word, and after a tab what it is, if that is known.
    ///
    /// # Errors
    ///
    /// When there is nothing to complete, or the candidates do not reach standard output.
    pub fn run(mut self) -> Result<()> {
        self.words.truncate(self.index.saturating_add(1));
        if self.words.len() == self.index {
            self.words.push(OsString::new()); // a word that is not begun yet
        }
        let begun = self.words.last().is_some_and(|word| !word.is_empty());
        let mut command = Cli::command();
        command.build();
        let mut command = completing_algorithms(command);
        let mut candidates = clap_complete::engine::complete(&mut command, self.words, self.index, None)?;
        // Before its first character a word may be any option: they are many, and hide the rest.
        let is_option = |candidate: &CompletionCandidate| candidate.get_value().as_encoded_bytes().starts_with(b"-");
        if !begun && !candidates.iter().all(is_option) {
            candidates.retain(|candidate| !is_option(candidate));
        }
        let mut lines = Vec::new();
        for candidate in candidates {
            lines.extend_from_slice(candidate.get_value().as_encoded_bytes());
            if let Some(help) = candidate.get_help() {
                lines.extend_from_slice(b"\t");
                lines.extend_from_slice(help.to_string().lines().next().unwrap_or_default().as_bytes());
            }
            lines.push(b'\n');
        }
        Output::stdout()?.write(&lines)
    }
}

/// `command`, which is built, with a completer for what names an algorithm. It is added here and not where the argument is
/// declared, because there it would cost every call.
fn completing_algorithms(command: Command) -> Command {
    let is_algorithm =
        |arg: &&Arg| arg.get_value_names().is_some_and(|names| names.iter().any(|name| name == ALGORITHM));
    let ids: Vec<Id> = command.get_arguments().filter(is_algorithm).map(|arg| arg.get_id().clone()).collect();
    let add = |command: Command, id| command.mut_arg(id, |arg| arg.add(ArgValueCompleter::new(algorithms)));
    ids.into_iter().fold(command, add).mut_subcommands(completing_algorithms)
}

/// The algorithms that a word may become: names in the catalog, or paths of components.
fn algorithms(begun: &OsStr) -> Vec<CompletionCandidate> {
    if catalog::is_path(begun) {
        let is_component = |path: &std::path::Path| path.is_dir() || path.extension() == Some(OsStr::new("wasm"));
        return PathCompleter::any().filter(is_component).complete(begun);
    }
    let begun = begun.to_string_lossy().to_lowercase();
    let guests = Catalog::from_environment().all();
    let fitting = guests.into_iter().flatten().filter(|guest| guest.name.to_lowercase().starts_with(&begun));
    let candidate = |guest: crate::guest::Guest| {
        let description =
            guest.manifest.map(|manifest| crate::terminal::escape::line(&manifest.description).into_owned());
        CompletionCandidate::new(guest.name).help(description.map(Into::into))
    };
    fitting.map(candidate).collect()
}
