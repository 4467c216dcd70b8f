//! Audit entries: their formats, and the file that many processes share.

use std::process::Stdio;
use std::thread;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::guests;
use crate::harness::{Cipher, entry};

#[test]
fn a_json_entry_has_the_hosts_fields_and_apart_from_them_the_guests() {
    let component = guests::directory().join("Fickle.wasm");
    let digest: String = Sha256::digest(std::fs::read(component).expect("it was assembled"))
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let cipher = Cipher::new(["encrypt", "fickle", "--lines", "--audit-format", "json", "-j1"])
        .env("CIPHER_GUESTS", guests::directory())
        .stdin("one\n\u{1b}[2J\"two\"\\ \u{202e}\n!\n");
    let ended = cipher.run().exits(1).prints("one\n\u{1b}[2J\"two\"\\ \u{202e}\n");
    let stderr = String::from_utf8(ended.stderr).expect("it is text");
    let (entries, errors): (Vec<&str>, Vec<&str>) = stderr.lines().partition(|line| line.starts_with('{'));
    assert_eq!(errors.len(), 2, "{errors:?}");
    let details = ["one", "\u{1b}[2J\"two\"\\ \u{202e}", "!"];
    assert_eq!(entries.len(), details.len());
    for ((line, detail), number) in entries.iter().zip(details).zip(1..) {
        assert!(!line.contains(['\u{1b}', '\u{202e}']), "a terminal would obey {line:?}");
        let mut value: Value = serde_json::from_str(line).expect("an entry is JSON");
        let time = value.as_object_mut().and_then(|object| object.remove("time")).expect("it has a time");
        let time = time.as_str().expect("a time is text").to_owned();
        assert!(humantime::parse_rfc3339(&time).is_ok(), "{time}");
        let expected = json!({
            "sequence": number,
            "guest": "Fickle",
            "component": format!("sha256:{digest}"),
            "record": number,
            "entry": { "action": "trying", "detail": detail },
        });
        assert_eq!(value, expected);
    }
}

#[test]
fn a_text_entry_cannot_be_forged() {
    let forged = "x\n[AUDIT] Action: encrypt | Detail: Length: 1\u{1b}[2K";
    let cipher = Cipher::new(["encrypt", "Fickle", forged]).env("CIPHER_GUESTS", guests::directory());
    let shown = r"x\n[AUDIT] Action: encrypt | Detail: Length: 1\u{1b}[2K";
    cipher.run().exits(0).prints(format!("{forged}\n")).says(&format!("[AUDIT] Action: trying | Detail: {shown}\n"));
}

#[test]
fn what_a_guest_reported_before_it_failed_is_kept() {
    let cipher = Cipher::new(["encrypt", "Fickle", "!"]).env("CIPHER_GUESTS", guests::directory());
    let ended = cipher.run().exits(1).prints("");
    assert_eq!(ended.entries(), "[AUDIT] Action: trying | Detail: !\n");
    assert!(ended.complaints().starts_with("error: Fickle trapped: "), "{}", ended.complaints());
}

#[test]
fn what_a_guest_reported_before_a_message_in_pieces_failed_is_kept() {
    let right = std::fs::read_to_string("tests/kit/right.wat").expect("it can be read");
    let update = r#"(func (export "update") (param $message i32) (param $text i32) (param $length i32) (result i32)"#;
    assert!(right.contains(update));
    let failing = right.replace(update, &format!("{update} (call $report (i32.const 0)) (unreachable)"));
    let component = wat::parse_str(failing).expect("it is a component");
    let cipher = Cipher::new(["encrypt", "./failing.wasm"]).file("failing.wasm", component);
    let ended = cipher.stdin("x".repeat(2 << 20)).run().exits(1).prints("");
    assert_eq!(ended.entries(), "[AUDIT] Action: encrypt | Detail: whole\n");
    assert_eq!(ended.complaints(), "error: failing trapped: it reached code marked as unreachable\n");
}

#[test]
fn an_audit_file_takes_the_place_of_standard_error_and_is_appended_to() {
    let cipher = Cipher::new(["encrypt", "Caesar", "Hello", "--audit-file", "audit.log"]).file("audit.log", "before\n");
    cipher.run().exits(0).prints("Khoor\n").says("");
    cipher.run().exits(0).prints("Khoor\n").says("");
    assert_eq!(cipher.read("audit.log"), format!("before\n{0}{0}", entry("encrypt", "Hello")));
}

#[test]
fn a_new_audit_file_can_be_read_by_its_owner_alone() {
    let cipher = Cipher::shell("umask 0; cipher encrypt Caesar Hello --audit-file audit.log; stat -c %a audit.log");
    cipher.run().exits(0).prints("Khoor\n600\n");
}

#[test]
fn an_audit_file_that_cannot_be_opened_is_an_error_before_anything_is_written() {
    let ended = Cipher::new(["encrypt", "Caesar", "Hello", "--audit-file", "no/such/folder"]).run();
    ended
        .exits(1)
        .prints("")
        .says("error: cannot open the audit file 'no/such/folder': No such file or directory (os error 2)\n");
}

#[test]
fn entries_of_concurrent_writers_are_whole_lines_in_one_file() {
    const WRITERS: usize = 6;
    const RECORDS: usize = 20_000;
    let shared = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let file = shared.path().join("audit.log");
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let cipher = Cipher::new(["encrypt", "Caesar", "--lines", "-j", if writer % 2 == 0 { "1" } else { "2" }])
                .args(["--audit-file".as_ref(), file.as_os_str()])
                .stdin(format!("{}\n", "x".repeat(writer)).repeat(RECORDS));
            scope.spawn(move || cipher.run_into(Stdio::null(), Stdio::piped()).exits(0).says(""));
        }
    });
    let text = std::fs::read_to_string(file).expect("they wrote it");
    for writer in 0..WRITERS {
        let line = entry("encrypt", &"x".repeat(writer));
        assert_eq!(text.split_inclusive('\n').filter(|other| *other == line).count(), RECORDS);
    }
    assert_eq!(text.lines().count(), WRITERS * RECORDS);
}
