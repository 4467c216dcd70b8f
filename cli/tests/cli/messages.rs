//! One message: as an argument, on stdin, short, long, or not valid text.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::guests;
use crate::harness::{Cipher, audit_event, same};
use crate::reference::{caesar, vigenere};

const MIB: usize = 1 << 20;

/// The result of each guest for a text.
fn ciphers(text: &str) -> [(&'static str, String); 2] {
    [("Caesar", caesar(text, "3")), ("Vigenere", vigenere(text, "WASM"))]
}

#[test]
fn keeps_stdin_verbatim() {
    for text in ["Hello, World!", "a line\n", "\r\n\nmany\n\n\r", "\0 and \u{feff}BOM", "größe 日本語 🎉 e\u{301}"]
    {
        for (algorithm, secret) in ciphers(text) {
            Cipher::new(["encrypt", algorithm])
                .stdin(text)
                .run()
                .exits(0)
                .prints(&secret)
                .says(&audit_event("encrypt", text));
            Cipher::new(["decrypt", algorithm])
                .stdin(secret)
                .run()
                .exits(0)
                .prints(text)
                .says(&audit_event("decrypt", text));
        }
    }
}

#[test]
fn ends_argument_result_with_newline() {
    for (algorithm, secret) in ciphers("Hello, World!") {
        let ended = Cipher::new(["encrypt", algorithm, "Hello, World!"]).run();
        ended.exits(0).prints(secret + "\n").says(&audit_event("encrypt", "Hello, World!"));
    }
}

#[test]
fn accepts_empty_stdin() {
    for algorithm in ["Caesar", "Vigenere"] {
        Cipher::new(["encrypt", algorithm]).run().exits(0).prints("").says(&audit_event("encrypt", ""));
    }
}

#[test]
fn rejects_invalid_utf8_without_output() {
    let inputs: [(&[u8], &str); 4] = [
        (b"\xff", "byte 0xff at offset 0"),
        (b"abc\xc0\xafdef", "byte 0xc0 at offset 3"),
        ("日本\n".as_bytes().split_at(5).0, "byte 0xe6 at offset 3"),
        (b"a surrogate \xed\xa0\x80", "byte 0xed at offset 12"),
    ];
    for (bytes, what) in inputs {
        let ended = Cipher::new(["encrypt", "Caesar"]).stdin(bytes).run();
        ended.exits(1).prints("").says(&format!("error: stdin is not valid UTF-8: {what}\n"));
    }
}

#[test]
fn rejects_argument_with_invalid_utf8() {
    let text = OsString::from_vec(b"caf\xe9".to_vec());
    let ended = Cipher::new([OsString::from("encrypt"), "Caesar".into(), text]).run().exits(2).prints("");
    assert!(ended.diagnostics().starts_with("error: invalid UTF-8"), "{}", ended.diagnostics());
}

#[test]
fn reads_stdin_for_a_dash() {
    let ended = Cipher::new(["encrypt", "Caesar", "-"]).stdin("abc").run();
    ended.exits(0).prints("def");
    Cipher::new(["encrypt", "Caesar", "--", "-"]).stdin("abc").run().exits(0).prints("def");
}

/// A text longer than the part that the program reads before it starts to write, in characters of one to four bytes. As
/// `offset` goes from 0 to 9, chunks end at every place within a character.
fn long_text(offset: usize) -> String {
    "x".repeat(offset) + &"aÄ日🎉".repeat(3 * MIB / 20) + "the end\n"
}

#[test]
fn streamed_result_equals_whole_result() {
    for offset in 0..10 {
        let text = long_text(offset);
        for (algorithm, secret) in ciphers(&text) {
            let [chunked, whole] =
                [vec!["encrypt", algorithm], vec!["encrypt", algorithm, "--null"]].map(|arguments| {
                    Cipher::new(arguments)
                        .stdin(text.as_bytes())
                        .run()
                        .exits(0)
                        .says(&audit_event("encrypt", &text))
                        .stdout
                });
            same(chunked, &secret);
            same(whole, secret);
        }
    }
}

#[test]
fn decrypts_streamed_messages() {
    let text = long_text(1);
    for (algorithm, secret) in ciphers(&text) {
        let ended = Cipher::new(["decrypt", algorithm]).stdin(secret).run();
        ended.exits(0).prints(&text).says(&audit_event("decrypt", &text));
    }
}

#[test]
fn invalid_utf8_leaves_correct_prefix() {
    let text = long_text(0);
    let mut bytes = text.clone().into_bytes();
    bytes.push(0xff);
    for (algorithm, secret) in ciphers(&text) {
        let ended = Cipher::new(["encrypt", algorithm]).stdin(bytes.as_slice()).run().exits(1);
        let error = format!("error: stdin is not valid UTF-8: byte 0xff at offset {}\n", text.len());
        assert_eq!(ended.diagnostics(), error);
        same(&ended.stdout, &secret.as_bytes()[..ended.stdout.len()]);
        assert!(ended.stdout.len() > MIB);
    }
}

#[test]
fn limits_messages_without_streaming() {
    let text = long_text(0);
    let echo = || Cipher::new(["encrypt", "Echo"]).env("CIPHER_GUESTS", guests::directory()).stdin(text.as_bytes());
    echo().run().exits(0).prints(&text).says("");
    let limit = text.len().to_string();
    echo().args(["--max-message", &limit]).run().exits(0).prints(&text);
    let limit = text.len() - 1;
    echo().args(["--max-message", &limit.to_string()]).run().exits(1).prints("").says(&format!(
        "error: stdin is longer than {limit} bytes (--max-message), the limit for messages that are not streamed\n"
    ));
}

#[test]
fn reports_events_before_streamed_output() {
    // The guest records an event per chunk. Once output has appeared, its events are in the file.
    let script = "{ head -c 1100000 /dev/zero; sleep 1; head -c 1000 /dev/zero; sleep 2; } | \
        cipher encrypt Chatty --audit-file audit | { head -c 9 >/dev/null; wc -l <audit; cat >/dev/null; }";
    let ended = Cipher::shell(script).env("CIPHER_GUESTS", guests::directory()).run().exits(0);
    let events: u32 = ended.text().trim().parse().expect("a number");
    assert!(events >= 2, "{events} events");
}
