//! Ctrl-C and TERM in the middle of long work.

use std::io::Write;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::cipher::{Cipher, entry};

const SIGNALS: [(Signal, i32); 2] = [(Signal::INT, 130), (Signal::TERM, 143)];

#[test]
fn a_signal_between_two_records_ends_the_run_with_a_report() {
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
            assert_eq!(ended.entries(), entry("encrypt", "abc").repeat(3));
            assert_eq!(ended.complaints(), "error: interrupted after 3 records\n");
        }
    }
}

#[test]
fn a_signal_in_a_flood_leaves_whole_records_and_as_many_as_it_says() {
    for (signal, status) in SIGNALS {
        for arguments in [
            vec!["encrypt", "Caesar", "--lines", "-j1"],
            vec!["encrypt", "Caesar", "--lines", "-j2"],
            vec!["batch", "-j1"],
            vec!["batch", "-j2"],
        ] {
            let is_batch = arguments[0] == "batch";
            let mut cipher = Cipher::new(arguments).args(["--audit-file", "audit"]).start();
            let mut stdin = cipher.take_stdin();
            // A flood without an end: the writer stops when nobody reads any more.
            let flood = thread::spawn(move || {
                for number in 0.. {
                    let line = match is_batch {
                        true => format!("{{\"id\":{number},\"algorithm\":\"Caesar\",\"message\":\"abc\"}}\n"),
                        false => format!("abc {number}\n"),
                    };
                    if stdin.write_all(line.as_bytes()).is_err() {
                        break;
                    }
                }
            });
            let first = cipher.line();
            cipher.signal(signal);
            let ended = cipher.end().exits(status);
            flood.join().expect("it does not panic");
            let output = first + ended.text();
            assert!(output.ends_with('\n'), "the last record is whole");
            for (number, line) in output.lines().enumerate() {
                match is_batch {
                    true => assert_eq!(line, format!("{{\"id\":{number},\"result\":\"def\"}}")),
                    false => assert_eq!(line, format!("def {number}")),
                }
            }
            let count = output.lines().count();
            assert_eq!(ended.complaints(), format!("error: interrupted after {count} records\n"));
        }
    }
}

#[test]
fn a_second_signal_ends_a_program_whose_output_nobody_reads() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let mut cipher = Cipher::shell("exec cipher encrypt Caesar --lines -j1 --audit-file audit </dev/zero").start();
    drop((reader, writer));
    while cipher.goes_on() {
        cipher.signal(Signal::INT);
        thread::sleep(Duration::from_millis(20));
    }
    cipher.end().exits(130);
}
