//! The commands: one file each, with a struct of options and a method that runs it.
//!
//! Flags that several commands share are in [`options`].

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use anstream::AutoStream;
use anstream::adapter::strip_str;
use anyhow::Result;
use clap::{ArgMatches, Args, ColorChoice, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::code::engine;
use crate::exit;
use crate::terminal::color::{self, Stderr};
use crate::terminal::output::{self, Output};
use crate::terminal::progress::{self, When};

mod batch;
mod cache;
mod check;
mod completions;
mod inspect;
mod install;
mod list;
mod man;
mod new;
mod options;
mod transform;

const EXAMPLES: &str = "\
Examples:
  cipher encrypt Caesar 'Hello, World!'
  cipher decrypt Vigenere --set VIGENERE_KEYWORD=LEMON LXFOPVEFRNHR
  tail -f log | cipher encrypt Caesar --lines --quiet";

/// The variables that the program itself reads, for `--help` and the manual.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("CIPHER_GUESTS", "guest directories, separated by ':', searched before all others"),
    ("CIPHER_AUDIT_FILE", "the default of --audit-file"),
    ("CIPHER_AUDIT_FORMAT", "the default of --audit-format"),
    ("RUST_LOG", "'info' shows what a guest prints, 'debug' the full chain of an error"),
    ("NO_COLOR", "if set, disables color unless --color is given"),
    ("(a setting)", "the variable of each setting that 'cipher list' shows"),
];

/// The text after the options in the help of the program.
fn after_help() -> String {
    let mut help = String::from(EXAMPLES);
    for (heading, rows) in [("Exit status", exit::TABLE), ("Environment", ENVIRONMENT)] {
        let width = rows.iter().map(|(term, _)| term.len()).max().unwrap_or_default();
        help += &format!("\n\n{heading}:");
        for (term, meaning) in rows {
            help += &format!("\n  {term:width$}  {meaning}");
        }
    }
    help
}

/// Encrypt and decrypt text with sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(after_help = after_help())]
#[command(name = "cipher", version = engine::VERSION, arg_required_else_help = true, max_term_width = 100)]
// The options of a shell alias can be overridden.
#[command(args_override_self = true)]
pub struct Cli {
    /// Color in help and messages: auto, always, or never
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t, hide_possible_values = true)]
    color: ColorChoice,
    /// Progress on stderr: auto, always, or never
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t, hide_possible_values = true)]
    progress: ProgressOption,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum ProgressOption {
    #[default]
    Auto,
    Always,
    Never,
}

impl From<ProgressOption> for When {
    fn from(option: ProgressOption) -> Self {
        match option {
            ProgressOption::Auto => Self::Auto,
            ProgressOption::Always => Self::Always,
            ProgressOption::Never => Self::Never,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Encrypt text from an argument or stdin
    #[command(after_help = transform::ENCRYPT_EXAMPLES)]
    Encrypt(LazyArgs<transform::Encrypt>),
    /// Decrypt text from an argument or stdin
    #[command(after_help = transform::DECRYPT_EXAMPLES)]
    Decrypt(LazyArgs<transform::Decrypt>),
    /// Process requests in JSON Lines
    Batch(LazyArgs<batch::Batch>),
    /// List available algorithms and their settings
    List(LazyArgs<list::List>),
    /// Show what a component imports and exports, without running it
    Inspect(LazyArgs<inspect::Inspect>),
    /// Test a component against the contract
    Check(LazyArgs<check::Check>),
    /// Create a project for a new algorithm
    New(LazyArgs<new::New>),
    /// Check a component and install it by name
    Install(LazyArgs<install::Install>),
    /// Remove an installed algorithm
    Uninstall(LazyArgs<install::Uninstall>),
    /// Show, fill, or clear the artifact cache
    Cache(LazyArgs<cache::Cache>),
    /// Print a shell completion script
    Completions(LazyArgs<completions::Completions>),
    /// Complete the words of a command line, for the scripts of 'cipher completions'
    #[command(hide = true)]
    Complete(LazyArgs<completions::Complete>),
    /// Write the manual pages, one per command
    #[command(hide = true)]
    Man(LazyArgs<man::Man>),
}

/// A command whose options are built only when it is called, because building those of all commands takes time.
#[derive(Debug)]
struct LazyArgs<T>(T);

impl<T: Args> Args for LazyArgs<T> {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.defer(|command| {
            // Keeps the line in the list of commands.
            let about = command.get_about().cloned();
            T::augment_args(command).about(about.unwrap_or_default())
        })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl<T: FromArgMatches> FromArgMatches for LazyArgs<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

/// The value of `--color` in a command line that clap rejected, or that asks for help.
fn color_of_usage() -> ColorChoice {
    let mut arguments = env::args_os().skip(1).take_while(|argument| argument != "--");
    let mut color = ColorChoice::Auto;
    while let Some(argument) = arguments.next() {
        let value = match argument.to_str() {
            Some("--color") => arguments.next().and_then(|value| value.into_string().ok()),
            Some(argument) => argument.strip_prefix("--color=").map(str::to_owned),
            None => None,
        };
        color = value.and_then(|value| ColorChoice::from_str(&value, false).ok()).unwrap_or(color);
    }
    color
}

fn set_color(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => {} // anstream looks at the environment and the terminal
        ColorChoice::Always => color::set_color(true),
        ColorChoice::Never => color::set_color(false),
    }
}

/// Prints help, the version, or a usage error, and returns the exit status.
pub fn print_usage(usage: &clap::Error) -> ExitCode {
    set_color(color_of_usage());
    let text = usage.render().ansi().to_string();
    if usage.use_stderr() {
        // If this fails, there is no way to report it.
        let _ = Stderr.write_all(colored(&text, color::has_color()).as_bytes());
        return ExitCode::from(exit::Kind::Usage.status());
    }
    let has_color = AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
    let written = Output::stdout().and_then(|mut output| output.write(colored(&text, has_color).as_bytes()));
    match written {
        Err(error) if !output::is_closed(&error) => {
            color::print_error(&format!("{error:#}"));
            exit::status(&error)
        }
        _ => ExitCode::SUCCESS,
    }
}

/// `text`, without its colors unless `has_color`.
fn colored(text: &str, has_color: bool) -> String {
    if has_color { text.to_owned() } else { strip_str(text).to_string() }
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// When the command fails. The message is the line for the user.
    pub fn run(self) -> Result<()> {
        set_color(self.color);
        progress::set_when(self.progress.into());
        match self.command {
            Command::Encrypt(LazyArgs(encrypt)) => encrypt.run(),
            Command::Decrypt(LazyArgs(decrypt)) => decrypt.run(),
            Command::Batch(LazyArgs(batch)) => batch.run(),
            Command::List(LazyArgs(list)) => list.run(),
            Command::Inspect(LazyArgs(inspect)) => inspect.run(),
            Command::Check(LazyArgs(check)) => check.run(),
            Command::New(LazyArgs(new)) => new.run(),
            Command::Install(LazyArgs(install)) => install.run(),
            Command::Uninstall(LazyArgs(uninstall)) => uninstall.run(),
            Command::Cache(LazyArgs(cache)) => cache.run(),
            Command::Completions(LazyArgs(completions)) => completions.run(),
            Command::Complete(LazyArgs(complete)) => complete.run(),
            Command::Man(LazyArgs(man)) => man.run(),
        }
    }
}
