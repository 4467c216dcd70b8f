//! Cases for streaming guests: their results equal those of a single call.

use anyhow::{Context, Result};

use super::compare::same;
use super::corpus;
use super::report::{Case, Report};
use super::subject::Subject;
use crate::exit::{Failure, Kind};
use crate::limits::Size;
use crate::sandbox::contract::Operation;
use crate::sandbox::instance::GuestInstance;

/// Texts of at most this many bytes are cut at every character; longer ones into chunks.
const CUT_EVERYWHERE_BYTES: usize = 100;
/// The length of a chunk, in characters: few chunks, with varied borders.
const CHUNK_CHARS: usize = 4099;

/// Runs the cases, if the guest takes messages in chunks.
pub(super) fn run<S: FnMut(Case) -> Result<()>>(subject: &Subject<'_>, report: &mut Report<S>) -> Result<()> {
    if !subject.streams {
        return Ok(());
    }
    for corpus::Text { name, text } in &corpus::texts()? {
        report.case(format!("streaming matches whole-message result: {name}"), || matches_whole(subject, text))?;
    }
    Ok(())
}

/// A deterministic guest encrypts to the same text. The chunked result of any guest decrypts in one call, and vice
/// versa.
fn matches_whole(subject: &Subject<'_>, text: &str) -> Result<()> {
    let mut instance = subject.open_for(text.len())?;
    let ciphertext = instance.call(Operation::Encrypt, text)?;
    for chunks in cuts(text) {
        let streamed = stream(&mut instance, Operation::Encrypt, &chunks, subject.message_bytes)?;
        let what = format!("encr(text) in {} chunks", chunks.len());
        if !subject.is_random() {
            same(&streamed, &ciphertext, &what)?;
        } else {
            let decrypted = instance.call(Operation::Decrypt, &streamed)?;
            same(&decrypted, text, &format!("decr of {what}"))?;
        }
    }
    for chunks in cuts(&ciphertext) {
        let streamed = stream(&mut instance, Operation::Decrypt, &chunks, subject.message_bytes)?;
        same(&streamed, text, &format!("decr(encr(text)) in {} chunks", chunks.len()))?;
    }
    Ok(())
}

/// The chunks to cut `text` into, for each attempt.
fn cuts(text: &str) -> Vec<Vec<&str>> {
    let borders: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    if text.len() <= CUT_EVERYWHERE_BYTES {
        return borders.into_iter().map(|at| vec![&text[..at], &text[at..]]).collect();
    }
    let starts: Vec<usize> = borders.into_iter().step_by(CHUNK_CHARS).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    vec![starts.iter().zip(ends).map(|(&start, end)| &text[start..end]).collect()]
}

/// Passes `chunks` to `instance` as one message, and returns the results together.
///
/// # Errors
///
/// As for a call, and when the results exceed `limit` bytes together: a guest may return any amount per chunk.
pub(super) fn stream(
    instance: &mut GuestInstance,
    operation: Operation,
    chunks: &[&str],
    limit: u64,
) -> Result<String> {
    let mut message = instance.message(operation)?.context("the guest takes no messages in chunks")?;
    let mut joined = Vec::new();
    for chunk in chunks {
        message.update(chunk, &mut joined)?;
        check_size(&joined, limit)?;
    }
    message.finish(&mut joined)?;
    check_size(&joined, limit)?;
    Ok(String::from_utf8(joined)?)
}

fn check_size(joined: &[u8], limit: u64) -> Result<()> {
    if joined.len() as u64 <= limit {
        return Ok(());
    }
    let message = format!("the results of all chunks together are larger than {} (--max-message)", Size(limit));
    Err(Failure::new(Kind::Limit, message).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_lose_nothing() {
        for text in ["", "é🦀", &"x".repeat(101), &"é🦀x".repeat(5000), &"x".repeat(CHUNK_CHARS)] {
            let cuts = cuts(text);
            assert!(cuts.iter().all(|chunks| chunks.concat() == text));
            assert_eq!(cuts.len(), if text.len() <= 100 { text.chars().count() + 1 } else { 1 });
        }
    }

    #[test]
    fn refuses_more_than_limit() {
        assert!(check_size(b"abc", 3).is_ok());
        let error = check_size(b"abcd", 3).unwrap_err().to_string();
        assert_eq!(error, "the results of all chunks together are larger than 3 bytes (--max-message)");
    }
}
