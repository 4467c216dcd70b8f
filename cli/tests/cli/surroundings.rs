//! Unusual surroundings: tight resource limits, odd home directories, and unexpected input.

use std::ffi::OsString;

use crate::guests;
use crate::harness::{Cipher, Ended, audit_event, same};
use crate::trust::{give, run_as};

/// A user without a name and without other processes.
const LONELY: u32 = 34_567;

/// Expects success with `output`, or a correct prefix of it and an error in one line, but no panic and no abort.
#[track_caller]
fn well_or_refused(ended: &Ended, output: &str, what: &str) {
    let diagnostics = ended.diagnostics();
    match ended.status {
        Some(0) => same(&ended.stdout, output),
        Some(1 | 4 | 6) => {
            assert!(output.as_bytes().starts_with(&ended.stdout), "{what}: {:?}", ended.text());
            assert!(
                diagnostics.lines().last().is_some_and(|line| line.starts_with("error: "))
                    && !diagnostics.contains("panicked")
                    && !diagnostics.contains("contract"),
                "{what}: {diagnostics}"
            );
        }
        other => panic!("{what}: it ended with {other:?}: {diagnostics}"),
    }
}

#[test]
fn small_address_space_suffices_or_fails() {
    // A guest's memory alone reserves four gigabytes.
    // With much less, the system cannot even start the program.
    for megabytes in [32, 64, 128, 256, 1024, 4096, 5000, 8192, 16384] {
        for (command, output) in [
            ("cipher encrypt Caesar Hello", "Khoor\n"),
            ("printf 'a\\nb\\n' | cipher encrypt Caesar --lines -j2", "d\ne\n"),
            ("printf 'a\\nb\\n' | cipher encrypt Caesar --lines --isolate -j2", "d\ne\n"),
            ("cipher encrypt Echo text", "text\n"),
        ] {
            let script = format!("ulimit -v {} && {command}", megabytes * 1024);
            let ended = Cipher::shell(&script).env("CIPHER_GUESTS", guests::directory()).run();
            well_or_refused(&ended, output, &script);
        }
    }
}

#[test]
fn many_workers_share_small_address_space() {
    // At different limits, workers run out of room at different allocations.
    for kilobytes in (60_000..300_000).step_by(4_000) {
        let script = format!("ulimit -v {kilobytes} && exec cipher encrypt Caesar --lines -j64");
        well_or_refused(&Cipher::shell(&script).stdin("a\nb\nc\nd\n").run(), "d\ne\nf\ng\n", &script);
    }
}

