//! A search for a secret wherever a process may leave it: the process list, outputs, and core files.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::compiler::{compiler_of, slow_module};
use crate::harness::Cipher;
use crate::secrets::keyed;

const MANIFEST: &str = include_str!("../guests/Blab.toml");

/// The guest `Blab`, which records its key and returns its message, and takes a second to compile.
fn slow_blab() -> Vec<u8> {
    let wat =
        include_str!("../guests/Blab.wat").replacen("(component\n", &format!("(component\n{}\n", slow_module(150)), 1);
    wat::parse_str(wat).expect("it is a component")
}

/// A random value, with characters that are escaped in JSON.
fn canary() -> String {
    let mut bytes = [0; 24];
    std::io::Read::read_exact(&mut fs::File::open("/dev/urandom").expect("it exists"), &mut bytes)
        .expect("it is endless");
    let word = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{}\"{}\\{}", word(&bytes[..8]), word(&bytes[8..16]), word(&bytes[16..]))
}

/// How often `bytes` contain a part of the canary that no escaping changes.
fn sightings(canary: &str, bytes: &[u8]) -> usize {
    let parts = canary.split(['"', '\\']).map(str::as_bytes);
    parts.map(|part| bytes.windows(part.len()).filter(|window| window == &part).count()).sum()
}

/// What the kernel shows of a process to other processes.
fn shown_by_kernel(process: u32) -> Vec<u8> {
    let read = |name: &str| fs::read(format!("/proc/{process}/{name}"));
    let mut shown = read("cmdline").expect("it is running");
    assert!(!shown.is_empty());
    // Only root can read the environment of a process that is not dumpable.
    shown.extend(read("environ").unwrap_or_default());
    shown
}

/// The number of sightings in the process list of the program and of its compiler, in the result, and in the other
/// outputs.
#[derive(Debug, PartialEq, Eq)]
struct Sightings {
    program: usize,
    compiler: usize,
    result: usize,
    others: usize,
}

/// Runs a script that calls `Blab`, whose key and message are the canary, and ends with `exec cipher`.
fn search(canary: &str, script: &str) -> Sightings {
    let script = format!("{script} --audit-file audit --audit-format json > result 2> stderr");
    let request = json!({ "algorithm": "Blab", "message": canary });
    let cipher =
        Cipher::shell(script).env("CIPHER_GUESTS", ".").env("RUST_LOG", "trace").file("Blab.wasm", slow_blab());
    let cipher = cipher.file("Blab.toml", MANIFEST).file("key", format!("{canary}\n"));
    let cipher = cipher.file("message", canary).file("requests", format!("{request}\n"));
    let mut child = cipher.command().spawn().expect("it starts");
    let compiler = compiler_of(child.id());
    let compiler_shown = shown_by_kernel(compiler);
    let program_shown = shown_by_kernel(child.id());
    let status = child.wait().expect("it was started");
    assert!(status.success(), "{}", cipher.read("stderr"));
    assert!(cipher.read("audit").contains("***") && cipher.read("stderr").contains("TRACE"));
    let count = |bytes: &[u8]| sightings(canary, bytes);
    Sightings {
        program: count(&program_shown),
        compiler: count(&compiler_shown),
        result: count(cipher.read("result").as_bytes()),
        others: count(cipher.read("audit").as_bytes()) + count(cipher.read("stderr").as_bytes()),
    }
}

#[test]
fn secret_appears_only_in_result() {
    for script in [
        "exec cipher encrypt Blab --set-file BLAB_KEY=key < message",
        "export BLAB_KEY_FILE=key; exec cipher encrypt Blab < message",
        "exec cipher batch --set-file BLAB_KEY=key < requests",
    ] {
        let found = search(&canary(), script);
        assert_eq!(found, Sightings { program: 0, compiler: 0, result: 3, others: 0 }, "{script}");
    }
}

#[test]
fn search_finds_exposed_secret() {
    let found = search(&canary(), "exec cipher encrypt Blab --set BLAB_KEY=\"$(cat key)\" < message");
    assert_eq!(found, Sightings { program: 3, compiler: 0, result: 3, others: 0 });
    let found = search(&canary(), "export BLAB_KEY=\"$(cat key)\"; exec cipher encrypt Blab < message");
    // Only root sees the canary in the environment of the program.
    let program = if rustix::process::geteuid().is_root() { 3 } else { 0 };
    assert_eq!(found, Sightings { program, compiler: 0, result: 3, others: 0 });
}

/// Ends a script, which waits for input, with `signal`.
fn crash(cipher: &Cipher, signal: Signal) -> ExitStatus {
    let mut command = cipher.command();
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    await_guest(&child);
    // A handler may take the first one for a trap of a guest.
    loop {
        kill_process(Pid::from_child(&child), signal).expect("it was not waited for");
        thread::sleep(Duration::from_millis(20));
        if let Some(status) = child.try_wait().expect("it was started") {
            return status;
        }
    }
}

/// Waits until the program has loaded its guest, after reading the secret.
fn await_guest(child: &Child) {
    let maps = format!("/proc/{}/maps", child.id());
    let is_loaded = |maps: String| maps.matches("/artifacts/").count() + maps.matches("cipher/").count() > 1;
    let patience = Instant::now() + Duration::from_secs(60);
    while !fs::read_to_string(&maps).is_ok_and(is_loaded) {
        assert!(Instant::now() < patience, "it does not load the guest");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The contents of the core files in `directory`.
fn core_files(directory: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(directory).expect("it exists").flatten();
    let is_core = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("core");
    entries.filter(is_core).map(|entry| fs::read(entry.path()).expect("it is ours")).collect()
}

#[test]
fn leaves_no_core_file() {
    let folder = keyed();
    let canary = canary();
    for signal in [Signal::ABORT, Signal::SEGV] {
        let call = |options: &str| {
            let script = format!("ulimit -c unlimited 2> /dev/null; exec cipher encrypt Keyed {options}");
            let cipher = Cipher::shell(script).env("CIPHER_GUESTS", folder.path()).env("CANARY", &canary);
            let cipher = cipher.file("key", "3\n");
            let status = crash(&cipher, signal);
            assert_eq!(status.signal(), Some(signal.as_raw()), "{status}");
            (status.core_dumped(), core_files(cipher.directory()))
        };
        let (is_dumped, files) = call("");
        match files.as_slice() {
            [file] => assert!(is_dumped && sightings(&canary, file) >= 3),
            // A pipe, a directory, or a limit takes them elsewhere.
            _ => println!("the system leaves no core file in the working directory"),
        }
        assert_eq!(call("--set-file SHIFT_AMOUNT=key"), (false, Vec::new()));
    }
}

#[test]
fn check_masks_quoted_results() {
    // A guest that returns its key.
    let wat = include_str!("../guests/Blab.wat")
        .replace(
            "(i32.store (i32.const 0) (local.get $text))",
            "(i64.store (i32.const 0) (i64.load (i32.add (local.get $first) (i32.const 8))))",
        )
        .replace("(i32.store (i32.const 4) (local.get $length))", "");
    let component = wat::parse_str(wat).expect("it is a component");
    let canary = canary();
    let cipher = Cipher::new(["check", "./Blab.wasm", "--set-file", "BLAB_KEY=key"]).file("Blab.wasm", component);
    let ended = cipher.file("Blab.toml", MANIFEST).file("key", &canary).run().exits(4);
    assert!(ended.text().contains("differs at character 0: got \"***"), "{}", ended.text());
    assert_eq!(sightings(&canary, &ended.stdout) + sightings(&canary, &ended.stderr), 0, "{}", ended.text());
}
