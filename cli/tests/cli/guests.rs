//! Guest directories for tests, assembled from folders of WebAssembly text.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The guest directory made from `tests/guests`.
pub(crate) fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| assemble("tests/guests"))
}

/// The guest directory made from `tests/misbehaving`.
pub(crate) fn misbehaving() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| assemble("tests/misbehaving"))
}

/// Makes a guest directory: assembles each `NAME.wat` in `folder`, copies other files, and adds missing manifests.
pub(crate) fn assemble(folder: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME")).join(folder);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("a directory for the guests");
    for source in files(folder) {
        let target = directory.join(source.file_name().expect("a file has a name"));
        if source.extension().is_some_and(|extension| extension == "wat") {
            let component = wat::parse_file(&source).unwrap_or_else(|error| panic!("{error}"));
            fs::write(target.with_extension("wasm"), component).expect("a component is written");
        } else {
            fs::copy(&source, &target).expect("a file is copied");
        }
        if !source.with_extension("toml").exists() {
            let name = source.file_stem().unwrap_or_default().display();
            let manifest = format!("name = \"{name}\"\ndescription = \"For a test\"\n");
            fs::write(target.with_extension("toml"), manifest).expect("a manifest is written");
        }
    }
    directory
}

/// The files in a folder, sorted by name.
pub(crate) fn files(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.as_ref().display()));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}
