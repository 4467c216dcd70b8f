//! Signals that end long work.

use std::io::Write;
use std::process::ChildStdin;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::guests;
use crate::harness::{Cipher, Running, audit_event, same};

const SIGNALS: [(Signal, i32); 3] = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)];

#[test]
fn reports_records_when_interrupted() {
    for (signal, status) in SIGNALS {
        for jobs in ["-j1", "-j2"] {
            let mut cipher = Cipher::new(["encrypt", "Caesar", "--lines", jobs]).start();
            for _ in 0..3 {
                cipher.write("abc\n");
                assert_eq!(cipher.line(), "def\n");
            }
            cipher.signal(signal);
            let stdin = cipher.take_stdin();
            let ended = cipher.end().exits(status).prints("");
            // Kept open until now, so that it was not the end of the input that ended the run.
            drop(stdin);
            assert_eq!(ended.audit_events(), audit_event("encrypt", "abc").repeat(3));
            assert_eq!(ended.diagnostics(), "error: interrupted after 3 records\n");
        }
    }
}

#[test]
fn interrupted_output_is_complete_records() {
    for (signal, status) in SIGNALS {
        for arguments in [
            vec!["encrypt", "Caesar", "--lines", "-j1"],
            vec!["encrypt", "Caesar", "--lines", "-j2"],
            vec!["batch", "-j1"],
            vec!["batch", "-j2"],
        ] {
            let is_batch = arguments[0] == "batch";
            let mut cipher = Cipher::new(arguments).start();
            let flood = flood(cipher.take_stdin(), move |number| match is_batch {
                true => format!("{{\"id\":{number},\"algorithm\":\"Caesar\",\"message\":\"abc {number}\"}}\n"),
                false => format!("abc {number}\n"),
            });
            let first = cipher.line();
            cipher.signal(signal);
            let ended = cipher.end().exits(status);
            flood.join().expect("it does not panic");
            let output = first + ended.text();
            assert!(output.ends_with('\n'), "the last record is whole");
            let count = output.lines().count();
            let results = (0..count).map(|number| match is_batch {
                true => format!("{{\"id\":{number},\"result\":\"def {number}\"}}\n"),
                false => format!("def {number}\n"),
            });
            same(output, results.collect::<String>());
            let entries = (0..count).map(|number| audit_event("encrypt", &format!("abc {number}")));
            same(ended.audit_events(), entries.collect::<String>());
            assert_eq!(ended.diagnostics(), format!("error: interrupted after {count} records\n"));
        }
    }
}

#[test]
fn interrupt_keeps_finished_records() {
    for jobs in ["-j1", "-j2"] {
        let arguments = ["encrypt", "Slow", "--lines", "--timeout", "1h", jobs];
        let mut cipher = Cipher::new(arguments).env("CIPHER_GUESTS", guests::directory()).start();
        // The second record is finished when the signal comes, and the third takes a second or so.
        cipher.write(&format!("a\nb\n{}", "!\n".repeat(100)));
        assert_eq!(cipher.line(), "a\n");
        cipher.signal(Signal::INT);
        let ended = cipher.end().exits(130);
        assert!(ended.text().starts_with("b\n"), "{}", ended.text());
        let count = 1 + ended.text().lines().count();
        assert_eq!(ended.diagnostics(), format!("error: interrupted after {count} records\n"));
    }
}

#[test]
fn one_signal_ends_stuck_output() {
    for (signal, status) in SIGNALS {
        for jobs in ["-j1", "-j2"] {
            let mut cipher = Cipher::new(["encrypt", "Caesar", "--lines", "--audit-file", "audit", jobs]).start();
            let flood = flood(cipher.take_stdin(), |_| "abc\n".to_owned());
            cipher.line();
            thread::sleep(Duration::from_millis(300));
            cipher.signal(signal);
            wait_for_end(&mut cipher);
            cipher.end().exits(status);
            flood.join().expect("it does not panic");
        }
    }
}

#[test]
fn one_signal_ends_stuck_audit() {
    // Nobody reads the pipe of the audit events.
    let script = "mkfifo audit; exec 3<>audit; exec cipher encrypt Caesar --lines --audit-file audit";
    let mut cipher = Cipher::shell(script).start();
    let flood = flood(cipher.take_stdin(), |_| "abc\n".to_owned());
    thread::sleep(Duration::from_millis(500));
    cipher.signal(Signal::TERM);
    wait_for_end(&mut cipher);
    cipher.end().exits(143);
    flood.join().expect("it does not panic");
}

#[test]
fn ignored_signals_stay_ignored() {
    for (name, signal) in [("INT", Signal::INT), ("TERM", Signal::TERM), ("HUP", Signal::HUP)] {
        let script = format!("trap '' {name}; exec cipher encrypt Caesar --lines");
        let mut cipher = Cipher::shell(script).start();
        cipher.write("abc\n");
        assert_eq!(cipher.line(), "def\n");
        cipher.signal(signal);
        thread::sleep(Duration::from_millis(200));
        cipher.write("xyz\n");
        assert_eq!(cipher.line(), "abc\n");
        cipher.end().exits(0);
    }
}

#[test]
fn signal_ends_first_process_of_container() {
    // In a process namespace of its own, `cipher` is process 1, for which signals have no default action.
    let can_unshare = Cipher::shell("unshare --user --map-root-user --pid --fork true").run().status == Some(0);
    if !can_unshare {
        return;
    }
    for arguments in ["encrypt Caesar", "encrypt Caesar --lines", "batch"] {
        let script = format!(
            "exec unshare --user --map-root-user --pid --fork --mount-proc sh -c '\
             {{ sleep 1; kill -TERM 1; sleep 5; kill -KILL 1; }} & exec cipher {arguments}'"
        );
        let mut cipher = Cipher::shell(script).start();
        wait_for_end(&mut cipher);
        cipher.end().exits(143);
    }
}

/// Waits until the program ends by itself, although its stdin is open.
#[track_caller]
fn wait_for_end(cipher: &mut Running) {
    let begun = Instant::now();
    while cipher.goes_on() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the signal does not end it");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Writes numbered lines without an end, until nobody reads them any more.
fn flood(mut stdin: ChildStdin, line: impl Fn(u64) -> String + Send + 'static) -> JoinHandle<()> {
    thread::spawn(move || {
        for number in 0.. {
            if stdin.write_all(line(number).as_bytes()).is_err() {
                break;
            }
        }
    })
}
