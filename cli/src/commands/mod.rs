//! The commands: one file each, a struct of options and one method.

use std::env;
use std::io;
use std::process::ExitCode;

use anyhow::Result;
use clap::{ArgMatches, Args, ColorChoice, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::code::engine;
use crate::terminal::color;
use crate::terminal::output::Output;

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
  tail -f log | cipher encrypt Caesar --lines

Exit status: 0 done, 1 something failed, 2 wrong usage.
RUST_LOG=info shows what an algorithm prints, RUST_LOG=debug the whole chain of an error.";

/// Encrypt and decrypt text with sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
#[command(name = "cipher", version = engine::VERSION, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    /// Colours in help, errors and diagnostics: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t, hide_possible_values = true)]
    color: ColorChoice,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Encrypt a text, or standard input
    #[command(after_help = transform::ENCRYPT_EXAMPLES)]
    Encrypt(LazyArgs<transform::Transform>),
    /// Decrypt a text, or standard input
    #[command(after_help = transform::DECRYPT_EXAMPLES)]
    Decrypt(LazyArgs<transform::Transform>),
    /// Run requests, a JSON object a line
    Batch(LazyArgs<batch::Batch>),
    /// List the algorithms that there are, with their settings
    List(LazyArgs<list::List>),
    /// Show what a component imports and exports, and whether it fits, without running it
    Inspect(LazyArgs<inspect::Inspect>),
    /// Try whether a component keeps the contract, case by case
    Check(LazyArgs<check::Check>),
    /// Start a project for an algorithm of your own
    New(LazyArgs<new::New>),
    /// Check a component, and put it where it is found by its name
    Install(LazyArgs<install::Install>),
    /// Remove an algorithm that was installed
    Uninstall(LazyArgs<install::Uninstall>),
    /// Show, fill or clear the store of compiled machine code
    Cache(LazyArgs<cache::Cache>),
    /// Write what a shell needs to complete commands, options and algorithms
    Completions(LazyArgs<completions::Completions>),
    /// Write how the last of some words may go on, for what 'cipher completions' writes
    #[command(hide = true)]
    Complete(LazyArgs<completions::Complete>),
    /// Write the manual, a page for every command
    #[command(hide = true)]
    Man(LazyArgs<man::Man>),
}

/// A command whose options are put together only if it is the one that is called: they are many, and take time.
#[derive(Debug)]
struct LazyArgs<T>(T);

impl<T: Args> Args for LazyArgs<T> {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.defer(|command| {
            // The line in the list of commands stays.
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

/// What `--color` says in a call that is no proper one, or asks for help.
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
        ColorChoice::Auto => {} // as the environment and the terminal have it
        ColorChoice::Always => color::set_color(true),
        ColorChoice::Never => color::set_color(false),
    }
}

/// Prints help, the version or a usage error, and returns the exit status.
pub fn print_usage(usage: &clap::Error) -> ExitCode {
    set_color(color_of_usage());
    let status = ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
    if usage.use_stderr() {
        // If it cannot be written, there is nobody left to tell.
        let _ = usage.print();
        return status;
    }
    if let Err(error) = Output::stdout() {
        color::print_error(&format!("{error:#}"));
        return ExitCode::FAILURE;
    }
    match usage.print() {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            color::print_error(&format!("cannot write to standard output: {error}"));
            ExitCode::FAILURE
        }
        _ => status,
    }
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// SingleMessage whose message is the line for the user.
    pub fn run(self) -> Result<()> {
        use crate::sandbox::instance::Operation::{Decrypt, Encrypt};
        set_color(self.color);
        match self.command {
            Command::Encrypt(LazyArgs(transform)) => transform.run(Encrypt),
            Command::Decrypt(LazyArgs(transform)) => transform.run(Decrypt),
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
