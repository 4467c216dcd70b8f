//! Long work on records: blocks through workers, their audit entries to the sink, then their results out.

use std::fs::File;
use std::io::Read;
use std::ops::RangeInclusive;

use anyhow::{Result, bail};

use crate::audit::sink::Sink;
use crate::platform::signals::Gate;
use crate::records::split::{Block, Blocks};
use crate::records::workers::{self, BlockResult};
use crate::terminal::color;
use crate::terminal::output::Output;
use crate::terminal::progress::Progress;

/// How much one worker reads at a time, in bytes: few system calls.
const ALONE_BYTES: usize = 256 * 1024;
/// How much each of several workers gets at first, in bytes: little enough to share out a small input.
const FIRST_BYTES: usize = 32 * 1024;
/// How much each gets at the most, in bytes. What passes from thread to thread costs time: two workers do 1.6 times what one
/// does with 128 KiB, 1.8 times with this.
const MOST_BYTES: usize = 1024 * 1024;
/// How much all of them may have in work together, in bytes.
const TOGETHER_BYTES: usize = 4 * 1024 * 1024;

/// How large blocks are with so many workers, in bytes: at first, and at the most.
pub fn block_bytes(workers: usize) -> RangeInclusive<usize> {
    match workers {
        1 => ALONE_BYTES..=ALONE_BYTES,
        _ => FIRST_BYTES..=(TOGETHER_BYTES / workers).clamp(FIRST_BYTES, MOST_BYTES),
    }
}

/// Where results and audit entries go, and what the input is.
pub struct Ends {
    /// For audit entries.
    pub sink: Sink,
    /// For results.
    pub output: Output,
    /// The input, to tell its size.
    pub input: File,
}

/// Runs all of `blocks` through `workers`. A record that fails is reported on standard error; the others come out.
///
/// # Errors
///
/// When the input cannot be read, entries or results cannot be written, or a record failed.
pub fn run(
    workers: Vec<impl FnMut(Block) -> BlockResult + Send + 'static>,
    mut blocks: Blocks<impl Read + Send + 'static>,
    ends: Ends,
) -> Result<()> {
    let Ends { mut sink, mut output, input } = ends;
    let gate = Gate::install()?;
    let mut progress = Progress::new(input);
    let (mut records, mut failed) = (0, 0);
    let next = move || blocks.next_block();
    workers::run(workers, next, |mut done| {
        let _uninterrupted = gate.close();
        progress.suspend(|| {
            sink.write(std::mem::take(&mut done.entries))?;
            output.write(&done.output)?;
            for (number, error) in &done.errors {
                color::print_error(&format!("record {number}: {error:#}"));
            }
            anyhow::Ok(())
        })?;
        gate.count(done.count);
        progress.advance(done.bytes, done.count);
        records += done.count;
        failed += done.failed;
        Ok(())
    })?;
    if failed > 0 {
        bail!("{failed} of {records} records failed");
    }
    Ok(())
}
