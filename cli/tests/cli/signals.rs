//! Signals that end long work.

use std::fs;
use std::io::Write;
use std::process::ChildStdin;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::guests;
use crate::harness::{Cipher, Running, audit_event, new_directory, same};

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
            // Kept open until now, so that the end of the input did not end the run.
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
            let events = (0..count).map(|number| audit_event("encrypt", &format!("abc {number}")));
            same(ended.audit_events(), events.collect::<String>());
            assert_eq!(ended.diagnostics(), format!("error: interrupted after {count} records\n"));
        }
    }
}

#[test]
fn crash_leaves_correct_prefix() {
    let signals = [(Signal::ABORT, "SIGABRT"), (Signal::BUS, "SIGBUS"), (Signal::SEGV, "SIGSEGV")];
    for (signal, name) in signals {
        let directory = new_directory();
        let audit = directory.path().join("audit");
        let cipher = Cipher::new(["encrypt", "Caesar", "--lines", "-j2", "--audit-file"]).args([&audit]);
        let mut cipher = cipher.start();
        let flood = flood(cipher.take_stdin(), |number| format!("abc {number}\n"));
        let first = cipher.line();
        cipher.signal(signal);
        let ended = cipher.end();
        flood.join().expect("it does not panic");
        let output = first + ended.text();
        let (whole, _) = output.rsplit_once('\n').expect("a line");
        let events = fs::read_to_string(&audit).expect("it is there");
        let results = (0..whole.lines().count()).map(|number| format!("def {number}\n"));
        same(format!("{whole}\n"), results.collect::<String>());
        let expected = (0..whole.lines().count()).map(|number| audit_event("encrypt", &format!("abc {number}")));
        assert!(events.starts_with(&expected.collect::<String>()), "an event is missing");
        assert_eq!(ended.status, None, "it was killed by the signal");
        let line = format!("error: cipher crashed ({name}): what is written is correct up to the last whole record\n");
        assert_eq!(ended.diagnostics(), line);
    }
}

#[test]
fn interrupt_keeps_finished_records() {
    // The log shows the trap of the third record at once. By then, two records are finished; the fourth never is.
    let script = "exec cipher encrypt Stuck --lines -j1 --timeout 1h 2>&1";
    let cipher = Cipher::shell(script).env("CIPHER_GUESTS", guests::directory()).env("RUST_LOG", "cipher=debug");
    let mut cipher = cipher.start();
    cipher.write("a\nb\n?\n!\n");
    let mut shown = String::new();
    while !shown.contains("unreachable") {
        shown += &cipher.line();
    }
    cipher.signal(Signal::INT);
    shown += cipher.end().exits(130).text();
    let results: String = shown.lines().filter(|line| line.len() == 1).collect();
    assert_eq!(results, "ab", "{shown}");
    assert!(shown.contains("error: interrupted after "), "{shown}");
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
    // The pipe of the audit events has no active reader.
    let script = "mkfifo audit; exec 3<>audit; exec cipher encrypt Caesar --lines --audit-file audit";
    let mut cipher = Cipher::shell(script).start();
    cipher.write("abc\n");
    assert_eq!(cipher.line(), "def\n");
    let flood = flood(cipher.take_stdin(), |_| "abc\n".to_owned());
    thread::sleep(Duration::from_millis(300));
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
        // Bit 14 of the signals that it catches is SIGTERM.
        let script = format!(
            "exec unshare --user --map-root-user --pid --fork --kill-child --mount-proc sh -c '\
             {{ until grep -q \"SigCgt:.*[4-7c-f]...$\" /proc/1/status; do sleep 0.1; done; kill -TERM 1; }} & \
             exec cipher {arguments}'"
        );
        let mut cipher = Cipher::shell(script).start();
        wait_for_end(&mut cipher);
        cipher.end().exits(143);
    }
}

#[test]
fn stopped_time_does_not_count() {
    let component = guests::misbehaving().join("sleep-hour.wasm");
    let stop = Duration::from_secs(3);
    for _ in 0..10 {
        let arguments = ["encrypt".as_ref(), component.as_os_str(), "x".as_ref(), "--timeout".as_ref(), "2s".as_ref()];
        let begun = Instant::now();
        let mut cipher = Cipher::new(arguments).start();
        thread::sleep(Duration::from_millis(500));
        cipher.signal(Signal::STOP);
        thread::sleep(stop);
        let was_stopped = cipher.goes_on();
        cipher.signal(Signal::CONT);
        let ended = cipher.end();
        // On a busy machine it may have ended before it was stopped.
        if was_stopped {
            ended.exits(1).says("error: sleep-hour ran longer than 2s (--timeout)\n");
            assert!(begun.elapsed() > stop + Duration::from_millis(1800), "{:?}", begun.elapsed());
            return;
        }
    }
    panic!("it always ends before it is stopped");
}

#[test]
fn stop_during_short_calls_does_not_count() {
    let directory = new_directory();
    let lines = directory.path().join("lines");
    fs::write(&lines, "abc\n".repeat(200_000)).expect("it is written");
    let script = "exec cipher encrypt Caesar -q --lines --isolate --timeout 1s <\"$LINES\" >/dev/null";
    let cipher = Cipher::shell(script).env("LINES", &lines).start();
    // Calls that are shorter than the interval of the ticker follow one another.
    for _ in 0..2 {
        thread::sleep(Duration::from_millis(300));
        cipher.signal(Signal::STOP);
        thread::sleep(Duration::from_millis(1500));
        cipher.signal(Signal::CONT);
    }
    cipher.end().exits(0).says("");
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

/// Writes numbered lines until they are no longer read.
fn flood(mut stdin: ChildStdin, line: impl Fn(u64) -> String + Send + 'static) -> JoinHandle<()> {
    thread::spawn(move || {
        for number in 0.. {
            if stdin.write_all(line(number).as_bytes()).is_err() {
                break;
            }
        }
    })
}
