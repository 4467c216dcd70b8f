//! The machine code on disk: whatever is wrong with it, a call gives the right result and leaves it in order.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use crate::guests;
use crate::harness::{Cipher, Ended};

/// A home with two guests, each of which was called once.
struct Home {
    directory: TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { directory: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory") };
        for guest in ["Echo", "Counter"] {
            let from = guests::directory().join(guest).with_extension("wasm");
            fs::copy(from, home.component(guest)).expect("a component is copied");
            home.call(guest).exits(0);
        }
        home.expect_order("at first");
        home
    }

    fn component(&self, guest: &str) -> PathBuf {
        self.directory.path().join(guest).with_extension("wasm")
    }

    fn shelf(&self) -> PathBuf {
        self.directory.path().join(".cache/cipher")
    }

    /// Calls a guest; standard error then says whether it was compiled.
    fn call(&self, guest: &str) -> Ended {
        let cipher = Cipher::new(["encrypt".as_ref(), self.component(guest).as_os_str(), "abc".as_ref()]);
        cipher.env("HOME", self.directory.path()).env("RUST_LOG", "cipher=info").run()
    }

    fn files(&self, ending: &str) -> Vec<PathBuf> {
        let found = guests::files(self.shelf());
        found.into_iter().filter(|file| file.to_string_lossy().ends_with(ending)).collect()
    }

    /// The machine code of Echo.
    fn artifact(&self) -> PathBuf {
        let named = |file: &&PathBuf| fs::read_to_string(file).is_ok_and(|record| record.contains("Echo.wasm"));
        let records = self.files(".record");
        let record = fs::read_to_string(records.iter().find(named).expect("a record of Echo")).expect("it is text");
        let digest = record.split(' ').next().expect("it starts with a digest");
        self.files(".cwasm").into_iter().find(|file| file.to_string_lossy().contains(digest)).expect("an artifact")
    }

    #[track_caller]
    fn expect_order(&self, when: &str) {
        let ended = self.call("Echo").exits(0).prints("abc\n");
        assert_eq!(ended.complaints(), "", "{when}");
    }

    /// Whatever `damage` did: the next call is right, and the one after it does not compile.
    #[track_caller]
    fn expect_mended(&self, damage: &str) {
        let ended = self.call("Echo").exits(0).prints("abc\n");
        assert!(ended.complaints().contains("compiling"), "{damage}: {}", ended.complaints());
        self.expect_order(damage);
    }
}

/// Changes some of a file's bytes, in place.
fn change(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).expect("it can be read");
    change(&mut bytes);
    fs::write(file, bytes).expect("it can be written");
}

#[test]
fn a_damaged_artifact_is_compiled_again() {
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
        change(&home.artifact(), apply);
        home.expect_mended(damage);
    }
}

#[test]
fn an_artifact_that_is_not_the_one_that_was_kept_is_not_loaded() {
    let home = Home::new();
    let (echo, others) = (home.artifact(), home.files(".cwasm"));
    let counter = others.iter().find(|file| **file != echo).expect("there are two");

    fs::copy(counter, &echo).expect("it is copied");
    home.expect_mended("another's machine code");

    fs::remove_file(&echo).expect("it is removed");
    home.expect_mended("removed");

    fs::remove_file(&echo).expect("it is removed");
    symlink(counter, &echo).expect("a link is made");
    home.expect_mended("a symbolic link");

    // The same bytes, but not the file that was written.
    fs::copy(&echo, echo.with_extension("copy")).expect("it is copied");
    fs::rename(echo.with_extension("copy"), &echo).expect("it is renamed");
    home.expect_mended("a copy");
}

#[test]
fn what_another_user_could_have_written_is_not_loaded() {
    let home = Home::new();
    let open = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
    open(&home.artifact(), 0o666);
    home.expect_mended("an artifact that all can write");
    for record in home.files(".record") {
        open(&record, 0o664);
    }
    home.expect_mended("records that the group can write");

    open(&home.shelf(), 0o777);
    let ended = home.call("Echo").exits(0).prints("abc\n");
    let warning = format!("[WARN  cipher::code::cache] '{}' is not used for machine code", home.shelf().display());
    assert!(ended.complaints().contains(&warning), "{}", ended.complaints());
    open(&home.shelf(), 0o755);
    home.expect_order("closed again");
}

