//! The examples in README: every `console` block is run, and has to come out as it is written there.

use std::fs;

use snapbox::Assert;

use crate::harness::Cipher;

/// A `console` block: commands with what they write.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// The number of its first line in the file.
    line: usize,
    examples: Vec<Example>,
}

/// A line that starts with `$ `, with the `> ` lines that go on with it, and what it writes: the lines up to the next one.
#[derive(Debug, PartialEq, Eq)]
struct Example {
    command: String,
    output: String,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut lines = (1..).zip(text.lines());
    let mut blocks = Vec::new();
    while let Some((line, fence)) = lines.next() {
        if !fence.starts_with("```") {
            continue;
        }
        let content = lines.by_ref().map(|(_, line)| line).take_while(|line| !line.starts_with("```"));
        let content: Vec<&str> = content.collect();
        if fence.trim_end() == "```console" {
            blocks.push(Block { line: line + 1, examples: examples(&content) });
        }
    }
    blocks
}

fn examples(content: &[&str]) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    for line in content {
        if let Some(command) = line.strip_prefix("$ ") {
            examples.push(Example { command: command.to_owned(), output: String::new() });
            continue;
        }
        let Some(example) = examples.last_mut() else { panic!("a block starts with a command, not with {line:?}") };
        match line.strip_prefix('>').filter(|_| example.output.is_empty()) {
            Some(more) => example.command += &format!("\n{}", more.strip_prefix(' ').unwrap_or(more)),
            None => example.output += &format!("{line}\n"),
        }
    }
    examples
}

/// Runs the examples of `text`, one after the other in one directory, and returns how they differ from what is written.
fn differences(text: &str, name: &str) -> String {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let mut differences = String::new();
    for Block { line, examples } in blocks(text) {
        let (mut actual, mut expected) = (String::new(), String::new());
        for Example { command, output } in examples {
            let script = format!("cd '{}' && exec 2>&1\n{command}\n", directory.path().display());
            let ended = Cipher::shell(script).env("HOME", directory.path()).run();
            let written = ended.text();
            let end = if written.is_empty() || written.ends_with('\n') { "" } else { "\n" };
            actual += &format!("$ {command}\n{written}{end}");
            expected += &format!("$ {command}\n{output}");
        }
        let assert = Assert::new().normalize_paths(false);
        if let Err(difference) = assert.try_eq(Some(&format!("{name}:{line}")), actual.into(), expected.into()) {
            differences += &difference.to_string();
        }
    }
    differences
}

#[test]
fn every_example_in_the_readme_comes_out_as_it_is_written() {
    let text = fs::read_to_string("../README.md").expect("there is a README");
    assert!(!blocks(&text).is_empty());
    let differences = differences(&text, "README.md");
    assert!(differences.is_empty(), "{differences}");
}

const SAMPLE: &str = r#"
Text, and `$ code`.

```console
$ cipher encrypt Caesar 'Hello, World!'
[AUDIT] Action: encrypt | Detail: Length: 13
Khoor, Zruog!
$ printf abc >message && cipher encrypt Caesar <message 2>/dev/null
def
$ cipher list
Caesar: [..]
...
```

```sh
$ exit 1
```

```console
$ cat >lines <<'END'
> abc
>
> > abc
> END
$ cat lines
abc

> abc
$ cat message | SHIFT_AMOUNT=1 cipher encrypt Caesar --lines 2>/dev/null | tr a-z A-Z
BCD
$ cipher encrypt Ceasar x || echo $?
error: unknown algorithm 'Ceasar'; did you mean 'Caesar'? (there are: Caesar, Vigenere)
1
```
"#;

#[test]
fn examples_are_run_through_a_shell_and_compared() {
    assert_eq!(differences(SAMPLE, "sample"), "");
    for (right, wrong) in
        [("Khoor", "Xhoor"), ("def\n", ""), ("\nBCD", "\n[..]D\nmore"), ("Caesar: [..]", "Vigenere: [..]")]
    {
        assert_ne!(differences(&SAMPLE.replace(right, wrong), "sample"), "", "{wrong:?} is wrong");
    }
}

#[test]
fn only_console_blocks_are_examples() {
    let found = blocks(SAMPLE);
    let lines: Vec<usize> = found.iter().map(|block| block.line).collect();
    let commands: Vec<usize> = found.iter().map(|block| block.examples.len()).collect();
    assert_eq!((lines, commands), (vec![5, 20], vec![3, 4]));
}
