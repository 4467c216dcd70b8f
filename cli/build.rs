//! Links the functions that calls use next to each other, so that a call touches fewer pages.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=link-order.ld");
    if uses_default_linker() && env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-musl") {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("link-order.ld");
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display());
    }
}

/// Other linkers may not support linker scripts.
fn uses_default_linker() -> bool {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    env::var_os("RUSTC_LINKER").is_none() && !flags.contains("linker") && !flags.contains("fuse-ld")
}
