//! Properties of the real program with the real components, for random texts and settings.
//!
//! A case sends many messages through few processes, so that most of the time is spent on messages.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::harness::Cipher;
use crate::reference::{caesar, vigenere};

/// An algorithm with a setting.
#[derive(Debug, Clone)]
enum Key {
    Caesar(String),
    Vigenere(String),
}

impl Key {
    fn request(&self, operation: &str, message: &str) -> Value {
        let (algorithm, variable, value) = match self {
            Key::Caesar(shift) => ("Caesar", "SHIFT_AMOUNT", shift),
            Key::Vigenere(keyword) => ("Vigenere", "VIGENERE_KEYWORD", keyword),
        };
        json!({ "message": message, "algorithm": algorithm, "operation": operation, "settings": { variable: value } })
    }

    fn reference(&self, message: &str) -> String {
        match self {
            Key::Caesar(shift) => caesar(message, shift),
            Key::Vigenere(keyword) => vigenere(message, keyword),
        }
    }
}

fn keys() -> impl Strategy<Value = Key> {
    prop_oneof![
        // Numbers that fit into a machine word, and those that do not.
        any::<i64>().prop_map(|shift| Key::Caesar(shift.to_string())),
        "[-+]?[0-9]{1,60}".prop_map(Key::Caesar),
        "[A-Za-z]{1,40}".prop_map(Key::Vigenere),
    ]
}

/// Text with many letters, or of any characters.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z ,.!]{0,80}", "[A-Za-zÀ-ÿ日本\u{0}-\u{1f}🎉]{0,60}", any::<String>()]
}

/// The results of requests, in order.
fn batch(requests: impl Iterator<Item = Value>) -> Vec<String> {
    let lines: String = requests.map(|request| format!("{request}\n")).collect();
    let ended = Cipher::new(["batch"]).stdin(lines).run().exits(0);
    let result =
        |line| serde_json::from_str::<Value>(line).expect("an answer is JSON")["result"].as_str().map(str::to_owned);
    ended.text().lines().map(|line| result(line).expect("every request succeeds")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn results_equal_reference_and_decrypt(
        messages in vec((keys(), texts()), 1..100)
    ) {
        let secrets = batch(messages.iter().map(|(key, text)| key.request("encrypt", text)));
        let expected: Vec<String> = messages.iter().map(|(key, text)| key.reference(text)).collect();
        prop_assert_eq!(&secrets, &expected);
        let again = batch(messages.iter().zip(&secrets).map(|((key, _), secret)| key.request("decrypt", secret)));
        let texts: Vec<&str> = messages.iter().map(|(_, text)| text.as_str()).collect();
        prop_assert_eq!(again, texts);
    }

    #[test]
    fn lines_equal_single_calls(
        lines in vec("[A-Za-zÀ-ÿ日🎉\t\r]{0,20}", 1..8), keyword in "[A-Za-z]{1,8}", isolate in any::<bool>()
    ) {
        let setting = format!("VIGENERE_KEYWORD={keyword}");
        let single: Vec<u8> = lines.iter().flat_map(|line| {
            // A carriage return before the line feed belongs to the line ending.
            let (line, ending) = line.strip_suffix('\r').map_or((line.as_str(), "\n"), |line| (line, "\r\n"));
            let mut result = Cipher::new(["encrypt", "Vigenere", "--set", &setting]).stdin(line).run().exits(0).stdout;
            result.extend(ending.bytes());
            result
        }).collect();
        let options = if isolate { vec!["--isolate"] } else { vec![] };
        let cipher = Cipher::new(["encrypt", "Vigenere", "--lines", "--set", &setting]).args(options);
        let together = cipher.stdin(lines.iter().map(|line| format!("{line}\n")).collect::<String>()).run().exits(0);
        prop_assert_eq!(String::from_utf8(together.stdout), String::from_utf8(single));
    }
}
