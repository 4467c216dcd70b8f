//! Messages as UTF-8 text, and the one error for those that are not.

use anyhow::Result;

use crate::exit::{Failure, Kind};

/// The text in `bytes`.
///
/// # Errors
///
/// When `bytes` are not UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        Failure::new(Kind::NotUtf8, problem(bytes[at], at as u64)).into()
    })
}

/// Says which byte makes a text invalid, and its offset, counted from 0.
pub(super) fn problem(byte: u8, offset: u64) -> String {
    format!("not valid UTF-8: byte 0x{byte:02x} at offset {offset}")
}
