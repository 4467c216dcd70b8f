//! The guests that there are: from an algorithm's name, or a path, to a component and its manifest.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Guest;
use crate::guest::manifest::{self, Manifest};
use crate::platform::{executable, user_dirs};

/// The environment variable with a list of guest directories, separated as in `PATH`.
pub const GUESTS_VARIABLE: &str = "CIPHER_GUESTS";

/// A directory of guests.
#[derive(Debug, Clone)]
struct Directory {
    path: PathBuf,
    shipped: bool,
}

/// The guest directories in the order in which they are searched; the first that has a name wins.
#[derive(Debug, Clone)]
pub struct Catalog {
    directories: Vec<Directory>,
}

impl Catalog {
    /// The directories of `$CIPHER_GUESTS`, the user's data directory, then what lies beside the executable.
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

    /// Finds the guest that `algorithm` names: a path if it has a slash or ends in `.wasm`, else a name in the catalog.
    ///
    /// # Errors
    ///
    /// When there is no such guest (with the names that there are), or its manifest or component is missing or broken.
    pub fn find(&self, algorithm: &OsStr) -> Result<Guest> {
        if is_path(algorithm) {
            return from_path(Path::new(algorithm));
        }
        let wanted = algorithm.to_string_lossy().to_lowercase();
        for directory in &self.directories {
            match directory.manifests() {
                Ok(mut manifests) => {
                    if let Some(stem) = manifests.remove(&wanted) {
                        return directory.read(&stem);
                    }
                }
                Err(error) => warn_of_directory(&error),
            }
        }
        bail!("{}", self.unknown(algorithm))
    }

    /// Every guest that [`find`](Self::find) would find by name, or why it could not be read, sorted by name.
    pub fn all(&self) -> Vec<Result<Guest>> {
        let mut found: BTreeMap<String, Result<Guest>> = BTreeMap::new();
        for directory in &self.directories {
            for (name, stem) in directory.manifests().into_iter().flatten() {
                found.entry(name).or_insert_with(|| directory.read(&stem));
            }
        }
        found.into_values().collect()
    }

    /// Warns of the directories that exist and cannot be read. The guests of the others can be used all the same.
    pub fn warn_of_unreadable(&self) {
        for error in self.directories.iter().filter_map(|directory| directory.manifests().err()) {
            warn_of_directory(&error);
        }
    }

    /// The directories that are searched, in order.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.directories.iter().map(|directory| directory.path.as_path())
    }

    fn unknown(&self, algorithm: &OsStr) -> String {
        let guests = self.all();
        let names: Vec<&str> = guests.iter().flatten().map(|guest| guest.name.as_str()).collect();
        let shown = crate::terminal::escape::line(&algorithm.to_string_lossy()).into_owned();
        if names.is_empty() {
            let searched: Vec<String> = self.directories().map(|path| path.display().to_string()).collect();
            return format!("unknown algorithm '{shown}': no guests found in {}", searched.join(", "));
        }
        let nearest = names
            .iter()
            .map(|name| (strsim::damerau_levenshtein(&name.to_lowercase(), &shown.to_lowercase()), name))
            .min()
            .filter(|(distance, name)| *distance <= name.chars().count().div_ceil(2));
        let print_hint = nearest.map(|(_, name)| format!("; did you mean '{name}'?")).unwrap_or_default();
        format!("unknown algorithm '{shown}'{print_hint} (there are: {})", names.join(", "))
    }
}

impl Directory {
    /// The manifests here, from the name in lower case to the file's stem; a directory that does not exist has none.
    fn manifests(&self) -> Result<BTreeMap<String, OsString>> {
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(BTreeMap::new());
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot read the guest directory '{}'", self.path.display()));
            }
        };
        let mut stems: Vec<OsString> = entries
            .flatten()
            .map(|entry| PathBuf::from(entry.file_name()))
            .filter(|file| file.extension() == Some(OsStr::new("toml")))
            .filter_map(|file| file.file_stem().map(OsStr::to_owned))
            .filter(|stem| stem.to_str().is_some_and(manifest::is_name))
            .collect();
        // Of two that differ in case alone, the first in byte order counts, whatever order the system lists them in.
        stems.sort_by(|a, b| b.cmp(a));
        Ok(stems.into_iter().map(|stem| (stem.to_string_lossy().to_lowercase(), stem)).collect())
    }

    fn read(&self, stem: &OsStr) -> Result<Guest> {
        let path = self.path.join(stem).with_added_extension("toml");
        let manifest = Manifest::read(&path)?;
        let file_name = stem.to_string_lossy();
        if manifest.name.to_lowercase() != file_name.to_lowercase() {
            bail!("'{}' is the manifest of {:?}; its file must be named after it", path.display(), manifest.name);
        }
        let component = path.with_extension("wasm");
        if !component.exists() {
            bail!("the component '{}' is missing; its manifest is beside it", component.display());
        }
        Ok(Guest { name: manifest.name.clone(), component, manifest: Some(manifest), shipped: self.shipped })
    }
}

fn warn_of_directory(error: &anyhow::Error) {
    log::warn!("{error:#}; its guests are left out");
}

/// Whether `algorithm` is a path to a component rather than a name.
pub fn is_path(algorithm: &OsStr) -> bool {
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
        None => {
            crate::terminal::escape::line(&component.file_stem().unwrap_or_default().to_string_lossy()).into_owned()
        }
    };
    Ok(Guest { name, component: component.to_owned(), manifest, shipped: false })
}

/// The manifest in `directory` of the guest that is called `name`, ignoring case.
///
/// # Errors
///
/// When the directory exists and cannot be read.
pub fn manifest_in(directory: &Path, name: &str) -> Result<Option<PathBuf>> {
    let directory = Directory { path: directory.to_owned(), shipped: false };
    let stem = directory.manifests()?.remove(&name.to_lowercase());
    Ok(stem.map(|stem| directory.path.join(stem).with_added_extension("toml")))
}

/// Where this user's own guests are: `$XDG_DATA_HOME/cipher/guests`, or `~/.local/share/cipher/guests`.
pub fn user_directory() -> Option<PathBuf> {
    user_dirs::data().map(|base| base.join("cipher/guests"))
}

/// `PREFIX/lib/cipher/guests` of an executable in `PREFIX/bin`, or `target/guests` of one that cargo built.
fn shipped_directory() -> Option<PathBuf> {
    let executable = executable::path()?;
    let folder = executable.parent()?;
    if folder.file_name() == Some(OsStr::new("bin")) {
        return Some(folder.parent()?.join("lib/cipher/guests"));
    }
    let target = folder.ancestors().find(|path| path.file_name() == Some(OsStr::new("target")))?;
    Some(target.join("guests"))
}
