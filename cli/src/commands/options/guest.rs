//! Options that choose a guest and its settings.

use std::ffi::{OsStr, OsString};

use anyhow::Result;
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Args, Command};

use crate::exit::{Failure, Kind};
use crate::guest::Guest;
use crate::guest::assignments::{self, Assignment, Assignments, FileAssignment};
use crate::guest::catalog::Catalog;
use crate::guest::settings::{self, Setting, Source};
use crate::guest::value_file;

/// A guest and its settings.
#[derive(Debug, Args)]
pub(crate) struct GuestOptions {
    /// Name of an algorithm (see 'cipher list'), or path of a component
    pub algorithm: OsString,
    #[command(flatten)]
    pub settings: SettingOptions,
    #[command(flatten)]
    pub require: RequireOptions,
}

impl GuestOptions {
    /// Finds the guest.
    pub(crate) fn find(&self) -> Result<Guest> {
        Catalog::from_environment().find(&self.algorithm)
    }

    /// The settings of `guest` in force, where `stdin_is_free` if no message is read from it.
    pub(crate) fn resolve(&self, guest: &Guest, stdin_is_free: bool) -> Result<Vec<Setting>> {
        let settings = settings::resolve(guest, &self.settings.assignments(stdin_is_free)?)?;
        self.require.check(guest, &settings)?;
        settings::log_sources(guest, &settings);
        Ok(settings)
    }
}

/// Settings given by name.
#[derive(Debug, Args)]
pub(crate) struct SettingOptions {
    /// Set an algorithm setting (overrides the environment and the default)
    #[arg(long, value_name = "NAME=VALUE", value_parser = Parser(assignments::parse_assignment))]
    set: Vec<Assignment>,
    /// Read a setting, such as a secret, from a file; '-' is stdin
    #[arg(long, value_name = "NAME=PATH", value_parser = Parser(assignments::parse_file_assignment))]
    set_file: Vec<FileAssignment>,
}

impl SettingOptions {
    /// The settings, with those of files read. Of one that is repeated the last counts.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or is stdin unless `stdin_is_free`, or both options give the same setting.
    pub(crate) fn assignments(&self, stdin_is_free: bool) -> Result<Assignments> {
        let mut all = Assignments::default();
        for Assignment { name, value } in &self.set {
            all.set(name, value, Source::Flag);
        }
        let mut stdin_reader = None;
        for (at, FileAssignment { name, path }) in self.set_file.iter().enumerate() {
            if self.set_file[at + 1..].iter().any(|later| later.name == *name) {
                continue;
            }
            if all.get(name).is_some() {
                return Err(usage(format!("{name} is given by --set and by --set-file; use one of them")));
            }
            if path.as_os_str() == "-" {
                match stdin_reader.replace(name) {
                    None if stdin_is_free => {}
                    None => {
                        return Err(usage(format!(
                            "--set-file {name}=- needs the input as an argument: stdin is the input"
                        )));
                    }
                    Some(other) => return Err(usage(format!("stdin cannot be both {other} and {name}"))),
                }
            }
            all.set(name, value_file::read(name, path)?, Source::File);
        }
        Ok(all)
    }
}

/// Whether defaults are enough.
#[derive(Debug, Args)]
pub(crate) struct RequireOptions {
    /// Fail if a setting is not given by an option or the environment
    #[arg(long)]
    pub require_set: bool,
}

impl RequireOptions {
    /// Refuses `settings` that nobody gave, if that was asked for.
    pub(crate) fn check(&self, guest: &Guest, settings: &[Setting]) -> Result<()> {
        if self.require_set { settings::require_set(guest, settings) } else { Ok(()) }
    }
}

fn usage(message: String) -> anyhow::Error {
    Failure::new(Kind::Usage, message).into()
}

/// Parses an argument that may be a secret. Unlike the parsers of clap, it does not repeat the argument in the error.
#[derive(Clone)]
struct Parser<T>(fn(&OsStr) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for Parser<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, _: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        (self.0)(value).map_err(|problem| command.clone().error(ErrorKind::ValueValidation, problem))
    }
}
