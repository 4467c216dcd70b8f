//! The bindings: `encr` and `decr` of the contract (wit/cipher.wit), around the cipher in `cipher.rs`.

mod cipher;

use saritnike::cipher::audit_log::auditrecord;

wit_bindgen::generate!({ path: "wit", world: "encoder-decoder-service" });

const VARIABLE: &str = "ATBASH_DIGITS";

struct Component;

export!(Component);

impl Guest for Component {
    fn encr(input: String) -> String {
        let output = cipher::encrypt(&input, digits());
        auditrecord("encrypt", &length(&input));
        output
    }

    fn decr(input: String) -> String {
        let output = cipher::decrypt(&input, digits());
        auditrecord("decrypt", &length(&input));
        output
    }
}

/// The setting. Its default is in the manifest, too; this one is for a host without.
fn digits() -> bool {
    let value = std::env::var_os(VARIABLE).unwrap_or("no".into());
    match value.to_str() {
        Some("yes") => true,
        Some("no") => false,
        _ => fail(&format!("{VARIABLE} must be yes or no, not {value:?}")),
    }
}

/// What the audit entry of a call says: how many Unicode characters there were.
fn length(text: &str) -> String {
    format!("Length: {}", text.chars().count())
}

/// Ends the call as the contract says a failure must: one line on standard error, then a trap.
fn fail(reason: &str) -> ! {
    eprintln!("{reason}");
    std::process::abort()
}
