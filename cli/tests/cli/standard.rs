//! Closed standard streams, and files that serve as two of them at once.

use crate::harness::Cipher;

const KHOOR: &str = "[AUDIT] Action: encrypt | Detail: Length: 5\n";

#[test]
fn reports_closed_stdout() {
    for command in ["encrypt Caesar Hello", "encrypt Caesar --lines </dev/null", "batch </dev/null", "list", "cache"] {
        let ended = Cipher::shell(format!("cipher {command} >&-")).run().exits(6).prints("");
        assert_eq!(ended.diagnostics(), "error: stdout is closed\n", "{command}");
    }
}

#[test]
fn reports_help_without_stdout() {
    for argument in ["--help", "--version", "encrypt --help"] {
        let closed = Cipher::shell(format!("cipher {argument} >&-")).run().exits(6);
        closed.prints("").says("error: stdout is closed\n");
        let full = Cipher::shell(format!("cipher {argument} >/dev/full")).run().exits(6).diagnostics();
        assert!(full.starts_with("error: cannot write to stdout: "), "{full}");
    }
    Cipher::shell("cipher --wrong 2>/dev/full").run().exits(2);
}

#[test]
fn withholds_result_when_stderr_is_closed() {
    for command in ["encrypt Caesar Hello", "encrypt Caesar --lines <lines"] {
        Cipher::shell(format!("cipher {command} 2>&-")).file("lines", "Hello\n").run().exits(6).prints("").says("");
    }
    let elsewhere = Cipher::shell("cipher encrypt Caesar Hello --audit-file audit 2>&-");
    elsewhere.run().exits(0).prints("Khoor\n").says("");
    assert_eq!(elsewhere.read("audit"), KHOOR);
}

#[test]
fn reports_closed_stdin_where_read() {
    for command in ["encrypt Caesar", "encrypt Caesar --lines", "batch"] {
        let ended = Cipher::shell(format!("cipher {command} <&-")).run();
        ended.exits(6).prints("").says("error: stdin is closed\n");
    }
    Cipher::shell("cipher encrypt Caesar Hello <&-").run().exits(0).prints("Khoor\n").says(KHOOR);
}

#[test]
fn fails_with_all_streams_closed() {
    Cipher::shell("cipher encrypt Caesar Hello <&- >&- 2>&-").run().exits(6);
}

#[test]
fn dev_null_is_not_closed() {
    let everything = "cipher encrypt Caesar Hello <>/dev/null 1<>/dev/null 2<>/dev/null";
    Cipher::shell(everything).run().exits(0);
}

#[test]
fn rejects_audit_file_shared_with_stream() {
    let text = "Hello\n";
    for (command, what) in [
        ("cipher encrypt Caesar Hello --audit-file file >>file", "output"),
        ("cipher encrypt Caesar --audit-file file <file", "input"),
        ("cipher encrypt Caesar --lines --audit-file ./file <file", "input"),
        ("cipher batch file --audit-file file", "input"),
        ("cipher batch --audit-file file <other >>file", "output"),
    ] {
        let cipher = Cipher::shell(command).file("file", text).file("other", "");
        let error = cipher.run().exits(2).prints("").diagnostics();
        let end = format!("file' is also the {what}; use a different file for audit events\n");
        assert!(error.starts_with("error: audit file '") && error.ends_with(&end), "{command}: {error}");
        assert_eq!(cipher.read("file"), text, "{command}");
    }
    // By another name, and through a pipe.
    let linked = Cipher::shell("ln file name && cipher encrypt Caesar --audit-file name <file").file("file", text);
    linked.run().exits(2).prints("");
    Cipher::shell("cipher encrypt Caesar Hello --audit-file /dev/stdout | cat; exit 0").run().prints("");
    // A device may serve as both.
    Cipher::shell("cipher encrypt Caesar Hello --audit-file /dev/null >/dev/null").run().exits(0).says("");
}

#[test]
fn waits_for_non_blocking_output() {
    // Another process that shares the pipe made it non-blocking, and its reader is slow.
    let set = "import os; os.set_blocking(1, False); os.set_blocking(2, False)";
    let script =
        format!("{{ python3 -c '{set}'; cipher encrypt Caesar --lines <lines; }} 2>&1 | {{ sleep 0.2; cat; }}");
    let lines = "some line\n".repeat(100_000);
    let ended = Cipher::shell(script).file("lines", lines).run().exits(0);
    assert_eq!(ended.text().lines().filter(|line| *line == "vrph olqh").count(), 100_000);
}
