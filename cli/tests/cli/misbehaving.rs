//! Hostile and faulty guests: each file in `tests/misbehaving` is one, and states the outcome of its calls.
//!
//! Each advisory about wasmtime of 2026 (RUSTSEC, up to November) that a guest could provoke here has a guest that
//! tries:
//!
//! | advisory | guest |
//! |---|---|
//! | 0006, 0087: loads beyond the memory | `load-at-end-of-memory` |
//! | 0020, 0322: host memory through WASI | `handles-many`, `pollables-many`, `passes-too-much`, `random-in-loop`, `prints-100-megabytes` |
//! | 0085, 0316: values of any type, lifted dynamically | `denied-with-flags`, `denied-with-records` |
//! | 0088: memory of other instances in a pool | `grown-memory-of-another` |
//! | 0091, 0092, 0093: text converted between components | `converts-into-no-room`, `converts-misaligned-text`, `converts-into-misaligned-room`, `converts-past-memory` |
//! | 0114: table larger than the address space | `table-minimum` |
//! | 0223: state in the middle of bulk instructions | `fills-memory`, `fills-memory-once`, `state-after-trap` |
//! | 0570: typed function references | `subtype-call`, `subtype-test` |
//!
//! The others do not apply:
//!
//! | advisory | why not |
//! |---|---|
//! | 0086, 0089, 0094, 0095 | Winch is not compiled in |
//! | 0096 | aarch64 only; fixed before 48.0.0 |
//! | 0090, 0222 | bugs of the embedder's interface: no linker is cloned, and no store has types of two engines |
//! | 0022, 0268, 0324, 0327 | no async calls and no WASI 0.3 (`import-wasi-preview3`; tests of proposals) |
//! | 0315, 0325, 0326 | exceptions, GC, and typed function references are disabled (tests of proposals) |
//! | 0021 | HTTP is denied by functions of our own |
//! | 0149, 0188, 0269, 0314, 0323 | no files: every function of `wasi:filesystem` is denied (`probe-files`) |
//! | 0182, 0321 | no WASI 0.1 or earlier |

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
