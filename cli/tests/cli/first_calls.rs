//! The first calls of a guest, whose machine code is not there yet.

use std::fs;
use std::thread;

use crate::guests;
use crate::harness::Cipher;

#[test]
fn many_first_calls_at_once_all_succeed_and_leave_what_the_next_one_uses() {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let echo = || {
        let cipher = Cipher::new(["encrypt", "Echo", "abc"]).env("CIPHER_GUESTS", guests::directory());
        cipher.env("HOME", home.path()).env("RUST_LOG", "cipher=info")
    };
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| echo().run().exits(0).prints("abc\n"));
        }
    });
    echo().run().exits(0).prints("abc\n").says("");
}

#[test]
fn a_user_without_a_home_is_served_without_leaving_anything() {
    let cipher = Cipher::new(["encrypt", "Echo", "abc"]).env("CIPHER_GUESTS", guests::directory()).env("HOME", "");
    cipher.run().exits(0).prints("abc\n").says("");
    assert_eq!(fs::read_dir(cipher.directory()).expect("it can be read").count(), 0);
}
