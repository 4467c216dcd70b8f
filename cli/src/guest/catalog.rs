//! The available guests: from the name of an algorithm, or a path, to a component and its manifest.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Guest, installation};
use crate::exit::{Failure, Kind};
use crate::guest::manifest::{self, Manifest};
use crate::platform::{executable, user_dirs};
use crate::terminal::escape;

/// The environment variable with a list of guest directories, separated as in `PATH`.
const GUESTS_VARIABLE: &str = "CIPHER_GUESTS";

/// The maximum length of a name that is compared with others, in bytes: the time of a comparison grows with it.
const MAX_COMPARED_BYTES: usize = 256;

/// A directory of guests.
#[derive(Debug, Clone)]
struct Directory {
    path: PathBuf,
    shipped: bool,
}

/// The guest directories in search order; for each name, the first directory that has it wins.
#[derive(Debug, Clone)]
pub struct Catalog {
    directories: Vec<Directory>,
}

impl Catalog {
    /// The directories of `$CIPHER_GUESTS`, then the user's own directory, then the one that came with the executable.
    pub fn from_environment() -> Self {
        let listed = env::var_os(GUESTS_VARIABLE).unwrap_or_default();
        let mut directories: Vec<Directory> = env::split_paths(&listed)
            .filter(|path| !path.as_os_str().is_empty())
            .chain(user_directory())
            .map(|path| Directory { path, shipped: false })
            .collect();
        directories.extend(shipped_directory().map(|path| Directory { path, shipped: true }));
        Self { directories }
    }

    /// Finds the guest that `algorithm` names: a path if it contains a slash or ends in `.wasm`, else a name in the
    /// catalog.
    ///
    /// # Errors
    ///
    /// When there is no such guest, or its manifest or component is missing or invalid.
    pub fn find(&self, algorithm: &OsStr) -> Result<Guest> {
        if is_path(algorithm) {
            return from_path(Path::new(algorithm));
        }
        if algorithm.len() <= MAX_COMPARED_BYTES {
            let wanted = algorithm.to_string_lossy().to_lowercase();
            for directory in &self.directories {
                match directory.manifests() {
                    Ok(mut manifests) => {
                        if let Some(manifest) = manifests.remove(&wanted) {
                            return read(&manifest, directory.shipped);
                        }
                    }
                    Err(error) => warn_of_directory(&error),
                }
            }
        }
        Err(Failure::new(Kind::UnknownAlgorithm, self.unknown(algorithm)).into())
    }

    /// Every guest that [`find`](Self::find) would find by name, or why it cannot be used, sorted by name.
    pub fn all(&self) -> Vec<Result<Guest>> {
        let mut found: BTreeMap<String, Result<Guest>> = BTreeMap::new();
        for directory in &self.directories {
            for (name, manifest) in directory.manifests().into_iter().flatten() {
                found.entry(name).or_insert_with(|| read(&manifest, directory.shipped));
            }
        }
        found.into_values().collect()
    }

    /// Warns of directories that exist but cannot be read. The guests in the others can still be used.
    pub fn warn_of_unreadable(&self) {
        for error in self.directories.iter().filter_map(|directory| directory.manifests().err()) {
            warn_of_directory(&error);
        }
    }

    /// The directories in search order.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.directories.iter().map(|directory| directory.path.as_path())
    }

    /// A message that no guests were found, with the directories that were searched.
    pub(crate) fn nothing_found(&self) -> String {
        let searched: Vec<String> = self.directories().map(|path| path.display().to_string()).collect();
        match searched.as_slice() {
            [] => format!("no algorithms found; name a guest directory in {GUESTS_VARIABLE}"),
            _ => format!("no algorithms found in {}", searched.join(", ")),
        }
    }

    fn unknown(&self, algorithm: &OsStr) -> String {
        let shown = escape::start(&algorithm.to_string_lossy()).into_owned();
        let guests = self.all();
        let names: Vec<&str> = guests.iter().flatten().map(|guest| guest.name.as_str()).collect();
        if names.is_empty() {
            return format!("unknown algorithm '{shown}': {}", self.nothing_found());
        }
        let hint = nearest(&algorithm.to_string_lossy(), &names).map(|name| format!("; did you mean '{name}'?"));
        format!("unknown algorithm '{shown}' (available: {}){}", names.join(", "), hint.unwrap_or_default())
    }
}

/// The name in `names` that `algorithm` probably misspells.
fn nearest<'a>(algorithm: &str, names: &[&'a str]) -> Option<&'a str> {
    if algorithm.len() > MAX_COMPARED_BYTES {
        return None;
    }
    let distance = |name: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &algorithm.to_lowercase());
    let (distance, name) = names.iter().map(|&name| (distance(name), name)).min()?;
    (distance <= name.chars().count().div_ceil(2)).then_some(name)
}

