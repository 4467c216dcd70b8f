//! Many messages in one input: `--lines` and `--null`.

#[cfg(target_os = "linux")]
use std::{
    fs, thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::guests;
use crate::harness::{Cipher, Ended, audit_event, same};
use crate::reference::caesar;

fn lines(text: impl AsRef<[u8]>) -> Ended {
    Cipher::new(["encrypt", "Caesar", "--lines"]).stdin(text.as_ref()).run()
}

fn guest(arguments: &[&str], text: &str) -> Ended {
    Cipher::new(arguments).env("CIPHER_GUESTS", guests::directory()).stdin(text).run()
}

#[test]
fn keeps_line_endings() {
    lines("one\ntwo\r\nthree").exits(0).prints("rqh\nwzr\r\nwkuhh");
    lines("one\n\n\r\ntwo\n").exits(0).prints("rqh\n\n\r\nwzr\n");
    lines("\n").exits(0).prints("\n");
    lines("").exits(0).prints("").says("");
}

#[test]
fn keeps_lone_carriage_returns() {
    let ended = lines("a\rb\nc\r\r\nd\r").exits(0).prints("d\re\nf\r\r\ng\r");
    let lengths = ["a\rb", "c\r", "d\r"];
    assert_eq!(ended.audit_events(), lengths.map(|text| audit_event("encrypt", text)).concat());
}

#[test]
fn processes_each_line_separately() {
    let ended = Cipher::new(["encrypt", "Vigenere", "--lines"]).stdin("Hello, World!\nHello, World!\n").run();
    ended.exits(0).prints("Dedxk, Wgdhd!\nDedxk, Wgdhd!\n").says(&audit_event("encrypt", "Hello, World!").repeat(2));
}

#[test]
fn decrypts_lines() {
    let ended = Cipher::new(["decrypt", "Caesar", "--lines"]).stdin("Khoor\r\nZruog").run();
    ended.exits(0).prints("Hello\r\nWorld").says(&audit_event("decrypt", "Hello").repeat(2));
}

#[test]
fn processes_nul_terminated_records() {
    for option in ["--null", "-0"] {
        let ended = Cipher::new(["encrypt", "Caesar", option]).stdin("one\ntwo\0three\r\n\0\0four").run();
        let ended = ended.exits(0).prints("rqh\nwzr\0wkuhh\r\n\0\0irxu");
        assert_eq!(
            ended.audit_events(),
            ["one\ntwo", "three\r\n", "", "four"].map(|text| audit_event("encrypt", text)).concat()
        );
    }
}

#[test]
fn skips_invalid_utf8() {
    let ended = lines(b"one\na\xffb\nthree\n\xe6\x97").exits(3).prints("rqh\nwkuhh\n");
    assert_eq!(ended.audit_events(), audit_event("encrypt", "one") + &audit_event("encrypt", "three"));
    assert_eq!(
        ended.diagnostics(),
        "error: record 2: not valid UTF-8: byte 0xff at offset 1\n\
         error: record 4: not valid UTF-8: byte 0xe6 at offset 0\n\
         error: 2 of 4 records failed\n"
    );
}

#[test]
fn trap_fails_only_its_record() {
    for jobs in ["-j1", "-j2"] {
        let ended = guest(&["encrypt", "Fickle", "--lines", jobs], "one\n!\nthree\n!!\nfive");
        let ended = ended.exits(3).prints("one\nthree\nfive");
        let details = ["one", "!", "three", "!!", "five"];
        assert_eq!(
            ended.audit_events(),
            details.map(|text| format!("[AUDIT] Action: trying | Detail: {text}\n")).concat()
        );
        assert_eq!(
            ended.diagnostics(),
            "error: record 2: Fickle trapped: it reached code marked as unreachable\n\
             error: record 4: Fickle trapped: it reached code marked as unreachable\n\
             error: 2 of 5 records failed\n"
        );
    }
}

#[test]
fn stops_at_first_failure() {
    for jobs in ["-j1", "-j2", "-j8"] {
        // Each worker has blocks that come after the failure.
        let text = "one\ntwo\n!\n".to_owned() + &"and so on\n".repeat(100_000);
        let ended = guest(&["encrypt", "Fickle", "--lines", "--fail-fast", jobs], &text).exits(3).prints("one\ntwo\n");
        assert_eq!(
            ended.diagnostics(),
            "error: record 3: Fickle trapped: it reached code marked as unreachable\n\
             error: stopped at record 3, which failed\n"
        );
    }
}

#[test]
fn invalid_setting_fails_every_record() {
    let ended = Cipher::new(["encrypt", "Caesar", "--lines", "--set", "SHIFT_AMOUNT=x"]).stdin("one\ntwo\n").run();
    ended.exits(3).prints("").says(
        "error: record 1: Caesar failed: SHIFT_AMOUNT must be a whole number, not \"x\"\n\
         error: record 2: Caesar failed: SHIFT_AMOUNT must be a whole number, not \"x\"\n\
         error: 2 of 2 records failed\n",
    );
}

#[test]
fn rejects_results_with_separators() {
    let line_end = "its result contains a line end, so it would be read as several records; use --null";
    let nul = "its result contains a NUL character, so it would be read as several records";
    for (operation, option, reason) in
        [("encrypt", "--lines", line_end), ("encrypt", "--null", nul), ("decrypt", "--lines", line_end)]
    {
        let ended = guest(&[operation, "Splitter", option], "x\n").exits(3).prints("");
        ended.says(&format!("error: record 1: {reason}\nerror: 1 of 1 records failed\n"));
    }
    // A carriage return at the end of a result is unambiguous before CRLF, and in NUL-terminated records.
    guest(&["decrypt", "Splitter", "--lines"], "x\r\n").exits(0).prints("c\r\r\n");
    guest(&["decrypt", "Splitter", "--null"], "x\0").exits(0).prints("c\r\0");
}

#[test]
fn reuses_instances_unless_isolated() {
    guest(&["encrypt", "Counter", "--lines", "-j1"], "a\nb\nc\n").exits(0).prints("1\n2\n3\n");
    guest(&["encrypt", "Counter", "--lines", "-j1", "--isolate"], "a\nb\nc\n").exits(0).prints("1\n1\n1\n");
}

#[test]
fn long_record_fails_alone() {
    let text = format!("one\ntwo\n{}\r\nfour\n{}", "x".repeat(1 << 20), "y".repeat((1 << 20) - 1));
    for (jobs, trickles) in [("-j1", false), ("-j2", false), ("-j1", true)] {
        let mut cipher = Cipher::new(["encrypt", "Caesar", "--lines", "--max-message", "1048575B", jobs]);
        let ended = match trickles {
            false => cipher.stdin(text.as_bytes()).run(),
            true => {
                // Cut at another place, with another size for each part.
                let script = "{ head -c 1000000; sleep 0.1; head -c 48585; sleep 0.1; cat; } |";
                cipher = Cipher::shell(format!("{script} cipher encrypt Caesar --lines --max-message 1048575B"));
                cipher.stdin(text.as_bytes()).run()
            }
        };
        let expected = format!("rqh\nwzr\nirxu\n{}", "b".repeat((1 << 20) - 1));
        let ended = ended.exits(3).prints(expected);
        assert_eq!(
            ended.diagnostics(),
            "error: record 3: longer than 1048575 bytes (--max-message)\nerror: 1 of 5 records failed\n"
        );
    }
}

#[test]
fn survives_largest_message_limit() {
    let text = "x".repeat(3_000_000);
    for arguments in [&["encrypt", "Caesar"][..], &["encrypt", "Echo"], &["encrypt", "Caesar", "--lines"]] {
        let cipher = Cipher::new(arguments).args(["--max-message", "16EiB"]).env("CIPHER_GUESTS", guests::directory());
        assert_eq!(cipher.stdin(text.as_bytes()).run().exits(0).stdout.len(), text.len(), "{arguments:?}");
    }
}

#[test]
fn keeps_records_aligned_on_error() {
    let run = |option: &[&str]| {
        let arguments = ["encrypt", "Fickle", "--lines"].iter().chain(option).copied().collect::<Vec<_>>();
        guest(&arguments, "one\n!\r\nthree\n!").exits(3)
    };
    run(&[]).prints("one\nthree\n");
    run(&["--on-error", "skip"]).prints("one\nthree\n");
    run(&["--on-error", "empty"]).prints("one\n\r\nthree\n");
    run(&["--on-error", "fail"]).prints("one\n");
}

#[test]
fn continues_with_fewer_workers() {
    // The instances of all workers need more address space than the limit allows, which is not the fault of any record.
    let lines = "abc\n".repeat(3000);
    for kib in [4_400_000, 6_000_000, 9_000_000] {
        let script = format!("ulimit -v {kib}; exec cipher encrypt Caesar --lines -j4 --audit-file audit");
        Cipher::shell(script).stdin(lines.as_bytes()).run().exits(0).prints("def\n".repeat(3000)).says("");
    }
}

#[test]
fn pools_instances_only_for_records() {
    // A pool does not fit.
    for (command, count) in [("encrypt Caesar --isolate abc", 0), ("encrypt Caesar --lines --isolate -j4", 1)] {
        let script = format!("ulimit -v 6000000; exec cipher {command}");
        let said = Cipher::shell(script).env("RUST_LOG", "info").stdin("abc\n").run().exits(0).diagnostics();
        for line in ["running at most", "are not pooled"] {
            assert_eq!(said.matches(line).count(), count, "{command}: {said}");
        }
    }
}

#[test]
fn refuses_to_overwrite_input() {
    let script = |command: &str| Cipher::shell(format!("cipher {command} <>file >&0")).file("file", "abc\n");
    let file = r#"cipher batch file >>file"#;
    for cipher in [
        script("encrypt Caesar"),
        script("encrypt Caesar --lines"),
        script("encrypt Caesar --null"),
        script("batch"),
        Cipher::shell(file).file("file", "abc\n"),
    ] {
        let ended = cipher.run().exits(6).prints("");
        ended.says("error: the input and the output are the same file; write to another file\n");
        assert_eq!(cipher.read("file"), "abc\n");
    }
}

#[test]
fn writes_to_non_blocking_pipes() {
    // A process that shares the descriptor may make it non-blocking. The reader is slower than the writer.
    let script = r#"python3 -c '
import fcntl, os
for descriptor in 0, 1:
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_NONBLOCK)
os.execvp("cipher", ["cipher", "encrypt", "Caesar", "--audit-file", "audit"] + MODE)
' | (sleep 0.5; cat)"#;
    let text = "abc\n".repeat(200_000);
    for mode in ["[]", "[\"--lines\"]"] {
        let cipher = Cipher::shell(script.replace("MODE", mode));
        cipher.stdin(text.as_bytes()).run().exits(0).prints("def\n".repeat(200_000));
    }
}

