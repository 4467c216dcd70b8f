//! Components that exhaust or crash the compiler: each is an error in one line, within limits of time and memory.

use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::binary::{COMPONENT, MODULE, call, leb, section};
use crate::guests;
use crate::harness::{Cipher, Ended};

/// Expects no result, and an error in one line that contains one of `reasons`.
#[track_caller]
fn rejected(ended: &Ended, reasons: &[&str]) {
    refused(ended, 4, reasons);
}

/// Like [`rejected`], with an exit status.
#[track_caller]
fn refused(ended: &Ended, status: i32, reasons: &[&str]) {
    let error = ended.diagnostics();
    assert_eq!(ended.status, Some(status), "{error}");
    assert!(ended.stdout.is_empty());
    assert!(error.starts_with("error: './bad.wasm' ") && error.matches('\n').count() == 1, "{error:?}");
    assert!(reasons.iter().any(|reason| error.contains(reason)), "{error}");
}

const TIME: &str = "of processor time to compile (--compile-timeout)";
const MEMORY: &str = "of memory to compile (--max-compile-memory)";

/// A component with components nested to this depth.
fn nested_components(depth: usize) -> Vec<u8> {
    let (mut heads, mut inner) = (Vec::new(), COMPONENT.len());
    for _ in 0..depth {
        let head = [vec![4], leb(inner)].concat();
        inner += COMPONENT.len() + head.len();
        heads.push(head);
    }
    let mut bytes = COMPONENT.to_vec();
    for head in heads.iter().rev() {
        bytes.extend(head);
        bytes.extend(COMPONENT);
    }
    bytes
}

/// A component with this many functions, each with loops nested to this depth.
fn nested_loops(functions: usize, depth: usize) -> Vec<u8> {
    let body = [vec![0], [0x03, 0x40].repeat(depth), vec![0x0b; depth + 1]].concat();
    let code = [leb(functions), [leb(body.len()), body].concat().repeat(functions)].concat();
    let types = section(1, &[1, 0x60, 0, 0]);
    let module = [MODULE, &types, &section(3, &[leb(functions), vec![0; functions]].concat()), &section(10, &code)];
    [COMPONENT, &section(1, &module.concat())].concat()
}

/// A component with an instance type nested to this depth, where each level names the one before.
fn nested_instance_types(depth: usize) -> Vec<u8> {
    let mut text = "(component (type $t0 (instance))".to_owned();
    for level in 1..=depth {
        let before = level - 1;
        text += &format!(
            "(type $t{level} (instance (alias outer 1 $t{before} (type $a)) (export \"e\" (instance (type $a)))))"
        );
    }
    wat::parse_str(text + ")").expect("it is a component")
}

#[test]
fn rejects_deeply_nested_components() {
    let ended = call(&nested_components(100)).run().exits(4);
    assert!(ended.diagnostics().contains("it has no export 'encr'"), "{}", ended.diagnostics());
    for depth in [101, 20_000, 100_000] {
        let reason = "is not a valid component: its components are nested more than 100 levels deep\n";
        let script = "ulimit -t 20; exec cipher encrypt ./bad.wasm text";
        rejected(&Cipher::shell(script).file("bad.wasm", nested_components(depth)).run(), &[reason]);
    }
}

#[test]
fn inspect_links_in_compiler_process() {
    let echo = fs::read(guests::directory().join("Echo.wasm")).expect("it was assembled");
    let cipher = Cipher::new(["inspect", "./bad.wasm"]).file("bad.wasm", echo);
    let ended = cipher.run().exits(0);
    let text = ended.text();
    assert!(text.contains("\nstreaming: no\ndynamic libraries: not linked: it has fewer than two"), "{text}");
    // Its compiled code is cached by now, so only linking can exceed the limit.
    rejected(&cipher.args(["--max-compile-memory", "1KiB"]).run(), &[MEMORY]);
}

#[test]
fn limits_memory_of_nested_loops() {
    let bytes = nested_loops(10, 500_000);
    assert!(bytes.len() > 15_000_000);
    rejected(&call(&bytes).args(["--max-compile-memory", "500MiB", "--compile-timeout", "20s"]).run(), &[MEMORY, TIME]);
}

#[test]
fn limits_memory_to_address_space() {
    let script = "ulimit -v 400000 && exec cipher encrypt ./bad.wasm text";
    let ended = Cipher::shell(script).file("bad.wasm", nested_loops(10, 500_000)).run();
    refused(&ended, 6, &["takes more memory to compile than 400000KiB (ulimit -v)"]);
}

