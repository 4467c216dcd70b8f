//! Files that are not valid components: each is an error in one line.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::binary::{COMPONENT, call, section};
use crate::guests;
use crate::harness::{Cipher, Ended};

/// A small component that runs, as bytes.
fn echo() -> Vec<u8> {
    std::fs::read(guests::directory().join("Echo.wasm")).expect("it was assembled")
}

/// Expects no result and an error in one line.
#[track_caller]
fn refused(ended: &Ended, what: &str) {
    let diagnostics = ended.diagnostics();
    assert!(matches!(ended.status, Some(1 | 4)), "{what}: {:?} {diagnostics}", ended.status);
    assert!(ended.stdout.is_empty(), "{what}: {:?}", ended.text());
    assert!(diagnostics.starts_with("error: ") && diagnostics.matches('\n').count() == 1, "{what}: {diagnostics:?}");
}

/// Runs `test` with every number below `count`, on several threads.
fn for_each(count: usize, test: impl Fn(usize) + Sync) {
    const THREADS: usize = 4;
    std::thread::scope(|scope| {
        for first in 0..THREADS {
            let test = &test;
            scope.spawn(move || (first..count).step_by(THREADS).for_each(test));
        }
    });
}

#[test]
fn rejects_components_truncated_anywhere() {
    let echo = echo();
    for_each(echo.len(), |end| {
        let ended = call(&echo[..end]).run();
        // Without the names at its end, it still runs.
        if ended.stdout != b"text\n" || ended.status != Some(0) {
            refused(&ended, &format!("{end} of {} bytes", echo.len()));
        }
    });
}

#[test]
fn runs_or_rejects_flipped_bits() {
    let echo = echo();
    // A prime step, so that all bits of a byte are tried in the course of the file.
    let bits: Vec<usize> = (0..echo.len() * 8).step_by(23).collect();
    for_each(bits.len(), |at| {
        let bit = bits[at];
        let mut bytes = echo.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let ended = call(&bytes).args(["--timeout", "1s", "--max-memory", "10MiB"]).run();
        if ended.status != Some(0) {
            refused(&ended, &format!("bit {bit}"));
        }
    });
}

#[test]
fn names_kind_of_other_files() {
    let artifact = || {
        let kept = Cipher::new(["encrypt", "./bad.wasm", "x"]).file("bad.wasm", echo());
        kept.run().exits(0);
        let cache = std::fs::read_dir(kept.directory().join(".cache/cipher")).expect("it has a cache");
        let artifact =
            cache.flatten().map(|entry| entry.path()).find(|path| path.extension() == Some("cwasm".as_ref()));
        std::fs::read(artifact.expect("it is cached")).expect("it can be read")
    };
    let long: Vec<u8> = [b"\0asm\x0d\0\x01\0".as_slice(), &[0xff; 5000]].concat();
    let files: [(&str, Vec<u8>, &str); 9] = [
        (
            "gzip",
            b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\x4c\x4a\x06\0\xc2\x41\x24\x35\x03\0\0\0".into(),
            "is not a WebAssembly component",
        ),
        ("HTML", b"<!DOCTYPE html>\n<title>404 Not Found</title>\n".into(), "is not a WebAssembly component"),
        ("a script", b"#!/bin/sh\nexit 0\n".into(), "is not a WebAssembly component"),
        ("zeroes", vec![0; 100_000], "is not a WebAssembly component"),
        ("an executable", std::fs::read("/proc/self/exe").expect("it can be read"), "is compiled code"),
        ("an artifact", artifact(), "is compiled code; cipher loads only code that it compiled itself"),
        ("the start alone", b"\0asm\x0d\0\x01\0".into(), "does not satisfy the contract"),
        ("a version to come", b"\0asm\x0e\0\x01\0".into(), "is not a valid component"),
        ("a section without an end", long, "is not a valid component"),
    ];
    for (what, bytes, error) in files {
        let ended = call(&bytes).run();
        refused(&ended, what);
        assert!(ended.diagnostics().contains(error), "{what}: {}", ended.diagnostics());
    }
}

