//! `wasi:random`. Secure randomness is always real: a guest that draws a key or a nonce must never get a
//! predictable one. Insecure randomness (as WASI calls it) is fixed, so that the same call gives the same result.

use wasmtime::component::LinkerInstance;
use wasmtime::{Result, ensure};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};
use wasmtime_wasi::random::WasiRandomCtx;

use super::{Host, define as define_function};
use crate::limits::Size;

/// The maximum number of random bytes per call.
const MAX_BYTES: u64 = 4 << 20;
/// The number of bytes drawn at a time; the time limit is checked after each slice.
const SLICE_BYTES: u64 = 64 * 1024;

/// Defines `function`. The names of functions are unique in all of `wasi:random`.
pub(super) fn define(instance: &mut LinkerInstance<'_, Host>, _: &str, function: &str) -> Result<()> {
    match function {
        "get-random-bytes" => define_function(instance, function, |host, (length,)| {
            Ok((draw(host, length, random::Host::get_random_bytes)?,))
        }),
        "get-random-u64" => {
            define_function(instance, function, |host, ()| Ok((random::Host::get_random_u64(host.wasi.random())?,)))
        }
        "get-insecure-random-bytes" => define_function(instance, function, |host, (length,)| {
            Ok((draw(host, length, insecure::Host::get_insecure_random_bytes)?,))
        }),
        "get-insecure-random-u64" => define_function(instance, function, |host, ()| {
            Ok((insecure::Host::get_insecure_random_u64(host.wasi.random())?,))
        }),
        "insecure-seed" => define_function(instance, function, |host, ()| {
            Ok((insecure_seed::Host::insecure_seed(host.wasi.random())?,))
        }),
        _ => Ok(()),
    }
}

/// Draws `length` bytes, a slice at a time.
fn draw(host: &mut Host, length: u64, slice: fn(&mut WasiRandomCtx, u64) -> Result<Vec<u8>>) -> Result<Vec<u8>> {
    ensure!(length <= MAX_BYTES, "it asked for more than {} of random bytes at once", Size(MAX_BYTES));
    let mut bytes = Vec::new();
    let mut left = length;
    while left > 0 {
        host.limiter.time_left()?;
        let drawn = left.min(SLICE_BYTES);
        bytes.append(&mut slice(host.wasi.random(), drawn)?);
        left -= drawn;
    }
    Ok(bytes)
}
