//! The audit events of a message.

use std::time::SystemTime;

use anyhow::Result;

use crate::exit::{self, Kind};

/// The audit events of one message, in order.
#[derive(Debug, Default)]
pub struct Events {
    /// All actions and details, concatenated, so that an event needs no allocation.
    text: String,
    bounds: Vec<EventBounds>,
    /// How many events exceeded the limits.
    dropped: u64,
    /// The outcome of the call, once it has ended.
    outcome: Option<Outcome>,
}

/// The outcome of a call, as the host states it.
#[derive(Debug)]
pub struct Outcome {
    /// The operation.
    pub operation: &'static str,
    /// The kind of failure and its reason, unless the call succeeded.
    pub failure: Option<(Kind, String)>,
}

#[derive(Debug)]
struct EventBounds {
    time: SystemTime,
    /// Where in `text` the action ends. It begins where the previous event ends.
    action_end: usize,
    detail_end: usize,
}

/// One call of `auditrecord`.
#[derive(Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The time of the call.
    pub time: SystemTime,
    /// The action, as the guest names it.
    pub action: &'a str,
    /// The detail, as the guest states it.
    pub detail: &'a str,
}

impl Events {
    /// Adds an event with the current time, or counts it as dropped if there would be more than `max_events` events, or
    /// more than `max_bytes` bytes of actions and details.
    pub fn add(&mut self, action: &str, detail: &str, max_events: usize, max_bytes: usize) {
        if !self.have_room(action.len().saturating_add(detail.len()), max_events, max_bytes) {
            self.dropped += 1;
            return;
        }
        self.text.push_str(action);
        let action_end = self.text.len();
        self.text.push_str(detail);
        self.bounds.push(EventBounds { time: SystemTime::now(), action_end, detail_end: self.text.len() });
    }

    /// Whether there is room for another event with `bytes` bytes of action and detail.
    pub(crate) fn have_room(&self, bytes: usize, max_events: usize, max_bytes: usize) -> bool {
        self.bounds.len() < max_events && self.text.len().saturating_add(bytes) <= max_bytes
    }

    /// Counts an event that exceeds a limit.
    pub fn drop_one(&mut self) {
        self.dropped += 1;
    }

    /// The events that were not dropped.
    pub fn iter(&self) -> impl Iterator<Item = Event<'_>> {
        let mut begin = 0;
        self.bounds.iter().map(move |&EventBounds { time, action_end, detail_end }| {
            let action = &self.text[begin..action_end];
            begin = detail_end;
            Event { time, action, detail: &self.text[action_end..detail_end] }
        })
    }

    /// Records the outcome of a call. Its event follows those of the guest.
    pub fn end_call<T>(&mut self, operation: &'static str, result: &Result<T>) {
        let failure = result.as_ref().err().map(|error| (exit::kind(error), format!("{error:#}")));
        self.outcome = Some(Outcome { operation, failure });
    }

    /// The outcome of the call, once it has ended.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// The number of dropped events.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Removes all events, for the next message.
    pub fn clear(&mut self) {
        self.text.clear();
        self.bounds.clear();
        self.dropped = 0;
        self.outcome = None;
    }
}

/// The guest that events come from.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Its name.
    pub name: String,
    /// The SHA-256 of its component.
    pub digest: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_events_past_a_limit() {
        let mut events = Events::default();
        for (action, detail) in [("a", "b"), ("c", "de"), ("f", ""), ("g", "")] {
            events.add(action, detail, 2, 4);
        }
        let kept: Vec<_> = events.iter().map(|event| (event.action, event.detail)).collect();
        assert_eq!((kept.as_slice(), events.dropped()), (&[("a", "b"), ("f", "")][..], 2));
        events.clear();
        assert_eq!((events.iter().count(), events.dropped()), (0, 0));
    }
}
