//! The program, run on small components.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::process::Command;

/// Two libraries that call each other, and what wit-component puts around them.
const LIBRARIES: &str = include_str!("libraries.wat");

/// Links the component `text`: its new text, or what the program says is wrong.
fn link(text: &str) -> Result<String, String> {
    link_with(text, &[])
}

/// Links the component `text` with more arguments: options, and an optimiser with its own.
fn link_with(text: &str, arguments: &[&str]) -> Result<String, String> {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (directory.path().join("from.wasm"), directory.path().join("to.wasm"));
    std::fs::write(&from, wat::parse_str(text).unwrap()).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_link-libraries")).args([&from, &to]).args(arguments).output().unwrap();
    if run.status.success() {
        Ok(wasmprinter::print_file(to).unwrap())
    } else {
        Err(String::from_utf8(run.stderr).unwrap())
    }
}

/// [`LIBRARIES`] with a change.
fn changed(old: &str, new: &str) -> String {
    assert_eq!(LIBRARIES.matches(old).count(), 1, "{old}");
    LIBRARIES.replace(old, new)
}

#[test]
fn libraries_become_one_module_with_direct_calls_and_constant_addresses() {
    let linked = link(LIBRARIES).unwrap();
    assert!(linked == include_str!("linked.wat"), "{linked}");
}

#[test]
fn a_global_that_is_written_stays_a_global() {
    let counting = changed(
        "(func (export \"run\") (param i32) (result i32)",
        "(func (export \"run\") (param i32) (result i32) (global.set $counter (local.get 0))",
    );
    let linked = link(&counting).unwrap();
    assert!(linked.contains("(global (;1;) (mut i32) i32.const 4112)"), "{linked}");
    assert!(linked.contains("global.set 1"), "{linked}");
    assert_eq!(linked.matches("global.get 1\n").count(), 2, "{linked}"); // one in each library
}

