//! Components that tests make byte by byte.

use crate::harness::Cipher;

/// The preamble of a component.
pub(crate) const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
/// The preamble of a core module.
pub(crate) const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// Calls the component `bad.wasm` in the working directory, which consists of `bytes`.
pub(crate) fn call(bytes: &[u8]) -> Cipher {
    Cipher::new(["encrypt", "./bad.wasm", "text"]).file("bad.wasm", bytes)
}

/// Encodes a number, as LEB128.
pub(crate) fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = vec![];
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// Encodes a section.
pub(crate) fn section(id: u8, contents: &[u8]) -> Vec<u8> {
    [vec![id], leb(contents.len()), contents.to_vec()].concat()
}
