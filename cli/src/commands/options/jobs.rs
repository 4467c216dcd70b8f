//! Options for how records are processed.

use std::thread;

use anyhow::Result;
use clap::Args;

use crate::code::engine;
use crate::sandbox::epoch::EpochTicker;

/// How many records are worked on at a time, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Records")]
pub struct JobOptions {
    /// Work on records with this many threads; the order of the output stays [default: the processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Give every record a fresh instance of the guest, so that none can see what another left behind
    #[arg(long)]
    pub isolate: bool,
    /// Stop at the first record that fails
    #[arg(long)]
    pub fail_fast: bool,
}

impl JobOptions {
    /// How many threads.
    pub fn jobs(&self) -> usize {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        self.jobs.map_or_else(processors, usize::from)
    }

    /// The engine, with its clock, for instances that live as long as is asked for.
    pub fn clock(&self) -> Result<EpochTicker> {
        let engine = if self.isolate { engine::pool(self.jobs()) } else { engine::loader() };
        engine.map(EpochTicker::new)
    }
}
