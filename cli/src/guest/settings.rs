//! The settings in force: from an option or a request, else the environment, else the default of the manifest.

use std::env;
use std::fmt;
use std::path::Path;
use std::sync::Once;

use anyhow::Result;
use serde::Serialize;

use super::assignments::Assignments;
use super::manifest::Declaration;
use super::{Guest, value_file};
use crate::exit::{Failure, Kind};
use crate::platform::dump;
use crate::terminal::escape;

/// A setting with the value in force. Its debug output leaves out the value of a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable in which the guest finds it.
    pub variable: String,
    /// The value; without one, the variable is not set.
    pub value: Option<String>,
    /// The origin of the value.
    pub source: Source,
    /// Whether the value must never be shown.
    pub secret: bool,
}

impl Setting {
    /// The value as it may be shown: `***` for a secret.
    pub fn shown(&self) -> Option<&str> {
        self.value.as_deref().map(|value| if self.secret { "***" } else { value })
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={:?} ({})", self.variable, self.shown(), self.source)
    }
}

/// The origin of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// `--set`.
    Flag,
    /// `--set-file`, or the file that a variable `NAME_FILE` names.
    File,
    /// A request of `cipher batch`.
    Request,
    /// The environment.
    Environment,
    /// The default of the manifest.
    Default,
    /// The example of the manifest, which only the conformance suite uses.
    Example,
    /// None: the variable is not set.
    Unset,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "flag",
            Self::File => "file",
            Self::Request => "request",
            Self::Environment => "environment",
            Self::Default => "default",
            Self::Example => "example",
            Self::Unset => "unset",
        })
    }
}

/// Returns every setting of `guest`: those that its manifest declares or, without a manifest, those `given`.
///
/// # Errors
///
/// When `given` names a setting that is not declared, or a value in the environment cannot be used.
pub fn resolve(guest: &Guest, given: &Assignments) -> Result<Vec<Setting>> {
    let settings = match &guest.manifest {
        None => undeclared(given),
        Some(manifest) => {
            refuse_unknown(guest, given)?;
            let declared = manifest.settings.iter();
            declared.map(|(variable, declared)| declared_setting(variable, declared, given)).collect::<Result<_>>()?
        }
    };
    for setting in settings.iter().filter(|setting| setting.secret && setting.value.is_some()) {
        dump::disable();
        if setting.source == Source::Flag {
            warn_of_process_list(&setting.variable);
        }
    }
    if let Some(setting) = settings.iter().find(|s| s.value.as_ref().is_some_and(|value| value.contains('\0'))) {
        return Err(failure(format!("{} contains a NUL character", setting.variable)));
    }
    Ok(settings)
}

/// Returns `settings` of `guest` with the values `given` in place of theirs.
///
/// # Errors
///
/// As for [`resolve`].
pub(crate) fn replace(guest: &Guest, settings: &[Setting], given: &Assignments) -> Result<Vec<Setting>> {
    let mut all = Assignments::default();
    for Setting { variable, value, source, .. } in settings {
        if let Some(value) = value {
            all.set(variable, value, *source);
        }
    }
    given.iter().for_each(|(name, value, source)| all.set(name, value, source));
    resolve(guest, &all)
}

/// Refuses settings without an explicit value (`--require-set`).
///
/// # Errors
///
/// When a setting has its default, or none.
pub(crate) fn require_set(guest: &Guest, settings: &[Setting]) -> Result<()> {
    let is_missing = |setting: &&Setting| matches!(setting.source, Source::Default | Source::Unset);
    match settings.iter().find(is_missing) {
        None => Ok(()),
        Some(Setting { variable, secret, .. }) => {
            let name = &guest.name;
            let remedy = match secret {
                true => format!("give it with --set-file, or name its file in {variable}_FILE"),
                false => "give it with --set or in the environment".to_owned(),
            };
            Err(failure(format!("{name} needs {variable} (--require-set): {remedy}")))
        }
    }
}

/// Logs where each setting came from.
pub(crate) fn log_sources(guest: &Guest, settings: &[Setting]) {
    if log::log_enabled!(log::Level::Info) {
        for setting in settings {
            log::info!("{} setting {}", guest.name, describe(setting));
        }
    }
}

