//! Many messages in one input: `--lines` and `--null`.

use crate::guests;
use crate::harness::{Cipher, Ended, entry, same};
use crate::reference::caesar;

fn lines(text: impl AsRef<[u8]>) -> Ended {
    Cipher::new(["encrypt", "Caesar", "--lines"]).stdin(text.as_ref()).run()
}

fn guest(arguments: &[&str], text: &str) -> Ended {
    Cipher::new(arguments).env("CIPHER_GUESTS", guests::directory()).stdin(text).run()
}

#[test]
fn every_line_keeps_the_ending_that_it_had() {
    lines("one\ntwo\r\nthree").exits(0).prints("rqh\nwzr\r\nwkuhh");
    lines("one\n\n\r\ntwo\n").exits(0).prints("rqh\n\n\r\nwzr\n");
    lines("\n").exits(0).prints("\n");
    lines("").exits(0).prints("").says("");
}

#[test]
fn a_lone_carriage_return_belongs_to_the_message() {
    let ended = lines("a\rb\nc\r\r\nd\r").exits(0).prints("d\re\nf\r\r\ng\r");
    let lengths = ["a\rb", "c\r", "d\r"];
    assert_eq!(ended.entries(), lengths.map(|text| entry("encrypt", text)).concat());
}

#[test]
fn every_line_is_a_message_of_its_own() {
    let ended = Cipher::new(["encrypt", "Vigenere", "--lines"]).stdin("Hello, World!\nHello, World!\n").run();
    ended.exits(0).prints("Dedxk, Wgdhd!\nDedxk, Wgdhd!\n").says(&entry("encrypt", "Hello, World!").repeat(2));
}

#[test]
fn lines_are_decrypted_too() {
    let ended = Cipher::new(["decrypt", "Caesar", "--lines"]).stdin("Khoor\r\nZruog").run();
    ended.exits(0).prints("Hello\r\nWorld").says(&entry("decrypt", "Hello").repeat(2));
}

#[test]
fn records_that_end_in_nul_may_have_lines() {
    for option in ["--null", "-0"] {
        let ended = Cipher::new(["encrypt", "Caesar", option]).stdin("one\ntwo\0three\r\n\0\0four").run();
        let ended = ended.exits(0).prints("rqh\nwzr\0wkuhh\r\n\0\0irxu");
        assert_eq!(ended.entries(), ["one\ntwo", "three\r\n", "", "four"].map(|text| entry("encrypt", text)).concat());
    }
}

#[test]
fn a_record_that_is_not_utf8_costs_only_itself() {
    let ended = lines(b"one\na\xffb\nthree\n\xe6\x97").exits(1).prints("rqh\nwkuhh\n");
    assert_eq!(ended.entries(), entry("encrypt", "one") + &entry("encrypt", "three"));
    assert_eq!(
        ended.complaints(),
        "error: record 2: it is not UTF-8: byte 0xff at offset 1 of the record\n\
         error: record 4: it is not UTF-8: byte 0xe6 at offset 0 of the record\n\
         error: 2 of 4 records failed\n"
    );
}

#[test]
fn a_trap_costs_only_its_record() {
    for jobs in ["-j1", "-j2"] {
        let ended = guest(&["encrypt", "Fickle", "--lines", jobs], "one\n!\nthree\n!!\nfive");
        let ended = ended.exits(1).prints("one\nthree\nfive");
        let details = ["one", "!", "three", "!!", "five"];
        assert_eq!(ended.entries(), details.map(|text| format!("[AUDIT] Action: trying | Detail: {text}\n")).concat());
        assert_eq!(
            ended.complaints(),
            "error: record 2: Fickle trapped: it reached code marked as unreachable\n\
             error: record 4: Fickle trapped: it reached code marked as unreachable\n\
             error: 2 of 5 records failed\n"
        );
    }
}

#[test]
fn fail_fast_stops_at_the_first_record_that_fails() {
    for jobs in ["-j1", "-j2", "-j8"] {
        // Each job has blocks to work on that come after the failure.
        let text = "one\ntwo\n!\n".to_owned() + &"and so on\n".repeat(100_000);
        let ended = guest(&["encrypt", "Fickle", "--lines", "--fail-fast", jobs], &text).exits(1).prints("one\ntwo\n");
        assert_eq!(
            ended.complaints(),
            "error: record 3: Fickle trapped: it reached code marked as unreachable\n\
             error: 1 of 3 records failed\n"
        );
    }
}

#[test]
fn a_setting_that_cannot_be_used_fails_every_record_without_stopping() {
    let ended = Cipher::new(["encrypt", "Caesar", "--lines", "--set", "SHIFT_AMOUNT=x"]).stdin("one\ntwo\n").run();
    ended.exits(1).prints("").says(
        "error: record 1: Caesar failed: SHIFT_AMOUNT must be a whole number, not \"x\"\n\
         error: record 2: Caesar failed: SHIFT_AMOUNT must be a whole number, not \"x\"\n\
         error: 2 of 2 records failed\n",
    );
}

