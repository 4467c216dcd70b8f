//! The cipher itself, without bindings or environment.
//!
//! A message is encrypted with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha). A random nonce of 24 bytes does not repeat
//! in practice. The result is nonce and ciphertext in base64, on one line.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

const NONCE_BYTES: usize = 24;

/// A key of the right size.
pub struct Key(XChaCha20Poly1305);

impl Key {
    /// Decodes the key from base64.
    ///
    /// # Errors
    ///
    /// When `text` is not 32 bytes in base64. The reason never contains any part of the key.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let bytes = BASE64_STANDARD.decode(text).ok();
        let cipher = bytes.and_then(|bytes| XChaCha20Poly1305::new_from_slice(&bytes).ok());
        cipher.map(Self).ok_or("must be 32 bytes in base64, as 'openssl rand -base64 32' prints them")
    }

    /// Encrypts `text` under a fresh random nonce.
    ///
    /// # Errors
    ///
    /// When the host has no randomness, or `text` is too long.
    pub fn encrypt(&self, text: &str) -> Result<String, String> {
        let mut message = vec![0; NONCE_BYTES];
        getrandom::fill(&mut message).map_err(|error| format!("no randomness: {error}"))?;
        let ciphertext = self.0.encrypt(XNonce::from_slice(&message), text.as_bytes());
        message.extend(ciphertext.map_err(|_| "the message is too long".to_owned())?);
        Ok(BASE64_STANDARD.encode(message))
    }

    /// Decrypts what `encrypt` returned.
    ///
    /// # Errors
    ///
    /// When `text` is anything else: altered, cut, or encrypted under another key.
    pub fn decrypt(&self, text: &str) -> Result<String, String> {
        let refused = || "the message was altered, or encrypted under another key".to_owned();
        let message = BASE64_STANDARD.decode(text).map_err(|_| refused())?;
        let (nonce, ciphertext) = message.split_at_checked(NONCE_BYTES).ok_or_else(refused)?;
        let plaintext = self.0.decrypt(XNonce::from_slice(nonce), ciphertext).map_err(|_| refused())?;
        String::from_utf8(plaintext).map_err(|_| refused())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        Key::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap()
    }

    #[test]
    fn decrypts_what_it_encrypted() {
        for text in ["", "Hello, World!", "naïve 🦀\0\r\n"] {
            assert_eq!(key().decrypt(&key().encrypt(text).unwrap()).unwrap(), text);
        }
    }

    #[test]
    fn never_repeats_a_result() {
        assert_ne!(key().encrypt("text").unwrap(), key().encrypt("text").unwrap());
    }

    #[test]
    fn refuses_altered_text() {
        let secret = key().encrypt("attack at dawn").unwrap();
        for at in 0..secret.len() {
            let mut altered = secret.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            assert!(key().decrypt(&String::from_utf8(altered).unwrap()).is_err(), "{at}");
            assert!(key().decrypt(&secret[..at]).is_err(), "{at}");
        }
    }

    #[test]
    fn refuses_other_keys() {
        assert!(Key::parse("AAAA").is_err());
        let other = Key::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        assert!(other.decrypt(&key().encrypt("text").unwrap()).is_err());
    }
}
