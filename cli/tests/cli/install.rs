//! `cipher install` and `cipher uninstall`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::harness::{Cipher, Ended, new_directory};
use crate::mirror::{COMPONENT, MANIFEST};

/// A home directory, for several runs.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(new_directory())
    }

    fn guests(&self) -> PathBuf {
        self.0.path().join(".local/share/cipher/guests")
    }

    /// `cipher` with these arguments, where Mirror is in the working directory with this manifest.
    fn run(&self, arguments: &[&str], manifest: &str) -> Ended {
        self.run_with(arguments, COMPONENT, manifest)
    }

    fn run_with(&self, arguments: &[&str], wat: &str, manifest: &str) -> Ended {
        let component = wat::parse_str(wat).expect("it is valid");
        let cipher = Cipher::new(arguments).env("HOME", self.0.path());
        cipher.file("Mirror.wasm", component).file("Mirror.toml", manifest).run()
    }

    /// The names in the guest directory, sorted.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.guests()).expect("it can be read");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
        names.sort();
        names
    }
}

/// Another guest that satisfies the contract.
fn other() -> String {
    COMPONENT.replace("(memory (export \"memory\") 1)", "(memory (export \"memory\") 2)")
}

fn versioned(version: &str) -> String {
    format!("version = \"{version}\"\n{MANIFEST}")
}

