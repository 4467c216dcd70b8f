//! `cipher check`.

use std::ffi::OsString;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::options::{LimitOptions, SettingOptions, SettingStdin};
use crate::code::engine;
use crate::conformance::{self, Case, Outcome, Summary};
use crate::exit::{Failure, Kind};
use crate::guest::catalog::Catalog;
use crate::sandbox::epoch::EpochTicker;
use crate::terminal::escape;
use crate::terminal::output::Output;

const EXAMPLES: &str = "\
Examples:
  cipher check Caesar
  cipher check ./their.wasm --set SHIFT=5
  cipher check ./their.wasm --set-file KEY=key.txt --fail-fast
  cipher check ./their.wasm --json | jq 'select(.outcome == \"fails\")'

A setting that is not given takes its example in the manifest, or else its default. The environment is ignored.
Exit status: 0 if no case fails, 4 otherwise.";

/// Options of `cipher check`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    /// Name of an algorithm (see 'cipher list'), or path of a component
    algorithm: OsString,
    #[command(flatten)]
    settings: SettingOptions,
    /// Stop at the first case that fails
    #[arg(long)]
    fail_fast: bool,
    /// Print one JSON object per case instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitOptions,
}

impl Check {
    /// Runs every case, and writes a line for each.
    ///
    /// # Errors
    ///
    /// When the component cannot be loaded, or a case fails.
    pub(super) fn run(self) -> Result<()> {
        let (guest, limits) = (Catalog::from_environment().find(&self.algorithm)?, self.limits.limits()?);
        let (given, ticker) =
            (self.settings.assignments(&mut SettingStdin::Free)?, EpochTicker::new(engine::loader()?));
        let mut output = Output::stdout()?;
        let summary = conformance::run(&guest, &given, &ticker, &limits, self.fail_fast, |case| {
            let line = if self.json { json(&case).to_string() } else { text(&case) };
            output.write((line + "\n").as_bytes())
        })?;
        let Summary { passed, failed, skipped } = summary;
        if !self.json {
            output
                .write(format!("{}: {passed} passed, {failed} failed, {skipped} skipped\n", guest.name).as_bytes())?;
        }
        match failed {
            0 => Ok(()),
            _ => {
                let (name, cases) = (&guest.name, passed + failed);
                let message = format!("{name} violates the contract: {failed} of {cases} cases failed");
                Err(Failure::new(Kind::Contract, message).into())
            }
        }
    }
}

/// Names and reasons quote text supplied by the guest, which is escaped there.
fn text(Case { name, outcome }: &Case) -> String {
    let name = escape::message(name);
    match outcome {
        Outcome::Passes => format!("pass  {name}"),
        Outcome::Fails(reason) => format!("FAIL  {name}: {}", escape::message(reason)),
        Outcome::Skipped(reason) => format!("skip  {name}: {}", escape::message(reason)),
    }
}

fn json(Case { name, outcome }: &Case) -> serde_json::Value {
    match outcome {
        Outcome::Passes => json!({"case": name, "outcome": "passes"}),
        Outcome::Fails(reason) => json!({"case": name, "outcome": "fails", "reason": reason}),
        Outcome::Skipped(reason) => json!({"case": name, "outcome": "skipped", "reason": reason}),
    }
}
