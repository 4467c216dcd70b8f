//! The program, run on small components.

use std::process::Command;

/// Two libraries that call each other, and what wit-component puts around them.
const LIBRARIES: &str = include_str!("libraries.wat");

/// Links the component `text`: its new text, or what the program says is wrong.
fn link(text: &str) -> Result<String, String> {
    link_and_optimise(text, &[])
}

fn link_and_optimise(text: &str, optimiser: &[&str]) -> Result<String, String> {
    let directory = tempfile::tempdir().unwrap();
    let (from, to) = (directory.path().join("from.wasm"), directory.path().join("to.wasm"));
    std::fs::write(&from, wat::parse_str(text).unwrap()).unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_link-libraries")).args([&from, &to]).args(optimiser).output().unwrap();
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
fn what_is_linked_can_be_linked_again() {
    let linked = link(LIBRARIES).unwrap();
    assert_eq!(link(&linked).unwrap(), linked);
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
}

#[test]
fn a_function_that_the_libraries_import_and_that_needs_their_memory_is_refused() {
    let early = changed("(func $shim \"0\")", "(func $early)").replace(
        "(core instance $first",
        "(core func $early (canon lower (func $log) (memory $memory))) (core instance $first",
    );
    let told = link(&early).unwrap_err();
    assert!(told.contains("a function that the libraries import needs them itself"), "{told}");
}

#[test]
fn the_linked_module_becomes_what_the_optimiser_makes_of_it() {
    let same = link_and_optimise(LIBRARIES, &["sh", "-c", "cp \"$2\" \"$4\"", "sh", "-O2"]).unwrap();
    assert_eq!(same, include_str!("linked.wat"));
    // A custom section: its id, the length of what follows, the length of its name, and that.
    let marked = r#"(cat "$1"; printf '\000\005\004mark') >"$3""#;
    let marked = link_and_optimise(LIBRARIES, &["sh", "-c", marked, "sh"]).unwrap();
    assert!(marked.contains("(@custom \"mark\""), "{marked}");
}

#[test]
fn an_optimiser_that_fails_is_told_of() {
    for (optimiser, reason) in [
        ("exit 3", "sh failed (exit status: 3)"),
        ("exit", "sh wrote nothing"),
        ("echo nonsense >\"$3\"", "the outcome is not valid"),
    ] {
        let told = link_and_optimise(LIBRARIES, &["sh", "-c", optimiser, "sh"]).unwrap_err();
        assert!(told.contains(reason), "{told}");
    }
    let told = link_and_optimise(LIBRARIES, &["/nowhere/wasm-opt"]).unwrap_err();
    assert!(told.contains("cannot run /nowhere/wasm-opt"), "{told}");
}

#[test]
fn what_is_no_component_is_refused() {
    let told = link("(module)").unwrap_err();
    assert!(told.contains("it is no component"), "{told}");
}
