//! `cipher check` on a guest that keeps the contract, and on the same with one thing wrong at a time.

use std::fs;

use serde_json::Value;

use crate::harness::{Cipher, Ended};

const RIGHT: &str = include_str!("../kit/right.wat");
const MANIFEST: &str = "\
name = \"Mirror\"
description = \"Returns what it is given\"
[[known-answers]]
plaintext = \"Hello\"
ciphertext = \"Hello\"
";

/// A call of `cipher check` on a component of this text with this manifest.
fn check(wat: &str, manifest: &str, arguments: &[&str]) -> Ended {
    let component = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}"));
    let cipher = Cipher::new(["check", "./Mirror.wasm"]).args(arguments);
    cipher.file("Mirror.wasm", component).file("Mirror.toml", manifest).run()
}

/// The cases that fail, without their reasons; of those for each text, the first.
#[track_caller]
fn failures(wat: &str, manifest: &str) -> Vec<String> {
    let ended = check(wat, manifest, &["--timeout", "200ms", "--max-memory", "64MiB"]).exits(1);
    let failed = ended.text().lines().filter_map(|line| line.strip_prefix("FAIL  "));
    let mut names: Vec<String> = failed.map(|line| line.split(": ").next().unwrap_or(line).to_owned()).collect();
    names.dedup();
    names
}

/// The right guest with `part` of it, which must be there, replaced.
#[track_caller]
fn wrong(part: &str, by: &str) -> String {
    assert!(RIGHT.contains(part), "{part}");
    RIGHT.replacen(part, by, 1)
}

#[test]
fn every_case_holds_for_the_guests_of_the_project() {
    for guest in ["Caesar", "Vigenere"] {
        let ended = Cipher::new(["check", guest]).run().exits(0).says("");
        assert!(ended.text().lines().count() > 50);
        assert!(ended.text().lines().all(|line| line.starts_with("ok    ")), "{}", ended.text());
    }
}

#[test]
fn every_case_holds_for_a_guest_that_keeps_the_contract() {
    let ended = check(RIGHT, MANIFEST, &[]).exits(0).says("");
    assert!(ended.text().lines().all(|line| line.starts_with("ok    ")), "{}", ended.text());
}

#[test]
fn json_has_an_object_a_case() {
    let manifest = MANIFEST.replace("ciphertext = \"Hello\"", "ciphertext = \"Olleh\"");
    let ended = check(RIGHT, &manifest, &["--json"]).exits(1);
    let cases: Vec<Value> = ended.text().lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    let failed: Vec<&Value> = cases.iter().filter(|case| case["outcome"] == "fails").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["case"], "known answer 1");
    assert_eq!(failed[0]["reason"], "it should encrypt \"Hello\" to \"Olleh\", and not to \"Hello\"");
    assert_eq!(
        ended.complaints(),
        format!("error: Mirror does not keep the contract: 1 of {} cases failed\n", cases.len())
    );
}

#[test]
fn an_import_that_is_not_offered_fails_and_nothing_is_called() {
    let wat = wrong("(component\n", "(component\n  (import \"their:own/clock@1.0.0\" (instance))\n");
    assert_eq!(failures(&wat, MANIFEST), ["import their:own/clock@1.0.0"]);
    assert!(check(&wat, MANIFEST, &[]).text().contains("\n-     behavior: it does not fit"));
}

