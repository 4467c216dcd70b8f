//! `cipher check` on a guest that satisfies the contract, and on the same guest with one thing wrong at a time.

use std::fs;

use serde_json::Value;

use crate::harness::{Cipher, Ended};
use crate::mirror::{COMPONENT, MANIFEST};

/// Runs `cipher check` on a component of this text with this manifest.
fn check(wat: &str, manifest: &str, arguments: &[&str]) -> Ended {
    let component = wat::parse_str(wat).unwrap_or_else(|error| panic!("{error}"));
    let cipher = Cipher::new(["check", "./Mirror.wasm"]).args(arguments);
    cipher.file("Mirror.wasm", component).file("Mirror.toml", manifest).run()
}

/// The cases that fail, without their reasons. Of cases that differ only in the text, the first.
#[track_caller]
fn failures(wat: &str, manifest: &str) -> Vec<String> {
    let ended = check(wat, manifest, &["--timeout", "10s", "--max-memory", "64MiB"]).exits(4);
    let failed = ended.text().lines().filter_map(|line| line.strip_prefix("FAIL  "));
    let mut names: Vec<String> = failed.map(|line| line.split(": ").next().unwrap_or(line).to_owned()).collect();
    names.dedup();
    names
}

/// The correct guest with `part` replaced, which it must contain.
#[track_caller]
fn wrong(part: &str, by: &str) -> String {
    assert!(COMPONENT.contains(part), "{part}");
    COMPONENT.replacen(part, by, 1)
}

/// The lines of cases, and the summary.
fn cases(ended: &Ended) -> (Vec<&str>, &str) {
    let mut lines: Vec<&str> = ended.text().lines().collect();
    let summary = lines.pop().expect("there is a summary");
    (lines, summary)
}

#[test]
fn passes_guests_of_this_repository() {
    for guest in ["Caesar", "Vigenere"] {
        let ended = Cipher::new(["check", guest]).run().exits(0).says("");
        let (lines, summary) = cases(&ended);
        assert!(lines.len() > 50 && lines.iter().all(|line| line.starts_with("pass  ")), "{}", ended.text());
        assert_eq!(summary, format!("{guest}: {} passed, 0 failed, 0 skipped", lines.len()));
    }
}

#[test]
fn passes_correct_guest() {
    let ended = check(COMPONENT, MANIFEST, &[]).exits(0).says("");
    let (lines, _) = cases(&ended);
    assert!(lines.iter().all(|line| line.starts_with("pass  ")), "{}", ended.text());
}

#[test]
fn prints_json_object_per_case() {
    let manifest = MANIFEST.replace("ciphertext = \"Hello\"", "ciphertext = \"Olleh\"");
    let ended = check(COMPONENT, &manifest, &["--json"]).exits(4);
    let cases: Vec<Value> = ended.text().lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    let failed: Vec<&Value> = cases.iter().filter(|case| case["outcome"] == "fails").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["case"], "known answer 1");
    assert_eq!(failed[0]["reason"], "expected encrypt of \"Hello\" to be \"Olleh\", got \"Hello\"");
    let error = format!("error: Mirror violates the contract: 1 of {} cases failed\n", cases.len());
    assert_eq!(ended.diagnostics(), error);
    let ended = check(COMPONENT, &manifest, &["--fail-fast"]).exits(4);
    let text = ended.text();
    assert!(text.contains("FAIL  known answer 1: ") && !text.contains("round trip"), "{text}");
}

#[test]
fn fails_import_that_is_not_offered() {
    let wat = wrong("(component\n", "(component\n  (import \"their:own/clock@1.0.0\" (instance))\n");
    assert_eq!(failures(&wat, MANIFEST), ["import their:own/clock@1.0.0"]);
    assert!(check(&wat, MANIFEST, &[]).text().contains("\nskip  behavior: the component does not satisfy"));
}