#[test]
fn requests_with_many_settings_share_small_address_space() {
    // Each request needs an instance of its own, whose memory reserves 32 MiB, so workers cannot keep any idle one.
    let message = "a".repeat(200_000);
    let request = |shift: usize| {
        format!(r#"{{"algorithm":"Caesar","settings":{{"SHIFT_AMOUNT":"{shift}"}},"message":"{message}"}}"#)
    };
    let requests: String = (0..60).map(|number| request(number % 26) + "\n").collect();
    let results = (0..60).map(|number| {
        let letter = char::from(b'a' + number % 26);
        format!("{{\"result\":\"{}\"}}\n", letter.to_string().repeat(200_000))
    });
    let output: String = results.collect();
    for kilobytes in (60_000..300_000).step_by(12_000) {
        let script = format!("ulimit -v {kilobytes} && exec cipher batch -j4");
        let ended = Cipher::shell(&script).stdin(requests.as_str()).run();
        well_or_refused(&ended, &output, &script);
        // Next to one instance, these 150 MB have room for the records of four workers.
        assert!(ended.status == Some(0) || kilobytes < 150_000, "{script}: {}", ended.diagnostics());
    }
}

#[test]
fn reports_record_too_large_for_memory() {
    let script = "ulimit -v 100000; { echo a; head -c 100M /dev/zero | tr '\\0' x; } | cipher encrypt Caesar --lines";
    let ended = Cipher::shell(script).run().exits(6).prints("d\n");
    let end = "error: out of memory: what is written is correct up to the last whole record\n";
    assert!(ended.diagnostics().ends_with(end), "{}", ended.diagnostics());
}

#[test]
fn compiles_without_more_threads() {
    // The stacks of a thousand threads take two gigabytes.
    let script = "ulimit -v 1000000 && cipher cache add Echo && cipher cache show";
    let cipher = Cipher::shell(script).env("RAYON_NUM_THREADS", "1000").env("CIPHER_GUESTS", guests::directory());
    let ended = cipher.run().exits(0);
    assert!(ended.text().contains("/Echo.wasm"), "{}", ended.text());
    ended.says("");
}

#[test]
fn names_limit_of_address_space() {
    for megabytes in [44, 52, 60] {
        for guest in ["Caesar", "Echo", "Vigenere"] {
            // An empty cache, because code compiled for another address space is not used.
            let script = format!("ulimit -v {}; cipher encrypt -q {guest} abc", megabytes * 1024);
            let ended = Cipher::shell(&script).env("CIPHER_GUESTS", guests::directory()).run();
            let said = ended.diagnostics();
            assert!(ended.status == Some(0) || said.contains("(ulimit -v)"), "{megabytes}: {guest}: {said}");
        }
    }
}

#[test]
fn reports_denied_executable_memory() {
    // The script denies executable memory as MemoryDenyWriteExecute in a systemd unit does (since Linux 6.3).
    let script = "import ctypes, os, sys\n\
        sys.exit(77) if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) else os.execvp('cipher', sys.argv[1:])";
    for guest in ["Caesar", "Echo"] {
        let cipher = Cipher::new(["-c", script, "cipher", "encrypt", "-q", guest, "x"]).program("python3");
        let ended = cipher.env("CIPHER_GUESTS", guests::directory()).env("RUST_LOG", "cipher::code::compile").run();
        if ended.status != Some(77) {
            let remedy = "in a systemd unit, set MemoryDenyWriteExecute=no";
            ended.exits(6).says(&format!("error: cannot run {guest}: the system denies executable memory; {remedy}\n"));
        }
    }
}

#[test]
fn few_processes_suffice_or_fail() {
    // The limit does not apply to root, and counts all processes of a user.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let [long, long_output] = ["a", "d"].map(|letter| letter.repeat(3 << 19));
    for processes in 1..8 {
        for (command, output) in [
            ("cipher encrypt -q Caesar Hello", "Khoor\n"),
            ("cipher encrypt -q Caesar < long", &long_output),
            ("cipher encrypt -q Caesar --lines -j4 < lines", "d\ne\n"),
            ("cipher encrypt -q Caesar --lines --isolate -j4 < lines", "d\ne\n"),
            ("cipher encrypt -q Echo text", "text\n"),
        ] {
            let script = format!("ulimit -u {processes} && exec {command}");
            let cipher = Cipher::shell(&script)
                .program("bash")
                .env("CIPHER_GUESTS", guests::directory())
                .file("lines", "a\nb\n")
                .file("long", &long);
            give(cipher.directory(), LONELY);
            well_or_refused(&run_as(&cipher, LONELY), output, &script);
        }
    }
}

#[test]
fn few_descriptors_suffice_or_fail() {
    for descriptors in 4..16 {
        for (command, output) in [
            ("cipher encrypt Caesar Hello", "Khoor\n"),
            ("cipher encrypt Caesar --lines -j4", "d\ne\n"),
            ("cipher encrypt Echo text", "text\n"),
        ] {
            let script = format!("ulimit -n {descriptors} && exec {command}");
            let ended = Cipher::shell(&script).env("CIPHER_GUESTS", guests::directory()).stdin("a\nb\n").run();
            well_or_refused(&ended, output, &script);
        }
    }
}

#[test]
fn output_fails_at_file_size_limit() {
    // In blocks of 512 bytes.
    let script =
        "yes text | head -n 10000 > in; cipher encrypt Echo x > out; ulimit -f 8; cipher encrypt Echo < in > out";
    let cipher = Cipher::shell(script).env("CIPHER_GUESTS", guests::directory());
    cipher.run().exits(6).prints("").says("error: cannot write to stdout: File too large (os error 27)\n");
    assert_eq!(cipher.read("out"), "text\n".repeat(1000)[..4096]);
}

#[test]
fn withholds_result_at_audit_size_limit() {
    let script = "ulimit -f 0; cipher encrypt Caesar Hello --audit-file audit.log";
    Cipher::shell(script).run().exits(6).prints("").says(
        "error: cannot write audit events to 'audit.log', so the result is withheld: File too large (os error 27)\n",
    );
}

const COMPILED_ON_EVERY_RUN: &str = "[WARN  cipher::code::artifact] Echo is compiled on every run, because ";

#[test]
fn runs_when_artifact_is_too_large() {
    let script = "ulimit -f 1; cipher encrypt Echo text";
    let ended = Cipher::shell(script).env("CIPHER_GUESTS", guests::directory()).run().exits(0).prints("text\n");
    let diagnostics = ended.diagnostics();
    assert!(diagnostics.starts_with(COMPILED_ON_EVERY_RUN) && diagnostics.contains("File too large"), "{diagnostics}");
    assert_eq!(diagnostics.lines().count(), 1, "{diagnostics}");
}

#[test]
fn unusable_home_only_disables_caching() {
    let homes = ["relative", "missing/home", "/dev/null", "/proc"].map(OsString::from);
    for home in homes {
        let cipher = Cipher::new(["encrypt", "Echo", "text"]).env("CIPHER_GUESTS", guests::directory());
        // A relative path does not count as a home, and a missing home is not created.
        let home = if home == "missing/home" { cipher.directory().join(home).into_os_string() } else { home };
        let ended = cipher.env("HOME", &home).run().exits(0).prints("text\n");
        let diagnostics = ended.diagnostics();
        assert!(diagnostics.starts_with(COMPILED_ON_EVERY_RUN), "{}: {diagnostics}", home.display());
        assert_eq!(diagnostics.lines().count(), 1, "{diagnostics}");
    }
    let unset = "unset HOME; XDG_CACHE_HOME=$PWD/cache cipher encrypt Echo text && ls cache/cipher/*.cwasm | wc -l";
    Cipher::shell(unset).env("CIPHER_GUESTS", guests::directory()).run().exits(0).prints("text\n1\n").says("");
}

#[test]
fn accepts_home_with_invalid_utf8() {
    let script = "HOME=$(printf \"$PWD/\\377\\376\") && export HOME && mkdir \"$HOME\" && \
        cipher encrypt Echo text && cipher cache show > /dev/null && ls \"$HOME\"/.cache/cipher/*.cwasm | wc -l";
    Cipher::shell(script).env("CIPHER_GUESTS", guests::directory()).run().exits(0).prints("text\n1\n").says("");
}

#[test]
fn reports_offset_of_invalid_byte() {
    const TEXT: &str = "aÄ日🎉z";
    for at in 0..=TEXT.len() {
        let mut bytes = TEXT.as_bytes().to_vec();
        bytes.insert(at, 0xff);
        // In the middle of a character, the error is at the start of that character.
        let first = (0..=at).rev().find(|&start| TEXT.is_char_boundary(start)).expect("the start is one");
        let what = format!("not valid UTF-8: byte 0x{:02x} at offset {first}", bytes[first]);
        let message = Cipher::new(["encrypt", "Caesar"]).stdin(bytes.as_slice()).run();
        message.exits(1).prints("").says(&format!("error: stdin is {what}\n"));
        let lines = [b"a\n".as_slice(), &bytes, b"\nb\n"].concat();
        let records = Cipher::new(["encrypt", "Caesar", "--lines"]).stdin(lines).run().exits(3).prints("d\ne\n");
        assert_eq!(records.diagnostics(), format!("error: record 2: {what}\nerror: 1 of 3 records failed\n"));
    }
}

#[test]
fn keeps_a_million_empty_lines() {
    const LINES: usize = 1_000_000;
    let echo = Cipher::new(["encrypt", "Echo", "--lines"]).env("CIPHER_GUESTS", guests::directory());
    echo.stdin("\n".repeat(LINES)).run().exits(0).prints("\n".repeat(LINES)).says("");
}

#[test]
fn keeps_byte_order_mark() {
    let marked = "\u{feff}Hello";
    Cipher::new(["encrypt", "Caesar"])
        .stdin(marked)
        .run()
        .exits(0)
        .prints("\u{feff}Khoor")
        .says(&audit_event("encrypt", marked));
    let lines = Cipher::new(["encrypt", "Caesar", "--lines"]).stdin("\u{feff}a\n\u{feff}b\r\n").run();
    lines.exits(0).prints("\u{feff}d\n\u{feff}e\r\n");
    // UTF-16 with its byte order mark.
    let wide = Cipher::new(["encrypt", "Caesar"]).stdin(b"\xff\xfeH\0i\0").run();
    wide.exits(1).prints("").says("error: stdin is not valid UTF-8: byte 0xff at offset 0\n");
}

#[test]
fn long_line_takes_linear_time() {
    // If every read copied what was read before, this would take minutes, and the test would kill the program.
    let script = "head -c 200M /dev/zero | tr '\\0' x | cipher encrypt -q Caesar --lines | wc -c";
    Cipher::shell(script).run().exits(0).prints("209715200\n").says("");
}

#[test]
fn skips_long_lines_without_storing_them() {
    let script = "ulimit -v 8000000; { printf 'a\\n'; head -c 200M /dev/zero | tr '\\0' x; } | \
        cipher encrypt Echo --lines --max-message 1MiB";
    let ended = Cipher::shell(script).env("CIPHER_GUESTS", guests::directory()).run().exits(3).prints("a\n");
    ended.says("error: record 2: longer than 1MiB (--max-message)\nerror: 1 of 2 records failed\n");
}
