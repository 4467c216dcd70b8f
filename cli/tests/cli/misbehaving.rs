//! Guests that misbehave, by mistake or otherwise: each file in `tests/misbehaving` is one, with what must come of it.
//!
//! A file has the arguments of a call (`;;$ `), lines of standard input (`;;< `), the exit status (`;;? `), and the lines
//! expected on standard output (`;;> `) and standard error (`;;! `), where `[..]` stands for anything. What follows is the
//! guest's own part of the component in `around.component`.

use std::fs;

use snapbox::Assert;

use crate::cipher::Cipher;
use crate::guests;

const AROUND: &str = include_str!("../misbehaving/around.component");
/// What a guest does where it does not say otherwise: it returns what it is given.
const DEFAULTS: [(&str, &str); 4] = [
    ("realloc", "(func (export \"realloc\") (param i32 i32 i32 i32) (result i32) (call $allocate (local.get 3)))"),
    ("returned", "(func (export \"returned\") (param i32) (call $free))"),
    ("encr", "(func (export \"encr\") (param i32 i32) (result i32) (call $return (local.get 0) (local.get 1)))"),
    ("decr", "(func (export \"decr\") (param i32 i32) (result i32) (call $return (local.get 0) (local.get 1)))"),
];

/// The lines after `mark`, one after the other.
fn marked(text: &str, mark: &str) -> String {
    text.lines().filter_map(|line| line.strip_prefix(mark)).map(|line| format!("{line}\n")).collect()
}

fn component(module: &str) -> Result<Vec<u8>, wat::Error> {
    let missing = DEFAULTS.iter().filter(|(name, _)| !module.contains(&format!("(export \"{name}\")")));
    let defaults: String = missing.map(|(_, function)| *function).collect();
    wat::parse_str(AROUND.replace("(;guest;)", module).replace("(;defaults;)", &defaults))
}

#[test]
fn every_guest_that_misbehaves_ends_as_its_file_says() {
    let files: Vec<_> = guests::files("tests/misbehaving")
        .into_iter()
        .filter(|file| file.extension().is_some_and(|e| e == "wat"))
        .collect();
    assert!(files.len() > 40);
    let mut failures = String::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("it can be read");
        let component = component(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let arguments = marked(&text, ";;$ ");
        let call = Cipher::new(arguments.split_whitespace()).file("guest.wasm", component).stdin(marked(&text, ";;< "));
        let ended = call.env("RUST_BACKTRACE", "1").run();
        let streams = |status: &str, stdout: &str, stderr: &str| {
            format!("exit status {status}\n--- standard output ---\n{stdout}--- standard error ---\n{stderr}")
        };
        let status = ended.status.map_or("none: killed by a signal".to_owned(), |status| status.to_string());
        let actual = streams(&status, ended.text(), &String::from_utf8_lossy(&ended.stderr));
        let expected = streams(marked(&text, ";;? ").trim_end(), &marked(&text, ";;> "), &marked(&text, ";;! "));
        if let Err(difference) =
            Assert::new().normalize_paths(false).try_eq(Some(&file.display()), actual.into(), expected.into())
        {
            failures += &difference.to_string();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
