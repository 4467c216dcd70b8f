//! Attacks through the artifact cache: another user's compiled code must not run as this user.
//!
//! Each attack starts from a valid cache, which is then placed where another user could have created it. If the program
//! loads code from it, it does not compile. Some attacks need two users and so run only as root.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, lchown, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;

use crate::artifacts::Home;
use crate::harness::{Cipher, Ended, new_directory};

/// Users without a name, one of whom is the victim where root is not.
const VICTIM: u32 = 12_345;
const ATTACKER: u32 = 54_321;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs a command as another user.
pub(crate) fn run_as(cipher: &Cipher, user: u32) -> Ended {
    let output = cipher.command().stdin(Stdio::null()).uid(user).gid(user).output().expect("it starts");
    Ended { status: output.status.code(), stdout: output.stdout, stderr: output.stderr }
}

/// Gives a tree to a user, but not the targets of its links.
pub(crate) fn give(tree: &Path, user: u32) {
    lchown(tree, Some(user), Some(user)).expect("root can");
    if fs::symlink_metadata(tree).expect("it is there").is_dir() {
        for entry in fs::read_dir(tree).expect("it can be read") {
            give(&entry.expect("an entry").path(), user);
        }
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

/// Expects that nothing was loaded from a cache, and a line that contains `reason`.
#[track_caller]
fn expect_refused(ended: Ended, reason: &str) {
    let diagnostics = ended.exits(0).prints("abc\n").diagnostics();
    assert!(diagnostics.contains("compiling"), "{diagnostics}");
    let warnings: Vec<_> = diagnostics.lines().filter(|line| line.starts_with("[WARN ")).collect();
    assert!(matches!(warnings.as_slice(), [warning] if warning.contains(reason)), "{reason}: {diagnostics}");
}

#[test]
fn refuses_cache_below_writable_directory() {
    let home = Home::new();
    for (place, mode) in [(".cache/cipher", 0o777), (".cache/cipher", 0o1777), (".cache", 0o775), (".cache", 0o757)] {
        let path = home.directory.path().join(place);
        set_mode(&path, mode);
        let fix = format!("other users can write to '{0}' (fix with 'chmod go-w {0}')", path.display());
        expect_refused(home.cipher("Echo").run(), &fix);
        set_mode(&path, 0o755);
        home.expect_cached("closed again");
    }
    // In a sticky directory, other users can change only their own files.
    set_mode(&home.directory.path().join(".cache"), 0o1777);
    home.expect_cached("sticky");
}

#[test]
fn follows_own_links() {
    let home = Home::new();
    let at = |name: &str| home.directory.path().join(name);
    fs::rename(at(".cache"), at("elsewhere")).expect("it is ours");
    symlink("elsewhere", at(".cache")).expect("it is ours");
    home.expect_cached("a link to the parent");
    fs::rename(at("elsewhere/cipher"), at("moved")).expect("it is ours");
    symlink(at("moved"), at("elsewhere/cipher")).expect("it is ours");
    home.expect_cached("a link to the directory");
    set_mode(&at("moved"), 0o770);
    expect_refused(home.cipher("Echo").run(), &format!("other users can write to '{}'", at("moved").display()));
}

#[test]
fn refuses_link_of_another_user() {
    if !is_root() {
        return;
    }
    let home = Home::new();
    let shared = home.directory.path().join("shared");
    fs::create_dir(&shared).expect("it is ours");
    set_mode(&shared, 0o1777);
    // To a directory of the victim, such as a checkout of the attacker's repository.
    let link = shared.join("cipher");
    symlink(home.cache(), &link).expect("root can");
    let cipher = || home.cipher("Echo").env("XDG_CACHE_HOME", &shared);
    assert_eq!(cipher().run().exits(0).diagnostics(), "", "the link is the victim's own");
    lchown(&link, Some(ATTACKER), Some(ATTACKER)).expect("root can");
    expect_refused(cipher().run(), &format!("'{}' belongs to another user ({ATTACKER})", link.display()));
}

#[test]
fn root_avoids_homes_of_others() {
    if !is_root() {
        return;
    }
    let home = Home::new();
    let victims = new_directory();
    fs::create_dir(victims.path().join(".cache")).expect("root can");
    symlink(home.cache(), victims.path().join(".cache/cipher")).expect("root can");
    give(victims.path(), ATTACKER);
    fs::remove_file(home.artifact("Counter")).expect("it is ours");
    let before = fs::read_dir(home.cache()).expect("it is there").count();
    let reason = format!("'{}' belongs to another user ({ATTACKER})", victims.path().display());
    for guest in ["Echo", "Counter"] {
        let cipher = home.cipher(guest).env("HOME", victims.path());
        let ended = cipher.run().exits(0);
        assert!(ended.diagnostics().contains(&reason), "{}", ended.diagnostics());
        assert!(ended.diagnostics().contains("compiling"), "{}", ended.diagnostics());
    }
    assert_eq!(fs::read_dir(home.cache()).expect("it is there").count(), before);
    Cipher::new(["cache", "clear"]).env("HOME", victims.path()).run().exits(6).prints("");
    assert_eq!(fs::read_dir(home.cache()).expect("it is there").count(), before);
}

#[test]
fn rejects_every_cache_without_user() {
    // All files seem to belong to `nobody` there, and the process seems to run as `nobody`.
    let mut unshare = std::process::Command::new("unshare");
    if !unshare.args(["--user", "true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
        return;
    }
    let home = Home::new();
    let script = "exec unshare --user cipher encrypt \"$COMPONENT\" abc";
    let cipher = Cipher::shell(script).env("COMPONENT", home.component("Echo"));
    let cipher = cipher.env("HOME", home.directory.path()).env("RUST_LOG", "cipher=info");
    expect_refused(cipher.run(), "this process runs as a user that its user namespace does not map");
}

#[test]
fn refuses_forged_entry() {
    let home = Home::new();
    let (echo, counter) = (home.artifact("Echo"), home.artifact("Counter"));
    fs::copy(&counter, &echo).expect("it is ours");
    // What an attacker can know: the identity and the digest of the planted file.
    let planted = fs::metadata(&echo).expect("it is there");
    let identity = format!(
        "{:x}-{:x}-{:x}.{:x}-{:x}.{:x}",
        planted.ino(),
        planted.size(),
        planted.mtime(),
        planted.mtime_nsec(),
        planted.ctime(),
        planted.ctime_nsec()
    );
    let contents = fs::read_to_string(&home.entries("Counter")[0]).expect("it is text");
    let contents = contents.lines().next().and_then(|line| line.split(' ').nth(2)).expect("a digest").to_owned();
    for path in home.entries("Echo") {
        let text = fs::read_to_string(&path).expect("it is text");
        let (first, rest) = text.split_once('\n').expect("three lines");
        let digest = first.split(' ').next().expect("a digest");
        fs::write(&path, format!("{digest} {identity} {contents}\n{rest}")).expect("it is ours");
    }
    let ended = home.cipher("Echo").run().exits(0).prints("abc\n");
    assert!(ended.diagnostics().contains("compiling"), "{}", ended.diagnostics());
}

#[test]
fn reports_cache_of_root_once() {
    if !is_root() {
        return;
    }
    let home = Home::new();
    // As after one 'sudo': the home belongs to the victim, the cache in it to root.
    for path in [home.directory.path().to_owned(), home.directory.path().join(".cache")] {
        chown(path, Some(VICTIM), Some(VICTIM)).expect("root can");
    }
    let cipher = || {
        let cipher = Cipher::new(["encrypt".as_ref(), home.component("Echo").as_os_str(), "abc".as_ref()]);
        chown(cipher.directory(), Some(VICTIM), Some(VICTIM)).expect("root can");
        cipher.env("HOME", home.directory.path()).env("RUST_LOG", "cipher=info")
    };
    let fix = format!("'{0}' belongs to root (fix with 'sudo chown -R $USER {0}')", home.cache().display());
    expect_refused(run_as(&cipher(), VICTIM), &fix);
    // Files that belong to root are replaced.
    chown(home.cache(), Some(VICTIM), Some(VICTIM)).expect("root can");
    let ended = run_as(&cipher(), VICTIM).exits(0).prints("abc\n");
    assert!(!ended.diagnostics().contains("WARN"), "{}", ended.diagnostics());
    let ended = run_as(&cipher(), VICTIM).exits(0).prints("abc\n");
    assert_eq!(ended.diagnostics(), "");
}

#[test]
fn refuses_shipped_artifacts_of_others() {
    let prefix = crate::shipped::Prefix::new();
    let artifacts = prefix.path("lib/cipher/guests/artifacts");
    let run = || prefix.cipher().env("HOME", "none").run();
    assert_eq!(run().exits(0).diagnostics(), "", "in order");
    for place in ["lib/cipher/guests/artifacts", "lib/cipher/guests", "lib", ""] {
        set_mode(&prefix.path(place), 0o775);
        expect_refused(run(), "neither XDG_CACHE_HOME nor HOME is an absolute path");
        set_mode(&prefix.path(place), 0o755);
    }
    assert_eq!(run().exits(0).diagnostics(), "", "closed again");
    if is_root() {
        let moved = prefix.path("moved");
        fs::rename(&artifacts, &moved).expect("it is ours");
        symlink(&moved, &artifacts).expect("it is ours");
        assert_eq!(run().exits(0).diagnostics(), "", "an own link");
        lchown(&artifacts, Some(ATTACKER), Some(ATTACKER)).expect("root can");
        expect_refused(run(), "neither XDG_CACHE_HOME nor HOME is an absolute path");
        fs::remove_file(&artifacts).expect("it is ours");
        fs::rename(&moved, &artifacts).expect("it is ours");
        give(&artifacts, ATTACKER);
        expect_refused(run(), "neither XDG_CACHE_HOME nor HOME is an absolute path");
    }
}
