//! The bindings: `encr` and `decr` of the contract (wit/cipher.wit), around the cipher in `cipher.rs`.

mod cipher;

use saritnike::cipher::audit_log::auditrecord;

wit_bindgen::generate!({ path: "wit", world: "encoder-decoder-service" });

const VARIABLE: &str = "ATBASH_KEY";

struct Component;

export!(Component);

impl Guest for Component {
    fn encr(input: String) -> String {
        let output = or_fail(key().encrypt(&input));
        auditrecord("encrypt", &length(&input));
        output
    }

    fn decr(input: String) -> String {
        let output = or_fail(key().decrypt(&input));
        auditrecord("decrypt", &length(&input));
        output
    }
}

/// The key in the environment.
fn key() -> cipher::Key {
    let value = std::env::var(VARIABLE).unwrap_or_else(|_| fail(&format!("{VARIABLE} is not set")));
    cipher::Key::parse(&value).unwrap_or_else(|reason| fail(&format!("{VARIABLE} {reason}")))
}

/// The detail of a call's audit event: the number of Unicode scalar values.
fn length(text: &str) -> String {
    format!("Length: {}", text.chars().count())
}

fn or_fail(result: Result<String, String>) -> String {
    result.unwrap_or_else(|reason| fail(&reason))
}

/// Fails the call as the contract requires: one line on stderr, then a trap. A reason that concerns a setting starts
/// with its name, and never contains a secret.
fn fail(reason: &str) -> ! {
    eprintln!("{reason}");
    std::process::abort()
}
