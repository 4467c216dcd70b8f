//! Settings that the caller assigns by name: with an option, or in a request of `cipher batch`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::Guest;
use super::settings::Source;

/// The settings of one request, by name.
pub(crate) type Overrides = BTreeMap<String, String>;

/// The argument of `--set`. Its debug output leaves out the value, which may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// The name of the setting.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl fmt::Debug for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=***", self.name)
    }
}

/// The argument of `--set-file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileAssignment {
    /// The name of the setting.
    pub name: String,
    /// The file with its value; `-` is stdin.
    pub path: PathBuf,
}

/// Splits `NAME=VALUE`, the argument of `--set`.
///
/// # Errors
///
/// When the argument is invalid. The message does not repeat it: it may be a secret without a name.
pub(crate) fn parse_assignment(argument: &OsStr) -> Result<Assignment, String> {
    let (name, value) = split(argument).ok_or("--set needs NAME=VALUE, as in SHIFT_AMOUNT=5")?;
    let value = value.into_string().map_err(|_| format!("the value of {name} is not UTF-8"))?;
    Ok(Assignment { name, value })
}

/// Splits `NAME=PATH`, the argument of `--set-file`.
///
/// # Errors
///
/// As for [`parse_assignment`].
pub(crate) fn parse_file_assignment(argument: &OsStr) -> Result<FileAssignment, String> {
    match split(argument) {
        Some((name, path)) if !path.is_empty() => Ok(FileAssignment { name, path: path.into() }),
        _ => Err("--set-file needs NAME=PATH, as in VIGENERE_KEYWORD=key.txt".to_owned()),
    }
}

/// The parts of `argument` before and after its first `=`, if the first is a name. (A key in base64 may end in `==`.)
fn split(argument: &OsStr) -> Option<(String, OsString)> {
    let bytes = argument.as_bytes();
    let at = bytes.iter().position(|&byte| byte == b'=').filter(|&at| bytes[at..] != *b"==")?;
    let name = std::str::from_utf8(&bytes[..at]).ok().filter(|name| !name.is_empty())?;
    Some((name.to_owned(), OsStr::from_bytes(&bytes[at + 1..]).to_owned()))
}

/// Values by name, each with its origin. The debug output omits the values.
#[derive(Clone, Default)]
pub struct Assignments(BTreeMap<String, (String, Source)>);

impl fmt::Debug for Assignments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Assignments {
    /// Sets `name`, and replaces an earlier value.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>, source: Source) {
        self.0.insert(name.into(), (value.into(), source));
    }

    /// The value of `name`, and its origin.
    pub fn get(&self, name: &str) -> Option<&(String, Source)> {
        self.0.get(name)
    }

    /// All names with their values and origins.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, Source)> {
        self.0.iter().map(|(name, (value, source))| (name.as_str(), value.as_str(), *source))
    }

    /// The settings here that `guest` declares.
    pub fn declared_by(&self, guest: &Guest) -> Self {
        let mut declared = self.clone();
        declared.0.retain(|name, _| guest.takes_setting(name));
        declared
    }

    /// These settings, each overridden by a request that has it.
    pub fn overridden_by(mut self, request: &Overrides) -> Self {
        for (name, value) in request {
            self.set(name, value, Source::Request);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_first_equals_sign() {
        let parsed = parse_assignment("A=b=c".as_ref()).unwrap();
        assert_eq!((parsed.name.as_str(), parsed.value.as_str()), ("A", "b=c"));
        assert_eq!(parse_assignment("A=".as_ref()).unwrap().value, "");
        assert_eq!(format!("{parsed:?}"), "A=***");
    }

    #[test]
    fn never_repeats_refused_argument() {
        for argument in ["", "canary", "=canary", "canary=="] {
            assert!(!parse_assignment(argument.as_ref()).unwrap_err().contains("canary"));
            assert!(!parse_file_assignment(argument.as_ref()).unwrap_err().contains("canary"));
        }
        let error = parse_assignment(OsStr::from_bytes(b"A=canary\xff")).unwrap_err();
        assert_eq!(error, "the value of A is not UTF-8");
        assert!(parse_file_assignment("A=".as_ref()).is_err());
    }
}
