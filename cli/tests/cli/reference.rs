//! Plain implementations of both ciphers, independent of the guests.

/// Encrypts with Caesar; `shift` is a whole number of any sign and size.
pub(crate) fn caesar(text: &str, shift: &str) -> String {
    let shift = modulo_26(shift);
    text.chars().map(|c| moved(c, shift)).collect()
}

/// Encrypts with Vigenere.
pub(crate) fn vigenere(text: &str, keyword: &str) -> String {
    let mut key = keyword.bytes().cycle().map(|letter| u32::from(letter.to_ascii_uppercase() - b'A'));
    text.chars().map(|c| if c.is_ascii_alphabetic() { moved(c, key.next().unwrap_or(0)) } else { c }).collect()
}

fn modulo_26(number: &str) -> u32 {
    let digits = number.trim_start_matches(['-', '+']);
    let rest = digits.chars().fold(0, |rest, digit| (10 * rest + digit.to_digit(10).expect("a digit")) % 26);
    if number.starts_with('-') { 26 - rest } else { rest }
}

fn moved(c: char, by: u32) -> char {
    let alphabet = match c {
        'A'..='Z' => "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        'a'..='z' => "abcdefghijklmnopqrstuvwxyz",
        _ => return c,
    };
    let place = alphabet.find(c).expect("it is a letter");
    alphabet.chars().cycle().nth(place + by as usize).expect("a cycle has no end")
}

#[test]
fn reference_gives_known_answers() {
    assert_eq!(caesar("Hello, World!", "3"), "Khoor, Zruog!");
    assert_eq!(caesar("Hello, World!", "-3"), "Ebiil, Tloia!");
    assert_eq!(caesar("xyz", "26000000000000000000000001"), "yza");
    assert_eq!(vigenere("Hello, World!", "WASM"), "Dedxk, Wgdhd!");
    assert_eq!(vigenere("attack at dawn, naïve 🦀 2!", "LEMON"), "lxfopv ef rnhr, zoïip 🦀 2!");
}