#[test]
fn fails_missing_or_wrong_export() {
    assert_eq!(failures(&wrong("(export \"encr\" (func $encr))", ""), MANIFEST), ["export encr"]);
    let number = "(func $number (param \"input\" u32) (result u32) (canon lift (core func $i \"message\")))
        (export \"decr\" (func $number))";
    assert_eq!(failures(&wrong("(export \"decr\" (func $decr))", number), MANIFEST), ["export decr"]);
}

#[test]
fn fails_manifest_of_other_name() {
    let manifest = MANIFEST.replace("Mirror", "Other");
    assert_eq!(failures(COMPONENT, &manifest), ["manifest has the name of its file"]);
}

#[test]
fn fails_wrong_known_answer() {
    let manifest = MANIFEST.replace("plaintext = \"Hello\"", "plaintext = \"Olleh\"");
    assert_eq!(failures(COMPONENT, &manifest), ["known answer 1"]);
}

#[test]
fn fails_decr_that_loses_text() {
    let wat = wrong(
        "(call $done (i32.const 1) (local.get $text) (local.get $length))\n      (call $return (local.get $text) (local.get $length))",
        "(call $done (i32.const 1) (local.get $text) (local.get $length))\n      (call $return (local.get $text) (i32.const 0))",
    );
    assert_eq!(failures(&wat, MANIFEST)[..2], ["known answer 1", "round trip"]);
    let ended = check(&wat, MANIFEST, &[]).exits(4);
    let line = "FAIL  round trip: NUL: decr(encr(text)) differs at character 0: got \"\", expected \"before\\u0000after\\u0000\"\n";
    assert!(ended.text().contains(line), "{}", ended.text());
}

#[test]
fn fails_changing_result_unless_random() {
    // The first call returns all of it, the later ones nothing.
    let wat = wrong(
        "(call $done (i32.const 0) (local.get $text) (local.get $length))\n      (call $return (local.get $text) (local.get $length))",
        "(call $done (i32.const 0) (local.get $text) (local.get $length))\n      (call $return (local.get $text)
           (select (local.get $length) (i32.const 0) (i32.eq (global.get $calls) (i32.const 1))))",
    );
    assert!(failures(&wat, MANIFEST).contains(&"is deterministic".to_owned()));
    let random = format!("random = true\n{MANIFEST}");
    let failed = failures(COMPONENT, &random);
    assert_eq!(failed, ["import wasi:random, which `random = true` needs", "is randomized"]);
}

#[test]
fn fails_other_result_in_chunks() {
    let wat = wrong(
        "(call $count (local.get $text) (local.get $length))))\n      (call $return (local.get $text) (local.get $length))",
        "(call $count (local.get $text) (local.get $length))))\n      (call $return (local.get $text) (i32.const 0))",
    );
    assert_eq!(failures(&wat, MANIFEST), ["streaming matches whole-message result"]);
}

/// The program once aborted with an allocation of 25 GB.
#[test]
fn bounds_what_chunks_return() {
    let wat = include_str!("../conformance/streams-too-much.wat");
    let script = "ulimit -v 4000000; cipher check ./Much.wasm --max-memory 256MiB --timeout 5s --fail-fast";
    let cipher = Cipher::shell(script).file("Much.wasm", wat::parse_str(wat).expect("it is valid"));
    let ended = cipher.run();
    assert_eq!(ended.status, Some(4), "{}", ended.diagnostics());
}

#[test]
fn fails_wrong_audit_events() {
    let encrypted = "      (call $done (i32.const 0) (local.get $text) (local.get $length))\n";
    let none = wrong(encrypted, "");
    assert_eq!(failures(&none, MANIFEST), ["exactly one audit event per call"]);
    let two = wrong(encrypted, &encrypted.repeat(2));
    assert_eq!(failures(&two, MANIFEST), ["exactly one audit event per call"]);
    let ended = check(&none, MANIFEST, &[]).exits(4);
    assert!(ended.text().contains("call: encrypt: expected 1 audit event, got 0\n"), "{}", ended.text());
    let streamed = wrong(
        "(call $report (local.get $message)\n        (i32.load (i32.add (i32.const 8) (i32.mul (local.get $message) (i32.const 4)))))",
        "",
    );
    assert_eq!(failures(&streamed, MANIFEST), ["exactly one audit event per streamed message"]);
    let action = failures(&wrong("\"encryptdecrypt", "\"decryptencrypt"), MANIFEST);
    assert!(action.contains(&"exactly one audit event per call".to_owned()), "{action:?}");
}

