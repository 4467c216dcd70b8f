//! Cases from the known answers of the manifest.

use anyhow::{Result, ensure};

use super::compare::shown;
use super::report::{Case, Report};
use super::subject::Subject;
use crate::guest::manifest::KnownAnswer;
use crate::sandbox::contract::Operation;

/// Runs a case for each known answer.
pub(super) fn run<S: FnMut(Case) -> Result<()>>(subject: &Subject<'_>, report: &mut Report<S>) -> Result<()> {
    let answers = subject.manifest().map_or(&[][..], |manifest| &manifest.known_answers);
    for (number, answer) in (1..).zip(answers) {
        report.case(format!("known answer {number}"), || known_answer(subject, answer))?;
    }
    Ok(())
}

/// The ciphertext of a random guest varies, so only decryption is compared.
fn known_answer(subject: &Subject<'_>, answer: &KnownAnswer) -> Result<()> {
    let KnownAnswer { plaintext, ciphertext, settings } = answer;
    let encrypt = (Operation::Encrypt, plaintext, ciphertext);
    let decrypt = (Operation::Decrypt, ciphertext, plaintext);
    let tries = if subject.is_random() { vec![decrypt] } else { vec![encrypt, decrypt] };
    for (operation, text, expected) in tries {
        let result = subject.open_for_answer(settings)?.call(operation, text)?;
        let (action, text) = (operation.name(), shown(text));
        ensure!(result == *expected, "expected {action} of {text} to be {}, got {}", shown(expected), shown(&result));
    }
    Ok(())
}
