//! Progress and hints, which are shown on a terminal, or elsewhere on request.

use crate::guests;
use crate::harness::Cipher;

/// Three lines, slow enough for progress to be shown.
const SLOW: &str = "(echo one; until [ -s out ]; do sleep 0.1; done; sleep 0.6; echo two; sleep 0.3; echo three)";
const LINES: &str = "cipher encrypt Caesar --lines --audit-file /dev/null >out";

/// The end of a bar: an empty line.
const CLEARED: &str = "\r\u{1b}[2K";

/// `script` in a shell whose standard streams are a terminal. It has a file `notes`.
fn terminal(script: &str) -> Cipher {
    let spawn = format!(r#"import pty; pty.spawn(["sh", "-c", "{script}"])"#);
    Cipher::new(["-c", &spawn]).program("python3").env("TERM", "xterm").env("NO_COLOR", "1").file("notes", "text\n")
}

/// The output of `script` on a terminal.
fn shown(script: &str) -> String {
    terminal(script).run().exits(0).text().to_owned()
}

#[test]
fn shows_progress_of_slow_work() {
    let bar = shown(&format!("{SLOW} | {LINES}"));
    assert!(bar.contains("B/s") && bar.contains(" records"), "{bar:?}");
    assert!(bar.ends_with(CLEARED), "{bar:?}");
    assert_eq!(shown(&format!("{SLOW} | {LINES} 2>log; cat log")), "");
}

#[test]
fn progress_never_shows_nothing() {
    assert_eq!(shown(&format!("{SLOW} | {LINES} --progress never")), "");
    let compiling = Cipher::new(["encrypt", "Echo", "x", "--progress", "never"]);
    compiling.env("CIPHER_GUESTS", guests::directory()).run().exits(0).says("");
}

#[test]
fn progress_always_shows_fast_work() {
    let bar = shown(&format!("echo one | {LINES} --progress always"));
    assert!(bar.contains("B/s") && bar.ends_with(CLEARED), "{bar:?}");
}

#[test]
fn progress_always_prints_lines_elsewhere() {
    let lines = |input: &str| Cipher::shell(format!("{input} {LINES} --progress always")).file("notes", "one\ntwo\n");
    lines("< notes").run().exits(0).says("cipher: 2 records, 8 B of 8 B\n");
    let slow = lines("(echo one; until [ -s out ]; do sleep 0.1; done; sleep 1.2; echo two) |").run().exits(0);
    let printed = slow.diagnostics();
    assert!(printed.lines().count() > 1 && printed.ends_with("cipher: 2 records, 8 B\n"), "{printed}");
    let compiling = Cipher::new(["encrypt", "Echo", "x", "--progress", "always"]);
    let says = "cipher: compiling Echo for its first use\n";
    compiling.env("CIPHER_GUESTS", guests::directory()).run().exits(0).says(says);
}

#[test]
fn progress_adds_up_files() {
    let request = "{\"message\":\"abc\",\"algorithm\":\"Caesar\"}\n";
    let batch = |files: &str| format!("cipher batch {files} --progress always --audit-file /dev/null >>notes");
    // The size is unknown if one is a pipe.
    for (script, size) in [
        (batch("request request"), "2 records, 78 B of 78 B"),
        (format!("mkfifo pipe; cat request >pipe & {}", batch("pipe")), "1 record, 39 B"),
    ] {
        let cipher = Cipher::shell(script).file("request", request).file("notes", "text\n");
        cipher.run().exits(0).says(&format!("cipher: {size}\n"));
    }
}

#[test]
fn hints_at_text_that_names_file() {
    let hint = "cipher: 'notes' is taken as text; use '< notes' for the contents of the file\r\n";
    assert_eq!(shown("cipher encrypt -q Caesar notes"), format!("{hint}qrwhv\r\n"));
    assert_eq!(shown("cipher decrypt -q Caesar qrwhv"), "notes\r\n");
    // In a pipeline the hint would not be read, and a directory is not a message.
    assert_eq!(shown("cipher encrypt -q Caesar notes 2>log; cat log"), "qrwhv\r\n");
    assert_eq!(shown("cipher encrypt -q Caesar ."), ".\r\n");
}

#[test]
fn hints_at_what_it_waits_for() {
    let hint = "cipher: reading the message from the terminal; end it with Ctrl-D\r\n";
    let typed = terminal("cipher encrypt -q Caesar").stdin("abc\n\u{4}").run().exits(0);
    assert!(typed.text().contains(hint) && typed.text().ends_with("def\r\n"), "{}", typed.text());
}
