//! Secrets: how they are given, and that their values are never shown.

use std::fs;

use tempfile::TempDir;

use crate::catalog::caesar;
use crate::guests;
use crate::harness::{Cipher, Ended, new_directory};

/// A value that Caesar refuses and repeats in its reason: quoted, escaped, and shortened if it is long.
const CANARY: &str = "canary-\"7fd1\"\\0123456789-canary-0123456789-end";
/// Parts of the canary that would reveal it, in any escaping.
const GIVEAWAYS: [&str; 3] = ["canary", "7fd1", "456789"];

const MANIFEST: &str = "\
name = \"Keyed\"
description = \"Caesar with a secret shift\"
[settings.SHIFT_AMOUNT]
help = \"\"
secret = true
";

/// A guest directory with the guest `Keyed`, whose setting SHIFT_AMOUNT is secret.
pub(crate) fn keyed() -> TempDir {
    let folder = new_directory();
    fs::copy(caesar(), folder.path().join("Keyed.wasm")).expect("a component is copied");
    fs::write(folder.path().join("Keyed.toml"), MANIFEST).expect("a manifest is written");
    folder
}

/// A shell script in a directory with the canary in `key` and `3` in `three`.
fn shell(folder: &TempDir, script: &str) -> Cipher {
    let cipher = Cipher::shell(script).env("CIPHER_GUESTS", folder.path());
    cipher.file("key", format!("{CANARY}\n")).file("three", "3\r\n")
}

#[track_caller]
fn assert_hidden(ended: &Ended) {
    for output in [&ended.stdout, &ended.stderr] {
        let output = String::from_utf8_lossy(output);
        for part in GIVEAWAYS {
            assert!(!output.contains(part), "{output}");
        }
    }
}

#[test]
fn reads_secrets_from_files() {
    let folder = keyed();
    for script in [
        "cipher encrypt Keyed --set-file SHIFT_AMOUNT=three abc",
        "cipher encrypt Keyed --set-file SHIFT_AMOUNT=/dev/fd/3 abc 3< three",
        "cat three | cipher encrypt Keyed --set-file SHIFT_AMOUNT=/dev/fd/0 abc",
        "cipher encrypt Keyed --set-file SHIFT_AMOUNT=- abc < three",
        "SHIFT_AMOUNT_FILE=three cipher encrypt Keyed abc",
        "SHIFT_AMOUNT=3 cipher encrypt Keyed abc",
        "printf abc | cipher encrypt Keyed --set-file SHIFT_AMOUNT=three",
        "SHIFT_AMOUNT_FILE=key cipher encrypt Keyed abc --set-file SHIFT_AMOUNT=key --set-file SHIFT_AMOUNT=three",
    ] {
        let ended = shell(&folder, script).run().exits(0);
        assert_eq!(ended.text().trim_end(), "def", "{script}");
        assert_eq!(ended.diagnostics(), "", "{script}");
    }
}

#[test]
fn warns_once_of_process_list() {
    let ended = shell(&keyed(), "cipher encrypt Keyed --set SHIFT_AMOUNT=3 abc").run().exits(0).prints("def\n");
    let warning =
        "the process list shows SHIFT_AMOUNT while it is given with --set; use --set-file SHIFT_AMOUNT=PATH\n";
    assert_eq!(ended.diagnostics().lines().count(), 1, "{}", ended.diagnostics());
    assert!(ended.diagnostics().ends_with(warning), "{}", ended.diagnostics());
    let requests = r#"{"message":"a"}"#.replace('}', r#","algorithm":"Keyed"}"#);
    let script = format!("printf '{requests}\\n{requests}\\n' | cipher batch --set SHIFT_AMOUNT=3");
    let ended = shell(&keyed(), &script).run().exits(0).prints("{\"result\":\"d\"}\n{\"result\":\"d\"}\n");
    assert_eq!(ended.diagnostics().matches("process list").count(), 1, "{}", ended.diagnostics());
}

#[test]
fn never_shows_secret() {
    let folder = keyed();
    for script in [
        "cipher encrypt Keyed --set-file SHIFT_AMOUNT=key abc",
        "cipher encrypt Keyed --set SHIFT_AMOUNT=\"$(cat key)\" abc",
        "SHIFT_AMOUNT=\"$(cat key)\" cipher decrypt Keyed abc",
        "SHIFT_AMOUNT_FILE=key cipher encrypt Keyed --lines < three",
        "SHIFT_AMOUNT_FILE=key cipher decrypt Keyed --lines --audit-format json < three",
        "cipher encrypt Keyed --set-file SHIFT_AMOUNT=key --audit-format json abc",
        "cipher encrypt Keyed --set-file SHIFT_AMOUNT=three --verify --verify-set-file SHIFT_AMOUNT=key abc",
        "cipher check Keyed --set-file SHIFT_AMOUNT=key; SHIFT_AMOUNT_FILE=key cipher inspect Keyed",
        "SHIFT_AMOUNT_FILE=key cipher list; SHIFT_AMOUNT_FILE=key cipher list --json",
        "echo '{\"message\":\"a\",\"algorithm\":\"Keyed\"}' | cipher batch --set-file SHIFT_AMOUNT=key",
        "cipher encrypt Keyed --set \"$(cat key)\" abc; cipher encrypt Keyed --set-file \"$(cat key)\" abc",
        "cipher encrypt Keyed --verify --verify-set-file \"$(cat key)\" abc",
        "cipher encrypt Keyed --set \"$(cat key)=\" abc; cipher encrypt Keyed --set-file \"$(cat key)==\" abc",
        "SHIFT_AMOUNT=\"$(printf 'canary\\377')\" cipher encrypt Keyed abc",
        "cipher encrypt Keyed abc --set SHIFT_AMOUNT=\"$(printf 'canary\\377')\"",
        "printf 'canary\\0' > key; cipher encrypt Keyed abc --set-file SHIFT_AMOUNT=key",
    ] {
        for level in ["info", "trace"] {
            let ended = shell(&folder, script).env("RUST_LOG", level).run();
            assert!(!ended.stderr.is_empty() || !ended.stdout.is_empty(), "{script}");
            assert_hidden(&ended);
        }
    }
    let ended = shell(&folder, "cipher encrypt Keyed --set-file SHIFT_AMOUNT=key abc").run();
    assert!(ended.diagnostics().starts_with("error: Keyed failed: SHIFT_AMOUNT must be "), "{}", ended.diagnostics());
    assert!(ended.diagnostics().contains("***"), "{}", ended.diagnostics());
}

