//! Linking: a linked component behaves like the original, and a component that the pass does not handle stays
//! unchanged.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use cipher::engine;
use cipher::link::{self, LinkedComponent};
use wasmparser::{Parser, Payload, Validator};
use wasmtime::Engine;

use crate::harness::Cipher;
use crate::twins;

/// Components of two libraries that call each other, with the helper modules of wit-component before and after those
/// were consolidated (wasm-tools #2600).
const SEPARATE: &str = include_str!("../../fuzz/seeds/link/separate");
const CONSOLIDATED: &str = include_str!("../../fuzz/seeds/link/consolidated");
/// A component that calls functions of denied interfaces.
const DENIED: &str = include_str!("../../fuzz/seeds/link/denied");

/// An unused dynamic library, so that a component is worth linking.
const LIBRARY: &str = "(core module (@dylink.0 (mem-info (memory 0 0))))";

/// Enough to link a megabyte on any machine. A quadratic pass would take minutes.
const LINKING_MAX: Duration = Duration::from_secs(20);

/// The maximum time that a small component and a Python guest run.
const RUN_TIME: Duration = Duration::from_secs(2);
const PYTHON_TIME: Duration = Duration::from_secs(600);

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let engine = engine::compiler().expect("this machine can run guests");
    twins::tick(&engine);
    engine
});

/// [`SEPARATE`] with a change.
fn changed(old: &str, new: &str) -> String {
    assert_eq!(SEPARATE.matches(old).count(), 1, "{old}");
    SEPARATE.replace(old, new)
}

/// The bytes of a valid component.
fn component(text: &str) -> Vec<u8> {
    let bytes = wat::parse_str(text).expect("it is written correctly");
    Validator::new_with_features(engine::PROPOSALS).validate_all(&bytes).expect("it is valid");
    bytes
}

/// Links the component `text`, checks that it behaves as before, and returns the log of its calls.
#[track_caller]
fn linked(text: &str) -> String {
    let bytes = component(text);
    if let Err(reason) = link::link(&bytes) {
        panic!("{reason}");
    }
    twins::compare(&ENGINE, &bytes, &["", "Hello"], RUN_TIME).expect("it is linked")
}

#[track_caller]
fn rejects(text: &str, reason: &str) {
    let error = link::link(&component(text)).expect_err("it is not supported").to_string();
    assert!(error.contains(reason), "{error}");
}

#[test]
fn links_separate_helper_modules() {
    let answers = "logged \"text\"\nrun: [S32(41)]\nlogged \"text\"\nrun: [S32(47)]\n";
    assert_eq!(linked(SEPARATE), answers);
}

#[test]
fn links_consolidated_helper_modules() {
    let answers = "logged \"textile\"\nrun: [S32(41)]\nlogged \"textile\"\nrun: [S32(47)]\n";
    assert_eq!(linked(CONSOLIDATED), answers);
}

#[test]
fn leaves_two_core_modules() {
    let LinkedComponent { bytes, modules } = link::link(&component(SEPARATE)).expect("it is linked");
    let payloads = Parser::new(0).parse_all(&bytes).map(|payload| payload.expect("it is well-formed"));
    assert_eq!(modules, 6);
    assert_eq!(payloads.filter(|payload| matches!(payload, Payload::ModuleSection { .. })).count(), 2);
}

#[test]
fn keeps_globals_that_are_written() {
    let run = "(func (export \"run\") (param i32) (result i32)";
    let counting = format!("{run} (global.set $counter (i32.add (global.get $counter) (i32.const 4)))");
    assert!(linked(&changed(run, &counting)).contains("run: [S32("));
}

