//! Color: which messages have it, and that text of a guest never does.

use crate::guests;
use crate::harness::Cipher;

fn has_color(text: &[u8]) -> bool {
    text.contains(&0x1b)
}

/// Calls that print each kind of message: an error, a usage error, help.
const CALLS: [&[&str]; 4] = [&["encrypt", "Ceasar", "x"], &["encrypt"], &["cache", "--help"], &["encrypt", "--bad"]];

/// Whether all of `CALLS` print color, or none, with further `arguments` and an environment.
#[track_caller]
fn all_colored(arguments: &[&str], environment: &[(&str, &str)]) -> bool {
    let run = |call: &&[&str]| {
        let cipher = Cipher::new(call.iter().chain(arguments));
        let ended = environment.iter().fold(cipher, |cipher, (name, value)| cipher.env(*name, *value)).run();
        has_color(&ended.stdout) || has_color(&ended.stderr)
    };
    let found: Vec<bool> = CALLS.iter().map(run).collect();
    assert!(found.iter().all(|one| *one == found[0]), "{found:?}");
    found[0]
}

#[test]
fn has_no_color_without_terminal() {
    assert!(!all_colored(&[], &[]));
    assert!(!all_colored(&["--color", "auto"], &[]));
    assert!(!all_colored(&["--color=never"], &[]));
    assert!(all_colored(&["--color", "always"], &[]));
    assert!(all_colored(&["--color=always"], &[("NO_COLOR", "1")]));
    assert!(!all_colored(&["--color=always", "--color=never"], &[]));
}

#[test]
fn has_color_on_terminal() {
    let at_terminal = |arguments: &str| {
        let call = format!(r#"python3 -c 'import pty; pty.spawn(["cipher", "encrypt", "Ceasar", "x"{arguments}])'"#);
        move |environment: &[(&str, &str)]| {
            let shell = Cipher::shell(&call).env("TERM", "xterm");
            let ended = environment.iter().fold(shell, |shell, (name, value)| shell.env(*name, *value)).run();
            assert!(ended.text().contains("unknown algorithm"), "{}", ended.text());
            has_color(&ended.stdout)
        }
    };
    assert!(at_terminal("")(&[]));
    assert!(!at_terminal("")(&[("NO_COLOR", "1")]));
    assert!(!at_terminal("")(&[("TERM", "dumb")]));
    assert!(!at_terminal(r#", "--color", "never""#)(&[]));
    assert!(at_terminal(r#", "--color", "always""#)(&[("NO_COLOR", "1")]));
}

#[test]
fn colors_only_first_word() {
    let always = |arguments: [&str; 3]| Cipher::new(arguments).args(["--color", "always"]);
    let guests = |cipher: Cipher| cipher.env("CIPHER_GUESTS", guests::directory());
    always(["encrypt", "Caesar", "abc"])
        .run()
        .exits(0)
        .prints("def\n")
        .says(&crate::harness::audit_event("encrypt", "abc"));
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
fn colors_level_of_log_record() {
    let list = || Cipher::new(["list", "--color", "always"]).env("CIPHER_GUESTS", guests::directory());
    let ended = list().run().exits(4);
    let diagnostics = ended.diagnostics();
    assert!(diagnostics.starts_with("[\u{1b}[1m\u{1b}[31mERROR\u{1b}[0m cipher::commands::list] "), "{diagnostics}");
}

#[test]
fn rejects_other_values() {
    let ended = Cipher::new(["list", "--color", "sometimes"]).run().exits(2).prints("");
    assert!(ended.diagnostics().contains("[possible values: auto, always, never]"), "{}", ended.diagnostics());
}