#[test]
fn an_export_that_is_missing_or_of_another_type_fails() {
    assert_eq!(failures(&wrong("(export \"encr\" (func $encr))", ""), MANIFEST), ["export encr"]);
    let number = "(func $number (param \"input\" u32) (result u32) (canon lift (core func $i \"message\")))
        (export \"decr\" (func $number))";
    assert_eq!(failures(&wrong("(export \"decr\" (func $decr))", number), MANIFEST), ["export decr"]);
}

#[test]
fn another_answer_than_the_known_one_fails() {
    let manifest = MANIFEST.replace("plaintext = \"Hello\"", "plaintext = \"Olleh\"");
    assert_eq!(failures(RIGHT, &manifest), ["known answer 1"]);
}

#[test]
fn decr_that_does_not_bring_the_text_back_fails() {
    let wat = wrong(
        "(call $report (i32.const 1))\n      (call $return (local.get $text) (local.get $length))",
        "(call $report (i32.const 1))\n      (call $return (local.get $text) (i32.const 0))",
    );
    assert_eq!(failures(&wat, MANIFEST)[..2], ["known answer 1", "decrypts what it encrypted"]);
}

#[test]
fn another_result_at_the_second_call_fails() {
    // The first call returns everything, the next ones nothing.
    let wat = wrong(
        "(call $report (i32.const 0))\n      (call $return (local.get $text) (local.get $length))",
        "(call $report (i32.const 0))\n      (call $return (local.get $text)
           (select (local.get $length) (i32.const 0) (i32.eq (global.get $calls) (i32.const 1))))",
    );
    assert!(failures(&wat, MANIFEST).contains(&"gives the same again".to_owned()));
}

#[test]
fn another_result_in_pieces_fails() {
    let wat = wrong(
        "(param $message i32) (param $text i32) (param $length i32) (result i32)\n      (call $return (local.get $text) (local.get $length))",
        "(param $message i32) (param $text i32) (param $length i32) (result i32)\n      (call $return (local.get $text) (i32.const 0))",
    );
    assert_eq!(failures(&wat, MANIFEST), ["the same in pieces"]);
}

#[test]
fn no_audit_entry_two_of_them_or_another_action_fails() {
    let none = wrong("      (call $report (i32.const 0))\n", "");
    assert_eq!(failures(&none, MANIFEST), ["one audit entry a call"]);
    let two =
        wrong("      (call $report (i32.const 1))\n", "(call $report (i32.const 1)) (call $report (i32.const 1))");
    assert_eq!(failures(&two, MANIFEST), ["one audit entry a call"]);
    let pieces = wrong("      (call $report (local.get $message))\n", "");
    assert_eq!(failures(&pieces, MANIFEST), ["one audit entry a message in pieces"]);
    let action = failures(&wrong("\"encryptdecryptwhole\"", "\"decryptencryptwhole\""), MANIFEST);
    assert!(action.contains(&"one audit entry a call".to_owned()), "{action:?}");
}

#[test]
fn a_bad_value_that_is_taken_or_not_named_fails() {
    let manifest = format!("{MANIFEST}[settings.KEY]\ndefault = \"a\"\nhelp = \"\"\ninvalid = [\"\"]\n");
    assert_eq!(failures(RIGHT, &manifest), ["refuses KEY=\"\""]);
    let none_named = manifest.replace("invalid = [\"\"]\n", "");
    let ended = check(RIGHT, &none_named, &[]).exits(0);
    assert!(ended.text().ends_with("-     refuses bad values of KEY: its manifest names no invalid values\n"));
}

#[test]
fn a_call_that_passes_a_limit_fails() {
    // Both only with a message of a MiB.
    let long = "(if (i32.gt_u (local.get $length) (i32.const 1000000)) (then LONG)) (call $report (i32.const 0))";
    for (what, limit) in [
        ("(loop $again (br $again))", "ran longer than 200ms (--timeout)"),
        ("(drop (memory.grow (i32.const 2000))) unreachable", "(--max-memory)"),
    ] {
        let wat = wrong("(call $report (i32.const 0))", &long.replace("LONG", what));
        let ended = check(&wat, MANIFEST, &["--timeout", "200ms", "--max-memory", "64MiB"]).exits(1);
        let failed: Vec<&str> = ended.text().lines().filter(|line| line.starts_with("FAIL")).collect();
        assert_eq!(failed.len(), 3, "{failed:?}");
        assert!(failed.iter().all(|line| line.contains(": 1 MiB: Mirror ") && line.contains(limit)), "{failed:?}");
    }
}

