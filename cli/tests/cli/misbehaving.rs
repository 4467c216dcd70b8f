//! Hostile and faulty guests: each file in `tests/misbehaving` is one, and states the outcome of its calls.

use std::fs;

use snapbox::Assert;

use crate::guests;
use crate::harness::Cipher;

/// A call of a misbehaving guest. The comment at the top of its file describes the guest, and then one or more calls:
///
/// ```text
/// ;; $ printf 'a\nb\n' | cipher encrypt NAME --lines
/// ;; status 1
/// ;; stdout a
/// ;; stderr error: record 2: [..]
/// ```
///
/// A shell runs the first line. The others are the exit status and the complete output, in which `[..]` matches any
/// text within a line.
#[derive(Default)]
struct Call {
    script: String,
    status: String,
    stdout: String,
    stderr: String,
}

fn calls(source: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for line in source.lines().map_while(|line| line.strip_prefix(";;")) {
        let line = line.trim_start();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let call = calls.last_mut();
        match (word, call) {
            ("$", _) => calls.push(Call { script: rest.to_owned(), ..Call::default() }),
            // A description of the guest.
            (_, None) => {}
            ("status", Some(call)) => rest.clone_into(&mut call.status),
            ("stdout", Some(call)) => call.stdout += &format!("{rest}\n"),
            ("stderr", Some(call)) => call.stderr += &format!("{rest}\n"),
            _ => panic!("not a status, stdout, or stderr line: {line}"),
        }
    }
    calls
}

#[test]
fn misbehaving_guests_end_as_stated() {
    let directory = guests::misbehaving();
    let mut failures = String::new();
    for file in guests::files("tests/misbehaving") {
        if file.extension().is_some_and(|extension| extension == "toml") {
            continue;
        }
        let source = fs::read_to_string(&file).expect("a guest can be read");
        let calls = calls(&source);
        assert!(!calls.is_empty(), "{} has no calls", file.display());
        for Call { script, status, stdout, stderr } in calls {
            let ended = Cipher::shell(&script).env("CIPHER_GUESTS", directory).run();
            let report = |status: &str, stdout: &str, stderr: &str| {
                format!("$ {script}\nstatus {status}\n--- stdout ---\n{stdout}--- stderr ---\n{stderr}")
            };
            let actual_status = ended.status.map_or("none: killed by a signal".to_owned(), |status| status.to_string());
            let out = String::from_utf8_lossy(&ended.stdout);
            // The audit event of a failed call repeats the error.
            let err = ended.stderr_lines(|line| !line.starts_with("[AUDIT] Failed: "));
            let (actual, expected) = (report(&actual_status, &out, &err), report(&status, &stdout, &stderr));
            let assert = Assert::new().normalize_paths(false);
            if let Err(difference) = assert.try_eq(Some(&file.display()), actual.into(), expected.into()) {
                failures += &difference.to_string();
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
