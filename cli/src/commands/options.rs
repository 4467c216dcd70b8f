//! Groups of options that several commands share, each declared once.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytesize::ByteSize;
use clap::{Args, ValueEnum};

use crate::audit::{Format, Sink};
use crate::catalog::{Catalog, Guest};
use crate::clock::Clock;
use crate::engine;
use crate::limits::Limits;
use crate::settings::{self, Given};

/// Which guest, and how it is set.
#[derive(Debug, Args)]
pub struct GuestOptions {
    /// An algorithm's name (see 'cipher list'), or the path of a component
    pub algorithm: OsString,
    /// Set one of the algorithm's settings; counts before its variable in the environment and its default
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = settings::parse_assignment)]
    given: Vec<(String, String)>,
}

impl GuestOptions {
    /// The guest in the catalog.
    pub fn find(&self) -> Result<Guest> {
        Catalog::from_environment().find(&self.algorithm)
    }

    /// The settings given by name.
    pub fn given(&self) -> Given {
        self.given.iter().cloned().collect()
    }
}

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
    pub fn clock(&self) -> Result<Clock> {
        let engine = if self.isolate { engine::pool(self.jobs()) } else { engine::loader() };
        engine.map(Clock::new)
    }
}

/// Where audit entries go, and how they are written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Audit")]
pub struct AuditOptions {
    /// How audit entries are written
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    audit_format: FormatOption,
    /// Append audit entries to this file instead of writing them to standard error
    #[arg(long, value_name = "PATH")]
    audit_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatOption {
    /// One readable line an entry
    Text,
    /// One JSON object a line, with time, guest, digest and record
    Json,
}

impl AuditOptions {
    /// The sink, which is none of `streams`, the files that are read or written besides.
    pub fn sink<'a>(&self, streams: impl IntoIterator<Item = (&'a File, &'a str)>) -> Result<Sink> {
        let format = match self.audit_format {
            FormatOption::Text => Format::Text,
            FormatOption::Json => Format::Json,
        };
        let Some(path) = &self.audit_file else { return Sink::stderr(format) };
        let sink = Sink::file(path, format)?;
        for (stream, what) in streams {
            if sink.is(stream)? {
                bail!("--audit-file '{}' is the {what}, too; give the entries a file of their own", path.display());
            }
        }
        Ok(sink)
    }
}

/// What a guest may use.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// The time for one message, and as much for a guest's start
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// The memory of a guest, all its memories and tables together
    #[arg(long, value_name = "SIZE", default_value = "1GiB")]
    max_memory: ByteSize,
    /// A message that is taken whole, and a result
    #[arg(long, value_name = "SIZE", default_value = "256MiB")]
    max_message: ByteSize,
    /// The file of a component
    #[arg(long, value_name = "SIZE", default_value = "256MiB")]
    max_component: ByteSize,
    /// The time to compile a component that was not compiled before
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = humantime::parse_duration)]
    compile_timeout: Duration,
}

impl LimitOptions {
    /// The limits, with those that have no option at their defaults.
    pub fn limits(&self) -> Result<Limits> {
        Ok(Limits {
            timeout: self.timeout,
            memory_bytes: usize::try_from(self.max_memory.as_u64()).context("--max-memory is too large")?,
            message_bytes: self.max_message.as_u64(),
            component_bytes: self.max_component.as_u64(),
            compile_time: self.compile_timeout,
            ..Limits::default()
        })
    }
}
