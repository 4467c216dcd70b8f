//! The first calls of a guest, when it is not compiled yet.

use std::fs;
use std::thread;

use crate::guests;
use crate::harness::{Cipher, new_directory};

#[test]
fn compiles_once_for_simultaneous_calls() {
    let home = new_directory();
    let echo = || {
        let cipher = Cipher::new(["encrypt", "Echo", "abc"]).env("CIPHER_GUESTS", guests::directory());
        cipher.env("HOME", home.path()).env("RUST_LOG", "cipher=info")
    };
    thread::scope(|scope| {
        let calls: Vec<_> = (0..32).map(|_| scope.spawn(|| echo().run().exits(0).prints("abc\n"))).collect();
        let ended = calls.into_iter().map(|call| call.join().expect("it succeeds"));
        assert_eq!(ended.filter(|ended| ended.diagnostics().contains("compiling")).count(), 1);
    });
    echo().run().exits(0).prints("abc\n").says("");
}

#[test]
fn reports_code_that_cannot_be_cached() {
    let cipher = Cipher::new(["encrypt", "Echo", "abc"]).env("CIPHER_GUESTS", guests::directory()).env("HOME", "none");
    cipher.run().exits(0).prints("abc\n").says(
        "[WARN  cipher::code::artifact] Echo is compiled on every run, because neither XDG_CACHE_HOME nor HOME is an \
         absolute path; set XDG_CACHE_HOME to a directory that only you can write to\n",
    );
    assert_eq!(fs::read_dir(cipher.directory()).expect("it can be read").count(), 0);
}