#[test]
fn a_result_that_would_be_read_as_two_records_is_an_error() {
    for (operation, option) in [("encrypt", "--lines"), ("encrypt", "--null"), ("decrypt", "--lines")] {
        guest(&[operation, "Splitter", option], "x\n").exits(1).prints("").says(
            "error: record 1: its result contains the separator, so it would be read as several records\n\
             error: 1 of 1 records failed\n",
        );
    }
    // A carriage return at the end is none to be mistaken when CRLF follows, or when lines do not count.
    guest(&["decrypt", "Splitter", "--lines"], "x\r\n").exits(0).prints("c\r\r\n");
    guest(&["decrypt", "Splitter", "--null"], "x\0").exits(0).prints("c\r\0");
}

#[test]
fn an_instance_serves_record_after_record_unless_each_is_isolated() {
    guest(&["encrypt", "Counter", "--lines", "-j1"], "a\nb\nc\n").exits(0).prints("1\n2\n3\n");
    guest(&["encrypt", "Counter", "--lines", "-j1", "--isolate"], "a\nb\nc\n").exits(0).prints("1\n1\n1\n");
}

#[test]
fn a_record_that_is_too_long_ends_the_run_after_those_before_it() {
    let text = format!("one\ntwo\n{}\nfour\n", "x".repeat(2 << 20));
    for jobs in ["-j1", "-j2"] {
        let cipher = Cipher::new(["encrypt", "Caesar", "--lines", "--max-message", "1MiB", jobs]);
        let ended = cipher.stdin(text.as_bytes()).run().exits(1).prints("rqh\nwzr\n");
        assert_eq!(ended.complaints(), "error: record 3 is longer than 1MiB (--max-message)\n");
    }
}

/// Lines of many lengths, some of which are not text.
fn mixed(count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..count {
        bytes.extend(format!("line {number} {}", "größer ".repeat(number * 7919 % 40)).bytes());
        if number % 997 == 5 {
            bytes.push(0xff);
        }
        bytes.extend(if number % 5 == 0 { "\r\n" } else { "\n" }.bytes());
    }
    bytes
}

#[test]
fn any_number_of_jobs_gives_the_same_as_one_run_after_run() {
    const RUNS: usize = 10;
    let text = mixed(20_000);
    let run =
        |jobs: &str| Cipher::new(["encrypt", "Caesar", "--lines", "-j", jobs]).stdin(text.as_slice()).run().exits(1);
    let alone = run("1");
    let good: Vec<u8> =
        text.split_inclusive(|byte| *byte == b'\n').filter(|l| !l.contains(&0xff)).flatten().copied().collect();
    same(&alone.stdout, caesar(std::str::from_utf8(&good).expect("only text is left"), "3"));
    for _ in 0..RUNS {
        for jobs in ["2", "8"] {
            let together = run(jobs);
            same(&together.stdout, &alone.stdout);
            same(together.entries(), alone.entries());
            same(together.complaints(), alone.complaints());
        }
    }
}

#[test]
fn isolated_records_come_out_as_others_do() {
    let text = mixed(3_000);
    for algorithm in ["Caesar", "Vigenere"] {
        // Python's start costs a few hundred microseconds for each.
        let text = if algorithm == "Caesar" { text.clone() } else { mixed(1_000) };
        let run = |options: &[&str]| {
            let cipher = Cipher::new(["encrypt", algorithm, "--lines"]).args(options).stdin(text.as_slice());
            cipher.run().exits(1)
        };
        let shared = run(&["-j1"]);
        for jobs in ["-j1", "-j2", "-j8"] {
            let isolated = run(&["--isolate", jobs]);
            same(&isolated.stdout, &shared.stdout);
            same(isolated.entries(), shared.entries());
        }
    }
}

/// What a terminal shows of `script`.
fn terminal(script: &str) -> String {
    let spawn = format!(r#"import pty; pty.spawn(["sh", "-c", "{script}"])"#);
    Cipher::new(["-c", &spawn]).program("python3").env("TERM", "xterm").run().exits(0).text().to_owned()
}

#[test]
fn a_terminal_shows_how_far_long_work_is() {
    let slow = "(echo one; sleep 0.6; echo two; sleep 0.3; echo three)";
    let cipher = "cipher encrypt Caesar --lines --audit-file /dev/null >/dev/null";
    let shown = terminal(&format!("{slow} | {cipher}"));
    assert!(shown.contains("B/s"), "{shown:?}");
    // Where standard error is no terminal, nothing does.
    let shown = terminal(&format!("{slow} | {cipher} 2>log; cat log"));
    assert_eq!(shown, "");
}
