//! A component, as text or binary, that means the same linked or not.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use cipher::{engine, link};
use libfuzzer_sys::fuzz_target;
use wasmparser::Validator;
use wasmtime::Engine;

#[path = "../../tests/cli/twins.rs"]
mod twins;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let engine = engine::compiler().expect("this machine can run guests");
    twins::tick(&engine);
    engine
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(component) = wat::parse_bytes(bytes) else { return };
    // The pass expects a valid component, and ends without a panic whatever it gets.
    let _ = link::link(&component);
    if Validator::new_with_features(engine::PROPOSALS).validate_all(&component).is_ok() {
        twins::compare(&ENGINE, &component, &["", "Hello"], Duration::from_secs(2));
    }
});
