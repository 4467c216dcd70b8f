//! Options for how records are processed.

use std::thread;

use anyhow::Result;
use clap::Args;

use crate::code::{address_space, engine};
use crate::sandbox::epoch::EpochTicker;

/// How records are processed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Records")]
pub(crate) struct JobOptions {
    /// Number of worker threads; output order is preserved [default: number of CPUs]
    #[arg(short, long, value_name = "N", value_parser = count)]
    jobs: Option<u16>,
    /// Use a fresh instance of the guest for each record, so that no state is shared between records
    #[arg(long)]
    pub isolate: bool,
    /// Stop at the first record that fails
    #[arg(long)]
    pub fail_fast: bool,
}

/// Parses a number of threads.
fn count(text: &str) -> Result<u16, &'static str> {
    let count = text.parse().ok().filter(|count| (1..=256).contains(count));
    count.ok_or("expected a number from 1 to 256")
}

impl JobOptions {
    /// The number of threads, or fewer if the address space is too small for them.
    pub(crate) fn jobs(&self) -> usize {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        address_space::fit_workers(self.jobs.map_or_else(processors, usize::from))
    }

    /// The epoch ticker of an engine that suits the lifetime of instances, at most `instances` at a time.
    pub(crate) fn ticker(&self, instances: usize) -> Result<EpochTicker> {
        let pool = if self.isolate { engine::pool(instances).ok() } else { None };
        // Without the address space for a pool, instances are slower to create, but work.
        pool.map_or_else(engine::loader, Ok).map(EpochTicker::new)
    }
}
