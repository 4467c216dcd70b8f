//! Cases, their outcomes, and the order in which they run.

use std::time::{Duration, Instant};

use anyhow::Result;

/// How much time cases that fail may take, all together, before the others are skipped: a guest that never returns would
/// otherwise take the time limit for every case.
const PATIENCE: Duration = Duration::from_secs(20);

/// One thing that must hold, and whether it does.
#[derive(Debug)]
pub struct Case {
    /// What must hold, in a few words.
    pub name: String,
    /// Whether it does.
    pub outcome: Outcome,
}

/// The outcome of a case.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passes,
    /// It does not hold, for this reason.
    Fails(String),
    /// It was not tried, for this reason.
    Skipped(String),
}

/// How many cases had which outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// The cases that hold.
    pub passed: usize,
    /// The cases that do not.
    pub failed: usize,
    /// The cases that were not tried.
    pub skipped: usize,
}

/// Runs cases, and passes their outcomes on.
pub struct Report<S> {
    show: S,
    fail_fast: bool,
    /// The time that failed cases took.
    lost: Duration,
    summary: Summary,
}

impl<S: FnMut(Case) -> Result<()>> Report<S> {
    /// No case yet.
    pub fn new(show: S, fail_fast: bool) -> Self {
        Self { show, fail_fast, lost: Duration::ZERO, summary: Summary::default() }
    }

    /// Runs a case unless the suite has ended early, and returns whether it passes.
    pub fn case(&mut self, name: impl Into<String>, case: impl FnOnce() -> Result<()>) -> Result<bool> {
        if self.fail_fast && self.summary.failed > 0 {
            return Ok(false);
        }
        if self.lost > PATIENCE {
            self.skip(name, "earlier cases took too long to fail")?;
            return Ok(false);
        }
        let start = Instant::now();
        let outcome = case().map_or_else(|error| Outcome::Fails(format!("{error:#}")), |()| Outcome::Passes);
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

    /// Says that a case is not tried.
    pub fn skip(&mut self, name: impl Into<String>, reason: impl Into<String>) -> Result<()> {
        if self.fail_fast && self.summary.failed > 0 {
            return Ok(());
        }
        self.summary.skipped += 1;
        (self.show)(Case { name: name.into(), outcome: Outcome::Skipped(reason.into()) })
    }

    /// The outcomes so far.
    pub fn summary(&self) -> Summary {
        self.summary
    }
}
