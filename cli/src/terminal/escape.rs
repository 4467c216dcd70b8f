//! Text that a guest or a file controls, made safe to show on a terminal and in a log.
//!
//! Printable ASCII passes unchanged, except the backslash, which is doubled so that no text can imitate an escape.
//! Other printable characters pass. A character that moves the cursor, changes a color, or hides, reorders, or imitates
//! text becomes `\n`, `\t`, `\u{202e}` and the like: controls (C0, DEL, C1), bidirectional and zero-width formatting,
//! line and paragraph separators, spaces other than U+0020, combining marks, unassigned and private characters, and
//! letters and symbols that look blank.
//!
//! Letters of scripts written from right to left pass. They are ordinary text, and they reorder only their own field:
//! where text of a guest is shown, the text of the host that follows it begins with a Latin letter or ends the line,
//! so the bidirectional algorithm does not carry their direction across.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The maximum number of characters of a guest's text that are shown, unless another limit applies.
const SHOWN_CHARS: usize = 300;

/// The context of an escaped text, which decides what else is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A line, or the end of one.
    Line,
    /// A field that ends at ` | `, so `|` is escaped too.
    Field,
    /// A message, parts of which are escaped already, so a backslash passes.
    Message,
    /// The inside of a JSON string, where every escape is one of JSON's.
    Json,
}

impl Place {
    /// Returns `text` escaped.
    pub fn escape(self, text: &str) -> Cow<'_, str> {
        // Most texts are ASCII, and bytes are checked faster than characters.
        let escaped = self.escaped();
        let plain = text.bytes().take_while(|byte| is_printable(*byte) && !escaped.contains(byte)).count();
        let Some((first, _)) = text[plain..].char_indices().find(|&(_, c)| !self.passes(c)) else {
            return Cow::Borrowed(text);
        };
        let (passed, rest) = text.split_at(plain + first);
        let mut escaped = String::with_capacity(text.len() + 16);
        escaped.push_str(passed);
        rest.chars().for_each(|c| self.push(&mut escaped, c));
        Cow::Owned(escaped)
    }

    /// Escapes as much of `text` as fits into `max_bytes`, and returns it with the rest of `text`.
    pub fn prefix(self, text: &str, max_bytes: usize) -> (String, &str) {
        let mut escaped = String::with_capacity(max_bytes.min(text.len() + 16));
        for (at, c) in text.char_indices() {
            let end = escaped.len();
            self.push(&mut escaped, c);
            if escaped.len() > max_bytes {
                escaped.truncate(end);
                return (escaped, &text[at..]);
            }
        }
        (escaped, "")
    }

    /// The printable characters that are escaped.
    fn escaped(self) -> [u8; 2] {
        match self {
            Self::Line => [b'\\'; 2],
            Self::Field => [b'\\', b'|'],
            Self::Json => [b'\\', b'"'],
            Self::Message => [b'\n'; 2], // none
        }
    }

    fn passes(self, c: char) -> bool {
        match u8::try_from(c) {
            Ok(byte) if byte.is_ascii() => is_printable(byte) && !self.escaped().contains(&byte),
            _ => c.escape_debug().len() == 1 && !is_blank(c),
        }
    }

    fn push(self, escaped: &mut String, c: char) {
        match c {
            _ if self.passes(c) => escaped.push(c),
            '"' | '\\' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            _ if self == Self::Json => push_json_escape(escaped, c),
            _ if c.is_ascii_control() => escaped.extend(c.escape_debug()),
            _ => escaped.extend(c.escape_unicode()),
        }
    }
}

/// Whether a byte is a printable ASCII character.
fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Whether a character that Unicode calls a letter or a symbol shows nothing.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
            | '\u{2800}' // a Braille cell without dots
            | '\u{13441}' | '\u{13442}' // blank hieroglyphs
            | '\u{1d159}' // a note without a head
    )
}

fn push_json_escape(escaped: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a String cannot fail.
        let _ = write!(escaped, "\\u{unit:04x}");
    }
}

/// Returns `text` as one line.
pub fn line(text: &str) -> Cow<'_, str> {
    Place::Line.escape(text)
}

/// Returns a message as one line, without escaping text twice.
pub fn message(text: &str) -> Cow<'_, str> {
    Place::Message.escape(text)
}

/// Returns the start of what [`line()`] returns.
pub(crate) fn start(text: &str) -> Cow<'_, str> {
    let line = line(text);
    match line.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{} …", &line[..end]).into(),
        None => line,
    }
}

