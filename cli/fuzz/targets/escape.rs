//! Escaped text: one line, nothing that a terminal obeys, and nothing lost.

#![no_main]

use cipher::escape::{self, Place};
use libfuzzer_sys::fuzz_target;

/// Whether `c` moves a cursor, ends a line, changes a color, hides or reorders text, or looks blank.
fn is_dangerous(c: char) -> bool {
    matches!(c, '\0'..='\x1f' | '\x7f'..='\u{a0}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d159}' | '\u{e0000}'..='\u{e007f}')
}

fuzz_target!(|text: &str| {
    let (line, field) = (escape::line(text), Place::Field.escape(text));
    let (message, json) = (escape::message(text), escape::json(text));
    for shown in [&*line, &*field, &*message, &*json] {
        assert!(!shown.contains(is_dangerous), "{shown:?}");
    }
    assert!(!field.contains('|'));
    assert_eq!(serde_json::from_str::<String>(&json).expect("it is JSON"), text);
    assert_eq!(escape::message(&message), message, "escaping twice changes nothing");
    for place in [Place::Line, Place::Field, Place::Message, Place::Json] {
        let (mut joined, mut rest) = (String::new(), text);
        while !rest.is_empty() {
            let (part, after) = place.prefix(rest, 16);
            assert!(part.len() <= 16 && after.len() < rest.len());
            joined += &part;
            rest = after;
        }
        assert_eq!(joined, place.escape(text), "parts lose nothing");
    }
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(text) {
        let safe = escape::json_value(text);
        assert!(!safe.contains(is_dangerous), "{safe:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).expect("it is JSON"), value);
    }
});