impl Directory {
    /// The manifests in this directory, by name in lower case; none if it does not exist.
    fn manifests(&self) -> Result<BTreeMap<String, PathBuf>> {
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(BTreeMap::new());
            }
            Err(error) => {
                let message = format!("cannot read the guest directory '{}'", self.path.display());
                return Err(error).with_context(|| Failure::new(Kind::System, message));
            }
        };
        let mut found: Vec<(bool, String, PathBuf)> = entries
            .flatten()
            .filter_map(|entry| {
                let file = PathBuf::from(entry.file_name());
                let (is_new, manifest) = match installation::manifest_of(&file) {
                    // A guest being installed takes precedence over the one that it replaces.
                    Some(inner) => (true, inner),
                    None => (false, file),
                };
                let is_manifest = manifest.extension() == Some(OsStr::new("toml"));
                let stem = manifest.file_stem()?.to_str().filter(|stem| is_manifest && manifest::is_name(stem))?;
                Some((is_new, stem.to_owned(), self.path.join(&manifest)))
            })
            .filter(|(is_new, _, manifest)| !is_new || manifest.exists())
            .collect();
        // Of names that differ only in case, the first in byte order wins, however the system lists them.
        found.sort_by(|(a_new, a, _), (b_new, b, _)| a_new.cmp(b_new).then_with(|| b.cmp(a)));
        Ok(found.into_iter().map(|(_, stem, manifest)| (stem.to_lowercase(), manifest)).collect())
    }
}

/// Reads the guest with the manifest at `path`.
///
/// # Errors
///
/// When the manifest is invalid, or the component is missing.
pub(crate) fn read(path: &Path, shipped: bool) -> Result<Guest> {
    let manifest = Manifest::read(path)?;
    if !is_named_after(path, &manifest) {
        let (path, name) = (path.display(), &manifest.name);
        return Err(
            Failure::new(Kind::Manifest, format!("'{path}' declares name '{name}'; rename the file to match")).into()
        );
    }
    let component = path.with_extension("wasm");
    if !component.exists() {
        let (component, manifest) = (component.display(), path.display());
        let message = format!("the component '{component}' is missing; add it, or delete its manifest '{manifest}'");
        return Err(Failure::new(Kind::Component, message).into());
    }
    Ok(Guest { name: manifest.name.clone(), component, manifest: Some(manifest), shipped })
}

/// Whether the file at `path` has the name that its manifest declares, ignoring case.
pub(crate) fn is_named_after(path: &Path, manifest: &Manifest) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.to_lowercase() == manifest.name.to_lowercase()
}

fn warn_of_directory(error: &anyhow::Error) {
    log::warn!("{error:#}; its guests are not available");
}

/// Whether `algorithm` is a path to a component rather than a name.
pub(crate) fn is_path(algorithm: &OsStr) -> bool {
    let bytes = algorithm.as_encoded_bytes();
    bytes.contains(&b'/') || bytes.ends_with(b".wasm")
}

fn from_path(component: &Path) -> Result<Guest> {
    let manifest_path = component.with_extension("toml");
    let is_component = component.extension() == Some(OsStr::new("wasm"));
    let manifest = match is_component && manifest_path.exists() {
        true => Some(Manifest::read(&manifest_path)?),
        false => None,
    };
    let name = match &manifest {
        Some(manifest) => manifest.name.clone(),
        None => escape::line(&component.file_stem().unwrap_or_default().to_string_lossy()).into_owned(),
    };
    Ok(Guest { name, component: component.to_owned(), manifest, shipped: false })
}

/// The manifest in `directory` of the guest `name`, ignoring case.
///
/// # Errors
///
/// When the directory exists but cannot be read.
pub(crate) fn manifest_in(directory: &Path, name: &str) -> Result<Option<PathBuf>> {
    let directory = Directory { path: directory.to_owned(), shipped: false };
    Ok(directory.manifests()?.remove(&name.to_lowercase()))
}

/// The directory of this user's own guests: `$XDG_DATA_HOME/cipher/guests`, or `~/.local/share/cipher/guests`.
pub(crate) fn user_directory() -> Option<PathBuf> {
    user_dirs::data().map(|base| base.join("cipher/guests"))
}

/// The directory of guests for all users below `prefix`.
pub(crate) fn prefix_directory(prefix: &Path) -> PathBuf {
    prefix.join("lib/cipher/guests")
}

/// The guest directory of this executable: that of `PREFIX` for `PREFIX/bin/cipher`, or `target/guests` for one that
/// cargo built.
pub(crate) fn shipped_directory() -> Option<PathBuf> {
    let executable = executable::path()?;
    let folder = executable.parent()?;
    if folder.file_name() == Some(OsStr::new("bin")) {
        return folder.parent().map(prefix_directory);
    }
    let target = folder.ancestors().find(|path| path.file_name() == Some(OsStr::new("target")))?;
    Some(target.join("guests"))
}
