//! Cases about audit events: one event per message, with the action and the length that the contract requires.

use anyhow::{Result, bail, ensure};

use super::compare::shown;
use super::corpus::SHORT;
use super::report::{Case, Report};
use super::streaming::stream;
use super::subject::Subject;
use crate::audit::event::Events;
use crate::sandbox::contract::Operation;
use crate::sandbox::instance::GuestInstance;

/// The number of calls per instance: a guest may record wrong events from its second call on.
const CALLS: usize = 3;

/// Runs the cases.
pub(super) fn run<S: FnMut(Case) -> Result<()>>(subject: &Subject<'_>, report: &mut Report<S>) -> Result<()> {
    for operation in [Operation::Encrypt, Operation::Decrypt] {
        let action = operation.name();
        report.case(format!("exactly one audit event per call: {action}"), || {
            repeat(subject, operation, |instance, text| instance.call(operation, text).map(drop), one_event)
        })?;
        report.case(format!("audit detail counts characters: {action}"), || {
            repeat(subject, operation, |instance, text| instance.call(operation, text).map(drop), length)
        })?;
        if subject.streams {
            let streamed = |instance: &mut GuestInstance, text: &str| {
                let half = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
                let chunks = [&text[..half], "", &text[half..]];
                stream(instance, operation, &chunks, subject.message_bytes).map(drop)
            };
            report.case(format!("exactly one audit event per streamed message: {action}"), || {
                repeat(subject, operation, streamed, one_event)
            })?;
            report.case(format!("audit detail counts characters of all chunks: {action}"), || {
                repeat(subject, operation, streamed, length)
            })?;
        }
    }
    Ok(())
}

/// Calls one instance several times, and examines the events of each call.
fn repeat(
    subject: &Subject<'_>,
    operation: Operation,
    call: impl Fn(&mut GuestInstance, &str) -> Result<()>,
    examine: impl Fn(&Events, Operation, &str) -> Result<()>,
) -> Result<()> {
    let text = match operation {
        Operation::Encrypt => SHORT.to_owned(),
        Operation::Decrypt => subject.encrypt(SHORT)?,
    };
    let mut instance = subject.open()?;
    for _ in 0..CALLS {
        call(&mut instance, &text)?;
        examine(&instance.take_events(), operation, &text)?;
    }
    Ok(())
}

fn one_event(events: &Events, operation: Operation, _: &str) -> Result<()> {
    let action = operation.name();
    let actions: Vec<&str> = events.iter().map(|event| event.action).collect();
    match actions.as_slice() {
        _ if events.dropped() > 0 => bail!("there are more audit events than the limit"),
        [actual] if *actual == action => Ok(()),
        [actual] => bail!("expected action {}, got {}", shown(action), shown(actual)),
        actions => bail!("expected 1 audit event, got {}", actions.len()),
    }
}

/// `Length: N`, where N counts the Unicode scalar values of the input. Another case checks the number of events.
fn length(events: &Events, _: Operation, text: &str) -> Result<()> {
    let expected = format!("Length: {}", text.chars().count());
    for event in events.iter() {
        let bytes = format!("Length: {}", text.len());
        let hint = if event.detail == bytes { " (those are bytes, not Unicode scalar values)" } else { "" };
        ensure!(event.detail == expected, "expected {}, got {}{hint}", shown(&expected), shown(event.detail));
    }
    Ok(())
}
