//! AES-SIV (RFC 5297): encryption that is authenticated and deterministic, so that equal texts have equal results.

use aes_siv::KeyInit;
use aes_siv::siv::Aes128Siv;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use saritnike::cipher::audit_log::auditrecord;

wit_bindgen::generate!({ path: "../../../../wit", world: "encoder-decoder-service" });

const VARIABLE: &str = "SIV_KEY";

struct Component;

export!(Component);

impl Guest for Component {
    fn encr(input: String) -> String {
        let output = key().encrypt([[]; 0], input.as_bytes());
        let output = output.unwrap_or_else(|_| fail("the message is too long"));
        auditrecord("encrypt", &format!("Length: {}", input.chars().count()));
        BASE64_STANDARD.encode(output)
    }

    fn decr(input: String) -> String {
        let message = BASE64_STANDARD.decode(&input).ok();
        let output = message.and_then(|message| key().decrypt([[]; 0], &message).ok());
        let output = output.and_then(|output| String::from_utf8(output).ok());
        let output = output.unwrap_or_else(|| fail("the message was altered, or encrypted under another key"));
        auditrecord("decrypt", &format!("Length: {}", input.chars().count()));
        output
    }
}

fn key() -> Aes128Siv {
    let value = std::env::var(VARIABLE).unwrap_or_else(|_| fail("SIV_KEY is not set"));
    let bytes = BASE64_STANDARD.decode(value).ok();
    let key = bytes.and_then(|bytes| Aes128Siv::new_from_slice(&bytes).ok());
    key.unwrap_or_else(|| fail("SIV_KEY must be 32 bytes in base64"))
}

fn fail(reason: &str) -> ! {
    eprintln!("{reason}");
    std::process::abort()
}
