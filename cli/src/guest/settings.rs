//! Where a setting's value comes from: a flag, else the caller's environment, else the manifest's default.

use std::collections::BTreeMap;
use std::env::VarError;
use std::fmt;

use anyhow::{Result, bail};
use serde::Serialize;

use crate::guest::Guest;

/// Values given by name, with `--set` or in a batch request; the last one of a name counts.
pub type Overrides = BTreeMap<String, String>;

/// A setting with the value in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The environment variable in which the guest finds it.
    pub variable: String,
    /// The value that the guest gets.
    pub value: String,
    /// Who decided it.
    pub source: Source,
}

/// Who decided a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Overrides by name for this call.
    Flag,
    /// The caller's environment.
    Environment,
    /// The manifest.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::Flag => "flag",
            Source::Environment => "environment",
            Source::Default => "default",
        })
    }
}

/// Decides every setting that `guest` declares.
///
/// A guest without a manifest declares nothing, so it gets what is `given` and nothing of the environment.
///
/// # Errors
///
/// When `given` names a setting that the manifest does not declare, or a value in the environment is not UTF-8.
pub fn resolve(guest: &Guest, given: &Overrides) -> Result<Vec<Setting>> {
    let Some(manifest) = &guest.manifest else {
        return Ok(given.iter().map(|(variable, value)| from_flag(variable, value)).collect());
    };
    if let Some(unknown) = given.keys().find(|variable| !manifest.settings.contains_key(*variable)) {
        let declared: Vec<&str> = manifest.settings.keys().map(String::as_str).collect();
        match declared.as_slice() {
            [] => bail!("{} has no settings, so {unknown:?} cannot be set", guest.name),
            _ => bail!("{} has no setting {unknown:?}; it has: {}", guest.name, declared.join(", ")),
        }
    }
    manifest
        .settings
        .iter()
        .map(|(variable, declared)| {
            if let Some(value) = given.get(variable) {
                return Ok(from_flag(variable, value));
            }
            let (value, source) = match std::env::var(variable) {
                Ok(value) => (value, Source::Environment),
                Err(VarError::NotPresent) => (declared.default.clone(), Source::Default),
                Err(VarError::NotUnicode(value)) => {
                    bail!("the environment variable {variable} is not UTF-8: {value:?}")
                }
            };
            Ok(Setting { variable: variable.clone(), value, source })
        })
        .collect()
}

fn from_flag(variable: &str, value: &str) -> Setting {
    Setting { variable: variable.to_owned(), value: value.to_owned(), source: Source::Flag }
}

/// Splits `NAME=VALUE`, the argument of `--set`.
///
/// # Errors
///
/// A sentence for the user when there is no `=`, no name, or a NUL character, which no environment can carry.
pub fn parse_assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        _ if text.contains('\0') => Err("a setting cannot contain a NUL character".to_owned()),
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, as in SHIFT_AMOUNT=5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_splits_at_its_first_equals_sign() {
        assert_eq!(parse_assignment("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert_eq!(parse_assignment("A="), Ok(("A".into(), String::new())));
        for bad in ["", "A", "=b", "A=\0"] {
            assert!(parse_assignment(bad).is_err(), "{bad:?}");
        }
    }
}
