//! `cipher batch`: JSON Lines in and out.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::options::{AuditOptions, JobOptions, LimitOptions, RequireOptions, SettingOptions, SettingStdin};
use crate::exit::{Failure, Kind};
use crate::guest::assignments::Assignments;
use crate::guest::catalog::{self, Catalog};
use crate::guest::settings;
use crate::records::batch::{self, Defaults, Requests};
use crate::records::blocks::Blocks;
use crate::records::files::Files;
use crate::records::guests::{Guests, Instances};
use crate::records::run::{self, Policy};
use crate::records::split::Separator;
use crate::records::writer::{self, Writer};
use crate::sandbox::contract::Operation;
use crate::terminal::escape;
use crate::terminal::output::Output;

const EXAMPLES: &str = "\
Examples:
  echo '{\"message\": \"Hello\", \"algorithm\": \"Caesar\"}' | cipher batch
  cipher batch --algorithm Vigenere --operation decrypt --set VIGENERE_KEYWORD=LEMON requests.jsonl
  cipher batch -j 4 --audit-format json --audit-file audit.jsonl monday.jsonl tuesday.jsonl

A request is one JSON object per line, and so is its answer. Blank lines are skipped.
  message    the text (required)
  algorithm  the name of an algorithm (required unless --algorithm is given)
  operation  \"encrypt\" (the default) or \"decrypt\"
  settings   an object, such as {\"SHIFT_AMOUNT\": 5}; overrides --set
  id         any JSON value, copied to the answer unchanged

The answer to a request is {\"id\": ..., \"result\": ...}. If the request fails, it is
{\"id\": ..., \"line\": ..., \"kind\": ..., \"error\": ...}, with the number of its line in the whole input
and one of these kinds:
  bad-request                                  the line is not a request
  refused, trapped, limit, not-utf8            the message failed
  unknown-algorithm, component, manifest, contract, pin
                                               the algorithm cannot be used
  setting                                      a setting is unknown, missing, or invalid
  system                                       the system refused a resource";

/// Process requests in JSON Lines.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Batch {
    /// Read requests from these files instead of stdin ('-')
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Use this algorithm for requests that do not name one
    #[arg(long, value_name = "NAME", help_heading = "Requests")]
    algorithm: Option<String>,
    /// Use this operation for requests that do not name one
    #[arg(long, value_enum, value_name = "OPERATION", default_value = "encrypt", help_heading = "Requests")]
    operation: OperationOption,
    /// Copy unknown members of a request to its answer
    #[arg(long, help_heading = "Requests")]
    pass_through: bool,
    #[command(flatten)]
    settings: SettingOptions,
    #[command(flatten)]
    require: RequireOptions,
    #[command(flatten)]
    jobs: JobOptions,
    #[command(flatten)]
    audit: AuditOptions,
    #[command(flatten)]
    limits: LimitOptions,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OperationOption {
    Encrypt,
    Decrypt,
}

impl Batch {
    /// Runs the requests.
    ///
    /// # Errors
    ///
    /// When the input cannot be read, events or answers cannot be written, or a request failed.
    pub(super) fn run(self) -> Result<()> {
        let limits = self.limits.limits()?;
        let stdin = [PathBuf::from("-")];
        let paths = if self.files.is_empty() { &stdin } else { self.files.as_slice() };
        let mut setting_stdin = match paths.contains(&stdin[0]) {
            true => SettingStdin::Input,
            false => SettingStdin::Free,
        };
        let files = Files::open(paths)?;
        let output = Output::stdout()?;
        for input in files.iter() {
            writer::check_files(input, &output)?;
        }
        let inputs = files.iter().map(|input| (input, "input"));
        let sink = self.audit.sink(inputs.chain([(output.file(), "output")]))?;
        let jobs = self.jobs.jobs();
        let instance_bytes = limits.memory_bytes / jobs;
        let writer = Writer::new(sink, output, files.size());
        let blocks = Blocks::new(files, Separator::Line, batch::line_bytes(limits.message_bytes));
        let (catalog, settings) = (Catalog::from_environment(), self.settings.assignments(&mut setting_stdin)?);
        refuse_unknown(&catalog, self.algorithm.as_deref(), &settings)?;
        let defaults = Arc::new(Defaults {
            algorithm: self.algorithm,
            operation: match self.operation {
                OperationOption::Encrypt => Operation::Encrypt,
                OperationOption::Decrypt => Operation::Decrypt,
            },
            settings,
            require_set: self.require.require_set,
        });
        let guests = Arc::new(Guests::new(catalog, self.jobs.ticker(jobs)?, limits, jobs));
        let worker = |_| Requests {
            guests: guests.clone(),
            defaults: defaults.clone(),
            isolate: self.jobs.isolate,
            passes_through: self.pass_through,
            instances: Instances::new(instance_bytes),
            result: Vec::new(),
        };
        let policy = Policy { separator: Separator::Line, fail_fast: self.jobs.fail_fast };
        run::run((0..jobs).map(worker).collect(), blocks, writer, policy)
    }
}

/// Refuses defaults that would fail every request that relies on them, or have no effect on any.
fn refuse_unknown(catalog: &Catalog, algorithm: Option<&str>, settings: &Assignments) -> Result<()> {
    let guests = match algorithm {
        Some(path) if catalog::is_path(path.as_ref()) => {
            let message =
                format!("--algorithm takes a name, not the path '{}' (see 'cipher list')", escape::start(path));
            return Err(Failure::new(Kind::UnknownAlgorithm, message).into());
        }
        Some(name) => return settings::refuse_unknown(&catalog.find(name.as_ref())?, settings),
        None if settings.iter().next().is_none() => return Ok(()),
        None => catalog.all(),
    };
    let guests: Vec<_> = guests.into_iter().flatten().collect();
    settings::refuse_unknown_to_all(&guests, settings)
}
