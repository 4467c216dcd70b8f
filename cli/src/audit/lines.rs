//! Audit events as lines, formatted while calls run and numbered when they are in order.
//!
//! Where the sink is a pipe or a terminal, other writers can tear a line that is longer than one atomic write. A guest
//! chooses how long its events are, so a longer event is written in parts. Each part is a line, marked as a part:
//!
//! ```text
//! [AUDIT] Part 1/3 of 4711 | Action: encrypt | Detail: the beginning
//! {"time":...,"sequence":7,"process":4711,...,"part":1,"parts":3,"event":{"action":"encrypt","detail":"the beginning"}}
//! ```
//!
//! The parts of an event are in order among the lines of one process (4711). Joining their actions and their details
//! restores the event.

use std::process;
use std::sync::LazyLock;
use std::time::SystemTime;

use super::event::{Events, Origin};
use super::format::{Body, Encoding, Format, Head, Part, Syntax};
use super::json::{self, Json};
use super::text::Text;

/// The ID of this process, which distinguishes its lines in a shared sink.
pub(super) static PROCESS: LazyLock<u32> = LazyLock::new(process::id);

/// The maximum number of digits of a sequence number.
const SEQUENCE_DIGITS: usize = 20;
/// The minimum room for the guest's text in a part, in bytes: more than any escaped character takes.
const MIN_ROOM_BYTES: usize = 64;

/// Audit events as lines. Workers format them concurrently, so sequence numbers are filled in only when the
/// `Sink` has the events in order.
#[derive(Debug, Default)]
pub struct EventLines {
    format: Format,
    pub(super) text: String,
    pub(super) gaps: Vec<Gap>,
    /// The member of a head that identifies the request.
    id: String,
}

/// A place in the text where a sequence number is missing.
#[derive(Debug)]
pub(super) struct Gap {
    at: usize,
    /// Whether it repeats the number of the previous gap, for another part of the same event.
    is_same: bool,
}

impl EventLines {
    /// No lines yet.
    pub(crate) fn new(format: Format) -> Self {
        Self { format, ..Self::default() }
    }

    /// No lines yet, and room for `bytes` of them.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ..Self::default() }
    }

    /// Moves all of `others` to the end of these.
    pub(crate) fn append(&mut self, others: &mut Self) {
        let end = self.text.len();
        self.gaps.extend(others.gaps.drain(..).map(|Gap { at, is_same }| Gap { at: end + at, is_same }));
        self.text.push_str(&others.text);
        others.clear();
    }

    /// Removes all lines.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.gaps.clear();
    }

    /// The size of the lines without their numbers, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.text.len()
    }

    /// Sets the identifier, a JSON value, of the request that the next events belong to.
    pub(crate) fn set_id(&mut self, id: Option<&str>) {
        self.id = match self.format.encoding {
            Encoding::Json => id.map(json::id).unwrap_or_default(),
            Encoding::Text | Encoding::Discard => String::new(),
        };
    }

    /// Adds the events that `guest` recorded in `record`, counted from 1, and the outcome of the call.
    pub(crate) fn add(&mut self, events: &Events, guest: &Origin, record: u64) {
        match self.format.encoding {
            Encoding::Text => self.add_in(&Text, events, guest, record),
            Encoding::Json => self.add_in(&Json, events, guest, record),
            Encoding::Discard => {}
        }
    }

    // Inlined down to the literal parts of a line, which then need no call of `memcpy`: musl's takes longer to start
    // than to copy these few bytes.
    fn add_in(&mut self, syntax: &impl Syntax, events: &Events, guest: &Origin, record: u64) {
        let id = std::mem::take(&mut self.id);
        let head = |time| Head { time, guest, record, id: &id };
        for event in events.iter() {
            self.event(syntax, head(event.time), &syntax.event(&event));
        }
        let dropped = events.dropped();
        if dropped > 0 {
            self.event(syntax, head(SystemTime::now()), &syntax.dropped(dropped));
        }
        if let Some(outcome) = events.outcome().and_then(|outcome| syntax.outcome(outcome)) {
            self.event(syntax, head(SystemTime::now()), &outcome);
        }
        self.id = id;
    }

    /// Adds one event, in parts if it is too long for a line.
    #[inline(always)]
    fn event(&mut self, syntax: &impl Syntax, head: Head<'_>, body: &Body<'_>) {
        let (start, gaps) = (self.text.len(), self.gaps.len());
        let Body { first, second, .. } = body;
        self.head(syntax, head, None);
        self.body(body, &first.place.escape(first.text), &second.place.escape(second.text));
        if self.text.len() - start > self.format.line_bytes.saturating_sub(SEQUENCE_DIGITS) {
            self.text.truncate(start);
            self.gaps.truncate(gaps);
            self.parts(syntax, head, body);
        }
    }

    #[cold]
    fn parts(&mut self, syntax: &impl Syntax, head: Head<'_>, body: &Body<'_>) {
        let (start, gaps) = (self.text.len(), self.gaps.len());
        self.head(syntax, head, Some(Part { number: usize::MAX, count: usize::MAX }));
        self.body(body, "", "");
        let overhead = self.text.len() - start + SEQUENCE_DIGITS;
        self.text.truncate(start);
        self.gaps.truncate(gaps);

        let room = self.format.line_bytes.saturating_sub(overhead).max(MIN_ROOM_BYTES);
        let parts = split(body, room);
        let count = parts.len();
        for (number, (first, second)) in (1..).zip(parts) {
            self.head(syntax, head, Some(Part { number, count }));
            self.body(body, &first, &second);
        }
    }

    #[inline(always)]
    fn head(&mut self, syntax: &impl Syntax, head: Head<'_>, part: Option<Part>) {
        let is_same = part.is_some_and(|part| part.number > 1);
        let gap = syntax.head(&mut self.text, head, part);
        self.gaps.extend(gap.map(|at| Gap { at, is_same }));
    }

    #[inline(always)]
    fn body(&mut self, body: &Body<'_>, first: &str, second: &str) {
        self.text.push_str(&body.before_first);
        self.text.push_str(first);
        self.text.push_str(&body.before_second);
        self.text.push_str(second);
        self.text.push_str(body.end);
    }

    /// Fills the gaps with consecutive numbers after `sequence`.
    pub(super) fn number(&mut self, sequence: &mut u64) {
        let mut numbered = String::with_capacity(self.text.len() + self.gaps.len() * 8);
        let mut begin = 0;
        for gap in self.gaps.drain(..) {
            *sequence += u64::from(!gap.is_same);
            numbered += &self.text[begin..gap.at];
            numbered += &sequence.to_string();
            begin = gap.at;
        }
        numbered += &self.text[begin..];
        self.text = numbered;
    }
}

