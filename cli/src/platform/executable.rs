//! The file of this program.

use std::env;
use std::path::{Path, PathBuf};

/// The path of this program. Without `/proc`, it is found as a shell finds it: by its path, or in `$PATH`.
pub(crate) fn path() -> Option<PathBuf> {
    env::current_exe().ok().or_else(|| {
        let name = PathBuf::from(env::args_os().next()?);
        if name.as_os_str().as_encoded_bytes().contains(&b'/') {
            return name.canonicalize().ok();
        }
        let search = env::var_os("PATH")?;
        env::split_paths(&search).filter(|folder| folder.is_absolute()).find_map(|folder| found_in(&folder, &name))
    })
}

fn found_in(folder: &Path, name: &Path) -> Option<PathBuf> {
    folder.join(name).canonicalize().ok().filter(|path| path.is_file())
}