#[test]
fn a_checked_component_is_installed_pinned_and_removed_again() {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let component = wat::parse_str(RIGHT).expect("it is right");
    let cipher = |arguments: &[&str]| {
        let cipher = Cipher::new(arguments).env("HOME", home.path()).env("RUST_LOG", "cipher=info");
        cipher.file("Mirror.wasm", &component).file("Mirror.toml", MANIFEST)
    };
    let directory = home.path().join(".local/share/cipher/guests");
    let installed = format!("installed Mirror in {}\n", directory.display());
    cipher(&["install", "Mirror.wasm"]).run().exits(0).prints(&installed);
    // Its machine code is ready.
    cipher(&["encrypt", "mirror", "abc"])
        .run()
        .exits(0)
        .prints("abc\n")
        .says("[AUDIT] Action: encrypt | Detail: whole\n");
    let manifest = fs::read_to_string(directory.join("Mirror.toml")).expect("it is there");
    assert!(manifest.starts_with("sha256 = \"") && manifest.ends_with(MANIFEST), "{manifest}");

    let again = cipher(&["install", "Mirror.wasm"]).run().exits(1).prints("");
    let hint = format!(
        "error: Mirror means '{}' now; --force installs yours in front of it\n",
        directory.join("Mirror.wasm").display()
    );
    again.says(&hint);
    cipher(&["install", "--force", "Mirror.wasm"]).run().exits(0).prints(&installed);

    fs::write(
        directory.join("Mirror.wasm"),
        wat::parse_str(wrong("\"encryptdecryptwhole\"", "\"encryptdecryptother\"")).expect("it is right"),
    )
    .expect("it is ours");
    let changed = cipher(&["encrypt", "Mirror", "abc"]).run().exits(4).prints("");
    assert!(changed.complaints().contains("its manifest pins"), "{}", changed.complaints());

    cipher(&["uninstall", "mirror"]).run().exits(0).prints(format!("removed Mirror from {}\n", directory.display()));
    assert_eq!(fs::read_dir(&directory).expect("it is there").count(), 0);
    let gone =
        format!("error: 'mirror' is not installed in '{}' ('cipher list' shows what is where)\n", directory.display());
    cipher(&["uninstall", "mirror"]).run().exits(1).prints("").says(&gone);
}

#[test]
fn what_does_not_keep_the_contract_or_has_no_manifest_is_not_installed() {
    let component = wat::parse_str(wrong("      (call $report (i32.const 0))\n", "")).expect("it is right");
    let cipher = Cipher::new(["install", "--force", "./Mirror.wasm"]).file("Mirror.wasm", component);
    cipher
        .run()
        .exits(1)
        .prints("")
        .says("error: './Mirror.wasm' has no manifest: write './Mirror.toml' ('cipher new' shows what is in one)\n");
    let cipher = cipher.file("Mirror.toml", MANIFEST);
    cipher.run().exits(1).prints("").says(
        "error: Mirror does not keep the contract (one audit entry a call: encrypt: there are 0); \
         'cipher check ./Mirror.wasm' shows every case\n",
    );
    assert!(!cipher.directory().join(".local").exists());
}

#[test]
fn a_name_that_came_with_the_program_is_hidden_only_by_force() {
    let component = wat::parse_str(RIGHT).expect("it is right");
    let manifest = MANIFEST.replace("Mirror", "Caesar");
    let cipher =
        |arguments: &[&str]| Cipher::new(arguments).file("Caesar.wasm", &component).file("Caesar.toml", &manifest);
    let refused = cipher(&["install", "Caesar.wasm"]).run().exits(1).prints("");
    assert!(refused.complaints().starts_with("error: Caesar means '"), "{}", refused.complaints());
    cipher(&["install", "--force", "Caesar.wasm"]).run().exits(0);
}
