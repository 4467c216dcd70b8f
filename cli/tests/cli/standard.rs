//! Standard input, output and error that are closed, and files that are two of them at once.

use crate::harness::Cipher;

const KHOOR: &str = "[AUDIT] Action: encrypt | Detail: Length: 5\n";

#[test]
fn a_closed_standard_output_is_an_error() {
    for command in ["encrypt Caesar Hello", "encrypt Caesar --lines </dev/null", "batch </dev/null", "list", "cache"] {
        let ended = Cipher::shell(format!("cipher {command} >&-")).run().exits(1).prints("");
        assert_eq!(ended.complaints(), "error: standard output is closed\n", "{command}");
    }
}

#[test]
fn help_that_nobody_can_get_is_an_error() {
    for argument in ["--help", "--version", "encrypt --help"] {
        let closed = Cipher::shell(format!("cipher {argument} >&-")).run().exits(1);
        closed.prints("").says("error: standard output is closed\n");
        let full = Cipher::shell(format!("cipher {argument} >/dev/full")).run().exits(1).complaints();
        assert!(full.starts_with("error: cannot write to standard output: "), "{full}");
    }
    Cipher::shell("cipher --wrong 2>/dev/full").run().exits(2);
}

#[test]
fn no_result_comes_out_when_standard_error_is_closed_to_its_audit_entry() {
    for command in ["encrypt Caesar Hello", "encrypt Caesar --lines <lines"] {
        Cipher::shell(format!("cipher {command} 2>&-")).file("lines", "Hello\n").run().exits(1).prints("").says("");
    }
    let elsewhere = Cipher::shell("cipher encrypt Caesar Hello --audit-file audit 2>&-");
    elsewhere.run().exits(0).prints("Khoor\n").says("");
    assert_eq!(elsewhere.read("audit"), KHOOR);
}

#[test]
fn a_closed_standard_input_is_an_error_where_it_is_read() {
    for command in ["encrypt Caesar", "encrypt Caesar --lines", "batch"] {
        let ended = Cipher::shell(format!("cipher {command} <&-")).run();
        ended.exits(1).prints("").says("error: standard input is closed\n");
    }
    Cipher::shell("cipher encrypt Caesar Hello <&-").run().exits(0).prints("Khoor\n").says(KHOOR);
}

#[test]
fn all_closed_is_an_error() {
    Cipher::shell("cipher encrypt Caesar Hello <&- >&- 2>&-").run().exits(1);
}

#[test]
fn dev_null_is_not_closed() {
    let everything = "cipher encrypt Caesar Hello <>/dev/null 1<>/dev/null 2<>/dev/null";
    Cipher::shell(everything).run().exits(0);
}

#[test]
fn an_audit_file_that_is_the_input_or_the_output_is_refused_before_anything_is_written() {
    let text = "Hello\n";
    for (command, what) in [
        ("cipher encrypt Caesar Hello --audit-file file >>file", "output"),
        ("cipher encrypt Caesar --audit-file file <file", "input"),
        ("cipher encrypt Caesar --lines --audit-file ./file <file", "input"),
        ("cipher batch file --audit-file file", "input"),
        ("cipher batch --audit-file file <other >>file", "output"),
    ] {
        let cipher = Cipher::shell(command).file("file", text).file("other", "");
        let error = cipher.run().exits(1).prints("").complaints();
        let end = format!("file' is the {what}, too; give the entries a file of their own\n");
        assert!(error.starts_with("error: --audit-file '") && error.ends_with(&end), "{command}: {error}");
        assert_eq!(cipher.read("file"), text, "{command}");
    }
    // By another name, and through a pipe.
    let linked = Cipher::shell("ln file name && cipher encrypt Caesar --audit-file name <file").file("file", text);
    linked.run().exits(1).prints("");
    Cipher::shell("cipher encrypt Caesar Hello --audit-file /dev/stdout | cat; exit 0").run().prints("");
    // A device may be both.
    Cipher::shell("cipher encrypt Caesar Hello --audit-file /dev/null >/dev/null").run().exits(0).says("");
}
