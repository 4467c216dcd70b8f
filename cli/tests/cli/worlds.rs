//! The two worlds of a guest: the contract's, and the one for messages in chunks.

use std::path::Path;

use cipher::audit::format::EventLines;
use cipher::code::engine;
use cipher::guest::Guest;
use cipher::guest::catalog::Catalog;
use cipher::guest::settings;
use cipher::limits::Limits;
use cipher::sandbox::contract::Operation;
use cipher::sandbox::epoch::EpochTicker;
use cipher::sandbox::instance::GuestPre;

use crate::reference::{caesar, vigenere};

/// Characters of every length in UTF-8, a combining mark, and characters that are not letters.
const TEXT: &str = "aZ é日🎉e\u{301}\r\n\0Müller, Yz";

/// A guest of this repository. A test is built beside the program, so it finds the same ones.
fn guest(name: &str) -> Guest {
    let guest = Catalog::from_environment().find(name.as_ref()).expect("it was built");
    assert!(Path::new(&guest.component).ends_with(format!("target/guests/{name}.wasm")));
    guest
}

fn secrets() -> [(&'static str, String); 2] {
    [("Caesar", caesar(TEXT, "3")), ("Vigenere", vigenere(TEXT, "WASM"))]
}

#[test]
fn chunks_give_the_whole_result() {
    let clock = EpochTicker::new(engine::loader().unwrap());
    let cuts: Vec<usize> = (0..=TEXT.len()).filter(|&at| TEXT.is_char_boundary(at)).collect();
    for (name, secret) in secrets() {
        let guest = guest(name);
        let linked = GuestPre::load(&guest, &clock, &Limits::default()).unwrap();
        let settings = settings::resolve(&guest, &Default::default()).unwrap();
        let mut session = linked.open(&settings, 1, &mut EventLines::default()).unwrap();
        assert_eq!(session.call(Operation::Encrypt, TEXT).unwrap(), secret);
        session.take_entries();
        for (operation, text, result) in
            [(Operation::Encrypt, TEXT, secret.as_str()), (Operation::Decrypt, secret.as_str(), TEXT)]
        {
            for &first in &cuts {
                for &second in cuts.iter().filter(|&&second| second >= first) {
                    let mut message = session.message(operation).unwrap().expect("a streaming guest");
                    let pieces = [&text[..first], &text[first..second], &text[second..]];
                    let mut joined: String = pieces.iter().map(|piece| message.update(piece).unwrap()).collect();
                    joined += &message.finish().unwrap();
                    assert_eq!(joined, result, "{name}, cut at {first} and {second}");
                    let length = format!("Length: {}", TEXT.chars().count());
                    let entries = session.take_entries();
                    let details: Vec<_> = entries.iter().map(|entry| entry.detail).collect();
                    assert_eq!(details, [length.as_str()]);
                }
            }
        }
    }
}
