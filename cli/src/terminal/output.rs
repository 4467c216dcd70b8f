//! Results out: standard output, with a closed pipe told from a write that failed. And what is told beside them, on standard
//! error.

use std::fs::File;
use std::io::{self, Write};

use anyhow::{Context, Error, Result};

use crate::platform::standard::Standard;

/// Nobody reads standard output any more, which is how `| head` ends a program, not a failure.
#[derive(Debug)]
pub struct Closed;

impl std::error::Error for Closed {}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nobody reads standard output any more")
    }
}

/// Standard output without a buffer of its own: what is written is in the system's hands when a method returns.
#[derive(Debug)]
pub struct Output {
    stdout: File,
    /// The last character of a result that is not complete yet.
    withheld: String,
}

impl Output {
    /// Standard output.
    ///
    /// # Errors
    ///
    /// When it is closed, or no further descriptor can be had.
    pub fn stdout() -> Result<Self> {
        // The standard library's own buffers by line, which for a large result means one more copy and system call.
        Ok(Self { stdout: Standard::Output.open()?, withheld: String::new() })
    }

    /// The file that it is.
    pub fn file(&self) -> &File {
        &self.stdout
    }

    /// Writes a whole result.
    ///
    /// # Errors
    ///
    /// When it does not all reach standard output; [`Closed`] if nobody reads it any more.
    pub fn write(&mut self, result: &[u8]) -> Result<()> {
        match self.stdout.write_all(result) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Closed.into()),
            written => written.context("cannot write to standard output"),
        }
    }

    /// Writes the next part of a result except for its last character, so that what is out is not a complete result
    /// before [`complete`](Self::complete).
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write).
    pub fn write_part(&mut self, part: &str) -> Result<()> {
        let Some((last, _)) = part.char_indices().next_back() else { return Ok(()) };
        let mut ready = std::mem::take(&mut self.withheld);
        ready.push_str(&part[..last]);
        self.withheld = part[last..].to_owned();
        self.write(ready.as_bytes())
    }

    /// Writes the character that was held back.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write).
    pub fn complete(&mut self) -> Result<()> {
        let last = std::mem::take(&mut self.withheld);
        self.write(last.as_bytes())
    }
}

/// Whether `error` is that standard output is closed, wherever in the chain.
pub fn is_closed(error: &Error) -> bool {
    error.chain().any(|cause| cause.is::<Closed>())
}
