//! The WebAssembly proposals: those that a component may use, and one component for each that is off.

use crate::harness::Cipher;

/// A component whose core module has `fields` besides what the contract needs, and which has `items` of its own.
fn component(memory: &str, fields: &str, items: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $code
                (memory (export "memory") {memory})
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 16))
                (func (export "call") (param i32 i32) (result i32)
                    (i32.store (i32.const 0) (i32.const 8))
                    (i32.store (i32.const 4) (i32.const 2))
                    (i32.store (i32.const 8) (i32.const 0x6b6f))
                    (i32.const 0))
                {fields})
            (core instance $i (instantiate $code))
            (func $call (param "input" string) (result string)
                (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
            {items}
            (export "encr" (func $call))
            (export "decr" (func $call)))"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[track_caller]
fn rejects(bytes: &[u8], reason: &str) {
    let ended = Cipher::new(["encrypt", "./new.wasm", "x"]).file("new.wasm", bytes).run();
    let error = ended.diagnostics();
    assert_eq!(ended.status, Some(4), "{reason}: {error}");
    assert!(ended.stdout.is_empty(), "{reason}");
    assert!(error.starts_with("error: './new.wasm' ") && error.contains(reason), "{reason}: {error}");
    assert_eq!(error.matches('\n').count(), 1, "{error:?}");
}

#[test]
fn rejects_core_proposals_that_are_off() {
    let fields = [
        ("(type $t (func)) (func (param (ref $t)))", "function references required"),
        ("(type (struct))", "struct indexed types not supported without the gc feature"),
        ("(type (sub (func)))", "gc proposal must be enabled to use subtypes"),
        ("(func (param externref))", "gc types are disallowed"),
        ("(tag)", "exceptions proposal not enabled"),
        ("(func try catch_all end)", "legacy_exceptions feature required"),
        ("(func (drop (i32.atomic.load (i32.const 0))))", "threads support is not enabled"),
        ("(func atomic.fence)", "threads support is not enabled"),
        ("(global (shared i32) (i32.const 0))", "require the shared-everything-threads proposal"),
        ("(type (shared (func)))", "require the shared-everything-threads proposal"),
        ("(table i64 1 funcref)", "memory64 must be enabled for 64-bit tables"),
        ("(memory 1)", "multiple memories"),
        (
            "(func (param i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 0)))",
            "wide arithmetic support is not enabled",
        ),
        (
            "(func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))",
            "relaxed SIMD support is not enabled",
        ),
        ("(type $f (func)) (type (cont $f))", "stack switching is disabled"),
        ("(func (memory.discard (i32.const 0) (i32.const 0)))", "memory control support is not enabled"),
        ("(rec (type $a (descriptor $b) (struct)) (type $b (describes $a) (struct)))", "requires `gc` proposal"),
    ];
    for (field, reason) in fields {
        rejects(&component("1", field, ""), reason);
    }
    let memories = [
        ("1 1 shared", "threads must be enabled for shared memories"),
        ("i64 1", "memory64 must be enabled for 64-bit memories"),
        ("1 (pagesize 1)", "custom page sizes proposal must be enabled"),
    ];
    for (memory, reason) in memories {
        rejects(&component(memory, "", ""), reason);
    }
    let imports = r#"(component (core module (import "a" (item "b" (func)))))"#;
    rejects(&wat::parse_str(imports).expect("it is a component"), "compact imports proposal disabled");
}

#[test]
fn rejects_component_proposals_that_are_off() {
    let items = [
        ("(type (stream u8))", "has async functions"),
        ("(type (future))", "has async functions"),
        (r#"(import "f" (func async))"#, "has async functions"),
        ("(core func (canon backpressure.inc))", "has async functions"),
        ("(core func (canon context.get i32 0))", "has async functions"),
        ("(core func (canon task.return))", "has async functions"),
        ("(core func (canon thread.index))", "threading feature"),
        ("(type error-context)", "error-context feature"),
        ("(type (map string u32))", "map feature"),
        ("(type (list u8 4))", "fixed-length lists feature"),
        (
            r#"(import "g" (func $g)) (core type $t (func)) (core func (canon lower (func $g) gc (core-type $t)))"#,
            "`cm-gc` feature",
        ),
        (r#"(import "x" (implements "a:b/c") (instance))"#, "`cm-implements` feature is not active"),
        (r#"(import "v" (value string))"#, "component model `value`s is not enabled"),
        (r#"(import "a:b:c/d" (instance))"#, "is not a valid extern name"),
        ("(core type (shared (func)))", "require the shared-everything-threads proposal"),
    ];
    for (item, reason) in items {
        rejects(&component("1", "", item), reason);
    }
}

#[track_caller]
fn runs(bytes: &[u8]) {
    Cipher::new(["encrypt", "./new.wasm", "ok"]).file("new.wasm", bytes).run().exits(0).prints("ok\n");
}

#[test]
fn runs_proposals_that_toolchains_emit() {
    runs(&component(
        "1",
        r#"
        (global (export "mutable") (mut i32) (i32.const 0))
        (global (export "extended") i32 (i32.add (i32.const 1) (i32.const 2)))
        (table $a 1 funcref) (table $b 1 funcref)
        (func (param i32) (result i32 i32) (i32.extend8_s (local.get 0)) (i32.trunc_sat_f32_s (f32.const 1e9)))
        (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 8)))
        (func (result funcref) (table.get $b (i32.const 0)))
        (func (result v128) (i8x16.add (v128.const i64x2 1 2) (v128.const i64x2 3 4)))
        (func $tail (return_call $tail))"#,
        "",
    ));
}

/// A component that passes its text to a nested one, so that the engine copies it from one memory to another.
const COMPOSITION: &str = r#"(component
    (component $inner
        (core module $code
            (memory (export "memory") 1)
            (global $free (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (global.get $free)
                (global.set $free (i32.add (global.get $free) (local.get 3))))
            (func (export "call") (param i32 i32) (result i32)
                (i32.store (i32.const 0) (local.get 0))
                (i32.store (i32.const 4) (local.get 1))
                (i32.const 0)))
        (core instance $i (instantiate $code))
        (func (export "call") (param "input" string) (result string)
            (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
    (component $outer
        (import "call" (func $inner (param "input" string) (result string)))
        (core module $memory
            (memory (export "memory") 1)
            (global $free (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (global.get $free)
                (global.set $free (i32.add (global.get $free) (local.get 3)))))
        (core instance $m (instantiate $memory))
        (core func $inner (canon lower (func $inner)
            (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
        (core module $code
            (import "" "inner" (func $inner (param i32 i32 i32)))
            (func (export "call") (param i32 i32) (result i32)
                (call $inner (local.get 0) (local.get 1) (i32.const 16))
                (i32.const 16)))
        (core instance $i (instantiate $code (with "" (instance (export "inner" (func $inner))))))
        (func (export "call") (param "input" string) (result string)
            (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc")))))
    (instance $inner (instantiate $inner))
    (instance $outer (instantiate $outer (with "call" (func $inner "call"))))
    (export "encr" (func $outer "call"))
    (export "decr" (func $outer "call")))"#;

#[test]
fn runs_composition_of_components() {
    runs(&wat::parse_str(COMPOSITION).expect("it is a component"));
}
