//! Cases for guests that declare `authenticated = true`: altered text is refused, or decrypts to the same text.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use super::compare::shown;
use super::corpus::SHORT;
use super::report::{Case, Report};
use super::subject::{Subject, is_refusal};

/// The number of characters that are altered at each end, and in between.
const AT_ENDS: usize = 3;
const BETWEEN: usize = 6;

/// An alteration of a text at one place.
type Alteration = fn(&[char], usize) -> Vec<char>;

const ALTERATIONS: [(&str, Alteration); 4] = [
    ("changed", |text, at| replaced(text, at, 1, &[other(text[at])])),
    ("removed", |text, at| replaced(text, at, 1, &[])),
    ("swapped", |text, at| match text.get(at + 1) {
        Some(&next) => replaced(text, at, 2, &[next, text[at]]),
        None => text.to_vec(),
    }),
    ("added", |text, at| replaced(text, at, 0, &['A'])),
];

/// Runs the cases, if the guest declares that it is authenticated.
pub(super) fn run<S: FnMut(Case) -> Result<()>>(subject: &Subject<'_>, report: &mut Report<S>) -> Result<()> {
    if !subject.manifest().is_some_and(|manifest| manifest.authenticated) {
        return Ok(());
    }
    for (what, alteration) in ALTERATIONS {
        report.case(format!("refuses altered text: {what} character"), || refuses(subject, alteration))?;
    }
    Ok(())
}

fn refuses(subject: &Subject<'_>, alteration: Alteration) -> Result<()> {
    let ciphertext: Vec<char> = subject.encrypt(SHORT)?.chars().collect();
    for at in positions(ciphertext.len()) {
        let altered = alteration(&ciphertext, at);
        if altered == ciphertext {
            continue;
        }
        match subject.decrypt(&altered.iter().collect::<String>()) {
            Ok(result) if result == SHORT => {}
            Ok(result) => bail!("altered at character {at}, it decrypts to {}", shown(&result)),
            Err(error) if is_refusal(&error) => {}
            Err(error) => bail!("altered at character {at}, it is not refused with a reason: {error:#}"),
        }
    }
    Ok(())
}

/// The places that are altered: at both ends, and in between.
fn positions(length: usize) -> BTreeSet<usize> {
    let last = length.saturating_sub(1);
    let ends = (0..AT_ENDS).flat_map(|distance| [distance.min(last), last.saturating_sub(distance)]);
    let between = (1..=BETWEEN).map(|part| length * part / (BETWEEN + 1));
    if length == 0 { BTreeSet::new() } else { ends.chain(between).collect() }
}

fn replaced(text: &[char], at: usize, length: usize, by: &[char]) -> Vec<char> {
    [&text[..at], by, &text[at + length..]].concat()
}

/// Another character that a text of the same kind could have.
fn other(c: char) -> char {
    match c {
        '0' => '1',
        c if c.is_ascii_digit() => '0',
        'A' => 'B',
        'a' => 'b',
        c if c.is_ascii_lowercase() => 'a',
        _ => 'A',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alters_at_both_ends() {
        let text: Vec<char> = "0Az".chars().collect();
        let altered = |at: usize| ALTERATIONS.map(|(_, alteration)| alteration(&text, at).iter().collect::<String>());
        assert_eq!(altered(0), ["1Az", "Az", "A0z", "A0Az"]);
        assert_eq!(altered(2), ["0Aa", "0A", "0Az", "0AAz"]);
        assert_eq!(Vec::from_iter(positions(2)), [0, 1]);
        assert!(positions(0).is_empty() && positions(100).contains(&99));
    }
}
