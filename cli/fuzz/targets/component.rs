//! A component's file up to its type and machine code, none of which runs: what is told of it is safe to show.

#![no_main]

use std::sync::LazyLock;

use cipher::code::compile;
use cipher::sandbox::contract;
use cipher::code::engine;
use libfuzzer_sys::fuzz_target;
use wasmtime::Engine;
use wasmtime::component::Component;

static COMPILER: LazyLock<Engine> = LazyLock::new(|| engine::compiler().expect("this machine can run guests"));

fuzz_target!(|bytes: &[u8]| {
    if compile::check_nesting(bytes).is_err() {
        return;
    }
    let Ok(component) = Component::from_binary(&COMPILER, bytes) else { return };
    let fit = contract::fit(&COMPILER, &component);
    let imports = fit.imports.iter().map(|import| &import.name);
    let exports = fit.exports.iter().flat_map(|export| [&export.name, &export.kind]);
    for text in imports.chain(exports).chain(&fit.problems()) {
        assert!(!text.contains(char::is_control), "{text:?}");
    }
});
