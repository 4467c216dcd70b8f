//! What a word on the command line may become. That shells take it so is shown by `scripts/test-shells`.

use crate::guests;
use crate::harness::Cipher;

/// The candidates for the last of `words`, each without what it is.
fn candidates(words: &[&str]) -> Vec<String> {
    let index = (words.len() - 1).to_string();
    let ended = Cipher::new(["complete", &index]).args(words).run().exits(0).says("");
    ended.text().lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn algorithms_are_those_of_the_catalog_whatever_their_case() {
    for call in
        [&["encrypt"][..], &["decrypt", "--lines"], &["inspect"], &["cache", "add"], &["cache", "add", "Caesar"]]
    {
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
fn commands_options_and_their_values_are_candidates() {
    assert_eq!(candidates(&["cipher", "c"]), ["check", "cache", "completions"]);
    assert_eq!(candidates(&["cipher", "cache", "s"]), ["show"]);
    assert_eq!(candidates(&["cipher", "encrypt", "--aud"]), ["--audit-format", "--audit-file"]);
    assert_eq!(candidates(&["cipher", "new", "Mine", "--language", ""]), ["rust", "python", "javascript", "c"]);
    assert_eq!(candidates(&["cipher", "completions", ""]), ["bash", "zsh", "fish"]);
}

#[test]
fn a_path_goes_on_with_directories_and_components() {
    let cipher = Cipher::new(["complete", "2", "cipher", "encrypt", "./"]).file("one.wasm", "").file("one.toml", "");
    std::fs::create_dir(cipher.directory().join("more")).expect("a directory");
    cipher.run().exits(0).prints("./more/\n./one.wasm\n");
}

#[test]
fn what_is_not_begun_and_what_makes_no_sense_is_no_crash() {
    Cipher::new(["complete", "2", "cipher", "encrypt"]).run().exits(0).prints(
        "Caesar\tMoves every ASCII letter along the alphabet by a fixed amount\n\
         Vigenere\tMoves every ASCII letter along the alphabet by the next letter of a keyword\n",
    );
    for words in [&["0"][..], &["7", "cipher"], &["18446744073709551615"], &["3", "cipher", "none", "such", ""]] {
        let ended = Cipher::new(["complete"]).args(words).run();
        assert!(matches!(ended.status, Some(0 | 1)), "{words:?}: {}", ended.complaints());
    }
}