/// Splits the texts of `body` into parts, at least one, of at most `room` bytes when escaped.
fn split(body: &Body<'_>, room: usize) -> Vec<(String, String)> {
    let (mut first, mut second, mut parts) = (body.first.text, body.second.text, Vec::new());
    while parts.is_empty() || !first.is_empty() || !second.is_empty() {
        let (start, rest) = body.first.place.prefix(first, room);
        first = rest;
        let room = if first.is_empty() { room - start.len() } else { 0 };
        let (next, rest) = body.second.place.prefix(second, room);
        second = rest;
        parts.push((start, next));
    }
    parts
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::Value;

    use super::super::format::Encoding;
    use super::*;
    use crate::exit::{Failure, Kind};

    fn origin() -> Origin {
        Origin { name: "Caesar".into(), digest: "ab".into() }
    }

    pub(in crate::audit) fn lines(encoding: Encoding, line_bytes: usize, events: &[(&str, &str)]) -> EventLines {
        let mut recorded = Events::default();
        for (action, detail) in events {
            recorded.add(action, detail, 10, 100_000);
        }
        let mut lines = EventLines::new(Format { encoding, line_bytes });
        lines.add(&recorded, &origin(), 7);
        lines
    }

    pub(in crate::audit) fn numbered(mut lines: EventLines) -> String {
        lines.number(&mut 2);
        lines.text
    }

    #[test]
    fn states_outcomes() {
        let refused: anyhow::Error = Failure::new(Kind::Refused, "Caesar failed: not\ntoday").into();
        let (mut ok, mut failed) = (Events::default(), Events::default());
        ok.end_call("encrypt", &Ok(()));
        failed.add("trying", "it", 1, 100);
        failed.end_call::<()>("decrypt", &Err(refused));
        let mut text = EventLines::default();
        text.add(&ok, &origin(), 1);
        text.add(&failed, &origin(), 1);
        let expected =
            ["[AUDIT] Action: trying | Detail: it\n", "[AUDIT] Failed: decrypt | Reason: Caesar failed: not\\ntoday\n"];
        assert_eq!(text.text, expected.concat());

        let mut json = EventLines::new(Format { encoding: Encoding::Json, ..Format::default() });
        json.set_id(Some("[1,\t\"\u{202e}\"]"));
        json.add(&ok, &origin(), 1);
        json.set_id(None);
        json.add(&failed, &origin(), 2);
        let text = numbered(json);
        let values: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(values[0]["call"], serde_json::json!({ "operation": "encrypt", "outcome": "ok" }));
        assert_eq!(values[0]["id"], serde_json::json!([1, "\u{202e}"]));
        let reason = "Caesar failed: not\ntoday";
        let failed = serde_json::json!({ "operation": "decrypt", "outcome": "refused", "reason": reason });
        assert_eq!((&values[2]["call"], values[2].get("id")), (&failed, None));
        assert!(!text.contains(['\u{202e}', '\t']));
    }
}
