//! The artifact cache: if anything is wrong with it, a call gives the right result and repairs the cache.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::guests;
use crate::harness::{Cipher, Ended, new_directory};

/// A home with two guests, each of which was called once.
pub(crate) struct Home {
    pub directory: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self { directory: new_directory() };
        for guest in ["Echo", "Counter"] {
            let from = guests::directory().join(guest).with_extension("wasm");
            fs::copy(from, home.component(guest)).expect("a component is copied");
            home.call(guest).exits(0);
        }
        home.expect_cached("at first");
        home
    }

    pub(crate) fn component(&self, guest: &str) -> PathBuf {
        self.directory.path().join(guest).with_extension("wasm")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.directory.path().join(".cache/cipher")
    }

    /// A call of a guest, whose stderr says whether it was compiled.
    pub(crate) fn cipher(&self, guest: &str) -> Cipher {
        let cipher = Cipher::new(["encrypt".as_ref(), self.component(guest).as_os_str(), "abc".as_ref()]);
        cipher.env("HOME", self.directory.path()).env("RUST_LOG", "cipher=info")
    }

    fn call(&self, guest: &str) -> Ended {
        self.cipher(guest).run()
    }

    pub(crate) fn files(&self, ending: &str) -> Vec<PathBuf> {
        let found = guests::files(self.cache());
        found.into_iter().filter(|file| file.to_string_lossy().ends_with(ending)).collect()
    }

    /// The index entries of a guest.
    pub(crate) fn entries(&self, guest: &str) -> Vec<PathBuf> {
        let is_of =
            |file: &PathBuf| fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("/{guest}.wasm")));
        self.files(".entry").into_iter().filter(is_of).collect()
    }

    /// The digest of a guest.
    pub(crate) fn digest(&self, guest: &str) -> String {
        fs::read_to_string(&self.entries(guest)[0]).expect("it is text")[..64].to_owned()
    }

    /// The artifact of a guest.
    pub(crate) fn artifact(&self, guest: &str) -> PathBuf {
        let digest = self.digest(guest);
        self.files(".cwasm").into_iter().find(|file| file.to_string_lossy().contains(&digest)).expect("an artifact")
    }

    #[track_caller]
    pub(crate) fn expect_cached(&self, when: &str) {
        let ended = self.call("Echo").exits(0).prints("abc\n");
        assert_eq!(ended.diagnostics(), "", "{when}");
    }

    /// Expects that after `damage` the next call is right, and the one after it does not compile.
    #[track_caller]
    fn expect_recompiled(&self, damage: &str) {
        let ended = self.call("Echo").exits(0).prints("abc\n");
        assert!(ended.diagnostics().contains("compiling"), "{damage}: {}", ended.diagnostics());
        self.expect_cached(damage);
    }
}

/// Changes some of a file's bytes, in place.
fn change(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).expect("it can be read");
    change(&mut bytes);
    fs::write(file, bytes).expect("it can be written");
}

#[test]
fn recompiles_damaged_artifacts() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 6] = [
        ("emptied", Vec::clear),
        ("cut in half", |bytes| bytes.truncate(bytes.len() / 2)),
        ("cut by a byte", |bytes| bytes.truncate(bytes.len() - 1)),
        ("zeroed", |bytes| bytes.fill(0)),
        ("zeroed after its head", |bytes| bytes[4096..].fill(0)),
        ("one bit flipped", |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }),
    ];
    let home = Home::new();
    for (damage, apply) in damages {
        change(&home.artifact("Echo"), apply);
        home.expect_recompiled(damage);
    }
}

#[test]
fn recognizes_artifacts_by_contents() {
    let home = Home::new();
    let (echo, counter) = (home.artifact("Echo"), home.artifact("Counter"));

    fs::copy(&counter, &echo).expect("it is copied");
    home.expect_recompiled("the artifact of another guest");

    fs::remove_file(&echo).expect("it is removed");
    home.expect_recompiled("removed");

    fs::remove_file(&echo).expect("it is removed");
    symlink(counter, &echo).expect("a link is made");
    home.expect_recompiled("a symbolic link");

    fs::copy(&echo, echo.with_extension("copy")).expect("it is copied");
    fs::rename(echo.with_extension("copy"), &echo).expect("it is renamed");
    home.expect_cached("a copy of the artifact");

    File::options().append(true).open(&echo).and_then(|file| file.set_modified(SystemTime::UNIX_EPOCH)).expect("ours");
    home.expect_cached("an artifact with another time");
}

