//! How audit events are written: one line of text, or one JSON object, per event.

use std::time::SystemTime;

use super::event::{Event, Events, Origin};
use crate::terminal::escape;

/// How entries are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// `[AUDIT] Action: encrypt | Detail: Length: 13`
    #[default]
    Text,
    /// A JSON object a line, with the host's fields apart from the guest's.
    Json,
}

/// Events as they are written, a line each. Workers write them down side by side; only their number in the sequence of all
/// is left open until the [`Sink`] has them in order.
#[derive(Debug, Default)]
pub struct EventLines {
    format: Format,
    pub(super) text: String,
    /// Where in `text` numbers are missing.
    pub(super) gaps: Vec<usize>,
}

impl EventLines {
    /// None yet.
    pub fn new(format: Format) -> Self {
        Self { format, ..Self::default() }
    }

    /// Adds what `guest` put on record of `record`, counted from 1; a message alone is the first. What is the host's to say is
    /// written so that a guest cannot say it.
    pub fn add(&mut self, entries: &Events, guest: &Origin, record: u64) {
        for Event { time, action, detail } in entries.iter() {
            match self.format {
                Format::Text => {
                    let (action, detail) = (escape::field(action), escape::line(detail));
                    self.text.extend(["[AUDIT] Action: ", &action, " | Detail: ", &detail, "\n"]);
                }
                Format::Json => {
                    let (action, detail) = (escape::json(action), escape::json(detail));
                    let entry = format!(r#""entry":{{"action":{action},"detail":{detail}}}"#);
                    self.object(time, guest, record, &entry);
                }
            }
        }
        let dropped = entries.dropped();
        if dropped > 0 {
            match self.format {
                Format::Text => self.text += &format!("[AUDIT] Dropped: {dropped} further entries, past the limit\n"),
                Format::Json => self.object(SystemTime::now(), guest, record, &format!(r#""dropped":{dropped}"#)),
            }
        }
    }

    fn object(&mut self, time: SystemTime, guest: &Origin, record: u64, content: &str) {
        let Origin { name, digest } = guest;
        let (time, name) = (humantime::format_rfc3339_micros(time), escape::json(name));
        self.text += &format!(r#"{{"time":"{time}","sequence":"#);
        self.gaps.push(self.text.len());
        self.text += &format!(r#","guest":{name},"component":"sha256:{digest}","record":{record},{content}}}"#);
        self.text.push('\n');
    }

    /// Fills the gaps with numbers that go on from `sequence`.
    pub(super) fn number(&mut self, sequence: &mut u64) {
        let mut numbered = String::with_capacity(self.text.len() + self.gaps.len() * 8);
        let mut begin = 0;
        for gap in self.gaps.drain(..) {
            *sequence += 1;
            numbered += &self.text[begin..gap];
            numbered += &sequence.to_string();
            begin = gap;
        }
        numbered += &self.text[begin..];
        self.text = numbered;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(format: Format, entries: &[(&str, &str)]) -> EventLines {
        let mut made = Events::default();
        for (action, detail) in entries {
            made.add(action, detail, 10, 1000);
        }
        let mut lines = EventLines::new(format);
        lines.add(&made, &Origin { name: "Caesar".into(), digest: "ab".into() }, 7);
        lines
    }

    #[test]
    fn an_entry_is_one_line() {
        let lines = lines(Format::Text, &[("encrypt", "Length: 13"), ("", ""), ("decrypt", "Länge")]);
        let expected = [
            "[AUDIT] Action: encrypt | Detail: Length: 13\n",
            "[AUDIT] Action:  | Detail: \n",
            "[AUDIT] Action: decrypt | Detail: Länge\n",
        ];
        assert_eq!(lines.text, expected.concat());
    }

    #[test]
    fn a_second_line_or_field_cannot_be_forged() {
        let entry = ("encrypt | Detail: Length: 1\n[AUDIT] Action: decrypt", "x\n[AUDIT] Action: y");
        let forged = lines(Format::Text, &[entry]).text;
        assert_eq!(forged.matches('\n').count(), 1);
        assert_eq!(forged.matches(" | Detail: ").count(), 1);
    }

    #[test]
    fn json_keeps_the_hosts_fields_apart_and_loses_nothing() {
        let (action, detail) = ("a\",\"sequence\":9", "line\nbreak \u{2028} \u{1b}[0m \u{202e} 🎉\\");
        let mut lines = lines(Format::Json, &[("first", ""), (action, detail)]);
        let mut sequence = 2;
        lines.number(&mut sequence);
        assert_eq!(sequence, 4);
        let line = lines.text.lines().nth(1).unwrap();
        assert_eq!(line.chars().filter(|c| !(' '..='~').contains(c) && *c != '🎉').count(), 0, "{line}");
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["entry"]["action"], action);
        assert_eq!(value["entry"]["detail"], detail);
        assert_eq!((&value["sequence"], &value["record"]), (&4.into(), &7.into()));
        assert!(value["time"].as_str().unwrap().ends_with('Z'));
    }
}
