//! The stack of a guest, which does not depend on the stack of the process (`ulimit -s`).

use crate::guests;
use crate::harness::Cipher;

#[test]
fn recursion_traps_with_any_stack() {
    for kilobytes in ["128", "256", "1024", "8192"] {
        let script = format!("ulimit -s {kilobytes} && exec cipher decrypt Trap x");
        let ended = Cipher::shell(script).env("CIPHER_GUESTS", guests::directory()).run().exits(1);
        ended.prints("").says("error: Trap trapped: its stack overflowed (infinite recursion?)\n");
    }
}

#[test]
fn recursion_traps_on_every_thread() {
    let cipher = Cipher::new(["decrypt", "Trap", "--lines", "-j4"]).env("CIPHER_GUESTS", guests::directory());
    let ended = cipher.stdin("a\nb\nc\n").run().exits(3).prints("");
    for record in 1..=3 {
        let line = format!("error: record {record}: Trap trapped: its stack overflowed (infinite recursion?)\n");
        assert!(ended.diagnostics().contains(&line), "{}", ended.diagnostics());
    }
}

#[test]
fn runs_on_a_small_stack() {
    Cipher::shell("ulimit -s 128 && exec cipher encrypt Caesar Hello 2>/dev/null").run().exits(0).prints("Khoor\n");
}
