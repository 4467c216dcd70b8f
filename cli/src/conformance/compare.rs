//! Comparing texts, and showing them in reasons.

use anyhow::{Result, bail};

use crate::terminal::escape;

/// The maximum length of a text in a reason, in characters.
const SHOWN_CHARS: usize = 30;

/// Fails unless `actual`, the result of `what`, is `expected`.
///
/// # Errors
///
/// Says where the two differ.
pub(super) fn same(actual: &str, expected: &str, what: &str) -> Result<()> {
    if actual == expected {
        return Ok(());
    }
    let at = actual.chars().zip(expected.chars()).take_while(|(a, b)| a == b).count();
    let from = |text: &str| shown(text.char_indices().nth(at).map_or("", |(start, _)| &text[start..]));
    bail!("{what} differs at character {at}: got {}, expected {}", from(actual), from(expected))
}

/// The start of `text`, quoted and escaped once.
pub(super) fn shown(text: &str) -> String {
    let end = text.char_indices().nth(SHOWN_CHARS).map_or(text.len(), |(end, _)| end);
    let more = if end < text.len() { " …" } else { "" };
    format!("{}{more}", escape::json(&text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_place_of_difference() {
        let error = same("abcé\"", "abcd", "decr(encr(text))").unwrap_err().to_string();
        assert_eq!(error, r#"decr(encr(text)) differs at character 3: got "é\"", expected "d""#);
        let error = same("ab", "abc", "it").unwrap_err().to_string();
        assert_eq!(error, r#"it differs at character 2: got "", expected "c""#);
    }

    #[test]
    fn escapes_once() {
        assert_eq!(shown("a\\b\n\u{1b}"), r#""a\\b\n\u001b""#);
        assert_eq!(shown(&"é".repeat(31)), format!("\"{}\" …", "é".repeat(30)));
    }
}