/// Returns `text` as a JSON string: the same to a JSON parser, and harmless to a terminal.
pub fn json(text: &str) -> String {
    format!("\"{}\"", Place::Json.escape(text))
}

/// Returns `json`, any JSON value, on one line and harmless to a terminal. It stays the same value.
pub fn json_value(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // Between the tokens; a string has none.
            _ if c.is_ascii_control() => escaped.push(' '),
            _ if c.is_ascii() || Place::Json.passes(c) => escaped.push(c),
            _ => push_json_escape(&mut escaped, c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_ordinary_text_uncopied() {
        for text in ["", "Length: 13", "a 'quoted' \"word\"", "größer → 日本語 🎉", "שלום 12 مرحبا"] {
            assert!(matches!(line(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn keeps_text_on_one_line() {
        assert_eq!(line("one\ntwo\r\nthree"), r"one\ntwo\r\nthree");
        assert_eq!(line("a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f"), r"a\u{2028}b\u{2029}c\u{85}d\u{b}e\u{c}f");
    }

    #[test]
    fn shows_terminal_sequences() {
        assert_eq!(line("\u{1b}[31mred\u{1b}[0m"), r"\u{1b}[31mred\u{1b}[0m");
        assert_eq!(line("\u{9b}31m\u{7f}\u{8}\u{7}"), r"\u{9b}31m\u{7f}\u{8}\u{7}");
    }

    #[test]
    fn shows_bidirectional_and_invisible_characters() {
        assert_eq!(line("a\u{202e}b\u{2066}c\u{200f}d\u{61c}"), r"a\u{202e}b\u{2066}c\u{200f}d\u{61c}");
        assert_eq!(line("a\u{200b}b\u{feff}c\u{ad}d\u{e0041}"), r"a\u{200b}b\u{feff}c\u{ad}d\u{e0041}");
    }

    #[test]
    fn shows_blank_letters_and_spaces() {
        assert_eq!(line("\u{3164}\u{115f}\u{1160}\u{ffa0}"), r"\u{3164}\u{115f}\u{1160}\u{ffa0}");
        assert_eq!(line("\u{2800}\u{1d159}\u{a0}\u{3000}"), r"\u{2800}\u{1d159}\u{a0}\u{3000}");
        assert_eq!(json("\u{3164}\u{2800}\u{1d159}"), r#""\u3164\u2800\ud834\udd59""#);
    }

    #[test]
    fn escapes_messages_once() {
        for text in ["", "a 'path'", r"C:\n", "\u{1b}[0m\n\u{202e}", "größer"] {
            let once = message(text).into_owned();
            assert_eq!(message(&once), once);
            assert_eq!(message(&line(text)), line(text));
        }
        assert_eq!(message("\u{1b}[0m\n\u{202e}"), r"\u{1b}[0m\n\u{202e}");
    }

    #[test]
    fn distinguishes_escapes_from_backslashes() {
        assert_eq!(line(r"\n"), r"\\n");
        assert_ne!(line(r"\u{1b}"), line("\u{1b}"));
    }

    #[test]
    fn keeps_the_meaning_of_json() {
        let text = "\"quoted\" \\ \n \r \u{1b}[0m \u{2028} \u{202e} \u{e0041} größe 🎉";
        assert_eq!(serde_json::from_str::<String>(&json(text)).unwrap(), text);
        assert!(json(text).chars().all(|c| c == '🎉' || c == 'ö' || c == 'ß' || (' '..='~').contains(&c)));
        let value = "{\"a\":\t[\"\u{202e}\u{e0041}\\\"\",\r1.50]}";
        let safe = json_value(value);
        assert_eq!(safe, r#"{"a": ["\u202e\udb40\udc41\"", 1.50]}"#);
        let parse = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(parse(value), parse(&safe));
    }

    #[test]
    fn keeps_fields_apart() {
        assert_eq!(Place::Field.escape("encrypt | Detail: x"), r"encrypt \u{7c} Detail: x");
        assert_eq!(line("a | b"), "a | b");
    }

    #[test]
    fn prefix_does_not_split_escapes() {
        assert_eq!(Place::Line.prefix("ab\nc", 3), ("ab".to_owned(), "\nc"));
        assert_eq!(Place::Line.prefix("ab\nc", 4), (r"ab\n".to_owned(), "c"));
        assert_eq!(Place::Json.prefix("\u{1d159}x", 11), (String::new(), "\u{1d159}x"));
        assert_eq!(Place::Json.prefix("é🎉", 6), ("é🎉".to_owned(), ""));
    }
}