/// Describes `setting` in one line, such as `SHIFT_AMOUNT=3 (default)`.
pub(crate) fn describe(setting: &Setting) -> String {
    let variable = escape::line(&setting.variable);
    match setting.shown() {
        Some(value) => format!("{variable}={} ({})", escape::line(value), setting.source),
        None => format!("{variable} ({})", setting.source),
    }
}

/// The settings of a guest without a manifest. Any of them could be secret, so those read from a file count as secret.
fn undeclared(given: &Assignments) -> Vec<Setting> {
    let setting = |(variable, value, source): (&str, &str, Source)| Setting {
        variable: variable.to_owned(),
        value: Some(value.to_owned()),
        source,
        secret: source == Source::File,
    };
    given.iter().map(setting).collect()
}

/// Refuses settings `given` for all of `guests` that none of them declares.
///
/// # Errors
///
/// When there is such a setting.
pub(crate) fn refuse_unknown_to_all(guests: &[Guest], given: &Assignments) -> Result<()> {
    match given.iter().find(|(name, ..)| !guests.iter().any(|guest| guest.takes_setting(name))) {
        // The name may be a key in base64, which can end with an equals sign.
        Some(_) => Err(failure("no available algorithm has such a setting; 'cipher list' shows all".to_owned())),
        None => Ok(()),
    }
}

/// Refuses settings `given` that `guest` does not declare.
///
/// # Errors
///
/// When there is such a setting.
pub(crate) fn refuse_unknown(guest: &Guest, given: &Assignments) -> Result<()> {
    let Some(manifest) = &guest.manifest else { return Ok(()) };
    let Some((unknown, ..)) = given.iter().find(|(name, ..)| !manifest.settings.contains_key(*name)) else {
        return Ok(());
    };
    let name = &guest.name;
    let declared: Vec<&str> = manifest.settings.keys().map(String::as_str).collect();
    if manifest.settings.values().any(|declared| declared.secret) {
        // A key in base64 can end with an equals sign, and would be taken for a name.
        return Err(failure(format!("{name} has no such setting (available: {})", declared.join(", "))));
    }
    let unknown = escape::start(unknown);
    Err(failure(match declared.as_slice() {
        [] => format!("{name} has no settings, so '{unknown}' cannot be set"),
        _ => format!("{name} has no setting '{unknown}' (available: {})", declared.join(", ")),
    }))
}

fn declared_setting(variable: &str, declared: &Declaration, given: &Assignments) -> Result<Setting> {
    let (value, source) = match given.get(variable) {
        Some((value, source)) => (Some(value.clone()), *source),
        None => match from_environment(variable, declared.secret)? {
            Some((value, source)) => (Some(value), source),
            None if declared.default.is_some() => (declared.default.clone(), Source::Default),
            None => (None, Source::Unset),
        },
    };
    Ok(Setting { variable: variable.to_owned(), value, source, secret: declared.secret })
}

fn from_environment(variable: &str, secret: bool) -> Result<Option<(String, Source)>> {
    let file_variable = format!("{variable}_FILE");
    let file = env::var_os(&file_variable).filter(|_| secret);
    match (env::var_os(variable), file) {
        (Some(_), Some(_)) => Err(failure(format!("both {variable} and {file_variable} are set; unset one of them"))),
        (Some(value), None) => match value.into_string() {
            Ok(value) => Ok(Some((value, Source::Environment))),
            Err(_) => Err(failure(format!("the environment variable {variable} is not UTF-8"))),
        },
        (None, Some(path)) if value_file::is_stdin(Path::new(&path)) => {
            Err(failure(format!("{file_variable} is stdin, which is read only with --set-file {variable}=-")))
        }
        (None, Some(path)) => Ok(Some((value_file::read(variable, Path::new(&path))?, Source::File))),
        (None, None) => Ok(None),
    }
}

fn warn_of_process_list(variable: &str) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        log::warn!("the process list shows {variable} while it is given with --set; use --set-file {variable}=PATH");
    });
}

fn failure(message: String) -> anyhow::Error {
    Failure::new(Kind::Setting, message).into()
}
