//! Cases, their outcomes, and the order in which they run.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::guest::secrets::Secrets;

/// The total time that failing cases may take before the others are skipped: a guest that never returns would otherwise
/// take the time limit in every case.
const PATIENCE: Duration = Duration::from_secs(20);

/// A requirement, and whether the guest meets it.
#[derive(Debug)]
pub(crate) struct Case {
    /// The requirement, in a few words.
    pub name: String,
    /// The outcome.
    pub outcome: Outcome,
}

/// The outcome of a case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The case passes.
    Passes,
    /// The case fails, for this reason.
    Fails(String),
    /// The case was skipped, for this reason.
    Skipped(String),
}

/// The number of cases by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The cases that pass.
    pub passed: usize,
    /// The cases that fail.
    pub failed: usize,
    /// The skipped cases.
    pub skipped: usize,
}

/// Runs cases, and reports their outcomes.
pub(super) struct Report<S> {
    show: S,
    fail_fast: bool,
    /// The time that failed cases took.
    lost: Duration,
    summary: Summary,
    /// Masked in reasons, which quote results.
    pub secrets: Secrets,
}

impl<S: FnMut(Case) -> Result<()>> Report<S> {
    /// No case yet.
    pub(super) fn new(show: S, fail_fast: bool) -> Self {
        Self { show, fail_fast, lost: Duration::ZERO, summary: Summary::default(), secrets: Secrets::default() }
    }

    /// Runs a case unless the suite has ended early, and returns whether it passes.
    pub(super) fn case(&mut self, name: impl Into<String>, case: impl FnOnce() -> Result<()>) -> Result<bool> {
        if self.fail_fast && self.summary.failed > 0 {
            return Ok(false);
        }
        if self.lost > PATIENCE {
            self.skip(name, "earlier cases took too long to fail")?;
            return Ok(false);
        }
        let start = Instant::now();
        let outcome = match case() {
            Ok(()) => Outcome::Passes,
            Err(error) => Outcome::Fails(self.secrets.mask(&format!("{error:#}")).into_owned()),
        };
        let passes = outcome == Outcome::Passes;
        if passes {
            self.summary.passed += 1;
        } else {
            self.summary.failed += 1;
            self.lost += start.elapsed();
        }
        (self.show)(Case { name: name.into(), outcome })?;
        Ok(passes)
    }

    /// Reports a case as skipped.
    pub(super) fn skip(&mut self, name: impl Into<String>, reason: impl Into<String>) -> Result<()> {
        if self.fail_fast && self.summary.failed > 0 {
            return Ok(());
        }
        self.summary.skipped += 1;
        (self.show)(Case { name: name.into(), outcome: Outcome::Skipped(reason.into()) })
    }

    /// The outcomes so far.
    pub(super) fn summary(&self) -> Summary {
        self.summary
    }
}
