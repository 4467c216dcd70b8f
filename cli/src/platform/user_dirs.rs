//! The base directories of this user, by the XDG specification.

use std::env;
use std::path::PathBuf;

use etcetera::BaseStrategy;
use etcetera::base_strategy::Xdg;

/// `$XDG_CACHE_HOME`, or `~/.cache`.
pub(crate) fn cache() -> Option<PathBuf> {
    base("XDG_CACHE_HOME", Xdg::cache_dir)
}

/// `$XDG_DATA_HOME`, or `~/.local/share`.
pub(crate) fn data() -> Option<PathBuf> {
    base("XDG_DATA_HOME", Xdg::data_dir)
}

/// A relative path, even of the home directory, counts as unset. The variable may be set for a user without a home
/// directory.
fn base(variable: &str, directory: fn(&Xdg) -> PathBuf) -> Option<PathBuf> {
    let path = match Xdg::new() {
        Ok(xdg) => directory(&xdg),
        Err(_) => env::var_os(variable)?.into(),
    };
    Some(path).filter(|path| path.is_absolute())
}
