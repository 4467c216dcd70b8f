//! The projects that `cipher new` writes. Their files are in `templates`, next to `src`, where the guest is named
//! Atbash.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::exit::{Failure, Kind};
use crate::guest::manifest::{self, MAX_NAME_CHARS};

/// A file of a project: its path and its text, with Atbash for the name of the guest.
#[derive(Debug)]
pub(crate) struct File(&'static str, &'static str);

/// The file at `path` of the template of a language.
macro_rules! file {
    ($language:literal, $path:literal) => {
        File($path, include_str!(concat!("../templates/", $language, "/", $path)))
    };
}

const CONTRACT: File = File("wit/cipher.wit", include_str!("../../wit/cipher.wit"));
/// The manifest, which is the same in every language.
const MANIFEST: File = File("Atbash.toml", include_str!("../templates/Atbash.toml"));
/// The one file that is executable.
const BUILD: &str = "build";

/// With wit-bindgen, for the target wasm32-wasip2.
pub(crate) const RUST: &[File] = &[
    CONTRACT,
    MANIFEST,
    file!("rust", ".gitignore"),
    file!("rust", "Cargo.toml"),
    file!("rust", "README.md"),
    file!("rust", "build"),
    file!("rust", "src/cipher.rs"),
    file!("rust", "src/lib.rs"),
];

/// With componentize-py, from PyPI.
pub(crate) const PYTHON: &[File] = &[
    CONTRACT,
    MANIFEST,
    file!("python", ".gitignore"),
    file!("python", "README.md"),
    file!("python", "app.py"),
    file!("python", "build"),
    file!("python", "cipher.py"),
    file!("python", "requirements.txt"),
    file!("python", "test_cipher.py"),
];

/// With componentize-js, from npm. Its world has an additional interface of WASI, so the contract is a dependency.
pub(crate) const JAVASCRIPT: &[File] = &[
    File("wit/deps/cipher.wit", CONTRACT.1),
    MANIFEST,
    file!("javascript", ".gitignore"),
    file!("javascript", "README.md"),
    file!("javascript", "app.js"),
    file!("javascript", "build"),
    file!("javascript", "cipher.js"),
    file!("javascript", "cipher.test.js"),
    file!("javascript", "package.json"),
    file!("javascript", "wit/deps/wasi-cli.wit"),
    file!("javascript", "wit/guest.wit"),
];

/// The manifest of the guests that start from authenticated encryption.
const AUTHENTICATED_MANIFEST: File = File("Atbash.toml", include_str!("../templates/authenticated/Atbash.toml"));

/// As [`RUST`], with XChaCha20-Poly1305.
pub(crate) const AUTHENTICATED_RUST: &[File] = &[
    CONTRACT,
    AUTHENTICATED_MANIFEST,
    file!("authenticated/rust", ".gitignore"),
    file!("authenticated/rust", "Cargo.toml"),
    file!("authenticated/rust", "README.md"),
    file!("rust", "build"),
    file!("authenticated/rust", "src/cipher.rs"),
    file!("authenticated/rust", "src/lib.rs"),
];

/// As [`PYTHON`], with encrypt-then-MAC from the standard library.
pub(crate) const AUTHENTICATED_PYTHON: &[File] = &[
    CONTRACT,
    AUTHENTICATED_MANIFEST,
    file!("authenticated/python", ".gitignore"),
    file!("authenticated/python", "README.md"),
    file!("authenticated/python", "app.py"),
    file!("python", "build"),
    file!("authenticated/python", "cipher.py"),
    file!("python", "requirements.txt"),
    file!("authenticated/python", "test_cipher.py"),
];

/// With the C generator of wit-bindgen, and clang.
pub(crate) const C: &[File] = &[
    CONTRACT,
    MANIFEST,
    file!("c", ".gitignore"),
    file!("c", "README.md"),
    file!("c", "app.c"),
    file!("c", "build"),
    file!("c", "cipher.c"),
    file!("c", "cipher.h"),
    file!("c", "test_cipher.c"),
];

/// Writes the project of a guest named `name` to `directory`, which is created unless it exists and is empty.
///
/// # Errors
///
/// When `name` is not valid for a guest, a package, and a variable, or the project cannot be written.
pub(crate) fn write(files: &[File], name: &str, directory: &Path) -> Result<()> {
    // The name also becomes that of a package and of a variable, which have stricter rules.
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if !manifest::is_name(name) || !name.is_ascii() || !starts_well {
        let rule = format!(
            "it must be at most {MAX_NAME_CHARS} ASCII letters, digits, '-', '_' and '.', starting with a letter"
        );
        return Err(Failure::new(Kind::Usage, format!("{name:?} cannot be the name of a guest: {rule}")).into());
    }
    let cannot_write = |path: &Path| Failure::new(Kind::Output, format!("cannot write '{}'", path.display()));
    match fs::read_dir(directory).map(|mut entries| entries.next().is_none()) {
        Ok(true) => {}
        Ok(false) => {
            let message = format!("'{}' is not empty: name another directory, or empty it first", directory.display());
            return Err(Failure::new(Kind::Output, message).into());
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| cannot_write(directory)),
    }
    for File(path, text) in files {
        let target = directory.join(renamed(path, name));
        let mode = if *path == BUILD { 0o777 } else { 0o666 };
        let folder = target.parent().unwrap_or(directory);
        fs::create_dir_all(folder).with_context(|| cannot_write(folder))?;
        let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(&target);
        written
            .and_then(|mut file| file.write_all(renamed(text, name).as_bytes()))
            .with_context(|| cannot_write(&target))?;
    }
    Ok(())
}

/// Replaces Atbash in `text` with `name`, in each of its spellings.
fn renamed(text: &str, name: &str) -> String {
    let words = |separator: &str| name.replace(['-', '_', '.'], separator);
    // The name itself comes last, because it may contain any of the other spellings.
    text.replace("ATBASH", &words("_").to_uppercase())
        .replace("guest_atbash", &format!("guest_{}", words("_").to_lowercase()))
        .replace("guest-atbash", &format!("guest-{}", words("-").to_lowercase()))
        .replace("Atbash", name)
}