#[test]
fn installs_pins_and_uninstalls() {
    let home = Home::new();
    let installed = format!("installed Mirror in {}\n", home.guests().display());
    home.run(&["install", "Mirror.wasm"], MANIFEST).exits(0).prints(&installed).says("");
    let call = home.run(&["encrypt", "mirror", "abc"], MANIFEST).exits(0).prints("abc\n");
    call.says("[AUDIT] Action: encrypt | Detail: Length: 3\n");
    let manifest = fs::read_to_string(home.guests().join("Mirror.toml")).expect("it is there");
    assert!(manifest.starts_with("sha256 = \"") && manifest.ends_with(MANIFEST), "{manifest}");
    for name in ["Mirror.toml", "Mirror.wasm"] {
        let mode = fs::metadata(home.guests().join(name)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
    }
    fs::write(home.guests().join("Mirror.wasm"), wat::parse_str(other()).expect("it is valid")).expect("it is ours");
    let changed = home.run(&["encrypt", "Mirror", "abc"], MANIFEST).exits(4).prints("");
    assert!(changed.diagnostics().contains("its manifest pins"), "{}", changed.diagnostics());
    let removed = format!("removed Mirror from {}\n", home.guests().display());
    home.run(&["uninstall", "mirror"], MANIFEST).exits(0).prints(removed);
    assert_eq!(home.names(), [""; 0]);
    let error = format!(
        "error: 'mirror' is not installed in '{}' ('cipher list' shows all algorithms and where they are)\n",
        home.guests().display()
    );
    home.run(&["uninstall", "mirror"], MANIFEST).exits(4).prints("").says(&error);
}

#[test]
fn upgrades_without_force() {
    let home = Home::new();
    let directory = home.guests().display().to_string();
    home.run(&["install", "Mirror.wasm"], &versioned("1.0.0")).exits(0);
    // Installing the same guest again replaces no other.
    home.run(&["install", "Mirror.wasm"], &versioned("1.0.0")).exits(0);
    let upgraded = home.run_with(&["install", "Mirror.wasm"], &other(), &versioned("1.1.0")).exits(0);
    upgraded.prints(format!("installed Mirror 1.1.0 in {directory}, replacing Mirror 1.0.0\n"));
    let error = format!("error: '{directory}/Mirror.wasm' already provides Mirror 1.1.0; use --force to replace it\n");
    for version in ["1.1.0", "1.1.0+2", "1.0.9", "1.1.0-rc.1"] {
        home.run(&["install", "Mirror.wasm"], &versioned(version)).exits(4).prints("").says(&error);
    }
    // The same component under a lower version is a downgrade, too.
    home.run_with(&["install", "Mirror.wasm"], &other(), &versioned("1.0.9")).exits(4).prints("").says(&error);
    home.run_with(&["install", "Mirror.wasm"], &other(), &versioned("1.1.0+2")).exits(0);
    home.run_with(&["install", "Mirror.wasm"], &other(), &versioned("1.1.0")).exits(0);
    home.run(&["install", "--force", "Mirror.wasm"], &versioned("1.0.9")).exits(0);
    let list = home.run(&["list"], MANIFEST).exits(0);
    assert!(list.text().contains("\nMirror 1.0.9: Returns its input\n"), "{}", list.text());
    let inspected = home.run(&["inspect", "Mirror"], MANIFEST).exits(0);
    assert!(inspected.text().starts_with("Mirror 1.0.9: /"), "{}", inspected.text());
    let inspected = home.run(&["inspect", "Mirror", "--json"], MANIFEST).exits(0);
    assert!(inspected.text().contains("\"version\": \"1.0.9\""), "{}", inspected.text());
}

#[test]
fn replaces_other_spelling() {
    let home = Home::new();
    let upper = Cipher::new(["install", "MIRROR.wasm"]).env("HOME", home.0.path());
    let upper = upper.file("MIRROR.wasm", wat::parse_str(other()).expect("it is valid"));
    upper.file("MIRROR.toml", MANIFEST.replace("Mirror", "MIRROR")).run().exits(0);
    home.run(&["install", "Mirror.wasm"], MANIFEST).exits(4);
    home.run(&["install", "--force", "Mirror.wasm"], MANIFEST).exits(0);
    assert_eq!(home.names(), ["Mirror.toml", "Mirror.wasm"]);
}

#[test]
fn force_wins_over_listed_directory() {
    let home = Home::new();
    let listed = new_directory();
    fs::write(listed.path().join("Mirror.wasm"), wat::parse_str(other()).expect("it is valid")).expect("it is ours");
    fs::write(listed.path().join("Mirror.toml"), MANIFEST).expect("it is ours");
    let cipher = |arguments: &[&str]| {
        let cipher = Cipher::new(arguments).env("HOME", home.0.path()).env("CIPHER_GUESTS", listed.path());
        cipher.file("Mirror.wasm", wat::parse_str(COMPONENT).expect("it is valid")).file("Mirror.toml", MANIFEST).run()
    };
    let error = cipher(&["install", "Mirror.wasm"]).exits(4).diagnostics();
    assert!(error.contains("already provides Mirror; use --force to replace it"), "{error}");
    let place = listed.path().display();
    let installed = format!("installed Mirror in {place}, replacing Mirror\n");
    cipher(&["install", "--force", "Mirror.wasm"]).exits(0).prints(installed);
    assert_eq!(fs::read(listed.path().join("Mirror.wasm")).expect("it is there"), wat::parse_str(COMPONENT).unwrap());
}

#[test]
fn shadows_shipped_guest_by_force() {
    let manifest = MANIFEST.replace("Mirror", "Caesar");
    let home = Home::new();
    let run = |arguments: &[&str]| {
        let cipher = Cipher::new(arguments).env("HOME", home.0.path());
        cipher.file("Caesar.wasm", wat::parse_str(COMPONENT).expect("it is valid")).file("Caesar.toml", &manifest).run()
    };
    let error = run(&["install", "Caesar.wasm"]).exits(4).prints("").diagnostics();
    assert!(error.ends_with("already provides Caesar; use --force to shadow it\n"), "{error}");
    let installed = run(&["install", "--force", "Caesar.wasm"]).exits(0);
    assert!(installed.text().contains(", shadowing '"), "{}", installed.text());
}

#[test]
fn installs_below_prefix() {
    let home = Home::new();
    let prefix = home.0.path().join("opt");
    let prefix = prefix.to_str().expect("text");
    home.run(&["install", "--prefix", prefix, "Mirror.wasm"], MANIFEST).exits(0);
    let guests = Path::new(prefix).join("lib/cipher/guests");
    assert!(guests.join("Mirror.wasm").exists() && !home.guests().exists());
    assert_eq!(fs::metadata(&guests).expect("it is there").permissions().mode() & 0o055, 0o055);
    home.run(&["uninstall", "--prefix", prefix, "Mirror"], MANIFEST).exits(0);
    assert_eq!(fs::read_dir(&guests).expect("it is there").count(), 0);
}

#[test]
fn finishes_interrupted_installation() {
    let home = Home::new();
    home.run(&["install", "Mirror.wasm"], MANIFEST).exits(0);
    let new = |name: &str| home.guests().join(name);
    // The state after a process was killed between replacing the component and the manifest.
    let pinned = fs::read_to_string(new("Mirror.toml")).expect("it is there");
    fs::create_dir(new(".installing-Mirror")).expect("it is ours");
    for name in [".installing-Mirror/Mirror", "Mirror"] {
        fs::write(new(&format!("{name}.wasm")), wat::parse_str(other()).expect("it is valid")).expect("it is ours");
    }
    let renewed = pinned.replacen("sha256 = \"", "sha256 = \"0", 1).replace("Returns its input", "New");
    let digest = sha256(&new("Mirror.wasm"));
    let renewed = format!("sha256 = \"{digest}\"\n{}", renewed.split_once('\n').expect("two lines").1);
    fs::write(new(".installing-Mirror/Mirror.toml"), renewed).expect("it is ours");
    fs::create_dir(new(".staged-x")).expect("it is ours");
    fs::write(new(".staged-x/Mirror.wasm"), "").expect("it is ours");
    fs::write(new(".new-x"), "").expect("it is ours");
    // The new guest is already in force, and the next installation cleans up.
    home.run(&["encrypt", "Mirror", "abc"], MANIFEST).exits(0).prints("abc\n");
    let list = home.run(&["list"], MANIFEST).exits(0);
    assert!(list.text().contains("Mirror: New\n"), "{}", list.text());
    home.run(&["uninstall", "Other"], MANIFEST).exits(4);
    assert_eq!(home.names(), ["Mirror.toml", "Mirror.wasm"]);
    home.run(&["encrypt", "Mirror", "abc"], MANIFEST).exits(0).prints("abc\n");
}

#[test]
fn follows_no_link_of_another_writer() {
    let home = Home::new();
    let new = |name: &str| home.guests().join(name);
    fs::create_dir_all(new(".installing-Theirs")).expect("it is ours");
    fs::write(new(".installing-Theirs/Theirs.toml"), "name = \"Theirs\"\n").expect("it is ours");
    let private = home.0.path().join("private");
    fs::write(&private, "secret").expect("it is ours");
    std::os::unix::fs::symlink(&private, new(".installing-Theirs/Theirs.wasm")).expect("it is ours");
    let (directory, link) = (home.guests(), new(".installing-Theirs/Theirs.wasm"));
    let (directory, link) = (directory.display(), link.display());
    let problem = format!("error: cannot clean up the guest directory '{directory}': '{link}' may be a link\n");
    home.run(&["install", "Mirror.wasm"], MANIFEST).exits(6).says(&problem);
    assert_eq!(home.names(), [".installing-Theirs"]);
}

fn sha256(path: &Path) -> String {
    let list = Cipher::new(["inspect".as_ref(), path.as_os_str(), "--json".as_ref()]).run();
    let error = list.diagnostics();
    error.split("has the SHA-256 ").nth(1).and_then(|rest| rest.split(',').next()).expect("a digest").to_owned()
}

#[test]
fn installs_manifest_with_byte_order_mark() {
    let home = Home::new();
    let manifest = format!("\u{feff}{MANIFEST}");
    home.run(&["encrypt", "./Mirror.wasm", "abc"], &manifest).exits(0).prints("abc\n");
    home.run(&["install", "Mirror.wasm"], &manifest).exits(0);
    home.run(&["encrypt", "Mirror", "abc"], MANIFEST).exits(0).prints("abc\n");
    home.run(&["list"], MANIFEST).exits(0);
}

#[test]
fn renews_old_pin_by_force() {
    let home = Home::new();
    let manifest = format!("sha256 = \"{}\"\n{MANIFEST}", "0".repeat(64));
    let refused = home.run(&["install", "Mirror.wasm"], &manifest).exits(4).prints("").diagnostics();
    assert!(refused.starts_with("error: 'Mirror.toml' pins the SHA-256 000"), "{refused}");
    assert!(refused.ends_with("if you rebuilt it, delete the line 'sha256' or use --force\n"), "{refused}");
    home.run(&["install", "--force", "Mirror.wasm"], &manifest).exits(0);
    home.run(&["encrypt", "Mirror", "abc"], MANIFEST).exits(0).prints("abc\n");
}

#[test]
fn names_files_without_component() {
    let home = Home::new();
    for (path, error) in [
        ("none.wasm", "cannot read the component 'none.wasm': No such file or directory (os error 2)"),
        ("Mirror.toml", "'Mirror.toml' is a manifest; name its component 'Mirror.wasm'"),
        (".", "'.' is a directory; name the component in it"),
    ] {
        home.run(&["install", path], MANIFEST).exits(4).prints("").says(&format!("error: {error}\n"));
    }
    let url = home.run(&["install", "https://example.org/x.wasm"], MANIFEST).exits(2).diagnostics();
    assert!(url.contains("is a URL; download the component and its manifest first"), "{url}");
}

#[test]
fn refuses_guest_that_violates_contract() {
    let wat = COMPONENT.replace("      (call $done (i32.const 0) (local.get $text) (local.get $length))\n", "");
    let component = wat::parse_str(wat).expect("it is valid");
    let cipher = Cipher::new(["install", "--force", "./Mirror.wasm"]).file("Mirror.wasm", component);
    let error =
        "error: no manifest './Mirror.toml' for './Mirror.wasm'; create it ('cipher new' generates an example)\n";
    cipher.run().exits(4).prints("").says(error);
    let cipher = cipher.file("Mirror.toml", MANIFEST);
    cipher.run().exits(4).prints("").says(
        "error: Mirror violates the contract (exactly one audit event per call: encrypt: expected 1 audit event, got 0); \
         'cipher check ./Mirror.wasm' shows every case\n",
    );
    assert!(!cipher.directory().join(".local").exists());
}
