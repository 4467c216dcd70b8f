//! Cases about settings: the guest refuses invalid values, and valid ones have an effect.

use anyhow::{Result, bail, ensure};

use super::compare::shown;
use super::corpus::SHORT;
use super::report::{Case, Report};
use super::subject::{Subject, is_refusal};
use crate::guest::manifest::{Declaration, Manifest};
use crate::sandbox::contract::Operation;

/// A text on which most settings of most ciphers have an effect.
const TEXT: &str = "The quick brown fox jumps over the lazy dog, 0123456789 times.";

/// Runs the cases.
pub(super) fn run<S: FnMut(Case) -> Result<()>>(subject: &Subject<'_>, report: &mut Report<S>) -> Result<()> {
    let Some(manifest) = subject.manifest() else { return Ok(()) };
    for (variable, declared) in &manifest.settings {
        if declared.invalid.is_empty() {
            let reason = "the manifest lists none (add `invalid = [...]`)";
            report.skip(format!("rejects invalid values of {variable}"), reason)?;
        }
        for value in &declared.invalid {
            report.case(format!("rejects {variable}={}", shown(value)), || rejects(subject, variable, value))?;
        }
        let name = format!("{variable} changes the result");
        match other_values(subject, manifest, variable, declared).as_slice() {
            [] => report.skip(
                name,
                "the manifest has only one value of it (add another as `default`, `example`, or in a known answer)",
            )?,
            values => has_effect(subject, report, name, variable, values)?,
        }
    }
    Ok(())
}

/// At least one operation refuses the value and names the setting. The other refuses, too, or ignores the value,
/// because encryption may use one key and decryption another.
fn rejects(subject: &Subject<'_>, variable: &str, value: &str) -> Result<()> {
    let ciphertext = subject.encrypt(SHORT)?;
    let (mut named, mut unnamed) = (false, None);
    for (operation, text) in [(Operation::Encrypt, SHORT), (Operation::Decrypt, &ciphertext)] {
        match subject.call_with(variable, value, operation, text) {
            Ok(result) => {
                let plaintext =
                    if operation == Operation::Encrypt { subject.decrypt(&result) } else { Ok(result.clone()) };
                let is_same = plaintext.is_ok_and(|plaintext| plaintext == SHORT);
                ensure!(is_same, "{} accepted it, and returned {}", operation.name(), shown(&result));
            }
            Err(error) if !is_refusal(&error) => return Err(error),
            Err(error) if error.to_string().contains(variable) => named = true,
            Err(error) => unnamed = Some(error),
        }
    }
    match unnamed {
        _ if named => Ok(()),
        Some(error) => bail!("the reason does not name the setting: {error:#}"),
        None => bail!("both operations accepted it"),
    }
}

/// The values of `variable` in the manifest other than the one in force.
fn other_values<'a>(
    subject: &Subject<'_>,
    manifest: &'a Manifest,
    variable: &str,
    declared: &'a Declaration,
) -> Vec<&'a str> {
    let answers = manifest.known_answers.iter().filter_map(|answer| answer.settings.get(variable));
    let values = declared.default.iter().chain(&declared.example).chain(answers).map(String::as_str);
    let mut values: Vec<&str> = values.filter(|value| subject.value(variable) != Some(value)).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// A setting that changes nothing may have been read when the guest was built, instead of when it is called.
fn has_effect<S: FnMut(Case) -> Result<()>>(
    subject: &Subject<'_>,
    report: &mut Report<S>,
    name: String,
    variable: &str,
    values: &[&str],
) -> Result<()> {
    let is_secret = subject.manifest().is_some_and(|m| m.settings.get(variable).is_some_and(|d| d.secret));
    let changes = |value: &&str| changes(subject, variable, value);
    // Random results differ anyway, so the effect of a setting other than a key may be invisible.
    if subject.is_random() && !is_secret && !values.iter().any(|value| changes(value).unwrap_or(true)) {
        return report.skip(name, "results are random, and other values also decrypt them");
    }
    report
        .case(name, || {
            for value in values {
                if changes(value)? {
                    return Ok(());
                }
            }
            bail!("no other value changes any result (is the setting read at build time, or not at all?)")
        })
        .map(drop)
}

/// Whether `value` changes any result.
fn changes(subject: &Subject<'_>, variable: &str, value: &str) -> Result<bool> {
    let ciphertext = subject.encrypt(TEXT)?;
    // A refusal is a difference.
    let other = match subject.call_with(variable, value, Operation::Encrypt, TEXT) {
        Err(error) if is_refusal(&error) => return Ok(true),
        other => other?,
    };
    if !subject.is_random() && other != ciphertext {
        return Ok(true);
    }
    let plaintexts = [subject.decrypt(&other), subject.call_with(variable, value, Operation::Decrypt, &ciphertext)];
    for plaintext in plaintexts {
        match plaintext {
            Err(error) if is_refusal(&error) => return Ok(true),
            Err(error) => return Err(error),
            Ok(plaintext) if plaintext != TEXT => return Ok(true),
            Ok(_) => {}
        }
    }
    Ok(false)
}
