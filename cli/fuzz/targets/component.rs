//! A component, compiled and inspected without running it: text about it is safe to show.

#![no_main]

use std::sync::LazyLock;

use cipher::{compiler, contract, engine};
use libfuzzer_sys::fuzz_target;
use wasmtime::Engine;
use wasmtime::component::Component;

static COMPILER: LazyLock<Engine> = LazyLock::new(|| engine::compiler().expect("this machine can run guests"));

fuzz_target!(|bytes: &[u8]| {
    let Ok(code) = compiler::translate(&COMPILER, bytes) else { return };
    // SAFETY: the code was compiled a moment ago, by this process.
    let component = unsafe { Component::deserialize(&COMPILER, code) }.expect("compiled code can be loaded");
    let contract_report = contract::inspect(&COMPILER, &component);
    let imports = contract_report.imports.iter().map(|import| &import.name);
    let exports = contract_report.exports.iter().flat_map(|export| [&export.name, &export.kind]);
    for text in imports.chain(exports).chain(&contract_report.problems()) {
        assert!(!text.contains(char::is_control), "{text:?}");
    }
});
