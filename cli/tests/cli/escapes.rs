//! Names with terminal sequences, which are escaped wherever they are shown.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::harness::{Cipher, Ended};

/// Clears the screen, moves to another line, and reverses the direction of text.
const NAME: &str = "\u{1b}[2J\n\u{202e}\u{9b}2J";
/// The same in WebAssembly text.
const NAME_IN_WAT: &str = r"\1b[2J\n\u{202e}\u{9b}2J";

#[track_caller]
fn expect_safe(ended: &Ended) {
    for stream in [&ended.stdout, &ended.stderr] {
        let text = std::str::from_utf8(stream).expect("it is text");
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{7}']), "a terminal would obey {text:?}");
    }
}

#[test]
fn escapes_paths_in_errors() {
    let component = format!("./{NAME}.wasm");
    for arguments in [
        ["encrypt", &component, "x"],
        ["inspect", &component, "--json"],
        ["batch", NAME, "--isolate"],
        ["install", &component, "--force"],
        ["check", &component, "--json"],
    ] {
        let ended = Cipher::new(arguments).run();
        expect_safe(&ended);
        assert_eq!(ended.diagnostics().lines().count(), 1, "{}", ended.diagnostics());
    }
    let audit = Cipher::new(["encrypt", "Caesar", "x", "--audit-file", &format!("{NAME}/{NAME}")]).run().exits(6);
    expect_safe(&audit);
    let not_text = OsStr::from_bytes(b"./\xff\x1b[2J.wasm");
    expect_safe(&Cipher::new(["encrypt".as_ref(), not_text, "x".as_ref()]).run().exits(4));
}

#[test]
fn escapes_keys_of_manifests() {
    let manifest = "name = \"Odd\"\ndescription = \"\"\n\"\\u001b[2J\\n\\u202e\\u0007\" = 1\n";
    for arguments in [["encrypt", "Odd", "x"].as_slice(), &["list"]] {
        let cipher = Cipher::new(arguments).file("Odd.toml", manifest).file("Odd.wasm", "");
        let folder = cipher.directory().to_owned();
        let ended = cipher.env("CIPHER_GUESTS", folder).run().exits(4);
        expect_safe(&ended);
        assert!(ended.diagnostics().contains("Odd.toml"), "{}", ended.diagnostics());
    }
}

#[test]
fn escapes_names_in_components() {
    let component = wat::parse_str(format!(
        r#"(component
          (core module $"{NAME_IN_WAT}"
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
            (func $"{NAME_IN_WAT}" (export "call") (param i32 i32) (result i32) (unreachable)))
          (core instance $i (instantiate $"{NAME_IN_WAT}"))
          (func $call (param "input" string) (result string)
            (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
          (export "encr" (func $call))
          (export "decr" (func $call)))"#
    ))
    .expect("it is a component");
    let cipher = Cipher::new(["encrypt", "./odd.wasm", "x"]).file("odd.wasm", component).env("RUST_LOG", "trace");
    let ended = cipher.run().exits(1).prints("");
    expect_safe(&ended);
    assert!(ended.diagnostics().ends_with("error: odd trapped: it reached code marked as unreachable\n"));
}
