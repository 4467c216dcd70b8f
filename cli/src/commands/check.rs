//! `cipher check`.

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use super::options::{GuestOptions, LimitOptions};
use crate::code::engine;
use crate::conformance::{self, Case, Outcome};
use crate::sandbox::epoch::EpochTicker;
use crate::terminal::escape;
use crate::terminal::output::Output;

const EXAMPLES: &str = "\
Examples:
  cipher check Caesar
  cipher check ./their.wasm --set SHIFT=5
  cipher check ./their.wasm --json | jq 'select(.outcome == \"fails\")'

Exit status: 0 if every case holds that could be tried, 1 otherwise.";

/// Whether a component keeps the contract.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Check {
    #[command(flatten)]
    guest: GuestOptions,
    /// Write one JSON object a case instead of text, for scripts
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    limits: LimitOptions,
}

impl Check {
    /// Tries every case, and writes a line for each.
    ///
    /// # Errors
    ///
    /// When the component cannot be loaded, or a case does not hold.
    pub fn run(self) -> Result<()> {
        let (guest, limits) = (self.guest.find()?, self.limits.limits()?);
        let mut output = Output::stdout()?;
        let (mut cases, mut failed) = (0, 0);
        conformance::check(&guest, &self.guest.given(), &EpochTicker::new(engine::loader()?), &limits, |case| {
            cases += 1;
            failed += u32::from(matches!(case.outcome, Outcome::Fails(_)));
            let line = if self.json { json(&case).to_string() } else { text(&case) };
            output.write((line + "\n").as_bytes())
        })?;
        match failed {
            0 => Ok(()),
            _ => bail!("{} does not keep the contract: {failed} of {cases} cases failed", guest.name),
        }
    }
}

fn text(Case { name, outcome }: &Case) -> String {
    let name = escape::line(name);
    match outcome {
        Outcome::Holds => format!("ok    {name}"),
        Outcome::Fails(reason) => format!("FAIL  {name}: {}", escape::line(reason)),
        Outcome::Skipped(reason) => format!("-     {name}: {reason}"),
    }
}

fn json(Case { name, outcome }: &Case) -> serde_json::Value {
    match outcome {
        Outcome::Holds => json!({"case": name, "outcome": "holds"}),
        Outcome::Fails(reason) => json!({"case": name, "outcome": "fails", "reason": reason}),
        Outcome::Skipped(reason) => json!({"case": name, "outcome": "skipped", "reason": reason}),
    }
}