#[test]
fn a_damaged_record_leads_nowhere() {
    type Damage<'a> = &'a dyn Fn(&Path);
    let home = Home::new();
    let damages: [(&str, Damage); 4] = [
        ("emptied", &|record| change(record, Vec::clear)),
        ("no text", &|record| change(record, |bytes| bytes.fill(0xff))),
        ("out of the directory", &|record| {
            change(record, |bytes| bytes.splice(.., *b"../../Echo.wasm x\n").for_each(drop))
        }),
        ("a directory", &|record| {
            fs::remove_file(record).expect("it is removed");
            fs::create_dir(record).expect("a directory is made");
        }),
    ];
    for (damage, apply) in damages {
        for record in home.files(".record") {
            apply(&record);
        }
        let ended = home.call("Echo").exits(0).prints("abc\n");
        assert!(ended.complaints().contains("compiling"), "{damage}: {}", ended.complaints());
    }
}

#[test]
fn a_component_that_was_changed_is_compiled_again_whatever_its_times_say() {
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
fn a_lock_that_is_not_given_back_is_not_waited_for_longer_than_a_compilation_may_take() {
    let home = Home::new();
    let lock = File::open(home.shelf().join("lock")).expect("it was made");
    lock.lock().expect("nobody has it");
    fs::remove_file(home.artifact()).expect("it is removed");
    let cipher = Cipher::new(["encrypt".as_ref(), home.component("Echo").as_os_str(), "abc".as_ref()]);
    let ended = cipher.args(["--compile-timeout", "2s"]).env("HOME", home.directory.path()).run();
    ended.exits(0).prints("abc\n").says("");
    home.expect_order("locked all the same");
    let mode = lock.metadata().expect("it is open").mode();
    assert_eq!(mode & 0o077, 0, "others could lock it: {mode:o}");
}

#[test]
fn what_is_not_kept_was_not_added() {
    let echo = guests::directory().join("Echo.wasm");
    let add = || Cipher::new(["cache".as_ref(), "add".as_ref(), echo.as_os_str()]);
    let told = "error: the machine code of Echo is not kept: there is no cache directory";
    for cipher in [add().env("HOME", "").env("XDG_CACHE_HOME", ""), add().file(".cache", "")] {
        let complaints = cipher.run().exits(1).prints("").complaints();
        assert!(complaints.starts_with(told), "{complaints}");
    }
}

#[test]
fn what_lies_about_on_a_shelf_is_shown_as_it_is_and_all_of_it_removed() {
    let home = Home::new();
    let shelf = home.shelf();
    let cache = |action: &[&str]| Cipher::new(["cache"]).args(action).env("HOME", home.directory.path()).run().exits(0);
    let digest = "0".repeat(64);
    fs::write(shelf.join("stranger.record"), format!("{digest} x\n\x1b]0;title\x07\n")).expect("it is ours");
    fs::write(shelf.join(".new-killed"), vec![0; 5 << 20]).expect("it is ours");
    symlink("/dev/zero", shelf.join("endless.record")).expect("it is ours");
    rustix::fs::mkfifoat(rustix::fs::CWD, shelf.join("pipe.record"), 0o644.into()).expect("it is ours");

    let shown = cache(&["show"]);
    assert!(shown.text().contains("\\u{1b}]0;title\\u{7}"), "{}", shown.text());
    assert!(shown.text().contains("  5.0 MiB, used just now"), "{}", shown.text());

    cache(&["clear"]);
    let entries = fs::read_dir(&shelf).expect("it can be read").map(|entry| entry.expect("an entry").file_name());
    let mut left: Vec<_> = entries.collect();
    left.sort();
    assert_eq!(left, ["endless.record", "lock", "pipe.record"]);
}

#[test]
fn a_call_that_is_killed_at_any_moment_leaves_what_the_next_one_can_use() {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
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