#[test]
fn keeps_passive_segments() {
    let passive = changed(
        "(data (i32.const 4112) \"\\28\")",
        "(import \"env\" \"__indirect_function_table\" (table $table 1 funcref))
        (data $unused \"abc\") (data $forty \"\\28\") (elem $back func 0 1) (elem declare func 1)
        (func $fill
          (memory.init $forty (i32.const 4112) (i32.const 0) (i32.const 1)) (data.drop $forty)
          (table.init $table $back (i32.const 3) (i32.const 1) (i32.const 1)) (elem.drop $back)
          (table.set $table (i32.const 0) (ref.func 1)))",
    )
    .replace("(i32.add (local.get 0)", "(if (i32.eqz (i32.load (global.get $counter))) (then (call $fill))) (i32.add (local.get 0)")
    .replace(
        "(with \"env\" (instance\n      (export \"memory\" (memory $memory))\n      (export \"__table_base\"",
        "(with \"env\" (instance\n      (export \"__indirect_function_table\" (table $main \"__indirect_function_table\"))
      (export \"memory\" (memory $memory))\n      (export \"__table_base\"",
    );
    linked(&passive);
}

#[test]
fn keeps_destructors_of_resources() {
    // Its functions need the type, the type needs the library, and the library needs the functions.
    let mut resource = SEPARATE.to_owned();
    for (before, added) in [
        ("(import \"env\" \"back\"", "(import \"env\" \"new\" (func $new (param i32) (result i32)))"),
        ("(import \"env\" \"back\"", "(import \"env\" \"drop\" (func $drop (param i32)))"),
        ("(call $back (local.get 0))", "(call $drop (call $new (local.get 0)))"),
        (
            "(data (i32.const 4096)",
            "(func (export \"destroy\") (param i32) (i32.store (i32.const 4112) (i32.const 99)))",
        ),
        ("(export \"back\" (func $main", "(export \"new\" (func $new)) (export \"drop\" (func $drop))"),
        (
            "(core instance $first",
            "(alias core export $main \"destroy\" (core func $destroy))
            (type $held (resource (rep i32) (dtor (core func $destroy))))
            (core func $new (canon resource.new $held)) (core func $drop (canon resource.drop $held))",
        ),
    ] {
        assert_eq!(resource.matches(before).count(), 1, "{before}");
        resource = resource.replace(before, &format!("{added} {before}"));
    }
    assert!(linked(&resource).contains("run: [S32(99)]"));
}

#[test]
fn keeps_imports_that_nothing_uses() {
    let text =
        changed("(import \"log\"", "(import \"own:unused/it@1.0.0\" (instance (export \"f\" (func)))) (import \"log\"");
    let LinkedComponent { bytes, .. } = link::link(&component(&text)).expect("it is linked");
    assert!(bytes.windows(15).any(|window| window == b"own:unused/it@1"));
}

#[test]
fn keeps_nested_components() {
    let lift = "(func (export \"run\") (param \"number\" s32) (result s32) (canon lift (core func $second \"run\")))";
    let nested = "(type $number s32)
        (func $run (param \"number\" s32) (result s32) (canon lift (core func $second \"run\")))
        (component $interface
          (alias outer 1 $number (type $number))
          (import \"run\" (func $run (param \"number\" $number) (result $number)))
          (export \"run\" (func $run)))
        (instance $interface (instantiate $interface (with \"run\" (func $run))))
        (export \"own:numbers/first@1.0.0\" (instance $interface))
        (export \"run\" (func $run))";
    assert!(linked(&changed(lift, nested)).contains("run: [S32(41)]"));
}

#[test]
fn leaves_components_without_libraries() {
    for text in [
        "(component)",
        &format!("(component {LIBRARY})"),
        &SEPARATE.replace("@dylink.0 (mem-info (memory 16 2))", "@custom \"x\" \"\""),
    ] {
        rejects(text, "it has fewer than two dynamic libraries");
    }
}

#[test]
fn rejects_unsupported_shapes() {
    let items = "(core instance $shim (instantiate $shim))";
    for (old, new, reason) in [
        ("(func $unused", "(start 2) (func $unused", "a core module has a start function"),
        (
            items,
            "(core instance (instantiate $shim)) (core instance $shim (instantiate $shim))",
            "more than one instance",
        ),
        (items, "(component (core module)) (core instance $shim (instantiate $shim))", "a nested component"),
        (
            items,
            "(component (alias outer 1 $shim (core module))) (core instance $shim (instantiate $shim))",
            "a core module",
        ),
        (items, "(core type (func)) (core instance $shim (instantiate $shim))", "core types"),
        (items, "(import \"m\" (core module)) (core instance $shim (instantiate $shim))", "core types"),
        (
            items,
            "(export \"m\" (core module $shim)) (core instance $shim (instantiate $shim))",
            "it shares a core module",
        ),
    ] {
        // A start function needs a type without parameters.
        let text = changed(old, new).replace(
            "(start 2) (func $unused (export \"unused\")",
            "(start $unused) (func $unused (export \"unused\")",
        );
        rejects(&text, reason);
    }
}

#[test]
fn survives_shim_that_calls_itself() {
    // Resolving the shim leads back to the shim.
    let looping = changed("(export \"0\" (func $lowered))", "(export \"0\" (func $shim \"0\"))");
    assert!(linked(&looping).contains("failed: wasm trap: call stack exhausted"));
}

#[test]
fn does_not_trust_helper_modules() {
    for (old, new) in [
        // A shim that does more than pass a call on.
        ("(local.get 0) (local.get 1) (i32.const 0))", "(local.get 0) (i32.const 2) (i32.const 0))"),
        ("(local.get 0) (local.get 1) (i32.const 0))", "(i32.const 4097) (local.get 1) (i32.const 0))"),
        // A fixup that fills another element than the shim uses, and one that fills it twice.
        ("(table (export \"$imports\") 1 1 funcref)", "(table (export \"$imports\") 2 2 funcref)"),
        (
            "(elem (i32.const 0) func 0)",
            "(elem (i32.const 0) func 0) (func $no (param i32 i32)) (elem (i32.const 0) func $no)",
        ),
        ("(elem (i32.const 0) func 0)", ""),
    ] {
        let text = changed(old, new).replace("table 1 1 funcref)\n    (elem", "table 1 funcref)\n    (elem");
        let text = text
            .replace("(import \"\" \"$imports\" (table 1 1 funcref))", "(import \"\" \"$imports\" (table 1 funcref))");
        linked(&text);
    }
}

/// A chain of `length` modules, each with a global that adds up the one before it `operands` times.
fn chain(length: usize) -> String {
    let mut text = format!(
        "(component {LIBRARY}{LIBRARY}(core module $m0 (global (export \"g\") i32 i32.const 1)) (core instance $i0 (instantiate $m0))"
    );
    for module in 1..length {
        let before = module - 1;
        write!(
            text,
            "(core module $m{module} (import \"m\" \"g\" (global i32)) (global (export \"g\") i32 global.get 0 global.get 0 i32.add))
            (core instance $i{module} (instantiate $m{module} (with \"m\" (instance $i{before}))))"
        )
        .expect("a string can be written to");
    }
    text + ")"
}

#[test]
fn bounds_time_with_hostile_shapes() {
    let exports: String = (0..4000).map(|name| format!("(export \"{name}\" (func $f))")).collect();
    let imports: String = (0..4000).map(|name| format!("(import \"m\" \"{name}\" (func))")).collect();
    let parameters = "i32 ".repeat(1000);
    let calls = "(drop (block (type 0) (unreachable)))".replace("drop (", "").replace("))", ")").repeat(40_000);
    for text in [
        chain(40),
        chain(900),
        // Modules that pass a function on under many names.
        format!(
            "(component {LIBRARY}{LIBRARY}(core module $m (func $f) {exports}) (core instance $i (instantiate $m))
            (core module $n {imports} {}) (core instance (instantiate $n (with \"m\" (instance $i)))))",
            (0..4000).map(|name| format!("(export \"{name}\" (func {name}))")).collect::<String>()
        ),
        // A type that takes long to compare, used very often.
        format!(
            "(component {LIBRARY}{LIBRARY}(core module $m (type (func (result {parameters}))) (table 1 funcref) (elem (i32.const 0) func $f) (func $f {calls})) (core instance (instantiate $m)))"
        ),
        format!("(component {LIBRARY}{LIBRARY} {})", "(component".repeat(90) + &")".repeat(90)),
    ] {
        let bytes = wat::parse_str(&text).expect("it is written correctly");
        let start = Instant::now();
        let _ = link::link(&bytes);
        assert!(start.elapsed() < LINKING_MAX, "{:.200}", text);
    }
}

/// A sequence of pseudorandom numbers (SplitMix64), the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }
}

/// `text` with one to three of its tokens replaced by others, removed or repeated.
fn mutant(text: &str, numbers: &mut Numbers) -> String {
    let mut tokens: Vec<_> = text.split_inclusive([' ', '(', ')', '\n']).collect();
    for _ in 0..=numbers.below(3) {
        let (place, other) = (numbers.below(tokens.len()), numbers.below(tokens.len()));
        match numbers.below(8) {
            0 => _ = tokens.remove(place),
            1 => tokens.insert(place, tokens[other]),
            2 => tokens.swap(place, other),
            _ => tokens[place] = tokens[other],
        }
    }
    tokens.concat()
}

/// Compares mutants of the small components with their linked twins for this time.
fn try_mutants(seed: u64, time: Duration) {
    let start = Instant::now();
    let mut numbers = Numbers(seed);
    let (mut valid, mut compared) = (0, 0);
    while start.elapsed() < time {
        let text = mutant([SEPARATE, CONSOLIDATED, DENIED][numbers.below(3)], &mut numbers);
        let Ok(bytes) = wat::parse_str(&text) else { continue };
        // The pass ends without a panic for any bytes.
        let _ = link::link(&bytes);
        if Validator::new_with_features(engine::PROPOSALS).validate_all(&bytes).is_ok() {
            valid += 1;
            compared += usize::from(twins::compare(&ENGINE, &bytes, &["", "Hello"], RUN_TIME).is_some());
        }
    }
    println!("{compared} of {valid} valid mutants were linked, and did the same");
    assert!(compared > 0);
}

#[test]
fn mutants_match_their_twins() {
    try_mutants(19, Duration::from_secs(5));
}

#[test]
#[ignore = "takes ten minutes"]
fn many_mutants_match_their_twins() {
    try_mutants(20, Duration::from_secs(600));
}

#[test]
fn vigenere_matches_its_twin() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/guests/Vigenere.wasm");
    let bytes = std::fs::read(path).expect("the guests are built");
    let answers = twins::compare(&ENGINE, &bytes, &["ATTACKATDAWN", "", "Grüße, 🦀!"], PYTHON_TIME)
        .expect("Vigenere is linked (run scripts/just guests)");
    assert!(answers.contains("LXFOPVEFRNHR"), "{answers}");
}

/// The Python guest in `../python`, built by several versions of componentize-py: see `scripts/test/link`.
#[test]
#[ignore = "needs the components that 'scripts/just test-link' builds"]
fn python_guests_match_their_twins() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/link");
    let long = "Attack at dawn, Grüße 🦀! ".repeat((64 << 20) / 29);
    for entry in directory.read_dir().expect("the components are built") {
        let path = entry.expect("it can be listed").path();
        let bytes = std::fs::read(&path).expect("it can be read");
        let answers = twins::compare(&ENGINE, &bytes, &["", "Grüße, 🦀!", &long], PYTHON_TIME).expect("it is linked");
        assert!(answers.contains("PermissionError") && !answers.contains("failed: "), "{}: {answers}", path.display());
        println!("{} means the same linked", path.display());
    }
}

#[test]
#[ignore = "needs the components that 'scripts/just test-link' builds"]
fn python_guests_show_their_exception() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/link");
    for entry in directory.read_dir().expect("the components are built") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_stem().expect("it has a name").display();
        for (text, problem) in [
            ("raise", "ValueError: no such message (RUST_LOG=info shows the traceback)"),
            ("none", "it returned or recorded None instead of a str"),
            ("number", "it returned or recorded a value of type int instead of a str"),
        ] {
            let cipher = Cipher::new(["decrypt".as_ref(), "-q".as_ref(), path.as_os_str(), text.as_ref()]).run();
            cipher.exits(1).prints("").says(&format!("error: {name} failed: {problem}\n"));
        }
    }
}

#[test]
fn leaves_rust_guests() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/guests/Caesar.wasm");
    let bytes = std::fs::read(path).expect("the guests are built");
    let reason = link::link(&bytes).expect_err("it has no libraries");
    assert_eq!(reason.to_string(), "it has fewer than two dynamic libraries");
}

#[test]
fn inspect_shows_linking() {
    for (text, line, modules) in [
        (SEPARATE, "dynamic libraries: 6 core modules linked into one\n", "\"linked_modules\": 6"),
        (
            "(component)",
            "dynamic libraries: not linked: it has fewer than two dynamic libraries\n",
            "\"linked_modules\": null",
        ),
    ] {
        let cipher = Cipher::new(["inspect", "./new.wasm"]).file("new.wasm", component(text));
        assert!(cipher.run().text().contains(line), "{}", cipher.run().text());
        let json = cipher.args(["--json"]).run();
        assert!(json.text().contains(modules), "{}", json.text());
    }
}

#[test]
fn reports_linking_at_debug_level() {
    for (text, outcome) in [
        (SEPARATE, "linked 6 modules into one"),
        ("(component)", "not linked: it has fewer than two dynamic libraries"),
    ] {
        let run = Cipher::new(["encrypt", "./new.wasm", "x"])
            .file("new.wasm", component(text))
            .env("RUST_LOG", "cipher=debug")
            .run();
        assert!(run.diagnostics().contains(outcome), "{}", run.diagnostics());
    }
}
