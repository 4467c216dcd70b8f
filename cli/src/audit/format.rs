//! The formats of audit events: one line of text, or one JSON object, per event.
//!
//! Where the sink is a pipe or a terminal, other writers can tear a line that is longer than one atomic write. A guest
//! chooses how long its events are, so such an event is written in parts, each a line of its own that says so:
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

use super::event::{Event, Events, Origin, Outcome};
use crate::terminal::escape::{self, Place};

/// The encoding of audit events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encoding {
    /// `[AUDIT] Action: encrypt | Detail: Length: 13`
    #[default]
    Text,
    /// One JSON object per line, with the members of the host apart from those of the guest.
    Json,
    /// Nothing is written.
    Discard,
}

/// How a sink wants its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// The encoding.
    pub encoding: Encoding,
    /// The maximum size of a line, with its newline, in bytes.
    pub line_bytes: usize,
}

impl Default for Format {
    fn default() -> Self {
        Self { encoding: Encoding::default(), line_bytes: usize::MAX }
    }
}

/// The number of this process, which distinguishes its lines in a shared sink.
static PROCESS: LazyLock<u32> = LazyLock::new(process::id);

/// The maximum number of digits of a sequence number.
const SEQUENCE_DIGITS: usize = 20;
/// The minimum room for the guest's text in a part, in bytes: more than any escaped character takes.
const MIN_ROOM_BYTES: usize = 64;
/// The maximum size of a request's identifier, in bytes. A longer one is left out, so that every part has room for the
/// event.
const MAX_ID_BYTES: usize = 512;

/// Audit events as lines. Workers format them concurrently, so sequence numbers are filled in only when the
/// [`Sink`](super::sink::Sink) has the events in order.
#[derive(Debug, Default)]
pub struct EventLines {
    format: Format,
    pub(super) text: String,
    pub(super) gaps: Vec<Gap>,
    /// The JSON member with the identifier of the request, if it has one.
    id: String,
}

/// A place in the text where a sequence number is missing.
#[derive(Debug)]
pub(super) struct Gap {
    at: usize,
    /// Whether it repeats the number of the previous gap, for another part of the same event.
    is_same: bool,
}

/// What the host states about an event.
#[derive(Clone, Copy)]
struct Head<'a> {
    time: SystemTime,
    guest: &'a Origin,
    record: u64,
}

/// Two texts and what surrounds them.
struct Body<'a> {
    before_first: &'a str,
    first: &'a str,
    before_second: &'a str,
    second: &'a str,
    end: &'a str,
    /// What the two texts are escaped for.
    places: [Place; 2],
}

/// The number of a part, from 1, and the number of parts.
#[derive(Clone, Copy)]
struct Part {
    number: usize,
    count: usize,
}

impl EventLines {
    /// No lines yet.
    pub fn new(format: Format) -> Self {
        Self { format, ..Self::default() }
    }

    /// Moves all of `others` to the end of these.
    pub fn append(&mut self, others: &mut Self) {
        let end = self.text.len();
        self.gaps.extend(others.gaps.drain(..).map(|Gap { at, is_same }| Gap { at: end + at, is_same }));
        self.text.push_str(&others.text);
        others.text.clear();
    }

