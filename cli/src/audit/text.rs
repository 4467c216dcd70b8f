//! Audit events as text: `[AUDIT] Action: encrypt | Detail: Length: 13`.

use super::event::{Event, Outcome};
use super::format::{Body, Head, Part, Syntax, UntrustedText};
use super::lines::PROCESS;
use crate::terminal::escape::Place;

/// The text format: heads are short, and a call has a line only if it failed.
pub(super) struct Text;

impl Syntax for Text {
    #[inline(always)]
    fn head(&self, text: &mut String, _: Head<'_>, part: Option<Part>) -> Option<usize> {
        text.push_str("[AUDIT] ");
        if let Some(Part { number, count }) = part {
            *text += &format!("Part {number}/{count} of {} | ", *PROCESS);
        }
        None
    }

    #[inline(always)]
    fn event<'a>(&self, event: &Event<'a>) -> Body<'a> {
        Body {
            before_first: "Action: ".into(),
            first: UntrustedText { text: event.action, place: Place::Field },
            before_second: " | Detail: ".into(),
            second: UntrustedText { text: event.detail, place: Place::Line },
            end: "\n",
        }
    }

    fn dropped(&self, count: u64) -> Body<'static> {
        let before_first = format!("Dropped: {count} | Reason: over the limit").into();
        Body { before_first, end: "\n", ..Body::default() }
    }

    fn outcome<'a>(&self, Outcome { operation, failure }: &'a Outcome) -> Option<Body<'a>> {
        let (_, reason) = failure.as_ref()?;
        Some(Body {
            before_first: "Failed: ".into(),
            first: UntrustedText { text: operation, place: Place::Field },
            before_second: " | Reason: ".into(),
            // The guest's part of the reason is escaped already.
            second: UntrustedText { text: reason, place: Place::Message },
            end: "\n",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::process;

    use super::super::format::Encoding;
    use super::super::lines::tests::lines;
    use super::*;
    use crate::terminal::escape;

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
    fn splits_long_events_into_parts() {
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
}
