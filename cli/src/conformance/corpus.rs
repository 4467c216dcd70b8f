//! The texts of the suite, kept in a file so that other hosts of the contract can use them, too.

use anyhow::{Context, Result};
use serde::Deserialize;

const CORPUS: &str = include_str!("../../conformance/corpus.toml");

/// A short text for cases that are not about texts: seven letters among fourteen characters, and not only ASCII.
pub(super) const SHORT: &str = "Hello, Wörld 🦀!";

#[derive(Deserialize)]
struct Corpus {
    texts: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    text: String,
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

/// A named text.
pub(super) struct Text {
    /// What is special about it, as in the names of its cases.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Reads the texts of the corpus.
///
/// # Errors
///
/// When the file, which is built in, is invalid.
pub(super) fn texts() -> Result<Vec<Text>> {
    let corpus: Corpus = toml::from_str(CORPUS).context("the corpus is invalid")?;
    let texts = corpus.texts.into_iter();
    Ok(texts.map(|Entry { name, text, times }| Text { name, text: text.repeat(times) }).collect())
}
