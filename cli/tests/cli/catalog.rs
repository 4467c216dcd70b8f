//! The search for guests, and the effects of their manifests.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::guests;
use crate::harness::{Cipher, audit_event, new_directory};

/// Puts a guest into `folder`: the component at `from`, with a manifest that has `settings`.
fn add(folder: &Path, name: &str, from: &Path, settings: &str) {
    fs::create_dir_all(folder).expect("a guest directory");
    fs::copy(from, folder.join(name).with_extension("wasm")).expect("a component is copied");
    let manifest = format!("name = \"{name}\"\ndescription = \"For a test\"\n{settings}");
    fs::write(folder.join(name).with_extension("toml"), manifest).expect("a manifest is written");
}

fn echo() -> PathBuf {
    guests::directory().join("Echo.wasm")
}

/// The component of the shipped Caesar.
pub(crate) fn caesar() -> PathBuf {
    let list = Cipher::new(["list", "--json"]).run().exits(0);
    let list: Value = serde_json::from_str(list.text()).expect("it is JSON");
    let caesar = list.as_array().into_iter().flatten().find(|guest| guest["name"] == "Caesar").expect("it is there");
    caesar["component"].as_str().expect("a path").into()
}

#[test]
fn first_directory_wins() {
    let (first, second) = (new_directory(), new_directory());
    add(first.path(), "Caesar", &echo(), "");
    add(second.path(), "Caesar", &caesar(), "");
    let listed = |a: &TempDir, b: &TempDir| format!(":/nowhere:{}::{}", a.path().display(), b.path().display());
    let call = |guests: String| {
        let cipher = Cipher::new(["encrypt", "caesar", "abc"]).env("CIPHER_GUESTS", guests);
        cipher.env("SHIFT_AMOUNT", "1").run().exits(0)
    };
    call(listed(&first, &second)).prints("abc\n");
    // The manifest there declares no setting, so the guest sees none.
    call(listed(&second, &first)).prints("def\n");
    call(String::new()).prints("bcd\n");
}

#[test]
fn skips_unreadable_directory() {
    let folder = new_directory();
    let endless = folder.path().join("endless");
    std::os::unix::fs::symlink("endless", &endless).expect("a link is made");
    let warning = format!("[WARN  cipher::guest::catalog] cannot read the guest directory '{}': ", endless.display());
    let caesar =
        Cipher::new(["encrypt", "Caesar", "abc"]).env("CIPHER_GUESTS", &endless).run().exits(0).prints("def\n");
    assert!(caesar.diagnostics().starts_with(&warning), "{}", caesar.diagnostics());
    let list = Cipher::new(["list"]).env("CIPHER_GUESTS", &endless).run().exits(0);
    assert!(list.text().contains("\nVigenere: "), "{}", list.text());
    let unknown = Cipher::new(["encrypt", "Cesar", "abc"]).env("CIPHER_GUESTS", &endless).run().exits(4);
    for ended in [list, unknown] {
        assert_eq!(ended.diagnostics().matches(&warning).count(), 1, "{}", ended.diagnostics());
    }
}

#[test]
fn invalid_variable_hides_no_other_guest() {
    let not_text = OsString::from_vec(b"W\xffM".to_vec());
    let list = Cipher::new(["list"]).env("VIGENERE_KEYWORD", not_text).run().exits(5);
    assert!(list.text().starts_with("Caesar: ") && !list.text().contains("Vigenere: "), "{}", list.text());
    let diagnostics = list.diagnostics();
    assert!(diagnostics.contains("VIGENERE_KEYWORD is not UTF-8"), "{diagnostics}");
    assert!(diagnostics.ends_with("error: 1 of 2 guests cannot be used\n"), "{diagnostics}");
}

#[test]
fn shows_paths_with_invalid_utf8() {
    let folder = new_directory();
    let odd = folder.path().join(OsString::from_vec(b"o\xffdd".to_vec()));
    add(&odd, "Odd", &echo(), "");
    let component = odd.join("Odd.wasm");
    for cipher in [
        Cipher::new(["list", "--json"]).env("CIPHER_GUESTS", &odd),
        Cipher::new(["inspect".as_ref(), "--json".as_ref(), component.as_os_str()]),
        Cipher::new(["cache", "show", "--json"]).env("XDG_CACHE_HOME", &odd),
    ] {
        let shown = cipher.run().exits(0);
        assert!(shown.text().contains("/o\u{fffd}dd/"), "{}", shown.text());
    }
}

#[test]
fn user_guests_override_shipped_guests() {
    let home = new_directory();
    add(&home.path().join(".local/share/cipher/guests"), "Caesar", &echo(), "");
    let call = || Cipher::new(["encrypt", "Caesar", "abc"]).env("HOME", home.path());
    call().run().exits(0).prints("abc\n");
    call().env("XDG_DATA_HOME", "/nowhere").run().exits(0).prints("def\n");
}

#[test]
fn runs_guests_of_others_alike() {
    let folder = new_directory();
    add(folder.path(), "Rot-13", &caesar(), "[settings.SHIFT_AMOUNT]\ndefault = \"13\"\nhelp = \"How far\"\n");
    let call = |arguments: &[&str]| Cipher::new(arguments).env("CIPHER_GUESTS", folder.path()).env("OTHER", "x");
    call(&["encrypt", "rot-13", "abc"]).run().exits(0).prints("nop\n").says(&audit_event("encrypt", "abc"));
    call(&["encrypt", "Rot-13", "abc"]).env("SHIFT_AMOUNT", "1").run().exits(0).prints("bcd\n");
    let component = folder.path().join("Rot-13.wasm");
    Cipher::new(["encrypt".as_ref(), component.as_os_str(), "abc".as_ref()]).run().exits(0).prints("nop\n");
}

#[test]
fn component_without_manifest_gets_only_flags() {
    let folder = new_directory();
    let component = folder.path().join("alone.wasm");
    fs::copy(caesar(), &component).expect("a component is copied");
    let call = || Cipher::new(["encrypt".as_ref(), component.as_os_str(), "abc".as_ref()]).env("SHIFT_AMOUNT", "1");
    call().args(["--set", "SHIFT_AMOUNT=2"]).run().exits(0).prints("cde\n");
    call().run().exits(0).prints("def\n");
}

#[test]
fn rejects_component_that_fails_pin() {
    let folder = new_directory();
    let pin = "0".repeat(64);
    add(folder.path(), "Echo", &echo(), &format!("sha256 = \"{pin}\"\n"));
    let call = || Cipher::new(["encrypt", "Echo", "abc"]).env("CIPHER_GUESTS", folder.path());
    let ended = call().run().exits(4).prints("");
    let error = ended.diagnostics();
    assert!(error.contains(&format!("its manifest pins {pin}; if you rebuilt it, delete the line")), "{error}");
    let digest = error.split("SHA-256 ").nth(1).and_then(|rest| rest.split(',').next()).expect("it names the digest");
    add(folder.path(), "Echo", &echo(), &format!("sha256 = \"{digest}\"\n"));
    call().run().exits(0).prints("abc\n");
}