#[test]
fn bounds_memory_of_runs() {
    // 600 MB of results or events. The bounds apply to the peak of the resident memory, in KiB, and to the size of the
    // output.
    const RECORDS: usize = 600;
    let peak = |arguments: &str, record: &str| {
        let script = format!("cipher {arguments} --audit-file /dev/null | wc -c >&2");
        let run = "import resource, subprocess, sys\n\
            status = subprocess.run(['sh', '-c', sys.argv[1]]).returncode\n\
            print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n\
            sys.exit(status)";
        let cipher = Cipher::new(["-c", run, &script]).program("python3").env("CIPHER_GUESTS", guests::directory());
        let ended = cipher.stdin(record.repeat(RECORDS)).run().exits(0);
        let bytes: usize = ended.diagnostics().trim().parse().expect("wc prints a number");
        assert!(bytes >= RECORDS, "{arguments}: {bytes} bytes came out");
        ended.text().trim().parse::<usize>().expect("a number")
    };
    for jobs in ["-j1", "-j4"] {
        for guest in ["LargeResult", "LargeAudit"] {
            let request = format!("{{\"message\":\"x\",\"algorithm\":\"{guest}\"}}\n");
            for (arguments, record) in [
                (format!("encrypt {guest} --lines {jobs}"), "x\n"),
                (format!("encrypt {guest} --null {jobs} --audit-format json"), "x\0"),
                (format!("batch {jobs}"), &request),
            ] {
                let kib = peak(&arguments, record);
                assert!(kib < 100 << 10, "{arguments}: {kib} KiB");
            }
        }
    }
}