#[test]
#[cfg(target_os = "linux")]
fn reads_uncached_artifact_in_order() {
    const TMPFS: u64 = 0x0102_1994;
    let home = Home::new();
    let file = File::open(home.artifact("Echo")).expect("it can be read");
    if rustix::fs::fstatfs(&file).expect("it is known").f_type as u64 == TMPFS {
        return; // It is always in memory.
    }
    let is_read = || {
        let ended = home.cipher("Echo").env("RUST_LOG", "cipher=debug").run().exits(0).prints("abc\n");
        ended.diagnostics().contains("not in the page cache")
    };
    assert!(!is_read());
    // The program may be preempted while it asks for a page, which starts to read it: it may be there when the program
    // continues. Besides, the kernel does not drop a page that it is still working on.
    let is_read_after_eviction = |_| {
        file.sync_all().expect("it can be written");
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).expect("it is a file");
        is_read()
    };
    assert!((0..100).any(is_read_after_eviction));
    assert!(!is_read());
}

#[test]
fn ignores_files_writable_by_others() {
    let home = Home::new();
    let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    open(&home.artifact("Echo"), 0o666);
    home.expect_recompiled("an artifact that all can write");
    for entry in home.files(".entry") {
        open(&entry, 0o664);
    }
    home.expect_recompiled("entries that the group can write");
}

#[test]
fn ignores_entries_under_readable_key() {
    let home = Home::new();
    let key = home.cache().join("key");
    assert_eq!(fs::metadata(&key).expect("it was made").mode() & 0o777, 0o600);
    fs::set_permissions(&key, Permissions::from_mode(0o640)).expect("it is ours");
    home.expect_recompiled("a key that the group can read");
    assert_eq!(fs::metadata(&key).expect("it was made").mode() & 0o777, 0o600);
    change(&key, |bytes| bytes.truncate(31));
    home.expect_recompiled("a key that was cut");
    fs::remove_file(&key).expect("it is ours");
    home.expect_recompiled("no key");
    change(&key, |bytes| bytes.fill(7));
    home.expect_recompiled("the key of another cache");
}

#[test]
fn ignores_damaged_entries() {
    type Damage<'a> = &'a dyn Fn(&Path);
    let home = Home::new();
    let damages: [(&str, Damage); 4] = [
        ("emptied", &|entry| change(entry, Vec::clear)),
        ("no text", &|entry| change(entry, |bytes| bytes.fill(0xff))),
        ("out of the directory", &|entry| {
            change(entry, |bytes| bytes.splice(.., *b"../../Echo.wasm x\n").for_each(drop))
        }),
        ("a directory", &|entry| {
            fs::remove_file(entry).expect("it is removed");
            fs::create_dir(entry).expect("a directory is made");
        }),
    ];
    for (damage, apply) in damages {
        for entry in home.files(".entry") {
            apply(&entry);
        }
        let ended = home.call("Echo").exits(0).prints("abc\n");
        assert!(ended.diagnostics().contains("compiling"), "{damage}: {}", ended.diagnostics());
    }
}

#[test]
fn recompiles_changed_component_with_same_times() {
    let home = Home::new();
    let echo = home.component("Echo");
    let before = fs::metadata(&echo).expect("it is there");
    // In place, to the same size, and with the time of its last change set back.
    let with_other_answer = |bytes: &mut Vec<u8>| {
        let counter = fs::read(home.component("Counter")).expect("it is there");
        let padding = bytes.len() - counter.len();
        *bytes = counter;
        // A custom section of a component: its number, its size, an empty name.
        bytes.extend([0, u8::try_from(padding - 2).expect("it is small"), 0]);
        bytes.extend(vec![0; padding - 3]);
    };
    change(&echo, with_other_answer);
    File::options()
        .append(true)
        .open(&echo)
        .and_then(|file| file.set_modified(before.modified()?))
        .expect("it is ours");
    let after = fs::metadata(&echo).expect("it is there");
    assert_eq!((before.len(), before.mtime_nsec(), before.ino()), (after.len(), after.mtime_nsec(), after.ino()));
    home.call("Echo").exits(0).prints("1\n");
}

#[test]
fn bounds_wait_for_lock() {
    let home = Home::new();
    let path = home.cache().join(home.digest("Echo")).with_extension("lock");
    let lock = File::create(&path).expect("it is ours");
    lock.lock().expect("nobody has it");
    fs::remove_file(home.artifact("Echo")).expect("it is removed");
    let ended = home.cipher("Echo").args(["--compile-timeout", "2s"]).run();
    ended.exits(0).prints("abc\n");
    home.expect_cached("locked all the same");
}