#[test]
fn fails_length_in_bytes() {
    let wat = wrong("(i32.const 0xC0)) (i32.const 0x80))", "(i32.const 0)) (i32.const 1))");
    let expected = ["audit detail counts characters", "audit detail counts characters of all chunks"];
    let mut failed = failures(&wat, MANIFEST);
    failed.sort();
    failed.dedup();
    assert_eq!(failed, expected);
    let ended = check(&wat, MANIFEST, &[]).exits(4);
    let reason = "expected \"Length: 15\", got \"Length: 19\" (those are bytes, not Unicode scalar values)";
    assert!(ended.text().contains(reason), "{}", ended.text());
}

#[test]
fn fails_accepted_invalid_value() {
    let manifest = format!("{MANIFEST}[settings.KEY]\ndefault = \"a\"\nhelp = \"\"\ninvalid = [\"\"]\n");
    let failed = failures(COMPONENT, &manifest);
    assert_eq!(failed, ["rejects KEY=\"\""]);
    let none_listed = manifest.replace("invalid = [\"\"]\n", "");
    let ended = check(COMPONENT, &none_listed, &[]).exits(0);
    let line = "skip  rejects invalid values of KEY: the manifest lists none (add `invalid = [...]`)\n";
    assert!(ended.text().contains(line), "{}", ended.text());
}

#[test]
fn fails_setting_without_effect() {
    let manifest = format!("{MANIFEST}[settings.KEY]\ndefault = \"a\"\nexample = \"b\"\nhelp = \"\"\n");
    assert_eq!(failures(COMPONENT, &manifest), ["KEY changes the result"]);
}

#[test]
fn fails_altered_text_that_decrypts() {
    let failed = failures(COMPONENT, &format!("authenticated = true\n{MANIFEST}"));
    assert_eq!(failed, ["refuses altered text"]);
}

#[test]
fn uses_given_settings_and_examples() {
    let manifest = "name = \"Keyed\"\ndescription = \"\"\n[settings.SHIFT_AMOUNT]\nhelp = \"\"\nsecret = true\n";
    let run = |manifest: &str, arguments: &[&str]| {
        let component = fs::read(crate::catalog::caesar()).expect("it can be read");
        let cipher = Cipher::new(["check", "./Keyed.wasm"]).args(arguments).env("SHIFT_AMOUNT", "wrong");
        cipher.file("Keyed.wasm", component).file("Keyed.toml", manifest).file("key", "31\n").run()
    };
    run(manifest, &["--set-file", "SHIFT_AMOUNT=key"]).exits(0);
    let wrong = run(&format!("{manifest}example = \"x\"\n"), &[]).exits(4);
    assert!(
        wrong.text().contains("FAIL  round trip: one letter: Keyed failed: SHIFT_AMOUNT must be"),
        "{}",
        wrong.text()
    );
    run(&format!("{manifest}example = \"x\"\n"), &["--set", "SHIFT_AMOUNT=31"]).exits(0);
    run(&format!("{manifest}example = \"30\"\n"), &[]).exits(0);
}

#[test]
fn fails_call_over_limit() {
    // This happens only with a message of 1 MiB.
    let call = "(call $done (i32.const 0) (local.get $text) (local.get $length))";
    let long = format!("(if (i32.gt_u (local.get $length) (i32.const 1000000)) (then LONG)) {call}");
    for (what, arguments, limit) in [
        ("(loop $again (br $again))", ["--timeout", "2s"], "ran longer than 2s (--timeout)"),
        ("(drop (memory.grow (i32.const 2000))) unreachable", ["--max-memory", "64MiB"], "(--max-memory)"),
    ] {
        let wat = wrong(call, &long.replace("LONG", what));
        let ended = check(&wat, MANIFEST, &arguments).exits(4);
        let failed: Vec<&str> = ended.text().lines().filter(|line| line.starts_with("FAIL")).collect();
        assert_eq!(failed.len(), 3, "{failed:?}");
        assert!(failed.iter().all(|line| line.contains(": 1 MiB: Mirror ") && line.contains(limit)), "{failed:?}");
    }
}

/// This once took 30 s for each of more than 50 cases.
#[test]
fn gives_up_on_endless_loops() {
    let call = "(call $done (i32.const 0) (local.get $text) (local.get $length))";
    let wat = wrong(call, "(loop $again (br $again))");
    let ended = check(&wat, MANIFEST, &[]).exits(4);
    assert_eq!(ended.text().matches("(--timeout)").count(), 1, "{}", ended.text());
    assert!(ended.text().contains("skip  is deterministic: 1 MiB: earlier cases took too long"), "{}", ended.text());
}
