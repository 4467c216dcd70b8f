//! Writes the answers of a run: events to the sink, then results to the output, and errors to stderr.

use std::fs::File;

use anyhow::{Context, Result};

use crate::audit::format::Format;
use crate::audit::sink::Sink;
use crate::exit::{Failure, Kind};
use crate::platform::file;
use crate::records::answers::Answers;
use crate::terminal::color;
use crate::terminal::output::Output;
use crate::terminal::progress::Progress;

/// The destinations of answers, and the number of records written.
pub(crate) struct Writer {
    sink: Sink,
    output: Output,
    progress: Progress,
    /// The number of records written, including those that failed.
    pub(super) records: u64,
    failed: u64,
}

impl Writer {
    /// Nothing is written yet. The input has `size` bytes, if that is known.
    pub(crate) fn new(sink: Sink, output: Output, size: Option<u64>) -> Self {
        Self { sink, output, progress: Progress::new(size), records: 0, failed: 0 }
    }

    /// The format in which the sink expects events.
    pub(super) fn format(&self) -> Format {
        self.sink.format()
    }

    /// Clears the progress bar. Nothing may be written after that.
    pub(super) fn finish(&mut self) {
        self.progress.finish();
    }

    /// Writes the events of `answers`, then the results and errors.
    ///
    /// # Errors
    ///
    /// When the events or results cannot be written.
    pub(super) fn write(&mut self, answers: Answers) -> Result<()> {
        let Self { sink, output, progress, .. } = self;
        progress.suspend(|| {
            sink.write(answers.events)?;
            output.write(&answers.output)?;
            for (number, error) in &answers.errors {
                color::print_error(&format!("record {number}: {error}"));
            }
            anyhow::Ok(())
        })?;
        self.progress.advance(answers.input_bytes, answers.count - answers.ignored);
        self.records += answers.count - answers.ignored;
        self.failed += answers.failed;
        Ok(())
    }

    /// Fails if records failed; `stopped` is whether the first of them ended the run.
    pub(super) fn summary(&self, stopped: bool) -> Result<()> {
        let Self { records, failed, .. } = self;
        match failed {
            0 => Ok(()),
            _ if stopped => {
                Err(Failure::new(Kind::Records, format!("stopped at record {records}, which failed")).into())
            }
            _ => Err(Failure::new(Kind::Records, format!("{failed} of {records} records failed")).into()),
        }
    }
}

/// Refuses to read and write the same file, which would never end, or end too early.
///
/// # Errors
///
/// When `input` is the file that `output` writes to.
pub(crate) fn check_files(input: &File, output: &Output) -> Result<()> {
    let same = file::is_same(input, output.file());
    match same.with_context(|| Failure::new(Kind::Input, "cannot compare the input with the output"))? {
        true => {
            Err(Failure::new(Kind::Output, "the input and the output are the same file; write to another file").into())
        }
        false => Ok(()),
    }
}
