//! A guest's text made safe to show: one line, nothing that a terminal obeys, and nothing lost.

#![no_main]

use cipher::terminal::escape;
use libfuzzer_sys::fuzz_target;

/// Whether `c` moves a cursor, ends a line, changes a colour, hides or reorders text.
fn is_dangerous(c: char) -> bool {
    matches!(c, '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fuzz_target!(|text: &str| {
    let (line, field) = (escape::line(text), escape::field(text));
    let (message, json) = (escape::message(text), escape::json(text));
    for shown in [&*line, &*field, &*message, &*json] {
        assert!(!shown.contains(is_dangerous), "{shown:?}");
    }
    assert!(!field.contains('|'));
    assert_eq!(serde_json::from_str::<String>(&json).expect("it is JSON"), text);
    assert_eq!(escape::message(&message), message, "once is enough");
});
