//! Where results and audit entries go, and what happens when they cannot.

use std::fs::File;
use std::io::PipeWriter;

use crate::cipher::{Cipher, entry, same};
use crate::reference::caesar;

const FULL: &str = "No space left on device (os error 28)";

/// Every way to make the program write results, each with enough to fill a pipe and any buffer.
fn writers() -> Vec<Cipher> {
    let lines = "a line of text\n".repeat(200_000);
    let requests = "{\"algorithm\":\"Caesar\",\"message\":\"a message\"}\n".repeat(50_000);
    vec![
        Cipher::new(["encrypt", "Caesar", "text"]),
        Cipher::new(["encrypt", "Caesar"]).stdin("a message"),
        Cipher::new(["encrypt", "Caesar"]).stdin(lines.as_bytes()),
        Cipher::new(["encrypt", "Caesar", "--lines", "-j1"]).stdin(lines.as_bytes()),
        Cipher::new(["encrypt", "Caesar", "--lines", "-j2"]).stdin(lines.as_bytes()),
        Cipher::new(["batch", "-j1"]).stdin(requests.as_bytes()),
        Cipher::new(["batch", "-j2"]).stdin(requests.as_bytes()),
    ]
}

fn full() -> File {
    File::create("/dev/full").expect("Linux has it")
}

/// A pipe that nobody reads any more.
fn closed() -> PipeWriter {
    std::io::pipe().expect("a pipe").1
}

#[test]
fn output_that_nobody_reads_any_more_ends_the_program_quietly() {
    for cipher in writers().into_iter().chain([Cipher::new(["list"]), Cipher::new(["cache"])]) {
        let ended = cipher.run_into(closed(), std::process::Stdio::piped()).exits(0);
        assert_eq!(ended.complaints(), "");
    }
}

#[test]
fn head_ends_the_program_quietly() {
    for options in ["", "--lines", "--lines -j8"] {
        let lines = "a line of text\n".repeat(200_000);
        let script = format!("{{ cipher encrypt Caesar {options} --audit-file audit; echo $? >status; }} | head -n 1");
        let cipher = Cipher::shell(script).stdin(lines);
        cipher.run().exits(0).prints("d olqh ri whaw\n").says("");
        assert_eq!(cipher.read("status"), "0\n");
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    for cipher in writers().into_iter().chain([Cipher::new(["list"]), Cipher::new(["cache"])]) {
        let ended = cipher.run_into(full(), std::process::Stdio::piped()).exits(1);
        assert_eq!(ended.complaints(), format!("error: cannot write to standard output: {FULL}\n"));
    }
}

#[test]
fn help_that_cannot_be_written_is_an_error() {
    for arguments in [vec!["--help"], vec!["--version"], vec!["encrypt", "--help"]] {
        Cipher::new(arguments).run_into(full(), std::process::Stdio::piped()).exits(1);
    }
}

#[test]
fn a_result_is_withheld_when_its_audit_entry_cannot_be_written_to_standard_error() {
    for cipher in writers() {
        let ended = cipher.run_into(std::process::Stdio::piped(), full()).exits(1);
        // The result of a message in pieces is on its way before its entry comes, but never all of it.
        assert_ne!(ended.stdout.last(), Some(&b'\n'));
    }
}

#[test]
fn a_result_is_withheld_when_nobody_reads_the_audit_entries_any_more() {
    for cipher in writers() {
        let ended = cipher.run_into(std::process::Stdio::piped(), closed()).exits(1);
        assert_ne!(ended.stdout.last(), Some(&b'\n'));
    }
}

#[test]
fn a_result_is_withheld_when_its_audit_entry_cannot_be_written_to_the_audit_file() {
    for cipher in writers() {
        let ended = cipher.args(["--audit-file", "/dev/full"]).run().exits(1);
        assert_ne!(ended.stdout.last(), Some(&b'\n'));
        assert_eq!(
            String::from_utf8_lossy(&ended.stderr),
            format!("error: cannot write audit entries to '/dev/full', so the result is withheld: {FULL}\n")
        );
    }
}

#[test]
fn a_long_result_is_never_complete_before_its_audit_entry() {
    let text = "é".repeat(1 << 20);
    for end in ["z", "é", "日", "🎉"] {
        let text = format!("{text}{end}");
        let secret = caesar(&text, "3");
        let ended = Cipher::new(["encrypt", "Caesar", "--audit-file", "/dev/full"]).stdin(text).run().exits(1);
        let last = secret.chars().next_back().map_or(0, char::len_utf8);
        assert!(ended.stdout.len() <= secret.len() - last);
        same(&ended.stdout, &secret.as_bytes()[..ended.stdout.len()]);
    }
}

#[test]
fn an_audit_entry_comes_before_its_result() {
    let script = "cipher encrypt Caesar Hello 2>&1";
    Cipher::shell(script).run().exits(0).prints(entry("encrypt", "Hello") + "Khoor\n");

    let script = "cipher encrypt Caesar 2>&1";
    Cipher::shell(script).stdin("Hello").run().exits(0).prints(entry("encrypt", "Hello") + "Khoor");

    let text = "é".repeat(2 << 20);
    let ended = Cipher::shell(script).stdin(text.as_bytes()).run().exits(0);
    let at = ended.text().find("[AUDIT]").expect("there is an entry");
    assert!(ended.text()[at..].starts_with(&entry("encrypt", &text)));
    assert!(ended.text()[at..].ends_with('é'), "the last character comes after it");
}

#[test]
fn audit_entries_come_before_their_results_for_records_too() {
    for jobs in ["1", "4"] {
        let lines = "some line\n".repeat(100_000);
        let script = format!("cipher encrypt Caesar --lines -j {jobs} 2>&1");
        let ended = Cipher::shell(script).stdin(lines).run().exits(0);
        let (mut entries, mut results) = (0, 0);
        for line in ended.text().lines() {
            match line {
                "vrph olqh" => results += 1,
                _ => {
                    assert_eq!(line, entry("encrypt", "some line").trim_end());
                    entries += 1;
                }
            }
            assert!(results <= entries, "a result came before its entry");
        }
        assert_eq!((entries, results), (100_000, 100_000));
    }
}
