//! Candidates for words of a command line. `scripts/just test-shells` tests them in shells.

use crate::guests;
use crate::harness::Cipher;

/// The candidates for the last of `words`, each without its description.
fn candidates(words: &[&str]) -> Vec<String> {
    let index = (words.len() - 1).to_string();
    let ended = Cipher::new(["complete", &index]).args(words).run().exits(0).says("");
    ended.text().lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn completes_algorithms_in_any_case() {
    for call in [
        &["encrypt"][..],
        &["decrypt", "--lines"],
        &["inspect"],
        &["cache", "add"],
        &["cache", "add", "Caesar"],
        &["batch", "--algorithm"],
    ] {
        let words = |last| [&["cipher"], call, &[last]].concat();
        assert_eq!(candidates(&words("")), ["Caesar", "Vigenere"], "{call:?}");
        assert_eq!(candidates(&words("c")), ["Caesar"], "{call:?}");
        assert_eq!(candidates(&words("X")), [""; 0], "{call:?}");
    }
    let ended =
        Cipher::new(["complete", "2", "cipher", "encrypt", "ec"]).env("CIPHER_GUESTS", guests::directory()).run();
    ended.exits(0).prints("Echo\tFor a test\n");
}

#[test]
fn completes_commands_options_and_values() {
    assert_eq!(candidates(&["cipher", "c"]), ["check", "cache", "completions"]);
    assert_eq!(candidates(&["cipher", "cache", "s"]), ["show"]);
    assert_eq!(candidates(&["cipher", "encrypt", "--aud"]), ["--audit-format", "--audit-file"]);
    assert_eq!(candidates(&["cipher", "new", "Mine", "--language", ""]), ["rust", "python", "javascript", "c"]);
    assert_eq!(candidates(&["cipher", "completions", ""]), ["bash", "zsh", "fish"]);
}

#[test]
fn leaves_files_to_shell() {
    for words in [
        &["cipher", "encrypt", "./"][..],
        &["cipher", "batch", ""],
        &["cipher", "batch", "req"],
        &["cipher", "install", "M"],
        &["cipher", "encrypt", "Caesar", "--audit-file", "oth"],
        &["cipher", "encrypt", "Caesar", "--audit-file=oth"],
        &["cipher", "encrypt", "Caesar", ""],
    ] {
        let cipher = Cipher::new(["complete", &(words.len() - 1).to_string()]).args(words);
        cipher.file("requests", "").file("Mine.wasm", "").file("other", "").run().exits(0).prints("").says("");
    }
}

#[test]
fn completes_settings_of_algorithm() {
    assert_eq!(candidates(&["cipher", "encrypt", "Caesar", "--set", ""]), ["SHIFT_AMOUNT="]);
    assert_eq!(candidates(&["cipher", "encrypt", "--lines", "vigenere", "--set", "vig"]), ["VIGENERE_KEYWORD="]);
    assert_eq!(candidates(&["cipher", "check", "Caesar", "--set=S"]), ["--set=SHIFT_AMOUNT="]);
    assert_eq!(candidates(&["cipher", "encrypt", "Caesar", "--set", "SHIFT_AMOUNT=1"]), [""; 0]);
    assert_eq!(candidates(&["cipher", "encrypt", "None", "--set", ""]), [""; 0]);
}

#[test]
fn completes_values_after_equals_sign() {
    assert_eq!(candidates(&["cipher", "encrypt", "--audit-format=j"]), ["--audit-format=json"]);
    assert_eq!(candidates(&["cipher", "encrypt", "--progress=a"]), ["--progress=auto", "--progress=always"]);
}

#[test]
fn completes_installed_algorithms_for_uninstall() {
    let cipher = Cipher::shell("cipher complete 2 cipher uninstall ''; cipher complete 2 cipher uninstall x");
    let guests = cipher.directory().join(".local/share/cipher/guests");
    std::fs::create_dir_all(&guests).expect("a directory");
    std::fs::write(guests.join("Mine.toml"), "name = \"Mine\"\ndescription = \"My own\"\n").expect("a manifest");
    std::fs::write(guests.join("Mine.wasm"), "").expect("a component");
    cipher.run().exits(0).prints("Mine\tMy own\n");
}

#[test]
fn accepts_empty_and_invalid_words() {
    Cipher::new(["complete", "2", "cipher", "encrypt"]).run().exits(0).prints(
        "Caesar\tMoves every ASCII letter along the alphabet by a fixed amount\n\
         Vigenere\tMoves every ASCII letter along the alphabet by the next letter of a keyword\n",
    );
    for words in [&["0"][..], &["7", "cipher"], &["18446744073709551615"], &["3", "cipher", "none", "such", ""]] {
        let ended = Cipher::new(["complete"]).args(words).run();
        assert!(matches!(ended.status, Some(0 | 2)), "{words:?}: {}", ended.diagnostics());
    }
}
