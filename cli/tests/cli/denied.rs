//! The functions that linking leaves out, because the sandbox denies them: a call fails as before.

use std::path::Path;
use std::time::Duration;

use cipher::engine;
use cipher::link::{self, LinkedComponent};

use crate::harness::Cipher;
use crate::twins;

/// A component that calls functions of denied interfaces with handles of every kind.
const DENIED: &str = include_str!("../../fuzz/seeds/link/denied");

/// Its manifest, so that requests can name it.
const MANIFEST: &str = "name = \"guest\"\ndescription = \"For a test\"\n";

/// The number of its calls: three for each of nine functions.
const CALLS: usize = 27;

/// The functions that it imports from denied interfaces.
const FUNCTIONS: [&str; 6] = ["sync", "set-size", "rename-at", "filesystem-error-code", "is-listening", "subscribe"];

/// The maximum time that a call runs.
const RUN_TIME: Duration = Duration::from_secs(2);

/// [`DENIED`] with texts replaced, each of which it contains once.
fn changed(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(DENIED.to_owned(), |text, (old, new)| {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text.replace(old, new)
    })
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("it is written correctly")
}

fn contains(bytes: &[u8], name: &str) -> bool {
    bytes.windows(name.len()).any(|window| window == name.as_bytes())
}

/// Those of [`FUNCTIONS`] that the component `text` imports once it is linked.
fn imported(text: &str) -> Vec<&'static str> {
    let LinkedComponent { bytes, .. } = link::link(&component(text)).expect("it is linked");
    FUNCTIONS.into_iter().filter(|name| contains(&bytes, name)).collect()
}

/// What the program writes to stderr, audit events included, and to stdout for all calls of the component `text`.
fn answers(text: &str) -> String {
    let request = |number| {
        let message = "x".repeat(number);
        serde_json::json!({ "message": message, "algorithm": "guest", "operation": "encrypt" }).to_string() + "\n"
    };
    let cipher = Cipher::shell("CIPHER_GUESTS=$PWD cipher batch -j1 2>&1 >answers; cat answers");
    let cipher = cipher.file("guest.wasm", component(text)).file("guest.toml", MANIFEST);
    let cipher = cipher.stdin((0..CALLS).map(request).collect::<String>());
    cipher.run().text().replace(&*cipher.directory().to_string_lossy(), "")
}

/// Checks that the program answers the same if the component `text` is not linked, and returns the answers.
#[track_caller]
fn compare(text: &str) -> String {
    let linked = answers(text);
    assert_eq!(linked, answers(&text.replace("@dylink.0 (mem-info (memory 0 0))", "@custom \"not linked\" \"\"")));
    linked
}

#[test]
fn denied_functions_fail_as_before() {
    assert_eq!(imported(DENIED), ["sync", "filesystem-error-code", "is-listening"]);
    let answers = compare(DENIED);
    for (problem, count) in [
        ("unknown handle index 0", 9),
        ("unknown handle index 99", 9),
        // All but the last function, which closes the handle.
        ("handle index 1 used with the wrong type", 8),
    ] {
        // An audit event and an answer.
        assert_eq!(answers.matches(problem).count(), 2 * count, "{answers}");
    }
}

#[test]
fn denied_functions_match_wasmtime_wasi() {
    let engine = engine::compiler().expect("this machine can run guests");
    twins::tick(&engine);
    for number in 0..CALLS {
        let log = twins::compare(&engine, &component(DENIED), &[&"x".repeat(number)], RUN_TIME).expect("it is linked");
        assert_eq!(log.contains("failed: "), number != CALLS - 2, "{number}: {log}");
    }
}

#[test]
fn every_denied_interface_loses_functions() {
    for (interface, resource) in [
        ("wasi:http/types", "fields"),
        ("wasi:sockets/ip-name-lookup", "resolve-address-stream"),
        ("wasi:sockets/udp", "udp-socket"),
    ] {
        let text = DENIED.replace("wasi:sockets/tcp", interface).replace("tcp-socket", resource);
        assert!(!imported(&text).contains(&"subscribe"), "{interface}");
        compare(&text);
    }
}

