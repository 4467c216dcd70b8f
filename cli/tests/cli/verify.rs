//! `cipher encrypt --verify`, which writes no result that does not decrypt to its message.

use std::thread;

use crate::harness::{Cipher, Ended};
use crate::mirror::COMPONENT;

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

/// The place in [`COMPONENT`] where it takes a chunk of a message: 0 if it encrypts, 1 if it decrypts.
const UPDATE: &str =
    "(func (export \"update\") (param $message i32) (param $text i32) (param $length i32) (result i32)";

/// The place where it ends a message.
const FINISH: &str = "(call $return (i32.const 0) (i32.const 0))";

/// [`COMPONENT`] with these parts replaced.
fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(COMPONENT.to_owned(), |wat, (part, by)| {
        assert_eq!(wat.matches(part).count(), 1, "{part}");
        wat.replace(part, by)
    })
}

/// Encrypts a message of several parts with `--verify` and the guest of this text. Returns the message, too.
fn streamed(wat: &str, options: &str) -> (Ended, String) {
    let component = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}"));
    let message = "The quick brown fox. ".repeat(150_000);
    let script = format!("cipher encrypt ./Mirror.wasm --verify --audit-format json {options} < message");
    (Cipher::shell(script).file("Mirror.wasm", component).file("message", &message).run(), message)
}

#[test]
fn verifies_streamed_message() {
    let (ended, message) = streamed(COMPONENT, "");
    let ended = ended.exits(0).prints(message);
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(stderr.matches("\"event\"").count(), 1, "{stderr}");
    assert!(stderr.contains("\"outcome\":\"ok\""), "{stderr}");
}

#[test]
fn waits_for_text_held_back() {
    // It decrypts all but the last byte, which it returns with the next chunk.
    let holds_back = format!(
        "{UPDATE} (if (i32.and (local.get $message) (i32.ne (local.get $length) (i32.const 0))) (then
          (local.set $text (i32.const 63))
          (i32.store8 (i32.const 63) (i32.load8_u (i32.const 60)))
          (i32.store8 (i32.const 60) (i32.load8_u (i32.add (i32.const 63) (local.get $length))))
          (if (i32.eqz (i32.load (i32.const 12))) (then
            (local.set $text (i32.const 64))
            (local.set $length (i32.sub (local.get $length) (i32.const 1)))))))"
    );
    let returns_last = "(call $return (i32.const 60) (local.get $message))";
    let (ended, message) = streamed(&changed(&[(UPDATE, &holds_back), (FINISH, returns_last)]), "");
    ended.exits(0).prints(message);
    let (ended, message) = streamed(&changed(&[(UPDATE, &holds_back)]), "");
    let ended = ended.exits(1);
    assert_eq!(ended.text(), &message[..message.len() - 1]);
}

#[test]
fn catches_wrong_streaming_ciphers() {
    let encrypts_late =
        "(i32.and (i32.eqz (local.get $message)) (i32.gt_u (i32.load (i32.const 8)) (i32.const 2000000)))";
    let decrypts_late = "(i32.and (local.get $message) (i32.gt_u (i32.load (i32.const 12)) (i32.const 2000000)))";
    let decrypts_elsewhere = "(i32.and (local.get $message) (i32.eqz (i32.load (i32.const 8))))";
    let corrupts = "(i32.store8 (local.get $text) (i32.const 33))";
    let drops = "(local.set $length (i32.const 0))";
    let other = "does not decrypt to the message (--verify)";
    let update = |condition: &str, then: &str| (UPDATE, format!("{UPDATE} (if {condition} (then {then}))"));
    let finish = |length: &str| (FINISH, format!("(call $return (i32.const 16) {length})"));
    for ((part, by), reason) in [
        (update(encrypts_late, corrupts), other),
        (update(encrypts_late, drops), other),
        (update(decrypts_late, corrupts), other),
        (update(decrypts_late, drops), other),
        (update(decrypts_late, "unreachable"), "does not decrypt (--verify): Mirror trapped"),
        (update(decrypts_elsewhere, corrupts), other),
        (finish("(i32.const 1)"), other),
        (finish("(local.get $message)"), other),
    ] {
        let (ended, message) = streamed(&changed(&[(part, &by)]), "");
        let ended = ended.exits(1);
        let (stderr, text) = (String::from_utf8_lossy(&ended.stderr), ended.text());
        assert!(stderr.contains(&format!("error: the result of Mirror {reason}")), "{by}\n{stderr}");
        assert!(stderr.contains("\"outcome\":\"unverified\""), "{by}\n{stderr}");
        assert!(message.starts_with(text) && text.len() < message.len(), "{by}");
    }
}

#[test]
fn limits_text_held_back() {
    let returns_nothing = format!("{UPDATE} (if (local.get $message) (then (local.set $length (i32.const 0))))");
    let (ended, _) = streamed(&changed(&[(UPDATE, &returns_nothing)]), "--max-message 1MiB");
    let error = "error: Mirror holds back more than 1MiB (--max-message), which cannot be verified (--verify)\n";
    let ended = ended.exits(1);
    assert!(ended.diagnostics().ends_with(error), "{}", ended.diagnostics());
}

#[test]
fn bounds_memory_of_verification() {
    // The bound applies to the peak of the resident memory, in KiB.
    let run = "import resource, subprocess\n\
        script = 'yes abcdefghi | head -c 100000000 | cipher encrypt ./Mirror.wasm --verify | wc -c'\n\
        subprocess.run(['sh', '-c', script])\n\
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let component = wat::parse_str(COMPONENT).unwrap_or_else(|error| panic!("{error}"));
    let ended = Cipher::new(["-c", run]).program("python3").file("Mirror.wasm", component).run().exits(0);
    let numbers: Vec<u32> = ended.text().lines().map(|line| line.trim().parse().expect("a number")).collect();
    assert_eq!(numbers[0], 100_000_000, "{}", ended.diagnostics());
    assert!(numbers[1] < 64 << 10, "{} KiB", numbers[1]);
}
