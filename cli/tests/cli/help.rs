//! What the program says about itself.

use std::fs;
use std::path::Path;

use snapbox::{Assert, Data};

use crate::guests;
use crate::harness::Cipher;

fn help(command: &str) -> String {
    let ended = Cipher::new(command.split(' ').skip(1)).args(["--help"]).run().exits(0).says("");
    ended.text().to_owned()
}

/// Every command and what is below it: `cipher`, `cipher cache`, `cipher cache show`.
fn commands() -> Vec<String> {
    let mut commands = vec!["cipher".to_owned()];
    let mut next = 0;
    while let Some(command) = commands.get(next).cloned() {
        let help = help(&command);
        let below = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let names = below.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
        commands.extend(names.map(|name| format!("{command} {name}")));
        next += 1;
    }
    commands
}

/// With `SNAPSHOTS=overwrite` in the environment, this test writes down what the help is now.
#[test]
fn the_help_of_every_command_is_what_was_last_agreed() {
    let commands = commands();
    for command in &commands {
        let agreed = Data::read_from(&Path::new("tests/help").join(command).with_extension("txt"), None);
        Assert::new().action_env("SNAPSHOTS").normalize_paths(false).eq(help(command), agreed);
    }
    assert_eq!(guests::files("tests/help").len(), commands.len(), "a command has gone, but not its help");
}

#[test]
fn every_command_is_in_the_readme() {
    let readme = fs::read_to_string("../README.md").expect("there is a README");
    for command in commands() {
        assert!(readme.contains(&command), "README does not mention '{command}'");
    }
}

#[test]
fn every_command_has_a_page_in_the_manual_with_its_examples() {
    let cipher = Cipher::new(["man", "share/man1"]);
    cipher.run().exits(0).prints("").says("");
    let mut expected: Vec<String> = commands().iter().map(|command| command.replace(' ', "-") + ".1").collect();
    expected.sort();
    let pages = guests::files(cipher.directory().join("share/man1"));
    let names: Vec<_> = pages.iter().filter_map(|page| page.file_name()?.to_str()).collect();
    assert_eq!(names, expected);
    assert!(cipher.read("share/man1/cipher-list.1").contains("\n.SH EXAMPLES\n.nf\nExamples:\n  cipher list\n"));
}

#[test]
fn a_manual_that_cannot_be_written_is_an_error() {
    let cipher = Cipher::new(["man", "file"]).file("file", "");
    cipher.run().exits(1).prints("").says("error: cannot write the manual to 'file': File exists (os error 17)\n");
}

#[test]
fn the_help_of_every_command_has_examples() {
    for command in commands() {
        assert!(help(&command).contains("\nExamples:\n"), "{command}");
    }
}
