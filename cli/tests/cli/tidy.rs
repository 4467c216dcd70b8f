//! Rules of the architecture (`src/lib.rs`) that a look at the sources can keep.

use std::fs;
use std::path::{Path, PathBuf};

/// A line of a source, but for comments and tests.
struct Line {
    /// The file's path below `src`, with no extension: `host/wasi`.
    module: String,
    number: usize,
    code: String,
}

fn code() -> Vec<Line> {
    let root = Path::new("src");
    let mut lines = Vec::new();
    for path in sources(root) {
        let text = fs::read_to_string(&path).expect("a source can be read");
        let module = path.strip_prefix(root).expect("it is below").with_extension("").display().to_string();
        // Tests are at the end of their file.
        let code = (1..).zip(text.lines()).take_while(|(_, line)| *line != "#[cfg(test)]");
        let code = code.filter(|(_, line)| !line.trim_start().starts_with("//"));
        lines.extend(code.map(|(number, code)| Line { module: module.clone(), number, code: code.to_owned() }));
    }
    assert!(!lines.is_empty());
    lines
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).expect("it can be read").map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// Expects that of all modules only those that are `allowed`, and those below them, have one of `words` in their code.
#[track_caller]
fn only(allowed: &[&str], words: &[&str]) {
    let is_allowed = |module: &str| allowed.iter().any(|allowed| module.split('/').next() == Some(allowed));
    let wrong: Vec<String> = code()
        .iter()
        .filter(|line| !is_allowed(&line.module) && words.iter().any(|word| line.code.contains(word)))
        .map(|line| format!("src/{}.rs:{}: {}", line.module, line.number, line.code.trim()))
        .collect();
    assert!(wrong.is_empty(), "only {allowed:?} may mention {words:?}:\n{}", wrong.join("\n"));
}

#[test]
fn only_main_and_commands_know_clap() {
    only(&["main", "commands"], &["clap"]);
}

#[test]
fn only_what_runs_guests_knows_wasmtime() {
    only(&["code", "sandbox"], &["wasmtime"]);
}

#[test]
fn only_artifacts_results_and_what_runs_before_main_is_unsafe() {
    only(&["code", "sandbox", "platform"], &["unsafe"]);
}

#[test]
fn nothing_panics_on_purpose() {
    only(&[], &[".unwrap()", ".expect(", "panic!", "unreachable!", "todo!", "unimplemented!"]);
}
