//! `wasi:random`. Secure randomness is always real: a guest that draws a key or a nonce must never get one that others
//! can know. What WIT calls insecure is fixed, so that the same call gives the same result.

use wasmtime::component::LinkerInstance;
use wasmtime::{Result, ensure};

use super::{Host, define as define_function};
use crate::limits::Size;

/// The maximum number of random bytes that one call gets.
const MAX_BYTES: u64 = 4 << 20;
/// How many of them are drawn at a time; after each, the time limit is checked.
const SLICE_BYTES: usize = 64 * 1024;

/// The bytes that stand for insecure randomness: 0 to 255, again and again.
#[derive(Default)]
pub struct FixedBytes(u8);

impl Iterator for FixedBytes {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let byte = self.0;
        self.0 = byte.wrapping_add(1);
        Some(byte)
    }
}

/// Defines `function`. The names of functions are unique in all of `wasi:random`.
pub fn define(instance: &mut LinkerInstance<'_, Host>, _: &str, function: &str) -> Result<()> {
    match function {
        "get-random-bytes" => define_function(instance, function, |host, (length,): (u64,)| {
            let mut bytes = vec![0; checked(length)?];
            for slice in bytes.chunks_mut(SLICE_BYTES) {
                host.limiter.time_left()?;
                fill(slice)?;
            }
            Ok((bytes,))
        }),
        "get-random-u64" => define_function(instance, function, |_, ()| {
            let mut bytes = [0; 8];
            fill(&mut bytes)?;
            Ok((u64::from_ne_bytes(bytes),))
        }),
        "get-insecure-random-bytes" => define_function(instance, function, |host, (length,): (u64,)| {
            Ok((host.insecure.by_ref().take(checked(length)?).collect::<Vec<u8>>(),))
        }),
        "get-insecure-random-u64" => define_function(instance, function, |host, ()| {
            let bytes = [(); 8].map(|()| host.insecure.next().unwrap_or_default());
            Ok((u64::from_le_bytes(bytes),))
        }),
        "insecure-seed" => define_function(instance, function, |_, ()| Ok(((0_u64, 0_u64),))),
        _ => Ok(()),
    }
}

fn checked(length: u64) -> Result<usize> {
    ensure!(length <= MAX_BYTES, "it asked for more than {} of random bytes at once", Size(MAX_BYTES));
    Ok(usize::try_from(length)?)
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(std::io::Error::from)?;
    Ok(())
}
