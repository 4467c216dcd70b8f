//! Results on stdout. A pipe that its reader closed is distinguished from a write that failed.

use std::fs::File;
use std::io;

use anyhow::{Context, Error, Result};

use crate::exit::{Failure, Kind};
use crate::platform::standard::Standard;
use crate::platform::write;

/// The reader of stdout closed it, which is how `| head` ends a program. It is not a failure.
#[derive(Debug)]
pub(crate) struct Closed;

impl std::error::Error for Closed {}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stdout was closed by its reader")
    }
}

/// Standard output without a buffer: when a method returns, the system has the bytes.
#[derive(Debug)]
pub(crate) struct Output {
    stdout: File,
    /// The last character of a result that is not complete yet.
    withheld: String,
}

impl Output {
    /// Opens stdout.
    ///
    /// # Errors
    ///
    /// When it is closed, or the process has no descriptors left.
    pub(crate) fn stdout() -> Result<Self> {
        // The standard library buffers by line, which for a large result means one more copy and system call.
        Ok(Self { stdout: Standard::Output.open()?, withheld: String::new() })
    }

    /// The file behind it.
    pub(crate) fn file(&self) -> &File {
        &self.stdout
    }

    /// Writes a complete result.
    ///
    /// # Errors
    ///
    /// [`Closed`] if the reader closed the pipe, or another error if not all of it was written.
    pub(crate) fn write(&mut self, result: &[u8]) -> Result<()> {
        match write::write_all(&self.stdout, result) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Closed.into()),
            written => written.with_context(|| Failure::new(Kind::Output, "cannot write to stdout")),
        }
    }

    /// Writes the next part of a result except for its last character, so that the result is not complete before
    /// [`complete`](Self::complete) is called.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write).
    pub(crate) fn write_part(&mut self, part: &str) -> Result<()> {
        let Some((last, _)) = part.char_indices().next_back() else { return Ok(()) };
        let mut ready = std::mem::take(&mut self.withheld);
        ready.push_str(&part[..last]);
        self.withheld = part[last..].to_owned();
        self.write(ready.as_bytes())
    }

    /// Writes the withheld character.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write).
    pub(crate) fn complete(&mut self) -> Result<()> {
        let last = std::mem::take(&mut self.withheld);
        self.write(last.as_bytes())
    }
}

/// Whether `error` is, or was caused by, [`Closed`].
pub fn is_closed(error: &Error) -> bool {
    error.chain().any(|cause| cause.is::<Closed>())
}
