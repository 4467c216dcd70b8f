//! Scenarios: shell sessions and what they print, kept as data in `tests/scenarios` and in README.
//!
//! A file is Markdown. Every `console` block in it is a session:
//!
//! ```text
//! ## A heading starts an empty directory, which is both home and working directory
//!
//! $ a command for sh, in which `cipher` is this program
//! > the next line of the command
//! a line of stdout
//! ! a line of stderr
//! [no newline]        if stdout does not end in one
//! [exit status: 4]    if it is not 0
//! ```
//!
//! Each command gets a shell of its own and an empty stdin. Stdout is shown before stderr; README shows both as a
//! terminal does. `[..]` stands for any text within a line, and a line `...` for any lines. `$GUESTS` in a command is
//! the directory with the guests of `tests/guests`; in the output, it is `[GUESTS]`, and the scenario's directory is
//! `[HOME]`.
//!
//! `scripts/just scenarios` writes what the program prints into all files, and keeps wildcards that match. Review the diff.

use std::fs;
use std::iter::Peekable;
use std::path::Path;
use std::str::Lines;

use snapbox::{Assert, Data, Redactions};

use crate::guests;
use crate::harness::{Cipher, Ended};

/// Makes a test of every file in `tests/scenarios`.
macro_rules! topics {
    ($($topic:ident)*) => {
        const TOPICS: &[&str] = &[$(stringify!($topic)),*];
        $(#[test] fn $topic() { verify(concat!("tests/scenarios/", stringify!($topic), ".md"), Streams::Apart); })*
    };
}

topics! { algorithms authors completion components data failures guests list messages operations settings usage verification }

#[test]
fn readme_examples_match() {
    verify("../README.md", Streams::Merged);
}

#[test]
fn every_file_is_a_test() {
    for file in guests::files("tests/scenarios") {
        let topic = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        assert!(TOPICS.contains(&topic), "add '{topic}' to the topics");
    }
}

/// How the two output streams of a command are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Streams {
    /// Stdout, then stderr with marks.
    Apart,
    /// Both in the order of writing, as on a terminal.
    Merged,
}

#[track_caller]
fn verify(file: &str, streams: Streams) {
    let text = fs::read_to_string(file).expect("a scenario file can be read");
    let assert = Assert::new().action_env("SNAPSHOTS").normalize_paths(false);
    assert.eq(play(&text, streams), Data::read_from(Path::new(file), None).raw());
}

/// Runs the sessions in `text`, and returns it with the output that they have.
fn play(text: &str, streams: Streams) -> String {
    let (mut played, mut lines, mut shell) = (String::new(), text.lines().peekable(), shell());
    let mut fence = None;
    while let Some(line) = lines.next() {
        played += &format!("{line}\n");
        match (fence, line.strip_prefix("```")) {
            (None, Some(kind)) => fence = Some(kind.trim()),
            (Some(_), Some(_)) => fence = None,
            (None, None) if line.starts_with("## ") => shell = self::shell(),
            (Some("console"), None) => {
                let start = line.strip_prefix("$ ").unwrap_or_else(|| panic!("not a command: {line}"));
                let command = start.to_owned() + &continuation(&mut lines, &mut played);
                let expected = output(&mut lines);
                let merge = if streams == Streams::Merged { "exec 2>&1\n" } else { "" };
                shell = shell.script(&format!("{merge}{command}"));
                played += &wildcards(&shell, show(&shell.run(), streams), expected);
            }
            _ => {}
        }
    }
    played
}

fn shell() -> Cipher {
    Cipher::shell("").env("GUESTS", guests::directory())
}

fn continuation(lines: &mut Peekable<Lines>, played: &mut String) -> String {
    let mut command = String::new();
    while let Some(line) = lines.next_if(|line| line.starts_with('>')) {
        *played += &format!("{line}\n");
        command += &format!("\n{}", line.strip_prefix("> ").unwrap_or(&line[1..]));
    }
    command
}

fn output(lines: &mut Peekable<Lines>) -> String {
    let mut output = String::new();
    while let Some(line) = lines.next_if(|line| !line.starts_with("$ ") && !line.starts_with("```")) {
        output += &format!("{line}\n");
    }
    output
}

/// Inserts placeholders, and the wildcards of the expected output that match.
fn wildcards(shell: &Cipher, actual: String, expected: String) -> String {
    let mut redactions = Redactions::new();
    for (placeholder, path) in [("[GUESTS]", guests::directory()), ("[HOME]", shell.directory())] {
        redactions.insert(placeholder, path.to_owned()).expect("a valid placeholder");
    }
    let assert = Assert::new().redact_with(redactions).normalize_paths(false);
    assert.normalize(actual.into(), expected.into()).0.to_string()
}

fn show(ended: &Ended, streams: Streams) -> String {
    let mut shown = String::from_utf8_lossy(&ended.stdout).into_owned();
    if !shown.is_empty() && !shown.ends_with('\n') {
        shown += if streams == Streams::Apart { "\n[no newline]\n" } else { "\n" };
    }
    for line in String::from_utf8_lossy(&ended.stderr).lines() {
        let space = if line.is_empty() { "" } else { " " };
        shown += &format!("!{space}{line}\n");
    }
    shown + &status(ended)
}

fn status(ended: &Ended) -> String {
    match ended.status {
        Some(0) => String::new(),
        Some(status) => format!("[exit status: {status}]\n"),
        None => "[killed by a signal]\n".to_owned(),
    }
}

const SAMPLE: &str = r#"
Text, and `$ code`.

```console
$ printf abc >message; cat message
abc
[no newline]
$ echo "$GUESTS"; echo "$HOME/message" >&2; exit 3
[GUESTS]
! [HOME]/message
[exit status: 3]
```

```sh
$ exit 1
```

## Another directory

```console
$ ls
$ cat <<'END'
> def
>
> > [..]
> END
def

> [..]
$ seq 5
1
...
5
```
"#;

#[test]
fn sample_plays_as_written() {
    assert_eq!(play(SAMPLE, Streams::Apart), SAMPLE);
}

#[test]
fn wrong_expectations_are_replaced() {
    let wrong =
        [("abc\n[no", "abx\n[no"), ("! [HOME]", "[HOME]"), ("status: 3", "status: 4"), ("ls\n", "ls\nmessage\n")];
    for (right, wrong) in wrong {
        assert_eq!(play(&SAMPLE.replace(right, wrong), Streams::Apart), SAMPLE, "{wrong:?} is wrong");
    }
    assert!(play(&SAMPLE.replace("...\n5", "...\n6"), Streams::Apart).contains("4\n5\n"));
}
