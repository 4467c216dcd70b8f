//! Audit events as JSON: one object per line, with the members of the host apart from those of the guest.

use super::event::{Event, Outcome};
use super::format::{Body, Head, Part, Syntax, UntrustedText};
use super::lines::PROCESS;
use crate::terminal::escape::{self, Place};

/// The maximum size of a request's identifier, in bytes. A longer one is left out, so that every part has room for the
/// event.
const MAX_ID_BYTES: usize = 512;

/// The JSON format.
pub(super) struct Json;

impl Syntax for Json {
    fn head(&self, text: &mut String, head: Head<'_>, part: Option<Part>) -> Option<usize> {
        let Head { time, guest, record, id } = head;
        let (time, process, name) = (humantime::format_rfc3339_micros(time), *PROCESS, escape::json(&guest.name));
        let digest = &guest.digest;
        *text += &format!(r#"{{"time":"{time}","sequence":"#);
        let sequence = text.len();
        *text +=
            &format!(r#","process":{process},"guest":{name},"component":"sha256:{digest}","record":{record}{id},"#);
        if let Some(Part { number, count }) = part {
            *text += &format!(r#""part":{number},"parts":{count},"#);
        }
        Some(sequence)
    }

    fn event<'a>(&self, event: &Event<'a>) -> Body<'a> {
        Body {
            before_first: r#""event":{"action":""#.into(),
            first: untrusted(event.action),
            before_second: r#"","detail":""#.into(),
            second: untrusted(event.detail),
            end: "\"}}\n",
        }
    }

    fn dropped(&self, count: u64) -> Body<'static> {
        Body { before_first: format!(r#""dropped":{count}"#).into(), end: "}\n", ..Body::default() }
    }

    fn outcome<'a>(&self, Outcome { operation, failure }: &'a Outcome) -> Option<Body<'a>> {
        let (before_second, reason) = match failure {
            None => (r#"","outcome":"ok"#.into(), ""),
            Some((kind, reason)) => (format!(r#"","outcome":"{}","reason":""#, kind.name()).into(), &**reason),
        };
        let before_first = r#""call":{"operation":""#.into();
        let (first, second) = (untrusted(operation), untrusted(reason));
        Some(Body { before_first, first, before_second, second, end: "\"}}\n" })
    }
}

/// Returns the member that identifies the request `id`, a JSON value.
pub(super) fn id(id: &str) -> String {
    if id.len() > MAX_ID_BYTES {
        return String::new();
    }
    let id = escape::json_value(id);
    if id.len() > MAX_ID_BYTES { String::new() } else { format!(r#","id":{id}"#) }
}

fn untrusted(text: &str) -> UntrustedText<'_> {
    UntrustedText { text, place: Place::Json }
}

#[cfg(test)]
mod tests {
    use std::process;

    use serde_json::Value;

    use super::super::format::Encoding;
    use super::super::lines::tests::{lines, numbered};

    #[test]
    fn keeps_members_and_loses_nothing() {
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
    fn splits_long_events_into_parts() {
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
}
