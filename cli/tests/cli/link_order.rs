//! The order of the program's functions (`link-order.ld`).

#![cfg(all(target_arch = "x86_64", target_env = "musl"))]

use std::fs;

/// The size of the section `name` of an ELF file, in bytes.
fn section_size(file: &[u8], name: &str) -> Option<usize> {
    let number = |at: usize, length: usize| {
        let bytes = file[at..at + length].iter().rev();
        bytes.fold(0, |number, byte| number << 8 | usize::from(*byte))
    };
    let header = |index: usize| number(0x28, 8) + index * number(0x3a, 2);
    let names = number(header(number(0x3e, 2)) + 0x18, 8);
    let is_named = |section: &usize| file[names + number(*section, 4)..].starts_with(format!("{name}\0").as_bytes());
    let section = (0..number(0x3c, 2)).map(header).find(is_named)?;
    Some(number(section + 0x20, 8))
}

#[test]
fn groups_functions_of_calls() {
    let program = fs::read(env!("CARGO_BIN_EXE_cipher")).expect("it can be read");
    let [first, all] = [".text.first", ".text"].map(|name| section_size(&program, name).unwrap_or_default());
    // Names in `link-order.ld` that are not in the program have no effect. 'scripts/just link-order' records them again.
    assert!(first > 1 << 20 && first < all / 2, "{first} of {all} bytes");
}
