//! Projects that `cipher new` writes. `scripts/just test-templates` builds and runs them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::guests;
use crate::harness::Cipher;

const RUST: &str = "\
.gitignore
Cargo.toml
My-Cipher.2.toml
README.md
build*
src/cipher.rs
src/lib.rs
wit/cipher.wit
";

const PYTHON: &str = "\
.gitignore
My-Cipher.2.toml
README.md
app.py
build*
cipher.py
requirements.txt
test_cipher.py
wit/cipher.wit
";

const JAVASCRIPT: &str = "\
.gitignore
My-Cipher.2.toml
README.md
app.js
build*
cipher.js
cipher.test.js
package.json
wit/deps/cipher.wit
wit/deps/wasi-cli.wit
wit/guest.wit
";

const C: &str = "\
.gitignore
My-Cipher.2.toml
README.md
app.c
build*
cipher.c
cipher.h
test_cipher.c
wit/cipher.wit
";

const LANGUAGES: [(&str, &str); 4] = [("rust", RUST), ("python", PYTHON), ("javascript", JAVASCRIPT), ("c", C)];

/// The files below `folder`, one per line, sorted. Executable files have an asterisk.
fn listing(folder: &Path) -> String {
    let mut lines: Vec<String> = files(folder)
        .iter()
        .map(|(path, _)| {
            let mode = fs::metadata(folder.join(path)).expect("it is there").permissions().mode();
            format!("{path}{}\n", if mode & 0o111 != 0 { "*" } else { "" })
        })
        .collect();
    lines.sort();
    lines.concat()
}

/// The files below `folder` with their contents.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("it can be read").map(|entry| entry.expect("an entry")) {
        let (name, path) = (entry.file_name().into_string().expect("a name is text"), entry.path());
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            found.push((name, fs::read_to_string(path).expect("a file is text")));
        }
    }
    found
}

#[test]
fn writes_complete_projects_in_every_language() {
    for (language, expected) in LANGUAGES {
        let cipher = Cipher::new(["new", "My-Cipher.2", "--language", language]);
        let next = "created my-cipher.2; next:\n  cd my-cipher.2\n  ./build\n  cipher check ./My-Cipher.2.wasm\n";
        cipher.run().exits(0).prints(next).says("");
        let folder = cipher.directory().join("my-cipher.2");
        assert_eq!(listing(&folder), expected, "{language}");
        for (path, text) in files(&folder) {
            assert!(!text.to_lowercase().contains("atbash"), "{language}: {path}");
        }
    }
}

#[test]
fn authenticated_projects_are_complete() {
    for (language, expected) in [("rust", RUST), ("python", PYTHON)] {
        let cipher = Cipher::new(["new", "My-Cipher.2", "--kind", "authenticated", "--language", language]);
        cipher.run().exits(0);
        let folder = cipher.directory().join("my-cipher.2");
        assert_eq!(listing(&folder), expected, "{language}");
        for (path, text) in files(&folder) {
            assert!(!text.to_lowercase().contains("atbash"), "{language}: {path}");
        }
        assert!(cipher.read("my-cipher.2/My-Cipher.2.toml").contains("[settings.MY_CIPHER_2_KEY]\n"));
    }
}

#[test]
fn rejects_kind_without_template() {
    let error = "error: --kind authenticated needs --language rust or python\n";
    Cipher::new(["new", "Mine", "--kind", "authenticated", "--language", "c"]).run().exits(2).prints("").says(error);
}

#[test]
fn writes_contract_and_names() {
    let contract = fs::read_to_string("../wit/cipher.wit").expect("the contract");
    let cipher = Cipher::new(["new", "My-ATBASH.2", "--language", "rust", "a/b"]);
    cipher.run().exits(0);
    assert_eq!(cipher.read("a/b/wit/cipher.wit"), contract);
    assert!(cipher.read("a/b/Cargo.toml").contains("name = \"guest-my-atbash-2\"\n"));
    assert!(cipher.read("a/b/build").ends_with("/guest_my_atbash_2.wasm My-ATBASH.2.wasm\n"));
    assert!(cipher.read("a/b/src/lib.rs").contains("\"MY_ATBASH_2_DIGITS\""));
    assert!(cipher.read("a/b/My-ATBASH.2.toml").contains("[settings.MY_ATBASH_2_DIGITS]\n"));
}

#[test]
fn manifest_of_project_is_valid() {
    for (language, _) in LANGUAGES {
        let cipher = Cipher::shell(format!(
            "cipher new Mine --language {language} . > /dev/null && cp '{}' Mine.wasm && CIPHER_GUESTS=. cipher encrypt mine text \
             --set MINE_DIGITS=yes",
            guests::directory().join("Echo.wasm").display()
        ));
        cipher.run().exits(0).prints("text\n");
    }
}

#[test]
fn keeps_non_empty_directory() {
    let cipher = Cipher::new(["new", "Mine", "--language", "c", "."]).file("kept", "");
    let error = "error: '.' is not empty: name another directory, or empty it first\n";
    cipher.run().exits(6).prints("").says(error);
    assert_eq!(listing(cipher.directory()), "kept\n");
    let cipher = Cipher::new(["new", "Mine", "--language", "c", "kept"]).file("kept", "");
    cipher.run().exits(6).prints("").says("error: cannot write 'kept': Not a directory (os error 20)\n");
}

#[test]
fn rejects_unusable_names() {
    let long = "a".repeat(129);
    for name in ["", &long, "2nd", "_x", ".x", "a/b", "a b", "a\"b", "größe", "a.wasm", "a\u{1b}[31m", "a$b"] {
        let cipher = Cipher::new(["new", "--language", "rust", "--", name, "x"]);
        let reason = "it must be at most 128 ASCII letters, digits, '-', '_' and '.', starting with a letter";
        let error = format!("error: {name:?} cannot be the name of a guest: {reason}\n");
        cipher.run().exits(2).prints("").says(&error);
        assert_eq!(listing(cipher.directory()), "");
    }
}

#[test]
fn rejects_unknown_language() {
    let ended = Cipher::new(["new", "Mine", "--language", "cobol"]).run().exits(2).prints("");
    assert!(ended.diagnostics().contains("[possible values: rust, python, javascript, c]"), "{}", ended.diagnostics());
}