    /// The size of the lines without their numbers, in bytes.
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// Sets the identifier, a JSON value, of the request that the next events belong to.
    pub fn set_id(&mut self, id: Option<&str>) {
        self.id.clear();
        if let (Encoding::Json, Some(id)) = (self.format.encoding, id.filter(|id| id.len() <= MAX_ID_BYTES)) {
            let id = escape::json_value(id);
            if id.len() <= MAX_ID_BYTES {
                self.id = format!(r#","id":{id}"#);
            }
        }
    }

    /// Adds what `guest` recorded of `record`, counted from 1, and how the call ended. Everything that the host states
    /// is written so that a guest cannot state it.
    pub fn add(&mut self, events: &Events, guest: &Origin, record: u64) {
        for Event { time, action, detail } in events.iter() {
            let ([before_first, before_second, end], places) = match self.format.encoding {
                Encoding::Discard => return,
                Encoding::Text => (["Action: ", " | Detail: ", ""], [Place::Field, Place::Line]),
                Encoding::Json => ([r#""event":{"action":""#, r#"","detail":""#, r#""}"#], [Place::Json; 2]),
            };
            let body = Body { before_first, first: action, before_second, second: detail, end, places };
            self.event(Head { time, guest, record }, &body);
        }
        let dropped = events.dropped();
        if dropped > 0 {
            let head = Head { time: SystemTime::now(), guest, record };
            match self.format.encoding {
                Encoding::Discard => {}
                Encoding::Text => self.line(head, None, &format!("Dropped: {dropped} further events, past the limit")),
                Encoding::Json => self.line(head, None, &format!(r#""dropped":{dropped}"#)),
            }
        }
        if let Some(outcome) = events.outcome() {
            self.outcome(outcome, guest, record);
        }
    }

    /// Adds how a call ended. Text states only failures.
    fn outcome(&mut self, Outcome { operation, failure }: &Outcome, guest: &Origin, record: u64) {
        if self.format.encoding == Encoding::Text && failure.is_none() {
            return;
        }
        let head = Head { time: SystemTime::now(), guest, record };
        match (self.format.encoding, failure) {
            (Encoding::Discard, _) | (Encoding::Text, None) => {}
            (Encoding::Text, Some((_, reason))) => {
                let (before_first, before_second) = ("Failed: ", " | Reason: ");
                // The guest's part of the reason is escaped already.
                let places = [Place::Field, Place::Message];
                let body = Body { before_first, first: operation, before_second, second: reason, end: "", places };
                self.event(head, &body);
            }
            (Encoding::Json, None) => {
                self.line(head, None, &format!(r#""call":{{"operation":"{operation}","outcome":"ok"}}"#));
            }
            (Encoding::Json, Some((kind, reason))) => {
                let (before_first, end) = (r#""call":{"operation":""#, r#""}"#);
                let before_second = format!(r#"","outcome":"{}","reason":""#, kind.name());
                let before_second = before_second.as_str();
                let places = [Place::Json; 2];
                self.event(head, &Body { before_first, first: operation, before_second, second: reason, end, places });
            }
        }
    }

    /// Adds one event, in parts if it is too long for a line.
    fn event(&mut self, head: Head<'_>, body: &Body<'_>) {
        let (start, gaps) = (self.text.len(), self.gaps.len());
        let [first, second] = body.places;
        self.head(head, None);
        self.body(body, &first.escape(body.first), &second.escape(body.second));
        if self.text.len() - start > self.format.line_bytes.saturating_sub(SEQUENCE_DIGITS) {
            self.text.truncate(start);
            self.gaps.truncate(gaps);
            self.parts(head, body);
        }
    }

    fn parts(&mut self, head: Head<'_>, body: &Body<'_>) {
        let start = self.text.len();
        self.head(head, Some(Part { number: usize::MAX, count: usize::MAX }));
        self.body(body, "", "");
        let overhead = self.text.len() - start + SEQUENCE_DIGITS;
        self.text.truncate(start);
        self.gaps.truncate(self.gaps.len() - usize::from(self.format.encoding == Encoding::Json));

        let room = self.format.line_bytes.saturating_sub(overhead).max(MIN_ROOM_BYTES);
        let [first_place, second_place] = body.places;
        let (mut first, mut second, mut parts) = (body.first, body.second, Vec::new());
        while parts.is_empty() || !first.is_empty() || !second.is_empty() {
            let (start, rest) = first_place.prefix(first, room);
            first = rest;
            let room = if first.is_empty() { room - start.len() } else { 0 };
            let (next, rest) = second_place.prefix(second, room);
            second = rest;
            parts.push((start, next));
        }
        let count = parts.len();
        for (number, (first, second)) in (1..).zip(parts) {
            self.head(head, Some(Part { number, count }));
            self.body(body, &first, &second);
        }
    }

    /// Adds a line of the host.
    fn line(&mut self, head: Head<'_>, part: Option<Part>, content: &str) {
        self.head(head, part);
        self.text.push_str(content);
        self.end();
    }

    fn head(&mut self, Head { time, guest: Origin { name, digest }, record }: Head<'_>, part: Option<Part>) {
        let process = *PROCESS;
        if self.format.encoding == Encoding::Text {
            self.text.push_str("[AUDIT] ");
            if let Some(Part { number, count }) = part {
                self.text += &format!("Part {number}/{count} of {process} | ");
            }
            return;
        }
        let (time, name) = (humantime::format_rfc3339_micros(time), escape::json(name));
        self.text += &format!(r#"{{"time":"{time}","sequence":"#);
        self.gaps.push(Gap { at: self.text.len(), is_same: part.is_some_and(|part| part.number > 1) });
        self.text += &format!(
            r#","process":{process},"guest":{name},"component":"sha256:{digest}","record":{record}{},"#,
            self.id
        );
        if let Some(Part { number, count }) = part {
            self.text += &format!(r#""part":{number},"parts":{count},"#);
        }
    }

    fn body(&mut self, body: &Body<'_>, first: &str, second: &str) {
        self.text.extend([body.before_first, first, body.before_second, second, body.end]);
        self.end();
    }

    fn end(&mut self) {
        self.text.push_str(if self.format.encoding == Encoding::Json { "}\n" } else { "\n" });
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::exit::{Failure, Kind};

    fn origin() -> Origin {
        Origin { name: "Caesar".into(), digest: "ab".into() }
    }

    fn lines(encoding: Encoding, line_bytes: usize, events: &[(&str, &str)]) -> EventLines {
        let mut recorded = Events::default();
        for (action, detail) in events {
            recorded.add(action, detail, 10, 100_000);
        }
        let mut lines = EventLines::new(Format { encoding, line_bytes });
        lines.add(&recorded, &origin(), 7);
        lines
    }

    fn numbered(mut lines: EventLines) -> String {
        lines.number(&mut 2);
        lines.text
    }

    #[test]
    fn writes_one_line_per_event() {
        let events = [("encrypt", "Length: 13"), ("", ""), ("decrypt", "Länge")];
        let expected = [
            "[AUDIT] Action: encrypt | Detail: Length: 13\n",
            "[AUDIT] Action:  | Detail: \n",
            "[AUDIT] Action: decrypt | Detail: Länge\n",
        ];
        assert_eq!(lines(Encoding::Text, usize::MAX, &events).text, expected.concat());
        assert_eq!(lines(Encoding::Discard, usize::MAX, &events).text, "");
    }

    #[test]
    fn keeps_guests_from_forging_lines() {
        let event = ("encrypt | Detail: Length: 1\n[AUDIT] Action: decrypt", "x\n[AUDIT] Action: y");
        let forged = lines(Encoding::Text, usize::MAX, &[event]).text;
        assert_eq!(forged.matches('\n').count(), 1);
        assert_eq!(forged.matches(" | Detail: ").count(), 1);
    }

    #[test]
    fn json_keeps_members_and_loses_nothing() {
        let (action, detail) = ("a\",\"sequence\":9", "line\nbreak \u{2028} \u{1b}[0m \u{202e} 🎉\\");
        let text = numbered(lines(Encoding::Json, usize::MAX, &[("first", ""), (action, detail)]));
        let line = text.lines().nth(1).unwrap();
        assert_eq!(line.chars().filter(|c| !(' '..='~').contains(c) && *c != '🎉').count(), 0, "{line}");
        let value: Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["event"]["action"], action);
        assert_eq!(value["event"]["detail"], detail);
        assert_eq!((&value["sequence"], &value["record"]), (&4.into(), &7.into()));
        assert_eq!(value["process"], process::id());
        assert!(value["time"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn splits_long_text_events_into_parts() {
        let (action, detail) = ("a|".repeat(1000), "é\n\u{202e}".repeat(3000));
        let text = lines(Encoding::Text, 512, &[("short", "event"), (&action, &detail)]).text;
        let (mut actions, mut details, mut parts) = (String::new(), String::new(), 0);
        for line in text.lines().skip(1) {
            assert!(line.len() < 512);
            let prefix = format!("[AUDIT] Part {}/", parts + 1);
            assert!(line.starts_with(&prefix), "{line}");
            let (_, fields) = line.split_once(&format!(" of {} | Action: ", process::id())).unwrap();
            let (action, detail) = fields.split_once(" | Detail: ").unwrap();
            actions += action;
            details += detail;
            parts += 1;
        }
        assert_eq!(text.lines().next(), Some("[AUDIT] Action: short | Detail: event"));
        assert_eq!((&*actions, &*details), (&*Place::Field.escape(&action), &*escape::line(&detail)));
        assert!(text.contains(&format!("[AUDIT] Part {parts}/{parts} of ")));
    }

    #[test]
    fn splits_long_json_events_into_parts() {
        let (action, detail) = ("\"a\\".repeat(500), "é\n\u{e0041}".repeat(3000));
        let text = numbered(lines(Encoding::Json, 512, &[("short", "event"), (&action, &detail), ("last", "")]));
        let values: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let parts = &values[1..values.len() - 1];
        let joined =
            |member: &str| parts.iter().map(|part| part["event"][member].as_str().unwrap()).collect::<String>();
        assert_eq!((joined("action"), joined("detail")), (action, detail));
        for (part, number) in parts.iter().zip(1..) {
            assert_eq!((&part["part"], &part["parts"]), (&Value::from(number), &parts.len().into()));
            assert_eq!(part["sequence"], 4);
        }
        assert_eq!(values[values.len() - 1]["sequence"], 5);
        assert!(text.lines().all(|line| line.len() < 512));
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
