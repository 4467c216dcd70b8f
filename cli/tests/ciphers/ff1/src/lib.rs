//! FF1 (NIST SP 800-38G) over the digits of a text: the result has the same length, and everything but the digits
//! stays. Fewer than six digits stay, too, because FF1 is not defined for such small domains.

use aes::Aes256;
use fpe::ff1::{FF1, FlexibleNumeralString};
use saritnike::cipher::audit_log::auditrecord;

wit_bindgen::generate!({ path: "../../../../wit", world: "encoder-decoder-service" });

const VARIABLE: &str = "FF1_KEY";
const RADIX: u32 = 10;
const MIN_DIGITS: usize = 6;

struct Component;

export!(Component);

impl Guest for Component {
    fn encr(input: String) -> String {
        let output = over_digits(&input, |cipher, digits| cipher.encrypt(&[], digits).ok());
        auditrecord("encrypt", &format!("Length: {}", input.chars().count()));
        output
    }

    fn decr(input: String) -> String {
        let output = over_digits(&input, |cipher, digits| cipher.decrypt(&[], digits).ok());
        auditrecord("decrypt", &format!("Length: {}", input.chars().count()));
        output
    }
}

type Numerals = FlexibleNumeralString;

fn over_digits(text: &str, apply: impl Fn(&FF1<Aes256>, &Numerals) -> Option<Numerals>) -> String {
    let cipher = cipher();
    let digits: Vec<u16> = text.bytes().filter(u8::is_ascii_digit).map(|digit| u16::from(digit - b'0')).collect();
    if digits.len() < MIN_DIGITS {
        return text.to_owned();
    }
    let numerals = apply(&cipher, &Numerals::from(digits)).unwrap_or_else(|| fail("the message has too many digits"));
    let mut numerals = Vec::from(numerals).into_iter();
    let replace = |c: char| match c {
        '0'..='9' => numerals.next().and_then(|n| char::from_digit(u32::from(n), RADIX)).unwrap_or(c),
        other => other,
    };
    text.chars().map(replace).collect()
}

fn cipher() -> FF1<Aes256> {
    let value = std::env::var(VARIABLE).unwrap_or_else(|_| fail("FF1_KEY is not set"));
    let key = value.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    let key: Option<Vec<u8>> = key.collect();
    let cipher = key.filter(|key| key.len() == 32).and_then(|key| FF1::new(&key, RADIX).ok());
    cipher.unwrap_or_else(|| fail("FF1_KEY must be 64 hexadecimal digits"))
}

fn fail(reason: &str) -> ! {
    eprintln!("{reason}");
    std::process::abort()
}
