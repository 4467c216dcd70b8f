//! Command-line cases kept as data: a file in `tests/cases` is one scenario, and its name is a sentence.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;
use snapbox::{Assert, Redactions};

use crate::guests;
use crate::harness::{Cipher, Ended};

/// A scenario. Everything that the program answers has to be written, even when it is empty.
///
/// In every text, `[GUESTS]` stands for the directory with the guests of `tests/guests`; in what is expected, `[..]`
/// stands for anything within a line, and a line `...` for any lines.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    stdin: String,
    status: i32,
    stdout: String,
    stderr: String,
}

impl Case {
    fn run(&self) -> Ended {
        let guests = guests::directory().to_str().expect("the checkout's path is text");
        let filled = |text: &String| text.replace("[GUESTS]", guests);
        let cipher = Cipher::new(self.args.iter().map(filled)).stdin(self.stdin.as_bytes());
        self.env.iter().fold(cipher, |cipher, (name, value)| cipher.env(name, filled(value))).run()
    }
}

/// How answers are compared with what is expected.
fn assert() -> Assert {
    let mut redactions = Redactions::new();
    redactions.insert("[GUESTS]", guests::directory()).expect("a valid placeholder");
    Assert::new().redact_with(redactions).normalize_paths(false)
}

#[test]
fn every_case_ends_as_its_file_says() {
    let mut failures = String::new();
    let files = guests::files("tests/cases");
    assert!(!files.is_empty());
    for file in files {
        let text = fs::read_to_string(&file).expect("a case can be read");
        let case: Case = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let ended = case.run();
        let streams = |status, stdout: &str, stderr: &str| {
            format!("exit status {status}\n--- standard output ---\n{stdout}--- standard error ---\n{stderr}")
        };
        let status = ended.status.map_or("none: killed by a signal".to_owned(), |status| status.to_string());
        let actual = streams(status, ended.text(), &String::from_utf8_lossy(&ended.stderr));
        let expected = streams(case.status.to_string(), &case.stdout, &case.stderr);
        if let Err(difference) = assert().try_eq(Some(&file.display()), actual.into(), expected.into()) {
            failures += &difference.to_string();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}
