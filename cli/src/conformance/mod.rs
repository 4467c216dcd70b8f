//! The conformance suite behind `cipher check`: whether a component satisfies the contract, case by case.
//!
//! Each group of cases has a file. What a component declares is examined first, without running it; then the guest is
//! called with the texts of `conformance/corpus.toml`. Every case has its own instances, so a trap fails only that
//! case, and every call is subject to the limits. If a guest declares that its results are random, only
//! decrypted texts are compared.

mod answers;
mod audit;
mod compare;
mod corpus;
mod declarations;
mod report;
mod roundtrip;
mod setting;
mod streaming;
mod subject;
mod tampering;

use anyhow::Result;

use crate::guest::Guest;
use crate::guest::assignments::Assignments;
use crate::limits::Limits;
use crate::sandbox::epoch::EpochTicker;

use report::Report;
pub(crate) use report::{Case, Outcome, Summary};
use subject::Subject;

/// Runs every case on `guest`, and passes each to `show` as soon as its outcome is known. Settings that are not `given`
/// have the example or the default of the manifest. With `fail_fast` the suite ends at the first case that fails.
///
/// # Errors
///
/// When the component cannot be loaded at all, `given` has a setting that is not declared, or `show` fails.
pub(crate) fn run(
    guest: &Guest,
    given: &Assignments,
    ticker: &EpochTicker,
    limits: &Limits,
    fail_fast: bool,
    show: impl FnMut(Case) -> Result<()>,
) -> Result<Summary> {
    let settings = subject::settings(guest, given)?;
    let mut report = Report::new(show, fail_fast);
    let Some(contract) = declarations::run(guest, ticker, limits, &mut report)? else {
        report.skip("behavior", "the component does not satisfy the contract, so it was not called")?;
        return Ok(report.summary());
    };
    let subject = Subject::load(guest, (given, settings), ticker, limits, contract.streams)?;
    report.secrets = subject.given_secrets();
    answers::run(&subject, &mut report)?;
    roundtrip::run(&subject, &mut report)?;
    streaming::run(&subject, &mut report)?;
    audit::run(&subject, &mut report)?;
    setting::run(&subject, &mut report)?;
    tampering::run(&subject, &mut report)?;
    Ok(report.summary())
}
