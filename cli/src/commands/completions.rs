//! `cipher completions`, and `cipher complete`, which its scripts call.

use std::ffi::{OsStr, OsString};

use anyhow::{Context, Result};
use clap::{Arg, Args, Command, CommandFactory, Id, ValueEnum};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::Cli;
use crate::exit::{Failure, Kind};
use crate::guest::Guest;
use crate::guest::catalog::{self, Catalog};
use crate::terminal::escape;
use crate::terminal::output::Output;

const EXAMPLES: &str = "\
Examples:
  source <(cipher completions bash)     in ~/.bashrc
  source <(cipher completions zsh)      in ~/.zshrc, after compinit
  cipher completions fish | source      in ~/.config/fish/config.fish";

/// Options of `cipher completions`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Completions {
    /// Shell to print the script for
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
    /// When it cannot be written to stdout.
    pub(super) fn run(self) -> Result<()> {
        let script = match self.shell {
            Shell::Bash => include_str!("../../completions/cipher.bash"),
            Shell::Zsh => include_str!("../../completions/_cipher"),
            Shell::Fish => include_str!("../../completions/cipher.fish"),
        };
        Output::stdout()?.write(script.as_bytes())
    }
}

/// Options of `cipher complete`: a command line that is being typed.
#[derive(Debug, Args)]
pub(super) struct Complete {
    /// Index of the word to complete, from 0
    index: usize,
    /// Words so far
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

impl Complete {
    /// Writes the candidates, one per line, each with its description after a tab if it has one. Where a file is
    /// expected it writes none, because the shell completes files better.
    ///
    /// # Errors
    ///
    /// When there is nothing to complete, or the candidates cannot be written to stdout.
    pub(super) fn run(mut self) -> Result<()> {
        self.words.truncate(self.index.saturating_add(1));
        if self.words.len() == self.index {
            self.words.push(OsString::new()); // nothing of this word is typed yet
        }
        let begun = self.words.last().is_some_and(|word| !word.is_empty());
        let mut command = Cli::command();
        command.build();
        let mut command = with_completers(command, &self.words);
        let mut candidates = clap_complete::engine::complete(&mut command, self.words, self.index, None)
            .with_context(|| Failure::new(Kind::Usage, "cannot complete these words"))?;
        // An empty word matches every option, and these would hide the other candidates.
        candidates.retain(|candidate| begun || !candidate.get_value().as_encoded_bytes().starts_with(b"-"));
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

/// Adds completers to `command`, which is built. Adding them where the arguments are declared would slow down every
/// call.
fn with_completers(command: Command, words: &[OsString]) -> Command {
    let completers: Vec<(Id, ArgValueCompleter)> = command
        .get_arguments()
        .filter_map(|arg| Some((arg.get_id().clone(), completer(&command, arg, words)?)))
        .collect();
    let add = |command: Command, (id, completer)| command.mut_arg(id, |arg| arg.add(completer));
    completers.into_iter().fold(command, add).mut_subcommands(|below| with_completers(below, words))
}

/// The completer of an argument, by the name of its value.
fn completer(command: &Command, arg: &Arg, words: &[OsString]) -> Option<ArgValueCompleter> {
    match (command.get_name(), arg.get_value_names()?.first()?.as_str()) {
        ("uninstall", _) if arg.is_positional() => Some(ArgValueCompleter::new(installed)),
        (_, "ALGORITHM") | ("batch", "NAME") => Some(ArgValueCompleter::new(algorithms)),
        (_, name) if name.starts_with("NAME=") => {
            let words = words.to_vec();
            Some(ArgValueCompleter::new(move |begun: &OsStr| settings(&words, begun)))
        }
        _ => None,
    }
}

/// The guests of the catalog whose name begins with `begun`, in any case. The shell completes paths.
fn algorithms(begun: &OsStr) -> Vec<CompletionCandidate> {
    if catalog::is_path(begun) {
        return Vec::new();
    }
    guests().filter(|guest| begins_with(&guest.name, begun)).map(candidate).collect()
}

/// The guests in the user's own directory, which 'cipher uninstall' can remove.
fn installed(begun: &OsStr) -> Vec<CompletionCandidate> {
    let own = catalog::user_directory();
    let is_own = |guest: &Guest| own.as_deref().is_some_and(|own| guest.component.starts_with(own));
    guests().filter(|guest| is_own(guest) && begins_with(&guest.name, begun)).map(candidate).collect()
}

/// The settings of the algorithm that `words` name, each with the '=' that follows.
fn settings(words: &[OsString], begun: &OsStr) -> Vec<CompletionCandidate> {
    let catalog = Catalog::from_environment();
    let mut arguments =
        words.iter().skip(2).filter(|word| !word.is_empty() && !word.as_encoded_bytes().starts_with(b"-"));
    let manifest = arguments.find_map(|word| catalog.find(word).ok()?.manifest);
    let settings = manifest.into_iter().flat_map(|manifest| manifest.settings);
    settings
        .filter(|(name, _)| begins_with(name, begun))
        .map(|(name, setting)| described(format!("{name}="), &setting.help))
        .collect()
}

fn guests() -> impl Iterator<Item = Guest> {
    Catalog::from_environment().all().into_iter().flatten()
}

fn begins_with(name: &str, begun: &OsStr) -> bool {
    name.to_lowercase().starts_with(&begun.to_string_lossy().to_lowercase())
}

fn candidate(guest: Guest) -> CompletionCandidate {
    let description = guest.manifest.map(|manifest| manifest.description).unwrap_or_default();
    described(guest.name, &description)
}

fn described(value: String, description: &str) -> CompletionCandidate {
    let description = escape::line(description).into_owned();
    CompletionCandidate::new(value).help((!description.is_empty()).then(|| description.into()))
}
