//! The cipher itself, without bindings or environment.

/// Mirrors the alphabet: A becomes Z, B becomes Y, and so on; with `digits`, 0 also becomes 9. Everything else stays.
pub fn encrypt(text: &str, digits: bool) -> String {
    let mirror = |c: char, first: u8, last: u8| char::from(first + last - c as u8);
    text.chars()
        .map(|c| match c {
            'a'..='z' => mirror(c, b'a', b'z'),
            'A'..='Z' => mirror(c, b'A', b'Z'),
            '0'..='9' if digits => mirror(c, b'0', b'9'),
            other => other,
        })
        .collect()
}

/// Undoes `encrypt`, which is its own inverse.
pub fn decrypt(text: &str, digits: bool) -> String {
    encrypt(text, digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_known_answers() {
        for (plaintext, ciphertext, digits) in [
            ("Hello, World!", "Svool, Dliow!", false),
            ("naïve 🦀 2 go", "mzïev 🦀 7 tl", true),
            ("azAZ09", "zaZA09", false),
            ("azAZ09", "zaZA90", true),
            ("", "", true),
        ] {
            assert_eq!(encrypt(plaintext, digits), ciphertext);
            assert_eq!(decrypt(ciphertext, digits), plaintext);
        }
    }
}
