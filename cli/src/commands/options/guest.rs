//! Options that choose a guest and its settings.

use std::ffi::{OsStr, OsString};
use std::path::Path;

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

    /// The settings of `guest` in force.
    pub(crate) fn resolve(&self, guest: &Guest, stdin: &mut SettingStdin) -> Result<Vec<Setting>> {
        let settings = settings::resolve(guest, &self.settings.assignments(stdin)?)?;
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
    /// The settings, with those in files read. The last of several values for a setting wins.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or both options give the same setting.
    pub(crate) fn assignments(&self, stdin: &mut SettingStdin) -> Result<Assignments> {
        let mut all = Assignments::default();
        for Assignment { name, value } in &self.set {
            all.set(name, value, Source::Flag);
        }
        for (name, path) in last_of_each(&self.set_file) {
            if all.get(name).is_some() {
                return Err(usage(format!("{name} is given by --set and by --set-file; use one of them")));
            }
            all.set(name, stdin.read(name, path)?, Source::File);
        }
        Ok(all)
    }
}

/// The assignments without those that a later one overrides.
fn last_of_each(files: &[FileAssignment]) -> impl Iterator<Item = (&str, &Path)> {
    let is_last = |(at, file): &(usize, &FileAssignment)| files[at + 1..].iter().all(|later| later.name != file.name);
    files.iter().enumerate().filter(is_last).map(|(_, file)| (&*file.name, &*file.path))
}

/// Whether stdin can be read for a setting.
#[derive(Debug)]
pub(crate) enum SettingStdin {
    /// Yes: nothing reads it.
    Free,
    /// No: it is the input.
    Input,
    /// No: it was read for this setting.
    Read(String),
}

impl SettingStdin {
    /// Reads the setting `name` from the file at `path`, or from stdin for `-`.
    fn read(&mut self, name: &str, path: &Path) -> Result<String> {
        if value_file::is_stdin(path) {
            match std::mem::replace(self, Self::Read(name.to_owned())) {
                Self::Free => {}
                Self::Input => {
                    return Err(usage(format!(
                        "cannot read {name} from stdin, which is the input; give the input as an argument"
                    )));
                }
                Self::Read(other) => {
                    return Err(usage(format!("stdin was already read for {other}; read {name} from a file")));
                }
            }
        }
        value_file::read(name, path)
    }
}

/// Whether results are verified.
#[derive(Debug, Default, Args)]
pub(crate) struct VerifyOptions {
    /// Decrypt each result, and write it only if it decrypts to the message
    ///
    /// A second instance of the guest decrypts, and never encrypts. It is replaced by a fresh one for the 1st, 2nd,
    /// 4th, 8th, and so on of the results of an encrypting instance; with --isolate, for every result. Its audit events
    /// are dropped. If a long message is streamed, each part of its result is written once it is decrypted and
    /// everything decrypted so far matches; the end is written only if the whole message matches.
    #[arg(long, help_heading = "Verification")]
    verify: bool,
    /// With --verify, decrypt with this setting from a file; '-' is stdin
    #[arg(
        long,
        requires = "verify",
        value_name = "NAME=PATH",
        value_parser = Parser(assignments::parse_file_assignment),
        help_heading = "Verification",
    )]
    verify_set_file: Vec<FileAssignment>,
}

impl VerifyOptions {
    /// The settings that decrypt what `guest` encrypts with `settings`, if results are verified.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, or its setting is not declared.
    pub(crate) fn resolve(
        &self,
        guest: &Guest,
        settings: &[Setting],
        stdin: &mut SettingStdin,
    ) -> Result<Option<Vec<Setting>>> {
        if !self.verify {
            return Ok(None);
        }
        let mut given = Assignments::default();
        for (name, path) in last_of_each(&self.verify_set_file) {
            given.set(name, stdin.read(name, path)?, Source::File);
        }
        settings::replace(guest, settings, &given).map(Some)
    }
}

/// Whether every setting needs an explicit value.
#[derive(Debug, Args)]
pub(crate) struct RequireOptions {
    /// Fail if a setting is not given by an option or the environment
    #[arg(long)]
    pub require_set: bool,
}

impl RequireOptions {
    /// With `--require-set`, refuses `settings` that have no explicit value.
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