#[test]
fn slow_record_delays_only_later_ones() {
    for jobs in ["-j1", "-j2"] {
        let arguments = ["encrypt", "Stuck", "--lines", "--timeout", "1h", jobs];
        let mut cipher = Cipher::new(arguments).env("CIPHER_GUESTS", guests::directory()).start();
        cipher.write("a\nb\nc\n!\nd\n");
        for expected in ["a\n", "b\n", "c\n"] {
            assert_eq!(cipher.line(), expected);
        }
        cipher.signal(Signal::INT);
        cipher.end().exits(130).prints("");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn slow_records_keep_all_workers_busy() {
    let arguments = ["encrypt", "Stuck", "--lines", "-j2", "--timeout", "1h"];
    let mut cipher = Cipher::new(arguments).env("CIPHER_GUESTS", guests::directory()).start();
    cipher.write("a\n!\n!\n");
    drop(cipher.take_stdin());
    assert_eq!(cipher.line(), "a\n");
    let patience = Instant::now() + Duration::from_secs(60);
    while busy_workers(cipher.id()) < 2 {
        assert!(Instant::now() < patience, "a worker is idle");
        thread::sleep(Duration::from_millis(10));
    }
    cipher.signal(Signal::INT);
    cipher.end().exits(130).prints("");
}

/// The number of workers of the process `id` that have computed for 0.2 s.
#[cfg(target_os = "linux")]
fn busy_workers(id: u32) -> usize {
    let is_busy = |thread: fs::DirEntry| {
        let stat = fs::read_to_string(thread.path().join("stat")).ok()?;
        let (name, fields) = stat.split_once('(')?.1.rsplit_once(") ")?;
        // In ticks of 10 ms.
        let user: u64 = fields.split(' ').nth(11)?.parse().ok()?;
        (name == "worker" && user >= 20).then_some(())
    };
    let threads = fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten();
    threads.filter_map(is_busy).count()
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
fn keeps_order_with_several_jobs() {
    const RUNS: usize = 10;
    let text = mixed(20_000);
    let run =
        |jobs: &str| Cipher::new(["encrypt", "Caesar", "--lines", "-j", jobs]).stdin(text.as_slice()).run().exits(3);
    let alone = run("1");
    let good: Vec<u8> =
        text.split_inclusive(|byte| *byte == b'\n').filter(|l| !l.contains(&0xff)).flatten().copied().collect();
    same(&alone.stdout, caesar(std::str::from_utf8(&good).expect("only text is left"), "3"));
    for _ in 0..RUNS {
        for jobs in ["2", "8"] {
            let together = run(jobs);
            same(&together.stdout, &alone.stdout);
            same(together.audit_events(), alone.audit_events());
            same(together.diagnostics(), alone.diagnostics());
        }
    }
}

#[test]
fn isolated_records_equal_others() {
    let text = mixed(3_000);
    for algorithm in ["Caesar", "Vigenere"] {
        // Python's start costs a few hundred microseconds for each.
        let text = if algorithm == "Caesar" { text.clone() } else { mixed(1_000) };
        let run = |options: &[&str]| {
            let cipher = Cipher::new(["encrypt", algorithm, "--lines"]).args(options).stdin(text.as_slice());
            cipher.run().exits(3)
        };
        let shared = run(&["-j1"]);
        for jobs in ["-j1", "-j2", "-j8"] {
            let isolated = run(&["--isolate", jobs]);
            same(&isolated.stdout, &shared.stdout);
            same(isolated.audit_events(), shared.audit_events());
        }
    }
}