#[test]
fn denied_functions_cannot_leave_realloc() {
    let answers = compare(&changed(&[
        ("(if (i32.ne (call $stdout) (i32.const 1)) (then unreachable))", ""),
        ("(i32.const 256))", "(call $work (local.get 3)) (i32.const 256))"),
    ]));
    assert!(answers.matches("cannot leave component instance").count() >= 40, "{answers}");
}

/// A function that differs in anything from what the sandbox denies stays.
#[test]
fn other_functions_stay() {
    let tuple = format!("(param \"size\" (tuple {}))", "u64 ".repeat(20));
    let one_type = "(result (own $pollable))))))
        (import \"wasi:sockets/tcp@0.2.0\" (instance $tcp (type $tcp-type)))
        (import \"wasi:sockets/tcp@0.2.1\" (instance (type $tcp-type)))";
    let last = "(export \"decr\" (func $call))";
    for (name, changes) in [
        // Many arguments are passed in memory, where the pointer may be invalid.
        (
            "set-size",
            &[
                ("(param \"size\" u64)", &*tuple),
                ("(param i32 i64 i32)", "(param i32 i32)"),
                ("(local.get $handle) (i64.const 1)", "(local.get $handle)"),
            ][..],
        ),
        (
            "set-size",
            &[(last, "(export \"decr\" (func $call)) (export \"x\" (func $files \"[method]descriptor.set-size\"))")],
        ),
        ("set-size", &[(last, "(export \"decr\" (func $call)) (export \"x\" (instance $files))")]),
        ("set-size", &[("wasi:filesystem/types@0.2.0", "wasi:filesystem/types@0.3.0")]),
        ("set-size", &[("wasi:filesystem/types@0.2.0", "wasi:filesystem/other@0.2.0")]),
        (
            "subscribe",
            &[
                ("(import \"wasi:sockets/tcp@0.2.0\" (instance $tcp\n", "(type $tcp-type (instance\n"),
                ("(result (own $pollable))))))", one_type),
            ],
        ),
        // No `resource.drop` can stand in.
        (
            "subscribe",
            &[
                ("(canon resource.drop $descriptor)", "(canon resource.drop $output)"),
                ("(canon resource.drop $socket)", "(canon resource.drop $output)"),
            ],
        ),
    ] {
        let text = changed(changes);
        assert!(imported(&text).contains(&name), "{changes:?}");
        compare(&text);
    }
}

#[test]
fn functions_of_granted_resources_stay() {
    // "error" is one, too: see `filesystem-error-code`.
    for name in ["input-stream", "io-error", "network", "output-stream", "pollable"] {
        let text =
            DENIED.replace("\"descriptor\"", &format!("\"{name}\"")).replace("]descriptor.", &format!("]{name}."));
        assert!(imported(&text).contains(&"set-size"), "{name}");
        compare(&text);
    }
}

#[test]
fn component_keeps_functions_it_uses() {
    let text = changed(&[(
        "(core func $error-code",
        "(type $own (resource (rep i32) (dtor (core func $close-socket)))) (core func $error-code",
    )]);
    compare(&text);
    let LinkedComponent { bytes, .. } = link::link(&component(&text)).expect("it is linked");
    wasmparser::Validator::new_with_features(engine::PROPOSALS).validate_all(&bytes).expect("it is valid");
}

#[test]
fn vigenere_loses_denied_functions() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/guests/Vigenere.wasm");
    let bytes = std::fs::read(path).expect("the guests are built");
    let linked = link::link(&bytes).expect("it is linked").bytes;
    for (name, stays) in [
        ("[method]descriptor.open-at", false),
        ("[method]tcp-socket.shutdown", false),
        ("[method]udp-socket.stream", false),
        ("create-tcp-socket", true),
        ("get-directories", true),
    ] {
        assert!(contains(&bytes, name), "{name}");
        assert_eq!(contains(&linked, name), stays, "{name}");
    }
}