#[test]
fn locks_only_one_component() {
    let home = Home::new();
    let lock = File::create(home.cache().join(home.digest("Counter")).with_extension("lock")).expect("it is ours");
    lock.lock().expect("nobody has it");
    fs::remove_file(home.artifact("Echo")).expect("it is removed");
    // Waiting for the other lock would take at least as long as a test may.
    home.cipher("Echo").args(["--compile-timeout", "1h"]).run().exits(0).prints("abc\n");
    // Released locks leave no file.
    drop(lock);
    home.call("Counter").exits(0);
    fs::remove_file(home.artifact("Counter")).expect("it is removed");
    home.call("Counter").exits(0);
    assert_eq!(home.files(".lock"), [] as [PathBuf; 0]);
}

#[test]
fn does_not_wait_for_a_pipe() {
    let home = Home::new();
    let lock = home.cache().join(home.digest("Echo")).with_extension("lock");
    let used = [vec![home.artifact("Echo"), home.cache().join("key")], home.entries("Echo")].concat();
    for file in &used {
        fs::remove_file(file).expect("it is removed");
    }
    for file in used.iter().chain([&lock]) {
        rustix::fs::mkfifoat(rustix::fs::CWD, file, 0o600.into()).expect("it is ours");
    }
    home.cipher("Echo").args(["--compile-timeout", "1h"]).run().exits(0).prints("abc\n");
    home.expect_cached("with a pipe in place of the lock");
}

#[test]
fn cache_add_fails_without_storage() {
    let echo = guests::directory().join("Echo.wasm");
    let add = || Cipher::new(["cache".as_ref(), "add".as_ref(), echo.as_os_str()]);
    for (cipher, reason) in [
        (
            add().env("HOME", "none").env("XDG_CACHE_HOME", "none"),
            "neither XDG_CACHE_HOME nor HOME is an absolute path",
        ),
        (add().file(".cache", ""), "cannot be used: Not a directory"),
    ] {
        let diagnostics = cipher.run().exits(6).prints("").diagnostics();
        assert!(diagnostics.starts_with("error: cannot cache the compiled code of Echo, because "), "{diagnostics}");
        assert!(diagnostics.contains(reason) && diagnostics.lines().count() == 1, "{diagnostics}");
    }
}

#[test]
fn cache_handles_stray_files() {
    let home = Home::new();
    let cache = |action: &[&str]| Cipher::new(["cache"]).args(action).env("HOME", home.directory.path()).run().exits(0);
    let at = |name: &str| home.cache().join(name);
    let digest = "0".repeat(64);
    fs::write(at("stranger.entry"), format!("{digest} 1-2-3.4-5.6 {digest}\n\x1b]0;title\x07\n")).expect("it is ours");
    fs::write(at(".new-killed"), vec![0; 5 << 20]).expect("it is ours");
    symlink("/dev/zero", at("endless.entry")).expect("it is ours");
    rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe.entry"), 0o644.into()).expect("it is ours");

    let shown = cache(&["show"]);
    assert!(shown.text().contains("\\u{1b}]0;title\\u{7}"), "{}", shown.text());
    assert!(shown.text().contains("  5.0 MiB, used just now: not in use"), "{}", shown.text());

    cache(&["clear"]);
    let entries = fs::read_dir(home.cache()).expect("it can be read").map(|entry| entry.expect("an entry").file_name());
    let mut left: Vec<_> = entries.collect();
    left.sort();
    assert_eq!(left, ["endless.entry", "pipe.entry"]);
}

#[test]
fn survives_kill_at_any_moment() {
    let home = new_directory();
    let echo = guests::directory().join("Echo.wasm");
    let cipher = || Cipher::new(["encrypt".as_ref(), echo.as_os_str(), "abc".as_ref()]).env("HOME", home.path());
    for moment in 0..40 {
        let running = cipher();
        let mut child = running.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        std::thread::sleep(Duration::from_micros(moment * 500));
        child.kill().expect("it was started");
        child.wait().expect("it was started");
        if moment % 10 == 9 {
            cipher().run().exits(0).prints("abc\n").says("");
            fs::remove_dir_all(home.path().join(".cache")).expect("it was made");
        }
    }
}
