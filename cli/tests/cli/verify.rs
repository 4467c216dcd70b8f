//! `cipher encrypt --verify`, which writes no result that does not decrypt to its message.

use std::thread;

use crate::harness::{Cipher, Ended};

/// A correct cipher.
const RIGHT: &str = include_str!("../verification/right.wat");

/// Parts of it, each on a line with `-`, and what makes each of them wrong, on the lines with `+` that follow.
const MUTATIONS: &str = include_str!("../verification/mutants.txt");

/// Bytes of the messages; for each there is a mutant that is wrong about this byte only.
const BYTES: &[u8] = b" Zae.~\t\xc3\xf0\x80";

/// Messages of different lengths, often enough for a guest that is wrong after some calls.
fn messages() -> Vec<String> {
    let texts = ["a", "Hello, World!", "Zwölf Boxkämpfer jagen 日本 🎉 \u{10000}.", "0123456789 ~AZaz!\t.", "."];
    let long = "The quick brown fox jumps over the lazy dog. ".repeat(8);
    let one_round = texts.iter().map(|text| (*text).to_owned()).chain([long[..300].to_owned(), long]);
    one_round.cycle().take(70).collect()
}

/// The correct cipher with one part replaced.
fn mutants() -> Vec<String> {
    let (mut part, mut mutants) = ("", Vec::new());
    let mut add = |part: &str, by: &str| {
        assert_eq!(RIGHT.matches(part).count(), 1, "{part}");
        mutants.push(RIGHT.replace(part, by));
    };
    for line in MUTATIONS.lines() {
        match line.split_at_checked(1) {
            Some(("-", other)) => part = other.trim(),
            Some(("+", by)) => add(part, by.trim()),
            _ => {}
        }
    }
    let sum = "(local.set $sum (i32.add (local.get $sum) (local.get $plain)))";
    for byte in BYTES {
        let wrong =
            format!("(local.set $plain (i32.xor (local.get $plain) (i32.eq (local.get $plain) (i32.const {byte}))))");
        add(sum, &(wrong + sum));
    }
    mutants
}

/// Encrypts the messages with the guest of this text and `--verify`, and decrypts each result with a new instance.
/// Returns the end of the encryption, the results, and what they decrypt to; a result that was not written is empty.
fn verified(wat: &str) -> (Ended, Vec<String>, Vec<String>) {
    let component = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}"));
    let script = "cipher encrypt -q ./Mutant.wasm --verify --lines -j1 --on-error empty < messages";
    let cipher = Cipher::shell(script).file("Mutant.wasm", component).file("messages", messages().join("\n") + "\n");
    let ended = cipher.run();
    let cipher = cipher.file("results", &ended.stdout);
    let script = "cipher decrypt -q ./Mutant.wasm --isolate --lines -j1 --on-error empty < results";
    let decrypted = cipher.script(script).run();
    let lines = |text: &str| text.lines().map(str::to_owned).collect();
    let (results, texts) = (lines(ended.text()), lines(decrypted.text()));
    (ended, results, texts)
}

#[test]
fn passes_correct_cipher() {
    let (ended, _, texts) = verified(RIGHT);
    ended.exits(0).says("");
    assert_eq!(texts, messages());
}

#[test]
fn catches_100_wrong_ciphers() {
    let (mutants, messages) = (mutants(), messages());
    assert_eq!(mutants.len(), 100);
    let check = |mutant: &String| {
        let (ended, results, texts) = verified(mutant);
        let ended = ended.exits(3);
        let failures = ended.diagnostics().matches("the result of Mutant does not decrypt").count();
        assert!(failures > 0, "{mutant}\n{}", ended.diagnostics());
        assert_eq!(results.iter().filter(|result| result.is_empty()).count(), failures, "{mutant}");
        for ((result, text), message) in results.iter().zip(&texts).zip(&messages) {
            assert!(result.is_empty() || text == message, "{mutant}\n{result} decrypts to {text:?}, not {message:?}");
        }
        assert_eq!([results.len(), texts.len()], [messages.len(); 2]);
    };
    thread::scope(|scope| {
        for part in mutants.chunks(50) {
            scope.spawn(move || part.iter().for_each(check));
        }
    });
}
