//! Colours: where they are, and that a guest's words never have any.

use crate::guests;
use crate::harness::Cipher;

fn has_colour(text: &[u8]) -> bool {
    text.contains(&0x1b)
}

/// Calls that say something in each of the ways in which the program does.
const CALLS: [&[&str]; 4] = [&["encrypt", "Ceasar", "x"], &["encrypt"], &["cache", "--help"], &["encrypt", "--bad"]];

/// Whether all of what `CALLS` say has colours, or nothing of it, with further `arguments` and an environment.
#[track_caller]
fn coloured(arguments: &[&str], environment: &[(&str, &str)]) -> bool {
    let run = |call: &&[&str]| {
        let cipher = Cipher::new(call.iter().chain(arguments));
        let ended = environment.iter().fold(cipher, |cipher, (name, value)| cipher.env(*name, *value)).run();
        has_colour(&ended.stdout) || has_colour(&ended.stderr)
    };
    let found: Vec<bool> = CALLS.iter().map(run).collect();
    assert!(found.iter().all(|one| *one == found[0]), "{found:?}");
    found[0]
}

#[test]
fn without_a_terminal_there_are_colours_only_if_they_are_asked_for() {
    assert!(!coloured(&[], &[]));
    assert!(!coloured(&["--color", "auto"], &[]));
    assert!(!coloured(&["--color=never"], &[]));
    assert!(coloured(&["--color", "always"], &[]));
    assert!(coloured(&["--color=always"], &[("NO_COLOR", "1")]));
    assert!(!coloured(&["--color=always", "--color=never"], &[]));
}

#[test]
fn at_a_terminal_there_are_colours_unless_they_are_not_wanted() {
    let at_terminal = |arguments: &str| {
        let call = format!(r#"python3 -c 'import pty; pty.spawn(["cipher", "encrypt", "Ceasar", "x"{arguments}])'"#);
        move |environment: &[(&str, &str)]| {
            let shell = Cipher::shell(&call).env("TERM", "xterm");
            let ended = environment.iter().fold(shell, |shell, (name, value)| shell.env(*name, *value)).run();
            assert!(ended.text().contains("unknown algorithm"), "{}", ended.text());
            has_colour(&ended.stdout)
        }
    };
    assert!(at_terminal("")(&[]));
    assert!(!at_terminal("")(&[("NO_COLOR", "1")]));
    assert!(!at_terminal("")(&[("TERM", "dumb")]));
    assert!(!at_terminal(r#", "--color", "never""#)(&[]));
    assert!(at_terminal(r#", "--color", "always""#)(&[("NO_COLOR", "1")]));
}

#[test]
fn only_the_first_word_of_an_error_is_coloured_and_nothing_of_a_result_an_entry_or_a_guest() {
    let always = |arguments: [&str; 3]| Cipher::new(arguments).args(["--color", "always"]);
    let guests = |cipher: Cipher| cipher.env("CIPHER_GUESTS", guests::directory());
    always(["encrypt", "Caesar", "abc"]).run().exits(0).prints("def\n").says(&crate::harness::entry("encrypt", "abc"));
    let error = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m Printer failed: this is \\u{1b}[31mno result\n";
    guests(always(["decrypt", "Printer", "x"])).run().exits(1).prints("").says(error);
    let info = "[INFO  cipher::sandbox::error] Printer printed: this is \\u{1b}[31mno result\n";
    guests(always(["encrypt", "Printer", "x"]))
        .env("RUST_LOG", "info,cipher::code::compile=warn")
        .run()
        .exits(0)
        .says(info);
}

#[test]
fn a_diagnostic_has_its_level_in_colour() {
    let list = || Cipher::new(["list", "--color", "always"]).env("CIPHER_GUESTS", guests::directory());
    let ended = list().run().exits(1);
    let complaints = ended.complaints();
    assert!(complaints.starts_with("[\u{1b}[1m\u{1b}[31mERROR\u{1b}[0m cipher::commands::list] "), "{complaints}");
}

#[test]
fn another_value_is_a_usage_error() {
    let ended = Cipher::new(["list", "--color", "sometimes"]).run().exits(2).prints("");
    assert!(ended.complaints().contains("[possible values: auto, always, never]"), "{}", ended.complaints());
}