#[test]
fn masks_audit_events() {
    for format in ["text", "json"] {
        let script = format!("cipher encrypt Blab --set-file BLAB_KEY=key --audit-format {format} abc");
        let ended = Cipher::shell(script).env("CIPHER_GUESTS", guests::directory()).file("key", CANARY).run();
        let ended = ended.exits(0).prints("abc\n");
        assert_hidden(&ended);
        assert!(String::from_utf8_lossy(&ended.stderr).contains("***"));
    }
}

#[test]
fn refuses_unusable_files() {
    let folder = keyed();
    for (script, status, error) in [
        (
            "cipher encrypt Keyed --set-file SHIFT_AMOUNT=none abc",
            5,
            "cannot read SHIFT_AMOUNT: the path given for it does not exist (it is not shown,",
        ),
        ("cipher encrypt Keyed --set-file SHIFT_AMOUNT=/dev/null abc", 5, "SHIFT_AMOUNT: '/dev/null' is empty"),
        (
            "cipher encrypt Keyed --set-file SHIFT_AMOUNT=/dev/zero abc",
            5,
            "SHIFT_AMOUNT: '/dev/zero' is longer than 64 KiB",
        ),
        (
            "cipher encrypt Keyed --set-file SHIFT_AMOUNT=- < three",
            2,
            "cannot read SHIFT_AMOUNT from stdin, which is the input",
        ),
        (
            "cipher encrypt Keyed abc --set SHIFT_AMOUNT=3 --set-file SHIFT_AMOUNT=three",
            2,
            "SHIFT_AMOUNT is given by --set and",
        ),
        (
            "SHIFT_AMOUNT=3 SHIFT_AMOUNT_FILE=three cipher encrypt Keyed abc",
            5,
            "both SHIFT_AMOUNT and SHIFT_AMOUNT_FILE are set",
        ),
        ("SHIFT_AMOUNT_FILE=- cipher encrypt Keyed abc", 5, "SHIFT_AMOUNT_FILE is stdin, which is read only with"),
        // Stdin is the input, whatever its name.
        (
            "cat three | cipher encrypt Keyed --set-file SHIFT_AMOUNT=/dev/stdin",
            2,
            "cannot read SHIFT_AMOUNT from stdin, which is the input",
        ),
        (
            "cat three | cipher encrypt Keyed --lines --set-file SHIFT_AMOUNT=/dev/fd/0",
            2,
            "cannot read SHIFT_AMOUNT from stdin, which is the input",
        ),
        (
            "cat three | SHIFT_AMOUNT_FILE=/dev/stdin cipher encrypt Keyed",
            5,
            "SHIFT_AMOUNT_FILE is stdin, which is read only with --set-file SHIFT_AMOUNT=-",
        ),
    ] {
        let ended = shell(&folder, script).run().exits(status).prints("");
        assert!(ended.diagnostics().starts_with(&format!("error: {error}")), "{script}: {}", ended.diagnostics());
    }
}

#[test]
fn requires_settings_to_be_given() {
    let folder = keyed();
    let error = "error: Keyed needs SHIFT_AMOUNT (--require-set): give it with --set-file, or name its file in \
                 SHIFT_AMOUNT_FILE\n";
    shell(&folder, "cipher encrypt Keyed --require-set abc").run().exits(5).prints("").says(error);
    shell(&folder, "SHIFT_AMOUNT_FILE=three cipher encrypt Keyed --require-set abc").run().exits(0).prints("def\n");
    let error = "error: Caesar needs SHIFT_AMOUNT (--require-set): give it with --set or in the environment\n";
    shell(&folder, "cipher encrypt Caesar --require-set abc").run().exits(5).says(error);
}

#[test]
fn logs_source_of_each_setting() {
    let folder = keyed();
    for (script, line) in [
        ("cipher encrypt Caesar abc", "Caesar setting SHIFT_AMOUNT=3 (default)"),
        ("SHIFT_AMOUNT=4 cipher encrypt Caesar abc", "Caesar setting SHIFT_AMOUNT=4 (environment)"),
        ("cipher encrypt Caesar abc --set SHIFT_AMOUNT=5", "Caesar setting SHIFT_AMOUNT=5 (flag)"),
        ("cipher encrypt Keyed abc --set-file SHIFT_AMOUNT=three", "Keyed setting SHIFT_AMOUNT=*** (file)"),
        ("cipher encrypt Keyed abc", "Keyed setting SHIFT_AMOUNT (unset)"),
    ] {
        let ended = shell(&folder, script).env("RUST_LOG", "info").run().exits(0);
        assert!(ended.diagnostics().contains(line), "{}", ended.diagnostics());
    }
}
