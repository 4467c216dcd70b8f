//! The bindings of the cipher in `cipher.rs`: `encr` and `decr` of the contract (wit/cipher.wit).

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

/// The setting. The manifest has the same default; this one is for hosts without manifests.
fn digits() -> bool {
    let value = std::env::var_os(VARIABLE).unwrap_or("no".into());
    match value.to_str() {
        Some("yes") => true,
        Some("no") => false,
        _ => fail(&format!("{VARIABLE} must be yes or no")),
    }
}

/// The detail of the audit event: the number of Unicode characters.
fn length(text: &str) -> String {
    format!("Length: {}", text.chars().count())
}

/// Fails the call as the contract requires: one line on stderr, then a trap. The reason never repeats a value, which could
/// be a secret.
fn fail(reason: &str) -> ! {
    eprintln!("{reason}");
    std::process::abort()
}