#[test]
fn rejects_non_regular_files_without_blocking() {
    let fifo = Cipher::shell("mkfifo fifo.wasm && exec cipher encrypt ./fifo.wasm x");
    fifo.run().exits(4).prints("").says("error: cannot read the component './fifo.wasm': it is not a regular file\n");
    for path in ["/dev/zero", "/dev/stdin", "/proc/self/mem"] {
        let ended = Cipher::new(["encrypt", path, "x"]).run();
        refused(&ended, path);
    }
    let link = Cipher::shell("ln -s round.wasm round.wasm && exec cipher encrypt ./round.wasm x");
    refused(&link.run(), "a link to itself");
}

#[test]
fn does_not_read_oversized_component() {
    // A sparse file takes no space on the disk.
    let script = "truncate -s 1T huge.wasm && exec cipher encrypt ./huge.wasm x";
    Cipher::shell(script)
        .run()
        .exits(4)
        .prints("")
        .says("error: the component './huge.wasm' has 1099511627776 bytes; the limit is 256MiB (--max-component)\n");
    Cipher::shell("truncate -s 2G huge.wasm && exec cipher install ./huge.wasm --prefix . --max-component 1MiB")
        .run()
        .exits(4)
        .prints("")
        .says("error: the component './huge.wasm' is larger than 1MiB (--max-component)\n");
    let echo = echo();
    let limit = (echo.len() - 1).to_string();
    call(&echo).args(["--max-component", &limit]).run().exits(4).prints("").says(&format!(
        "error: the component './bad.wasm' has {} bytes; the limit is {limit} bytes (--max-component)\n",
        echo.len()
    ));
    call(&echo).args(["--max-component", &echo.len().to_string()]).run().exits(0).prints("text\n");
}

/// A component with types nested to this depth: instance types (0x42) or component types (0x41).
fn nested(kind: u8, depth: usize) -> Vec<u8> {
    // One type, which declares one type, which ...
    let types = [vec![1], [kind, 1, 1].repeat(depth - 1), vec![kind, 0]].concat();
    [COMPONENT, &section(7, &types)].concat()
}

#[test]
fn bounds_component_size_despite_option() {
    let script = "truncate -s 1T huge.wasm && exec cipher encrypt ./huge.wasm x --max-component 16EiB";
    let ended = Cipher::shell(script).run();
    refused(&ended, "a sparse file");
    assert!(ended.diagnostics().contains("1099511627776 bytes; the limit is 4GiB"), "{}", ended.diagnostics());
}

#[test]
fn rejects_malformed_size() {
    for size in ["", "lots", "1.2.3MiB", "-1", "1XiB"] {
        let ended = Cipher::new(["encrypt", "Caesar", "x", &format!("--max-memory={size}")]).run().exits(2).prints("");
        let error = format!(
            "error: invalid value '{size}' for '--max-memory <SIZE>': expected a size, such as 256MiB or 4096\n"
        );
        assert!(size.is_empty() || ended.diagnostics().starts_with(&error), "{}", ended.diagnostics());
    }
}

#[test]
fn rejects_deeply_nested_types() {
    for kind in [0x41, 0x42] {
        for depth in [1, 1000] {
            let ended = call(&nested(kind, depth)).run();
            refused(&ended, &format!("{depth} types of kind {kind}"));
            assert!(ended.diagnostics().contains("it has no export 'encr'"), "{}", ended.diagnostics());
        }
        let ended = call(&nested(kind, 1_000_000)).run();
        refused(&ended, &format!("types of kind {kind}"));
        assert!(ended.diagnostics().contains("the compiler crashed (signal 11)"), "{}", ended.diagnostics());
    }
}

#[test]
fn growing_component_does_not_hang() {
    let cipher = call(&echo());
    let path = cipher.directory().join("bad.wasm");
    let mut child = cipher.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while child.try_wait().expect("it was started").is_none() {
        append(&path);
    }
}

fn append(path: &Path) {
    let mut file = std::fs::File::options().append(true).open(path).expect("it can be written");
    file.write_all(b"\0\x02\x01x").expect("it can be written");
}
