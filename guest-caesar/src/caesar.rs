//! The Caesar cipher itself, without bindings or environment.

use std::fmt;

/// The number of letters in the alphabet, and so of different shifts.
const ALPHABET: u8 = 26;

/// The maximum number of characters of a refused value that an error repeats.
const QUOTED: usize = 40;

/// The distance that a letter moves along the alphabet: 0 to 25 places, to which a whole number of any size is reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift(u8);

/// A text that is not a whole number. It is displayed as one short line: quoted, escaped, and cut if it is long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAWholeNumber(String);

impl Shift {
    /// Parses any number of decimal digits after an optional `+` or `-`.
    ///
    /// # Errors
    ///
    /// When `text` is anything else: empty, only a sign, or with any other character, including spaces.
    pub fn parse(text: &str) -> Result<Self, NotAWholeNumber> {
        let (negative, digits) = match text.as_bytes() {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] => (false, digits),
            digits => (false, digits),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(NotAWholeNumber(text.to_owned()));
        }
        // The number is reduced digit by digit, so it may have any size: at most 25 * 10 + 9 fits in 16 bits.
        let rest = digits.iter().fold(0u16, |rest, digit| (rest * 10 + u16::from(digit - b'0')) % u16::from(ALPHABET));
        let shift = Self(rest as u8);
        Ok(if negative { shift.inverse() } else { shift })
    }

    /// The shift that undoes this one.
    #[must_use]
    pub fn inverse(self) -> Self {
        Self((ALPHABET - self.0) % ALPHABET)
    }

    /// Moves every ASCII letter of `text`, preserving case; every other character stays the same.
    ///
    /// It works in the buffer of `text`, so it needs no further memory.
    #[must_use]
    #[allow(clippy::expect_used, reason = "only ASCII letters change, and only into ASCII letters")]
    pub fn apply(self, text: String) -> String {
        let mut bytes = text.into_bytes();
        // No branch depends on the text, so the compiler turns this into vector instructions.
        for byte in &mut bytes {
            let place = (*byte | 0x20).wrapping_sub(b'a');
            let moved = place.wrapping_add(self.0);
            let wrapped = if moved >= ALPHABET { moved.wrapping_sub(ALPHABET) } else { moved };
            let distance = wrapped.wrapping_sub(place);
            *byte = byte.wrapping_add(if place < ALPHABET { distance } else { 0 });
        }
        String::from_utf8(bytes).expect("still UTF-8")
    }
}

impl fmt::Display for NotAWholeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(QUOTED) {
            None => write!(f, "must be a whole number, not {:?}", self.0),
            Some((end, _)) => write!(f, "must be a whole number, not {:?}...", &self.0[..end]),
        }
    }
}

impl std::error::Error for NotAWholeNumber {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition of the cipher, one character at a time.
    fn naive(text: &str, shift: i128) -> String {
        let shift = shift.rem_euclid(26) as u8;
        let moved = |c: char, first: u8| char::from(first + (c as u8 - first + shift) % 26);
        text.chars()
            .map(|c| match c {
                'a'..='z' => moved(c, b'a'),
                'A'..='Z' => moved(c, b'A'),
                other => other,
            })
            .collect()
    }

    fn shift(text: &str) -> Shift {
        Shift::parse(text).unwrap()
    }

    #[test]
    fn known_answers() {
        for (amount, plaintext, ciphertext) in [
            ("3", "Hello, World!", "Khoor, Zruog!"),
            ("3", "xyzXYZ", "abcABC"),
            ("-3", "Hello, World!", "Ebiil, Tloia!"),
            ("+13", "Hello, World!", "Uryyb, Jbeyq!"),
            ("0", "Hello, World!", "Hello, World!"),
            ("-0", "Hello, World!", "Hello, World!"),
            ("26", "Hello, World!", "Hello, World!"),
            ("3", "@[`{ 0129 naïve Ünï 日本 🦀 \0\r\n", "@[`{ 0129 qdïyh Üqï 日本 🦀 \0\r\n"),
            ("3", "", ""),
        ] {
            assert_eq!(shift(amount).apply(plaintext.to_owned()), ciphertext, "{amount} {plaintext}");
            assert_eq!(shift(amount).inverse().apply(ciphertext.to_owned()), plaintext, "{amount} {ciphertext}");
        }
    }

    #[test]
    fn accepts_numbers_of_any_size() {
        // 10^34 is 16 more than a multiple of 26, so these are 19 and -19.
        assert_eq!(shift("10000000000000000000000000000000003"), shift("19"));
        assert_eq!(shift("-10000000000000000000000000000000003"), shift("7"));
        assert_eq!(shift(&"26".repeat(100_000)), shift("0"));
    }

    #[test]
    fn rejects_other_than_whole_numbers() {
        for text in ["", "+", "-", "+-3", "--3", " 3", "3 ", "3\n", "3.0", "1e3", "0x3", "1_000", "abc", "٣", "3\0"] {
            assert!(Shift::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn quotes_refused_value_in_short_line() {
        let message = |text: &str| Shift::parse(text).unwrap_err().to_string();
        assert_eq!(message("abc"), r#"must be a whole number, not "abc""#);
        assert_eq!(message(""), r#"must be a whole number, not """#);
        assert_eq!(message("a\nb\u{1b}[31m\u{202e}"), r#"must be a whole number, not "a\nb\u{1b}[31m\u{202e}""#);
        assert_eq!(message(&"é".repeat(41)), format!(r#"must be a whole number, not "{}"..."#, "é".repeat(40)));
    }

    proptest! {
        #[test]
        fn inverse_restores_text(text: String, amount in "[+-]?[0-9]{1,60}") {
            let shift = shift(&amount);
            prop_assert_eq!(shift.inverse().apply(shift.apply(text.clone())), text);
        }

        #[test]
        fn agrees_with_naive_cipher(text in "[ -~é🦀]{0,200}", amount: i128) {
            prop_assert_eq!(shift(&amount.to_string()).apply(text.clone()), naive(&text, amount));
        }

        #[test]
        fn shifts_add_up(text: String, a: i64, b: i64) {
            let sum = i128::from(a) + i128::from(b);
            let in_two_steps = shift(&b.to_string()).apply(shift(&a.to_string()).apply(text.clone()));
            prop_assert_eq!(in_two_steps, shift(&sum.to_string()).apply(text));
        }

        #[test]
        fn chunks_equal_whole(text: String, amount: i8) {
            let shift = shift(&amount.to_string());
            let whole = shift.apply(text.clone());
            for border in (0..=text.len()).filter(|&at| text.is_char_boundary(at)) {
                let (start, rest) = text.split_at(border);
                prop_assert_eq!(shift.apply(start.to_owned()) + &shift.apply(rest.to_owned()), &*whole);
            }
        }
    }
}
