//! Installed prefixes that are copied, packed, and mounted elsewhere: their guests start without being compiled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::guests;
use crate::harness::{Cipher, Ended, new_directory};
use crate::trust::run_as;

/// A prefix as `just install` creates it, with the guest Echo.
pub(crate) struct Prefix {
    directory: TempDir,
}

impl Prefix {
    pub(crate) fn new() -> Self {
        let prefix = Self::empty();
        let guests = prefix.path("lib/cipher/guests");
        fs::create_dir_all(prefix.path("bin")).expect("it is ours");
        fs::create_dir_all(&guests).expect("it is ours");
        fs::copy(env!("CARGO_BIN_EXE_cipher"), prefix.path("bin/cipher")).expect("the program is copied");
        for file in ["Echo.wasm", "Echo.toml"] {
            fs::copy(guests::directory().join(file), guests.join(file)).expect("a guest is copied");
        }
        let cipher = Cipher::new(["cache", "add", "Echo"]).program(&prefix.program()).env("HOME", "none");
        cipher.run().exits(0).prints("").says("");
        prefix
    }

    /// A directory for a copy, which every user can search.
    pub(crate) fn empty() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let directory = new_directory();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("prefix").join(name)
    }

    fn program(&self) -> String {
        self.path("bin/cipher").to_str().expect("its name is text").to_owned()
    }

    /// A call whose stderr says whether it compiled.
    pub(crate) fn cipher(&self) -> Cipher {
        Cipher::new(["encrypt", "Echo", "abc"]).program(&self.program()).env("RUST_LOG", "cipher=info")
    }

    /// Runs it as a user who owns nothing and has no home. Only root can become one.
    fn run_as_stranger(&self) -> Ended {
        let cipher = self.cipher().env("HOME", "none");
        match rustix::process::geteuid().is_root() {
            true => {
                std::os::unix::fs::chown(cipher.directory(), Some(12_345), None).expect("root can");
                run_as(&cipher, 12_345)
            }
            false => cipher.run(),
        }
    }

    #[track_caller]
    fn expect_artifact(&self, what: &str) {
        let ended = self.run_as_stranger().exits(0).prints("abc\n");
        assert_eq!(ended.diagnostics(), "", "{what}");
    }

    /// A copy that `command` makes of the directory `$1` as `$2`.
    fn copied(&self, command: &str) -> Self {
        let copy = Self::empty();
        let status = Command::new("sh").args(["-euc", command, "sh"]).arg(self.path("")).arg(copy.path("")).status();
        assert!(status.expect("a shell").success(), "{command}");
        copy
    }
}

#[test]
fn copies_start_without_compiling() {
    let prefix = Prefix::new();
    prefix.expect_artifact("in place");
    for command in [
        "mkdir \"$2\"; tar -C \"$1\" -c . | tar -C \"$2\" -x",
        "mkdir \"$2\"; tar -C \"$1\" -c --format=ustar --mtime=@0 . | tar -C \"$2\" -x",
        "cp -a \"$1\" \"$2\"",
        "cp -r \"$1\" \"$2\"",
        "cp -al \"$1\" \"$2\" 2>/dev/null || cp -a \"$1\" \"$2\"",
        "cp -a \"$1\" \"$2\"; chmod -R a-w \"$2\"",
        "cp -a \"$1\" \"$2\"; find \"$2\" -exec touch {} +",
        "cp -a \"$1\" \"$2\"; find \"$2\" -exec touch -d @1 {} +",
    ] {
        prefix.copied(command).expect_artifact(command);
    }
}

#[test]
fn damaged_copies_are_recompiled() {
    let prefix = Prefix::new();
    let artifact = |prefix: &Prefix| {
        let files = guests::files(prefix.path("lib/cipher/guests/artifacts"));
        files.into_iter().find(|file| file.extension().is_some_and(|ending| ending == "cwasm")).expect("an artifact")
    };
    let change = |path: &Path, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = fs::read(path).expect("it can be read");
        change(&mut bytes);
        fs::write(path, bytes).expect("it is ours");
    };
    let flip = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    };
    let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1);
    for damage in [&flip as &dyn Fn(&mut Vec<u8>), &cut] {
        let copy = prefix.copied("cp -a \"$1\" \"$2\"");
        change(&artifact(&copy), damage);
        let ended = copy.run_as_stranger().exits(0).prints("abc\n");
        assert!(ended.diagnostics().contains("Echo is compiled on every run, because "), "{}", ended.diagnostics());
    }
}

#[test]
fn replaced_component_is_recompiled() {
    let copy = Prefix::new().copied("cp -a \"$1\" \"$2\"");
    let component = copy.path("lib/cipher/guests/Echo.wasm");
    let times = fs::metadata(&component).and_then(|metadata| metadata.modified()).expect("it is there");
    let size = fs::metadata(&component).expect("it is there").len() as usize;
    let mut other = fs::read(guests::directory().join("Counter.wasm")).expect("it is there");
    // A custom section of a component: its number, its size, an empty name.
    let padding = size - other.len();
    other.extend([0, u8::try_from(padding - 2).expect("it is small"), 0]);
    other.resize(size, 0);
    fs::write(&component, other).expect("it is ours");
    fs::File::options().append(true).open(&component).and_then(|file| file.set_modified(times)).expect("it is ours");
    copy.run_as_stranger().exits(0).prints("1\n");
}

#[test]
fn cache_reads_copy_once() {
    let copy = Prefix::new().copied("cp -r \"$1\" \"$2\"");
    let home = new_directory();
    let artifacts = copy.path("lib/cipher/guests/artifacts");
    let before = fs::read_dir(&artifacts).expect("it is there").count();
    for _ in 0..3 {
        let ended = copy.cipher().env("HOME", home.path()).run().exits(0).prints("abc\n");
        assert_eq!(ended.diagnostics(), "");
    }
    // A user who can write to the prefix adds the entry there, for all users.
    let entries = match fs::read_dir(home.path().join(".cache/cipher")) {
        Ok(entries) => entries.map(|entry| entry.expect("an entry").file_name()).collect(),
        Err(_) => Vec::new(),
    };
    assert!(!entries.iter().any(|name| name.to_string_lossy().ends_with(".cwasm")), "{entries:?}");
    // One entry, for the identity of the copy.
    let added = fs::read_dir(&artifacts).expect("it is there").count() - before;
    assert_eq!(added, 1);
}
