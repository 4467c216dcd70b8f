//! Ctrl-C and TERM in the middle of long work.

use std::io::Write;
use std::process::ChildStdin;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::Signal;

use crate::harness::{Cipher, entry, same};

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
            let entries = (0..count).map(|number| entry("encrypt", &format!("abc {number}")));
            same(ended.entries(), entries.collect::<String>());
            assert_eq!(ended.complaints(), format!("error: interrupted after {count} records\n"));
        }
    }
}

#[test]
fn a_second_signal_ends_a_program_whose_output_nobody_takes() {
    for jobs in ["-j1", "-j2"] {
        let mut cipher = Cipher::new(["encrypt", "Caesar", "--lines", "--audit-file", "audit", jobs]).start();
        let flood = flood(cipher.take_stdin(), |_| "abc\n".to_owned());
        cipher.line();
        for _ in 0..1000 {
            if cipher.goes_on() {
                cipher.signal(Signal::INT);
                thread::sleep(Duration::from_millis(100));
            }
        }
        assert!(!cipher.goes_on(), "it takes no notice of signals");
        cipher.end().exits(130);
        flood.join().expect("it does not panic");
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