#[test]
fn runs_in_small_address_space() {
    let lines = "abc\n".repeat(3000);
    let text = "abc ".repeat(1_000_000);
    for (mode, input, output) in [
        ("", &text, text.replace("abc", "def")),
        ("--lines -j2", &lines, lines.replace("abc", "def")),
        ("--lines --isolate -j2", &lines, lines.replace("abc", "def")),
    ] {
        let script = format!("ulimit -v 1000000; exec cipher encrypt Caesar {mode} --audit-file audit");
        Cipher::shell(script).stdin(input.as_bytes()).run().exits(0).prints(output).says("");
    }
}

#[test]
fn reports_panic_of_parser() {
    let ended = call(&nested_instance_types(129)).run();
    rejected(&ended, &["cannot be compiled: the compiler panicked: assertion failed: depth <= Self::MAX_DEPTH"]);
}

/// A core module that takes a long time to compile, as text: many functions, each with many blocks that branch to one
/// another.
pub(crate) fn slow_module(functions: usize) -> String {
    let step = "(local.set 0 (select (i32.mul (local.get 0) (local.get 1)) (i32.xor (local.get 1) (local.get 0)) \
        (i32.load (local.get 0)))) (if (local.get 0) (then (local.set 1 (i32.load (local.get 1)))))";
    let function = format!("(func (param i32 i32) (result i32) {} (local.get 0))", step.repeat(300));
    format!("(core module (memory 1) {})", function.repeat(functions))
}

fn slow_to_compile() -> Vec<u8> {
    wat::parse_str(format!("(component {})", slow_module(1500))).expect("it is a component")
}

#[test]
fn limits_processor_time() {
    for limit in ["1ns", "100ms", "1s"] {
        let ended = call(&slow_to_compile()).args(["--compile-timeout", limit]).run();
        rejected(&ended, &[&format!("takes more than {limit} {TIME}")]);
    }
}

#[test]
fn batch_compiles_rejected_component_once() {
    let guests = Cipher::new(["batch"]);
    let request = "{\"algorithm\":\"bad\",\"operation\":\"encrypt\",\"message\":\"x\"}\n";
    let ended = guests
        .file("bad.wasm", nested_instance_types(129))
        .file("bad.toml", "name = \"bad\"\ndescription = \"Too deep\"\n")
        .env("CIPHER_GUESTS", ".")
        .env("RUST_LOG", "info")
        .stdin(request.repeat(5))
        .run();
    assert_eq!(ended.text().matches("the compiler panicked").count(), 5, "{}", ended.text());
    assert_eq!(ended.diagnostics().matches("compiling bad").count(), 1, "{}", ended.diagnostics());
}

/// The compiler process of the process `parent`, as soon as it is isolated.
#[cfg(target_os = "linux")]
pub(crate) fn compiler_of(parent: u32) -> u32 {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        let threads = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
        let children = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        let children = children.collect::<String>();
        if let Some(child) = children.split_whitespace().next().and_then(|child| child.parse().ok())
            && field(child, "Seccomp") == Some("2".to_owned())
        {
            return child;
        }
        assert!(Instant::now() < patience, "no process compiles");
        thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(target_os = "linux")]
fn field(process: u32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(':')?.trim().to_owned()))
}

#[cfg(target_os = "linux")]
#[test]
fn isolates_compiler_and_ends_it() {
    for signal in [Signal::INT, Signal::KILL] {
        // With a descriptor and a variable that the compiler must not get.
        let cipher = Cipher::shell("exec 7<bad.wasm && exec cipher encrypt ./bad.wasm x")
            .file("bad.wasm", slow_to_compile())
            .env("PASSWORD", "secret");
        let mut child = cipher.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let compiler = compiler_of(child.id());
        let mut descriptors: Vec<_> = fs::read_dir(format!("/proc/{compiler}/fd"))
            .expect("it still compiles")
            .map(|entry| entry.expect("a descriptor").file_name())
            .collect();
        descriptors.sort();
        assert_eq!(descriptors, ["0", "1", "2"]);
        assert_eq!(fs::read(format!("/proc/{compiler}/environ")).expect("it still compiles"), b"");
        assert_eq!(field(compiler, "NoNewPrivs").as_deref(), Some("1"));
        let limits = fs::read_to_string(format!("/proc/{compiler}/limits")).expect("it still compiles");
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("it has one");
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);

        kill_process(Pid::from_child(&child), signal).expect("it still runs");
        child.wait().expect("it was started");
        let patience = Instant::now() + Duration::from_secs(60);
        while field(compiler, "State").is_some_and(|state| !state.starts_with('Z')) {
            assert!(Instant::now() < patience, "the compiler goes on after {signal:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}
