//! `cipher batch`: requests as JSON Lines, in the shape of the HTTP host of the same guests.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use super::options::{AuditOptions, JobOptions, LimitOptions};
use crate::audit::format::{EventLines, Format};
use crate::guest::catalog::{self, Catalog};
use crate::guest::settings::{self, Setting};
use crate::limits::Limits;
use crate::platform::file;
use crate::platform::standard::Standard;
use crate::records::pipeline::{self, Ends};
use crate::records::request::{self, Id, Request, Way};
use crate::records::split::{Block, Blocks, Separator};
use crate::records::workers::BlockResult;
use crate::sandbox::epoch::EpochTicker;
use crate::sandbox::instance::{GuestInstance, GuestPre, Operation};
use crate::terminal::output::Output;

/// How many instances a worker keeps for requests to come, each of one guest with its settings.
const SESSIONS: usize = 8;

const EXAMPLES: &str = "\
Examples:
  echo '{\"message\": \"Hello\", \"algorithm\": \"Caesar\"}' | cipher batch
  cipher batch -j 4 --audit-format json --audit-file audit.jsonl requests.jsonl

A request: {\"message\": ..., \"algorithm\": ..., \"operation\": ..., \"id\": ..., \"settings\": {...}}
  operation  \"encrypt\" (the default) or \"decrypt\"
  id         any JSON value, returned as it came
  settings   as with --set, for example {\"SHIFT_AMOUNT\": \"5\"}
An answer: {\"result\": ...} or {\"error\": ...}, with the id";

/// Requests, a JSON object a line.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Batch {
    /// The file with the requests; without it, standard input
    file: Option<PathBuf>,
    #[command(flatten)]
    jobs: JobOptions,
    #[command(flatten)]
    audit: AuditOptions,
    #[command(flatten)]
    limits: LimitOptions,
}

/// A line of the output.
#[derive(Serialize)]
struct Response<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Result(String),
    Error(String),
}

impl Batch {
    /// Runs the requests.
    ///
    /// # Errors
    ///
    /// When the input cannot be read, entries or results cannot be written, or a request failed.
    pub fn run(self) -> Result<()> {
        let limits = self.limits.limits()?;
        let input = match &self.file {
            Some(path) => file::open(path).with_context(|| format!("cannot read '{}'", path.display()))?,
            None => Standard::Input.open()?,
        };
        let output = Output::stdout()?;
        let sink = self.audit.sink([(&input, "input"), (output.file(), "output")])?;
        let jobs = self.jobs.jobs();
        let blocks = Blocks::new(
            input.try_clone()?,
            Separator::Line,
            pipeline::block_bytes(jobs),
            // A message in JSON takes more than itself: at the worst six bytes for one, as in `\u0001`.
            limits.message_bytes.saturating_mul(6),
        );
        let (catalog, clock) = (Catalog::from_environment(), self.jobs.clock()?);
        let guests = Guests { catalog, clock, limits, known: Mutex::default() };
        let guests = Arc::new(guests);
        let format = sink.format();
        let worker = |_| {
            let guests = guests.clone();
            let (isolate, fail_fast) = (self.jobs.isolate, self.jobs.fail_fast);
            let mut worker = Worker { guests, format, isolate, fail_fast, sessions: Vec::new() };
            move |block| worker.work(block)
        };
        let ends = Ends { sink, output, input };
        pipeline::run((0..jobs).map(worker).collect(), blocks, ends)
    }
}

/// The guests that were asked for, each loaded once, for all workers.
struct Guests {
    catalog: Catalog,
    clock: EpochTicker,
    limits: Limits,
    known: Mutex<HashMap<String, Arc<GuestPre>>>,
}

impl Guests {
    fn get(&self, algorithm: &str) -> Result<Arc<GuestPre>> {
        if catalog::is_path(algorithm.as_ref()) {
            bail!("algorithm: {algorithm:?} is a path; a request can only name a guest of the catalog");
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(algorithm) {
            return Ok(found.clone());
        }
        let guest = self.catalog.find(algorithm.as_ref())?;
        let linked = GuestPre::load(&guest, &self.clock, &self.limits)?;
        known.insert(algorithm.to_owned(), linked.clone());
        Ok(linked)
    }
}

/// One of the threads that work on requests.
struct Worker {
    guests: Arc<Guests>,
    format: Format,
    isolate: bool,
    fail_fast: bool,
    /// Instances for requests to come, the last used at the end.
    sessions: Vec<(String, Vec<Setting>, GuestInstance)>,
}

impl Worker {
    fn work(&mut self, block: Block) -> BlockResult {
        let bytes = block.bytes.len() as u64;
        let mut done = BlockResult { bytes, entries: EventLines::new(self.format), ..BlockResult::default() };
        for (number, record) in (block.first..).zip(Separator::Line.records(&block.bytes)) {
            done.count += 1;
            let (id, result) = self.line(number, record.text, &mut done);
            let outcome = match result {
                Ok(result) => Outcome::Result(result),
                Err(error) => {
                    done.failed += 1;
                    Outcome::Error(format!("line {number}: {error:#}"))
                }
            };
            let failed = matches!(outcome, Outcome::Error(_));
            // Writing to a Vec cannot fail, and every field is a string or was JSON before.
            let _ = serde_json::to_writer(&mut done.output, &Response { id: id.0, outcome });
            done.output.push(b'\n');
            done.last = failed && self.fail_fast;
            if done.last {
                break;
            }
        }
        done
    }

    fn line<'a>(&mut self, number: u64, line: &'a [u8], done: &mut BlockResult) -> (Id<'a>, Result<String>) {
        match request::parse(line) {
            Ok(request) => (request.id, self.request(number, request, done)),
            Err((id, error)) => (id, Err(error)),
        }
    }

    fn request(&mut self, number: u64, request: Request<'_>, done: &mut BlockResult) -> Result<String> {
        let linked = self.guests.get(&request.algorithm)?;
        let guest = linked.guest();
        let settings = settings::resolve(guest, &request.settings.0)?;
        let reusable =
            |(name, with, _): &(String, Vec<Setting>, GuestInstance)| *name == guest.name && *with == settings;
        let mut session = match self.sessions.iter().position(reusable) {
            Some(at) => self.sessions.remove(at).2,
            None => linked.open(&settings, number, &mut done.entries)?,
        };
        session.set_record(number);
        let operation = match request.operation {
            Way::Encrypt => Operation::Encrypt,
            Way::Decrypt => Operation::Decrypt,
        };
        let result = session.call(operation, &request.message);
        session.report(&mut done.entries);
        if !self.isolate && result.is_ok() {
            if self.sessions.len() == SESSIONS {
                self.sessions.remove(0);
            }
            self.sessions.push((guest.name.clone(), settings, session));
        }
        result
    }
}
