//! Text that a guest controls, made safe to show on a terminal and in a log.

use std::borrow::Cow;
use std::fmt::Write as _;

/// How much of a guest's own words is shown where they may be of any length, in characters.
const SHOWN_CHARS: usize = 300;

/// Returns `text` as one line without anything that moves a cursor, changes a colour, hides or reorders text.
///
/// Printable ASCII passes unchanged, except the backslash, which is doubled so that an escape cannot be imitated. Of
/// everything else, what Rust's own debug output holds to be printable passes; controls (C0, DEL, C1), bidirectional and
/// zero-width formatting, line and paragraph separators, combining marks, unassigned and private characters become
/// `\n`, `\t`, `\u{202e}` and the like.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, &['\\'])
}

/// Like [`line`], but a backslash passes: for a message, parts of which are escaped already.
pub fn message(text: &str) -> Cow<'_, str> {
    escape(text, &[])
}

/// The start of what [`line`] returns.
pub fn start(text: &str) -> Cow<'_, str> {
    let line = line(text);
    match line.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{} …", &line[..end]).into(),
        None => line,
    }
}

/// Like [`line`], and `|` is escaped too: for a text that stands before the ` | ` of an audit line.
pub fn field(text: &str) -> Cow<'_, str> {
    escape(text, &['\\', '|'])
}

/// `text` as a JSON string literal in which everything that [`line`] escapes is escaped, too: one that means the same to a
/// JSON parser, and nothing to a terminal.
pub fn json(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        if is_plain(c, &['"', '\\']) {
            literal.push(c);
            continue;
        }
        match c {
            '"' | '\\' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(literal, "\\u{unit:04x}");
                }
            }
        }
    }
    literal.push('"');
    literal
}

fn escape<'a>(text: &'a str, reserved: &[char]) -> Cow<'a, str> {
    if text.chars().all(|c| is_plain(c, reserved)) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_plain(c, reserved) {
            escaped.push(c);
        } else if c == '|' {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "{}", c.escape_unicode());
        } else {
            escaped.extend(c.escape_debug());
        }
    }
    Cow::Owned(escaped)
}

fn is_plain(c: char, reserved: &[char]) -> bool {
    match c {
        ' '..='~' => !reserved.contains(&c),
        _ if c.is_ascii() => false,
        _ => c.escape_debug().len() == 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_passes_unchanged_and_uncopied() {
        for text in ["", "Length: 13", "a 'quoted' \"word\"", "größer → 日本語 🎉"] {
            assert!(matches!(line(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn a_line_cannot_be_split() {
        assert_eq!(line("one\ntwo\r\nthree"), r"one\ntwo\r\nthree");
        assert_eq!(line("a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f"), r"a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f");
    }

    #[test]
    fn a_terminal_sequence_is_shown_not_sent() {
        assert_eq!(line("\u{1b}[31mred\u{1b}[0m"), r"\u{1b}[31mred\u{1b}[0m");
        assert_eq!(line("\u{9b}31m\u{7f}\u{8}\u{7}"), r"\u{9b}31m\u{7f}\u{8}\u{7}");
    }

    #[test]
    fn text_cannot_be_reordered_or_hidden() {
        assert_eq!(line("a\u{202e}b\u{2066}c\u{200f}d"), r"a\u{202e}b\u{2066}c\u{200f}d");
        assert_eq!(line("a\u{200b}b\u{feff}c\u{ad}d\u{e0041}"), r"a\u{200b}b\u{feff}c\u{ad}d\u{e0041}");
    }

    #[test]
    fn a_message_is_escaped_no_more_than_once() {
        for text in ["", "a 'path'", r"C:\n", "\u{1b}[0m\n\u{202e}", "größer"] {
            let once = message(text).into_owned();
            assert_eq!(message(&once), once);
            assert_eq!(message(&line(text)), line(text));
        }
        assert_eq!(message("\u{1b}[0m\n\u{202e}"), r"\u{1b}[0m\n\u{202e}");
    }

    #[test]
    fn an_escape_cannot_be_imitated() {
        assert_eq!(line(r"\n"), r"\\n");
        assert_ne!(line(r"\u{1b}"), line("\u{1b}"));
    }

    #[test]
    fn json_means_what_it_meant() {
        let text = "\"quoted\" \\ \n \r \u{1b}[0m \u{2028} \u{202e} \u{e0041} größe 🎉";
        assert_eq!(serde_json::from_str::<String>(&json(text)).unwrap(), text);
        assert!(json(text).chars().all(|c| c == '🎉' || c == 'ö' || c == 'ß' || (' '..='~').contains(&c)));
    }

    #[test]
    fn a_field_cannot_start_the_next_one() {
        assert_eq!(field("encrypt | Detail: x"), r"encrypt \u{7c} Detail: x");
        assert_eq!(line("a | b"), "a | b");
    }
}