#[test]
fn what_cannot_be_linked_is_refused() {
    for (part, reason) in [
        ("(elem func $listed)", "only active elements are supported"),
        ("(start $unused)", "a library with a start function is not supported"),
        ("(tag)", "exception tags are not supported"),
    ] {
        let told = link(&changed("(elem (global.get $table_base) func $listed)", part)).unwrap_err();
        assert!(told.contains(reason), "{told}");
    }
    let nested = "(component $nested (alias outer 1 $main (core module)))
        (instance $nested (instantiate $nested)) (export \"nested\" (instance $nested)) (func (export \"run\")";
    let told =
        link(&changed("(func (export \"run\") (param \"number\"", &format!("{nested} (param \"number\""))).unwrap_err();
    assert!(told.contains("core modules that nested components share are not supported"), "{told}");
}

#[test]
fn a_resource_whose_destructor_is_in_a_library_keeps_it() {
    // Its functions need the type, the type needs the library, and the library needs the functions.
    let mut resource = LIBRARIES.to_owned();
    for (before, added) in [
        ("(import \"env\" \"back\"", "(import \"env\" \"new\" (func $new (param i32) (result i32)))"),
        ("(call $back (local.get 0))", "(drop (call $new (local.get 0)))"),
        ("(data (i32.const 4096)", "(func (export \"drop\") (param i32))"),
        ("(export \"back\" (func $main", "(export \"new\" (func $new))"),
        (
            "(core instance $first",
            "(alias core export $main \"drop\" (core func $drop))
            (type $held (resource (rep i32) (dtor (core func $drop))))
            (core func $new (canon resource.new $held))",
        ),
    ] {
        assert_eq!(resource.matches(before).count(), 1, "{before}");
        resource = resource.replace(before, &format!("{added} {before}"));
    }
    let linked = link(&resource).unwrap();
    assert!(linked.contains("(resource (rep i32) (dtor 0))"), "{linked}");
    assert!(linked.contains("(canon resource.new 0)"), "{linked}");
}

/// [`LIBRARIES`] with interfaces: one that has the log and what else `functions` says, and one that nothing calls.
fn with_interfaces(functions: &str, lowered: &str) -> String {
    changed(
        "(import \"log\" (func $log (param \"text\" string)))",
        &format!(
            "(import \"own:logs/unused@1.0.0\" (instance (export \"f\" (func))))
            (import \"own:logs/log@1.0.0\" (instance $logs {functions}))
            (alias export $logs \"{lowered}\" (func $log))"
        ),
    )
}

const LOG: &str = "(export \"log\" (func (param \"text\" string)))";

#[test]
fn what_nothing_needs_is_gone() {
    let linked = link(&with_interfaces(LOG, "log")).unwrap();
    assert!(linked.contains("own:logs/log@1.0.0"), "{linked}");
    assert!(!linked.contains("own:logs/unused@1.0.0"), "{linked}");
}

#[test]
fn what_is_left_out_is_no_import_and_its_call_traps() {
    for name in ["own:logs", "own:logs/log", "own:logs/log@1.0.0"] {
        let linked = link_with(&with_interfaces(LOG, "log"), &["--without", name]).unwrap();
        assert!(!linked.contains("own:logs"), "{linked}");
        assert!(linked.contains("(param i32 i32)\n      unreachable\n"), "{linked}");
    }
}

#[test]
fn the_question_which_there_are_is_answered_with_none() {
    // A type that is exported has a number, too: it is not the one that the function returns.
    let held = "(export \"held\" (type (sub resource)))";
    for (parameter, result, answer) in [
        ("", "(list (tuple u32 string))", "local.get 0\n      i64.const 8\n      i64.store align=4\n"),
        ("(param \"of\" u32)", "(list u32)", "unreachable\n"),
        ("", "(option u64)", "unreachable\n"),
        ("", "(result u64)", "unreachable\n"),
    ] {
        let ask = format!("{held} (type $answer {result}) (export \"ask\" (func {parameter} (result $answer)))");
        let core = if parameter.is_empty() { "i32" } else { "i32 i32" };
        let arguments = ["(local.get 0)", "(local.get 0) (local.get 1)"][usize::from(!parameter.is_empty())];
        let given = ["(global.get $memory_base)", "(global.get $memory_base) (i32.const 4)"]
            [usize::from(!parameter.is_empty())];
        let asking = with_interfaces(&ask, "ask")
            .replace("(func $log (param i32 i32))", &format!("(func $log (param {core}))"))
            .replace("(call $log (global.get $memory_base) (i32.const 4))", &format!("(call $log {given})"))
            .replace(
                "(param i32 i32) (call_indirect (param i32 i32) (local.get 0) (local.get 1)",
                &format!("(param {core}) (call_indirect (param {core}) {arguments}"),
            )
            .replace(
                "(import \"\" \"0\" (func (param i32 i32)))",
                &format!("(import \"\" \"0\" (func (param {core})))"),
            );
        let linked = link_with(&asking, &["--without", "own:logs"]).unwrap();
        assert!(linked.contains(&format!("(param {core})\n      {answer}")), "{linked}");
    }
}

#[test]
fn what_is_left_out_takes_along_the_drop_of_its_resources() {
    let dropping = with_interfaces(&format!("{LOG} (export \"held\" (type (sub resource)))"), "log")
        .replace("(import \"env\" \"back\"", "(import \"env\" \"drop\" (func $drop (param i32))) (import \"env\" \"back\"")
        .replace("(call $back (local.get 0))))", "(call $drop (local.get 0)) (call $back (local.get 0))))")
        .replace("(export \"back\" (func $main", "(export \"drop\" (func $drop)) (export \"back\" (func $main")
        .replace(
            "(core instance $first",
            "(alias export $logs \"held\" (type $held)) (core func $drop (canon resource.drop $held)) (core instance $first",
        );
    let whole = link(&dropping).unwrap();
    assert!(whole.contains("resource.drop"), "{whole}");
    let linked = link_with(&dropping, &["--without", "own:logs"]).unwrap();
    assert!(!linked.contains("resource.drop"), "{linked}");
    assert!(linked.contains("(param i32)\n      unreachable\n"), "{linked}");
}

/// [`LIBRARIES`] with the exports of `interfaces.wat`.
fn with_exports() -> String {
    let run = "(func (export \"run\") (param \"number\" s32) (result s32) (canon lift (core func $second \"run\")))";
    changed(run, include_str!("interfaces.wat"))
        .replace("(data (i32.const 4096)", "(func (export \"post-return\") (param i32)) (data (i32.const 4096)")
}

#[test]
fn exports_stay_what_they_are() {
    let linked = link(&with_exports()).unwrap();
    let (_, component) = linked.split_once("  (core instance (;0;) (instantiate 0))\n").unwrap();
    assert!(component == include_str!("interfaces-linked.wat"), "{component}");
}

#[test]
fn what_something_else_needs_cannot_be_left_out() {
    for (text, without, kept) in
        [(with_exports(), "own:numbers/first", "own:numbers/first@1.0.0"), (LIBRARIES.to_owned(), "log", "log")]
    {
        let told = link_with(&text, &["--without", without]).unwrap_err();
        assert!(told.contains(&format!("{kept} cannot be left out: what is kept needs it")), "{told}");
    }
}

#[test]
fn what_is_not_there_cannot_be_left_out() {
    for name in ["own:log", "own:logs/lo"] {
        let told = link_with(&with_interfaces(LOG, "log"), &["--without", name]).unwrap_err();
        assert!(told.contains(&format!("it has nothing named {name} to leave out")), "{told}");
    }
    let told = link_with(LIBRARIES, &["--without", "lgo"]).unwrap_err();
    assert!(told.contains("it has nothing named lgo to leave out"), "{told}");
}

#[test]
fn an_export_that_is_left_out_takes_along_what_only_it_needs() {
    let more = changed(
        "(func (export \"run\") (param \"number\" s32)",
        "(func (export \"other\") (result s32) (canon lift (core func $first \"listed\")))
        (func (export \"run\") (param \"number\" s32)",
    );
    let whole = link(&more).unwrap();
    assert!(whole.contains("(export (;2;) \"other\""), "{whole}");
    assert_eq!(link_with(&more, &["--without", "other"]).unwrap(), link(LIBRARIES).unwrap());
}

#[test]
fn the_linked_module_becomes_what_the_optimiser_makes_of_it() {
    let same = link_with(LIBRARIES, &["sh", "-c", "cp \"$2\" \"$4\"", "sh", "-O2"]).unwrap();
    assert_eq!(same, include_str!("linked.wat"));
    // A custom section: its id, the length of what follows, the length of its name, and that.
    let marked = r#"(cat "$1"; printf '\000\005\004mark') >"$3""#;
    let marked = link_with(LIBRARIES, &["sh", "-c", marked, "sh"]).unwrap();
    assert!(marked.contains("(@custom \"mark\""), "{marked}");
}

#[test]
fn an_optimiser_that_fails_is_told_of() {
    for (optimiser, reason) in [
        ("exit 3", "sh failed (exit status: 3)"),
        ("exit", "sh wrote nothing"),
        ("echo nonsense >\"$3\"", "the outcome is not valid"),
    ] {
        let told = link_with(LIBRARIES, &["sh", "-c", optimiser, "sh"]).unwrap_err();
        assert!(told.contains(reason), "{told}");
    }
    let told = link_with(LIBRARIES, &["/nowhere/wasm-opt"]).unwrap_err();
    assert!(told.contains("cannot run /nowhere/wasm-opt"), "{told}");
}

#[test]
fn what_is_no_component_is_refused() {
    let told = link("(module)").unwrap_err();
    assert!(told.contains("it is no component"), "{told}");
    let told = link("(component (core instance (instantiate 3)))").unwrap_err();
    assert!(told.contains("it is not valid"), "{told}");
}
