//! The order of results and audit events, and what happens if they cannot be written.

use std::fs::File;
use std::io::PipeWriter;
use std::process::Stdio;

use crate::harness::{Cipher, Ended, audit_event, same};
use crate::reference::caesar;

const FULL: &str = "No space left on device (os error 28)";

/// Long enough to fill any pipe and buffer, and to be streamed as one message.
fn lines() -> String {
    "a line of text\n".repeat(200_000)
}

/// Every command that writes complete results, each after its audit event.
fn writers() -> Vec<Cipher> {
    let requests = "{\"algorithm\":\"Caesar\",\"message\":\"a message\"}\n".repeat(50_000);
    vec![
        Cipher::new(["encrypt", "Caesar", "text"]),
        Cipher::new(["encrypt", "Caesar"]).stdin("a message"),
        Cipher::new(["encrypt", "Caesar", "--lines", "-j1"]).stdin(lines()),
        Cipher::new(["encrypt", "Caesar", "--lines", "-j2"]).stdin(lines()),
        Cipher::new(["batch", "-j1"]).stdin(requests.as_bytes()),
        Cipher::new(["batch", "-j2"]).stdin(requests.as_bytes()),
    ]
}

/// Every command that writes to stdout.
fn all_writers() -> Vec<Cipher> {
    let streamed = Cipher::new(["encrypt", "Caesar"]).stdin(lines());
    let others = [streamed, Cipher::new(["list"]), Cipher::new(["list", "--json"]), Cipher::new(["cache"])];
    writers().into_iter().chain(others).collect()
}

fn full() -> File {
    File::create("/dev/full").expect("Linux has it")
}

/// A pipe without a reader.
fn closed() -> PipeWriter {
    std::io::pipe().expect("a pipe").1
}

#[test]
fn ends_quietly_when_reader_is_gone() {
    for cipher in all_writers() {
        let ended = cipher.run_into(closed(), Stdio::piped()).exits(0);
        assert_eq!(ended.diagnostics(), "");
    }
}

#[test]
fn head_ends_quietly() {
    for options in ["", "--lines", "--lines -j8"] {
        let script = format!("{{ cipher encrypt Caesar {options} --audit-file audit; echo $? >status; }} | head -n 1");
        let cipher = Cipher::shell(script).stdin(lines());
        cipher.run().exits(0).prints("d olqh ri whaw\n").says("");
        assert_eq!(cipher.read("status"), "0\n");
    }
}

#[test]
fn reports_output_that_cannot_be_written() {
    for cipher in all_writers() {
        let ended = cipher.run_into(full(), Stdio::piped()).exits(6);
        assert_eq!(ended.diagnostics(), format!("error: cannot write to stdout: {FULL}\n"));
    }
}

#[test]
fn withholds_result_when_stderr_is_full() {
    for cipher in writers() {
        cipher.run_into(Stdio::piped(), full()).exits(6).prints("");
    }
    never_complete(|cipher| cipher.run_into(Stdio::piped(), full()));
}

#[test]
fn withholds_result_without_reader_of_stderr() {
    for cipher in writers() {
        cipher.run_into(Stdio::piped(), closed()).exits(6).prints("");
    }
    never_complete(|cipher| cipher.run_into(Stdio::piped(), closed()));
}

#[test]
fn withholds_result_from_full_audit_file() {
    let error = format!("error: cannot write audit events to '/dev/full', so the result is withheld: {FULL}\n");
    for cipher in writers() {
        cipher.args(["--audit-file", "/dev/full"]).run().exits(6).prints("").says(&error);
    }
    never_complete(|cipher| cipher.args(["--audit-file", "/dev/full"]).run().says(&error));
}

/// Expects that a streamed result lacks at least its last character, of any length, when `run` fails.
fn never_complete(run: impl Fn(Cipher) -> Ended) {
    for end in ['z', 'é', '日', '🎉'] {
        let text = format!("{}{end}", lines());
        let result = caesar(&text, "3");
        let ended = run(Cipher::new(["encrypt", "Caesar"]).stdin(text)).exits(6);
        let last = result.chars().next_back().map_or(0, char::len_utf8);
        assert!(!ended.stdout.is_empty() && ended.stdout.len() <= result.len() - last);
        same(&ended.stdout, &result.as_bytes()[..ended.stdout.len()]);
    }
}

#[test]
fn writes_event_before_result() {
    let script = "cipher encrypt Caesar Hello 2>&1";
    Cipher::shell(script).run().exits(0).prints(audit_event("encrypt", "Hello") + "Khoor\n");
    let script = "cipher encrypt Caesar 2>&1";
    Cipher::shell(script).stdin("Hello").run().exits(0).prints(audit_event("encrypt", "Hello") + "Khoor");
}

#[test]
fn writes_event_before_end_of_stream() {
    let text = "é".repeat(2 << 20);
    let ended = Cipher::shell("cipher encrypt Caesar 2>&1").stdin(text.as_bytes()).run().exits(0);
    ended.prints(text[2..].to_owned() + &audit_event("encrypt", &text) + "é");
}

#[test]
fn writes_events_before_results_of_records() {
    for jobs in ["1", "4"] {
        let lines = "some line\n".repeat(100_000);
        let script = format!("cipher encrypt Caesar --lines -j {jobs} 2>&1");
        let ended = Cipher::shell(script).stdin(lines).run().exits(0);
        let (mut events, mut results) = (0, 0);
        for line in ended.text().lines() {
            match line {
                "vrph olqh" => results += 1,
                _ => {
                    assert_eq!(line, audit_event("encrypt", "some line").trim_end());
                    events += 1;
                }
            }
            assert!(results <= events, "a result came before its event");
        }
        assert_eq!((events, results), (100_000, 100_000));
    }
}
