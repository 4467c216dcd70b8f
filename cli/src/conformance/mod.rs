//! The conformance kit: whether a component keeps the contract, case by case.
//!
//! First its type, without running it; then what it does with the texts of `conformance/corpus.toml`. Every case has instances of
//! its own, so that one that traps costs only itself, and has to stay within the limits of time and memory.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Deserialize;

use crate::audit::event::Events;
use crate::audit::format::EventLines;
use crate::code::artifact;
use crate::guest::Guest;
use crate::guest::manifest::KnownAnswer;
use crate::guest::settings::{self, Overrides, Setting};
use crate::limits::Limits;
use crate::sandbox::contract;
use crate::sandbox::contract::Operation;
use crate::sandbox::epoch::EpochTicker;
use crate::sandbox::instance::{GuestInstance, GuestPre};
use crate::terminal::escape;

/// The texts, as they lie in the repository for other hosts, too.
const CORPUS: &str = include_str!("../../conformance/corpus.toml");
/// Texts up to this length are cut at every character for a guest that takes a message in pieces; longer ones in chunks.
const CUT_EVERYWHERE_BYTES: usize = 100;
/// The chunks of longer texts, in characters: borders fall everywhere within words, and are not too many.
const CHUNK_CHARS: usize = 4099;

/// One thing that must hold.
#[derive(Debug)]
pub struct Case {
    /// What, in a few words.
    pub name: String,
    /// Whether it does.
    pub outcome: Outcome,
}

/// What became of a case.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not, and this is what came instead.
    Fails(String),
    /// It could not be tried, for this reason.
    Skipped(String),
}

#[derive(Deserialize)]
struct Corpus {
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct Text {
    name: String,
    text: String,
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

/// Tries every case on `guest`, with the settings that are `given` and the manifest's defaults, and hands each on to `tell`
/// as soon as it is known.
///
/// # Errors
///
/// When the component cannot be loaded at all, or `tell` fails.
pub fn check(
    guest: &Guest,
    given: &Overrides,
    clock: &EpochTicker,
    limits: &Limits,
    tell: impl FnMut(Case) -> Result<()>,
) -> Result<()> {
    let mut report = Report { tell };
    let artifact = artifact::load(clock.engine(), guest, limits)?;
    let fit = contract::fit(clock.engine(), &artifact.component);
    let mut fits = true;
    for import in &fit.imports {
        fits &= report
            .case(format!("import {}", import.name), || import.grant.map(drop).context("cipher does not offer it"))?;
    }
    for (function, problem) in &fit.functions {
        fits &= report.case(format!("export {function}"), || match problem {
            Some(problem) => Err(anyhow!("{problem}")),
            None => Ok(()),
        })?;
    }
    if !fits {
        return report.skip("behavior", "it does not fit the contract, so it was not called");
    }

    let subject = Subject { linked: GuestPre::load(guest, clock, limits)?, settings: settings(guest, given)? };
    let manifest = guest.manifest.as_ref();
    for (number, answer) in manifest.iter().flat_map(|manifest| &manifest.known_answers).enumerate() {
        report.case(format!("known answer {}", number + 1), || subject.known_answer(guest, answer))?;
    }
    let corpus: Corpus = toml::from_str(CORPUS).context("the corpus is broken")?;
    for text in &corpus.texts {
        let (name, text) = (&text.name, text.text.repeat(text.times));
        report.case(format!("decrypts what it encrypted: {name}"), || subject.round_trip(&text))?;
        report.case(format!("gives the same again: {name}"), || subject.same_again(&text))?;
        if fit.streams {
            report.case(format!("the same in pieces: {name}"), || subject.pieces(&text))?;
        }
    }
    for operation in [Operation::Encrypt, Operation::Decrypt] {
        let action = action(operation);
        report.case(format!("one audit entry a call: {action}"), || subject.one_entry(operation))?;
        if fit.streams {
            report.case(format!("one audit entry a message in pieces: {action}"), || {
                subject.one_entry_in_pieces(operation)
            })?;
        }
    }
    for (variable, setting) in manifest.iter().flat_map(|manifest| &manifest.settings) {
        for value in &setting.invalid {
            report.case(format!("refuses {variable}={value:?}"), || subject.refuses(guest, variable, value))?;
        }
        if setting.invalid.is_empty() {
            report.skip(&format!("refuses bad values of {variable}"), "its manifest names no invalid values")?;
        }
    }
    Ok(())
}

/// Where the cases go.
struct Report<T> {
    tell: T,
}

impl<T: FnMut(Case) -> Result<()>> Report<T> {
    /// Tries a case, and returns whether it holds.
    fn case(&mut self, name: String, case: impl FnOnce() -> Result<()>) -> Result<bool> {
        let outcome = case().map_or_else(|error| Outcome::Fails(format!("{error:#}")), |()| Outcome::Holds);
        let holds = outcome == Outcome::Holds;
        (self.tell)(Case { name, outcome })?;
        Ok(holds)
    }

    fn skip(&mut self, name: &str, reason: &str) -> Result<()> {
        (self.tell)(Case { name: name.to_owned(), outcome: Outcome::Skipped(reason.to_owned()) })
    }
}

/// What is given and the manifest's defaults; what the caller's environment has is left out of it.
fn settings(guest: &Guest, given: &Overrides) -> Result<Vec<Setting>> {
    let declared = guest.manifest.iter().flat_map(|manifest| &manifest.settings);
    let mut all: Overrides = declared.map(|(variable, setting)| (variable.clone(), setting.default.clone())).collect();
    all.extend(given.clone());
    settings::resolve(guest, &all)
}

fn action(operation: Operation) -> &'static str {
    match operation {
        Operation::Encrypt => "encrypt",
        Operation::Decrypt => "decrypt",
    }
}

/// The guest under test.
struct Subject {
    linked: Arc<GuestPre>,
    settings: Vec<Setting>,
}

impl Subject {
    fn open(&self) -> Result<GuestInstance> {
        self.open_with(&self.settings)
    }

