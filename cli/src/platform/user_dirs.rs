//! The directories of this user.

use std::env;
use std::path::PathBuf;

/// A base directory of the XDG specification; a relative path counts as unset, as the specification says.
pub fn base(variable: &str, below_home: &str) -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable).or_else(|| Some(absolute("HOME")?.join(below_home)))
}
