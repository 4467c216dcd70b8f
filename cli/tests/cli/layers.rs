//! Rules of the architecture (`src/lib.rs`) that neither visibility nor lints can express.

use std::fs;
use std::path::{Path, PathBuf};

/// A line of the program's code, without comments and tests.
struct Line {
    /// The file's path below `src` and the line's number.
    place: String,
    /// The folder, or the file directly in `src`.
    module: String,
    code: String,
}

fn code() -> Vec<Line> {
    let mut lines = Vec::new();
    for path in sources(Path::new("src")) {
        let text = fs::read_to_string(&path).expect("a source file can be read");
        let place = path.strip_prefix("src").expect("it is below").display().to_string();
        let module = place.split(['/', '.']).next().unwrap_or_default();
        // Tests are at the end of their file.
        let code = (1..).zip(text.lines()).take_while(|(_, line)| *line != "#[cfg(test)]");
        let code = code.filter(|(_, line)| !line.trim_start().starts_with("//"));
        lines.extend(code.map(|(number, code)| Line {
            place: format!("{place}:{number}"),
            module: module.to_owned(),
            code: code.to_owned(),
        }));
    }
    assert!(!lines.is_empty());
    lines
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).expect("a folder can be read").map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[track_caller]
fn forbid(what: &str, is_wrong: impl Fn(&Line) -> bool) {
    let wrong = code().into_iter().filter(is_wrong).map(|line| format!("src/{}: {}\n", line.place, line.code.trim()));
    let wrong: String = wrong.collect();
    assert!(wrong.is_empty(), "{what}:\n{wrong}");
}

/// The modules in the table in `src/lib.rs`, from the top down.
fn layers() -> Vec<String> {
    let page = fs::read_to_string("src/lib.rs").expect("lib.rs can be read");
    let rows = page.lines().filter_map(|line| line.strip_prefix("//! | `")?.split_once('`'));
    rows.map(|(module, _)| module.to_owned()).collect()
}

#[test]
fn modules_import_only_from_below() {
    let layers = layers();
    let layer = |module: &str| layers.iter().position(|layer| layer == module);
    forbid("imports from above, or with braces, or from a module that is not in the table of src/lib.rs", |line| {
        let imported =
            line.code.split("crate::").skip(1).map(|path| path.split([':', ';', ',']).next().unwrap_or_default());
        let is_wrong =
            |imported| layer(imported).is_none_or(|imported| layer(&line.module).is_some_and(|own| imported < own));
        imported.into_iter().any(is_wrong)
    });
}

#[test]
fn only_commands_know_clap() {
    forbid("clap outside of commands", |line| {
        line.code.contains("clap") && !["main", "commands"].contains(&&*line.module)
    });
}

#[test]
fn only_code_and_sandbox_know_wasmtime() {
    forbid("wasmtime outside of code and sandbox", |line| {
        line.code.contains("wasmtime") && !["code", "sandbox"].contains(&&*line.module)
    });
}
