//! Results on stdout. A pipe closed by its reader is distinguished from a failed write.

use std::fs::File;
use std::io;

use anyhow::{Context, Error, Result};

use crate::exit::{Failure, Kind};
use crate::platform::standard::Standard;
use crate::platform::write;

/// The reader of stdout closed it, as `| head` does. This is not a failure.
#[derive(Debug)]
struct ClosedPipe;

impl std::error::Error for ClosedPipe {}

impl std::fmt::Display for ClosedPipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("stdout was closed by its reader")
    }
}

/// Unbuffered stdout: when a method returns, the system has the bytes.
#[derive(Debug)]
pub(crate) struct Output {
    stdout: File,
}

impl Output {
    /// Opens stdout.
    ///
    /// # Errors
    ///
    /// When it is closed, or the process has no descriptors left.
    pub(crate) fn stdout() -> Result<Self> {
        // The standard library buffers by line, which for a large result means one more copy and system call.
        Ok(Self { stdout: Standard::Output.open()? })
    }

    /// The file behind it.
    pub(crate) fn file(&self) -> &File {
        &self.stdout
    }

    /// Writes a complete result.
    ///
    /// # Errors
    ///
    /// [`ClosedPipe`] if the reader closed the pipe, or another error if not all of it was written.
    pub(crate) fn write(&mut self, result: &[u8]) -> Result<()> {
        match write::write_all(&self.stdout, result) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(ClosedPipe.into()),
            written => written.with_context(|| Failure::new(Kind::Output, "cannot write to stdout")),
        }
    }

    /// Writes the part of a result in `ready`, which is UTF-8, except for its last character. That stays in `ready`,
    /// because the result must not be complete before its audit events are written.
    ///
    /// # Errors
    ///
    /// As for [`write`](Self::write).
    pub(crate) fn write_part(&mut self, ready: &mut Vec<u8>) -> Result<()> {
        let is_start = |byte: &u8| byte.is_ascii() || *byte >= 0xc0;
        let last = ready.iter().rposition(is_start).unwrap_or(0);
        self.write(&ready[..last])?;
        ready.drain(..last);
        Ok(())
    }
}

/// Whether `error` is, or was caused by, `ClosedPipe`.
pub fn is_closed(error: &Error) -> bool {
    error.chain().any(|cause| cause.is::<ClosedPipe>())
}
