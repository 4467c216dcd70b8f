//! Help and manual pages.

use std::fs;
use std::path::Path;

use snapbox::{Assert, Data};

use crate::guests;
use crate::harness::Cipher;

fn help(command: &str) -> String {
    let ended = Cipher::new(command.split(' ').skip(1)).args(["--help"]).run().exits(0).says("");
    ended.text().to_owned()
}

/// All commands: `cipher`, `cipher cache`, `cipher cache show` and so on.
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

/// With `SNAPSHOTS=overwrite` in the environment, this test records the current help.
#[test]
fn help_matches_recorded_texts() {
    let commands = commands();
    for command in &commands {
        let agreed = Data::read_from(&Path::new("tests/help").join(command).with_extension("txt"), None);
        Assert::new().action_env("SNAPSHOTS").normalize_paths(false).eq(help(command), agreed);
    }
    assert_eq!(guests::files("tests/help").len(), commands.len(), "a command has gone, but not its help");
}

#[test]
fn readme_names_every_command() {
    let readme = fs::read_to_string("../README.md").expect("there is a README");
    for command in commands() {
        assert!(readme.contains(&command), "README does not mention '{command}'");
    }
}

#[test]
fn exit_statuses_are_documented() {
    let readme = fs::read_to_string("../README.md").expect("there is a README");
    let page = manual().read("share/man/cipher.1");
    let help = help("cipher");
    for (status, meaning) in cipher::exit::TABLE {
        let row = format!("| {status} | {meaning} |");
        assert!(readme.contains(&row), "README lacks {row:?}");
        assert!(help.lines().any(|line| line.trim_start().starts_with(status) && line.ends_with(meaning)), "{help}");
        let escaped = meaning.replace('-', r"\-");
        assert!(page.contains(&format!("\\fB{status}\\fR\n{escaped}\n")), "the manual lacks {row:?}: {page}");
    }
}

/// A completed run of `cipher man`.
fn manual() -> Cipher {
    let cipher = Cipher::new(["man", "share/man"]);
    cipher.run().exits(0).prints("").says("");
    cipher
}

#[test]
fn every_command_has_manual_page() {
    let cipher = manual();
    let mut expected: Vec<String> = commands().iter().map(|command| command.replace(' ', "-") + ".1").collect();
    expected.sort();
    let pages = guests::files(cipher.directory().join("share/man"));
    let names: Vec<_> = pages.iter().filter_map(|page| page.file_name()?.to_str()).collect();
    assert_eq!(names, expected);
    for name in names {
        let page = cipher.read(&format!("share/man/{name}"));
        let mut rest = page.as_str();
        for section in [
            "NAME",
            "SYNOPSIS",
            "DESCRIPTION",
            "OPTIONS",
            "EXAMPLES",
            "\"EXIT STATUS\"",
            "ENVIRONMENT",
            "FILES",
            "\"SEE ALSO\"",
        ] {
            let heading = format!("\n.SH {section}\n");
            rest = rest.split_once(&heading).unwrap_or_else(|| panic!("{name} lacks {section}: {page}")).1;
        }
        assert!(!page.contains("Examples:"), "{page}");
    }
}

#[test]
fn manual_page_shows_values_and_arguments() {
    let page = manual().read("share/man/cipher-encrypt.1").replace(r"\-", "-").replace(r"\fR", "").replace(r"\fI", "");
    let synopsis = page.lines().skip_while(|line| *line != ".SH SYNOPSIS").nth(1).expect("it has a synopsis");
    for part in [r"[\fB--set NAME=VALUE]...", r"[\fB--jobs N]", r"[\fB--lines]", " ALGORITHM [TEXT]"] {
        assert!(synopsis.contains(part), "{part}: {synopsis}");
    }
    let (arguments, options) = page.split_once(".SH OPTIONS").expect("it has options");
    assert!(arguments.contains("\n.TP\nTEXT\n") && !options.contains("\n.TP\nTEXT\n"), "{page}");
}

#[test]
fn reports_manual_that_cannot_be_written() {
    let cipher = Cipher::new(["man", "file"]).file("file", "");
    let error = "error: cannot write the manual pages to 'file': File exists (os error 17)\n";
    cipher.run().exits(6).prints("").says(error);
}

#[test]
fn help_has_examples() {
    for command in commands() {
        assert!(help(&command).contains("\nExamples:\n"), "{command}");
    }
}
