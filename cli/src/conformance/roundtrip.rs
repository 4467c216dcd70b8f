//! Cases for each text of the corpus: `decr` undoes `encr`, and results are random if and only if the manifest says so.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::compare::same;
use super::corpus;
use super::report::{Case, Report};
use super::subject::Subject;
use crate::sandbox::contract::Operation;

/// Runs the cases.
pub(super) fn run<S: FnMut(Case) -> Result<()>>(subject: &Subject<'_>, report: &mut Report<S>) -> Result<()> {
    for corpus::Text { name, text } in &corpus::texts()? {
        report.case(format!("round trip: {name}"), || {
            same(&subject.decrypt(&subject.encrypt(text)?)?, text, "decr(encr(text))")
        })?;
        match subject.is_random() {
            true => report.case(format!("is randomized: {name}"), || randomized(subject, text))?,
            false => report.case(format!("is deterministic: {name}"), || deterministic(subject, text))?,
        };
    }
    Ok(())
}

/// Expects the same result in an instance that was used before, and in a fresh one.
fn deterministic(subject: &Subject<'_>, text: &str) -> Result<()> {
    let mut instance = subject.open_for(text.len())?;
    let first = instance.call(Operation::Encrypt, text)?;
    same(&instance.call(Operation::Encrypt, text)?, &first, "the result of a second call")?;
    same(&subject.encrypt(text)?, &first, "the result of a second instance")
}

/// Expects four different results, from two calls in each of two instances, and that all of them decrypt.
fn randomized(subject: &Subject<'_>, text: &str) -> Result<()> {
    let mut results = BTreeSet::new();
    for _ in 0..2 {
        let mut instance = subject.open_for(text.len())?;
        for _ in 0..2 {
            let result = instance.call(Operation::Encrypt, text)?;
            same(&subject.decrypt(&result)?, text, "decr(encr(text))")?;
            results.insert(result);
        }
    }
    let count = results.len();
    ensure!(count == 4, "4 calls gave {count} different results (is randomness fixed at build time, or not used?)");
    Ok(())
}