    fn open_with(&self, settings: &[Setting]) -> Result<GuestInstance> {
        self.linked.open(settings, 1, &mut EventLines::default())
    }

    fn known_answer(&self, guest: &Guest, answer: &KnownAnswer) -> Result<()> {
        let KnownAnswer { plaintext, ciphertext, settings: given } = answer;
        let settings = settings(guest, given)?;
        for (operation, text, expected) in
            [(Operation::Encrypt, plaintext, ciphertext), (Operation::Decrypt, ciphertext, plaintext)]
        {
            let result = self.open_with(&settings)?.call(operation, text)?;
            ensure!(
                result == *expected,
                "it should {} {} to {}, and not to {}",
                action(operation),
                shown(text),
                shown(expected),
                shown(&result)
            );
        }
        Ok(())
    }

    fn round_trip(&self, text: &str) -> Result<()> {
        let secret = self.open()?.call(Operation::Encrypt, text)?;
        let result = self.open()?.call(Operation::Decrypt, &secret)?;
        same(&result, text, "decr of encr")
    }

    /// In a fresh instance, and in one that was used before.
    fn same_again(&self, text: &str) -> Result<()> {
        let mut session = self.open()?;
        let first = session.call(Operation::Encrypt, text)?;
        same(&session.call(Operation::Encrypt, text)?, &first, "a second call")?;
        same(&self.open()?.call(Operation::Encrypt, text)?, &first, "a call of a fresh instance")
    }

    fn pieces(&self, text: &str) -> Result<()> {
        let mut session = self.open()?;
        let borders: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        for operation in [Operation::Encrypt, Operation::Decrypt] {
            let whole = session.call(operation, text)?;
            let cuts = if text.len() <= CUT_EVERYWHERE_BYTES { borders.len() } else { 1 };
            for cut in 0..cuts {
                let pieces: Vec<&str> = match cuts {
                    1 => borders.chunks(CHUNK_CHARS).map(|chunk| piece(text, chunk, &borders)).collect(),
                    _ => vec![&text[..borders[cut]], &text[borders[cut]..]],
                };
                let joined = in_pieces(&mut session, operation, &pieces)?;
                same(&joined, &whole, &format!("{} pieces", pieces.len()))?;
            }
        }
        Ok(())
    }

    fn one_entry(&self, operation: Operation) -> Result<()> {
        let mut session = self.open()?;
        for _ in 0..3 {
            session.call(operation, "Hello, World!")?;
            one_entry(&session.take_entries(), operation)?;
        }
        Ok(())
    }

    fn one_entry_in_pieces(&self, operation: Operation) -> Result<()> {
        let mut session = self.open()?;
        for _ in 0..3 {
            in_pieces(&mut session, operation, &["Hello", "", ", World!"])?;
            one_entry(&session.take_entries(), operation)?;
        }
        Ok(())
    }

    fn refuses(&self, guest: &Guest, variable: &str, value: &str) -> Result<()> {
        let given = Overrides::from([(variable.to_owned(), value.to_owned())]);
        for operation in [Operation::Encrypt, Operation::Decrypt] {
            let opened = self.open_with(&settings(guest, &given)?);
            match opened.and_then(|mut session| session.call(operation, "Hello, World!")) {
                Ok(result) => bail!("it returned {}", shown(&result)),
                Err(error) if !error.to_string().contains(variable) => {
                    bail!("its reason does not name the setting: {error:#}")
                }
                Err(_) => {}
            }
        }
        Ok(())
    }
}

/// The part of `text` from the first border of `chunk` to the border after its last.
fn piece<'a>(text: &'a str, chunk: &[usize], borders: &[usize]) -> &'a str {
    let (first, last) = (chunk[0], chunk[chunk.len() - 1]);
    let end = borders.get(borders.partition_point(|&at| at <= last)).copied().unwrap_or(text.len());
    &text[first..end]
}

fn in_pieces(session: &mut GuestInstance, operation: Operation, pieces: &[&str]) -> Result<String> {
    let mut message = session.message(operation)?.context("it takes no messages in pieces")?;
    let mut joined = String::new();
    for piece in pieces {
        joined += &message.update(piece)?;
    }
    Ok(joined + &message.finish()?)
}

fn one_entry(entries: &Events, operation: Operation) -> Result<()> {
    let action = action(operation);
    let actions: Vec<&str> = entries.iter().map(|entry| entry.action).collect();
    match actions.as_slice() {
        _ if entries.dropped() > 0 => bail!("it is past the limit"),
        [made] if *made == action => Ok(()),
        [made] => bail!("its action is {}, and not {action:?}", shown(made)),
        made => bail!("there are {}", made.len()),
    }
}

fn same(actual: &str, expected: &str, what: &str) -> Result<()> {
    if actual == expected {
        return Ok(());
    }
    let at = actual.chars().zip(expected.chars()).take_while(|(a, b)| a == b).count();
    let from = |text: &str| shown(&text.chars().skip(at).collect::<String>());
    bail!("{what} differs at character {at}: {} instead of {}", from(actual), from(expected))
}

/// The start of a text, quoted and escaped.
fn shown(text: &str) -> String {
    let start: String = text.chars().take(30).collect();
    let more = if start.len() < text.len() { " …" } else { "" };
    format!("\"{}\"{more}", escape::line(&start))
}
