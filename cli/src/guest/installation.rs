//! Installs and removes guests, so that a name always leads to a complete guest.
//!
//! Two files cannot be replaced atomically, but a directory can be renamed atomically. The new component and manifest
//! are written to a directory with a hidden name. Once that directory is renamed, they are in force: the catalog
//! prefers them. Then the two files are replaced, one after the other, and the directory is removed. A process that is
//! killed leaves either the old guest or the new one, and the next installation cleans up.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::Errno;

use super::new_guest::NewGuest;
use super::{Guest, catalog};
use crate::exit::{Failure, Kind};
use crate::platform::{atomic_file, file};

/// The prefix of a directory that is still being written.
const STAGED: &str = ".staged-";
/// The prefix of a directory with a guest in force; the name of the guest follows.
const READY: &str = ".installing-";

/// The manifest in `entry` of a guest directory, if it is a directory with a guest that is being installed.
pub(crate) fn manifest_of(entry: &Path) -> Option<PathBuf> {
    let name = OsStr::from_bytes(entry.as_os_str().as_bytes().strip_prefix(READY.as_bytes())?);
    Some(entry.join(name).with_added_extension("toml"))
}

/// A guest directory that no other process is changing.
pub(crate) struct Installation {
    directory: PathBuf,
    /// Holds the lock.
    _lock: File,
}

impl Installation {
    /// Waits until no other process changes `directory`, which must exist, and cleans up interrupted changes.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read or written.
    pub(crate) fn open(directory: &Path) -> Result<Self> {
        let lock = File::open(directory).and_then(|file| {
            flock(&file, FlockOperation::LockExclusive)?;
            Ok(file)
        });
        let opened = Self { directory: directory.to_owned(), _lock: lock.with_context(|| cannot("open", directory))? };
        opened.sweep().with_context(|| cannot("clean up", directory))?;
        Ok(opened)
    }

    /// Installs a guest in `directory`, which is created if missing, replaces another guest of its name, and returns
    /// it.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub(crate) fn put(directory: &Path, new: &NewGuest) -> Result<Guest> {
        fs::create_dir_all(directory).with_context(|| cannot("create", directory))?;
        let installation = Self::open(directory)?;
        installation.write(new).with_context(|| cannot("write to", directory))?;
        Ok(new.guest(directory))
    }

    fn write(&self, new: &NewGuest) -> io::Result<()> {
        let name = &new.manifest.name;
        let staged = tempfile::Builder::new().prefix(STAGED).tempdir_in(&self.directory)?;
        fs::set_permissions(staged.path(), Permissions::from_mode(0o755))?;
        write(&file_in(staged.path(), name, "wasm"), &new.component)?;
        write(&file_in(staged.path(), name, "toml"), new.text.as_bytes())?;
        File::open(staged.path())?.sync_all()?;
        fs::rename(staged.path(), self.directory.join(format!("{READY}{name}")))?;
        // The rename leaves nothing to remove.
        let _ = staged.keep();
        self.finish(OsStr::new(name))
    }

    /// Replaces the files of the guest `name` with those that are ready.
    fn finish(&self, name: &OsStr) -> io::Result<()> {
        let ready = self.directory.join([OsStr::new(READY), name].join(OsStr::new("")));
        self.remove_other_spellings(name)?;
        for ending in ["wasm", "toml"] {
            write(&file_in(&self.directory, name, ending), &read_ready(&ready, &file_in(&ready, name, ending))?)?;
        }
        File::open(&self.directory)?.sync_all()?;
        // Without its manifest the directory is no longer in force.
        fs::remove_file(file_in(&ready, name, "toml"))?;
        fs::remove_dir_all(&ready)
    }

    /// Removes guests whose names differ from `name` in case only.
    fn remove_other_spellings(&self, name: &OsStr) -> io::Result<()> {
        let (own, folded) = (file_in(&self.directory, name, "toml"), name.to_string_lossy().to_lowercase());
        let own = fs::metadata(own).ok();
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
            if stem == folded && path.extension() == Some(OsStr::new("toml")) && path.file_stem() != Some(name) {
                // A file system that ignores case has only one file.
                let metadata = fs::metadata(&path)?;
                if own.as_ref().is_none_or(|own| file::identity(own) != file::identity(&metadata)) {
                    remove_files(&path)?;
                }
            }
        }
        Ok(())
    }

    /// Finishes or undoes the changes of a killed process.
    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            let (name, path) = {
                let entry = entry?;
                (entry.file_name(), entry.path())
            };
            let bytes = name.as_bytes();
            if let Some(guest) = bytes.strip_prefix(READY.as_bytes()) {
                match manifest_of(Path::new(&name)).is_some_and(|manifest| self.directory.join(manifest).exists()) {
                    true => self.finish(OsStr::from_bytes(guest))?,
                    false => fs::remove_dir_all(&path)?,
                }
            } else if bytes.starts_with(STAGED.as_bytes()) {
                fs::remove_dir_all(&path)?;
            } else if bytes.starts_with(atomic_file::TEMPORARY_PREFIX.as_bytes()) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// Removes the guest `name`, and returns its manifest's path; `None` if there is no such guest.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read, or a file cannot be removed.
    pub(crate) fn remove(&self, name: &str) -> Result<Option<PathBuf>> {
        let Some(manifest) = catalog::manifest_in(&self.directory, name)? else { return Ok(None) };
        remove_files(&manifest).with_context(|| cannot("remove a guest from", &self.directory))?;
        Ok(Some(manifest))
    }
}

/// Removes the manifest at `path` and its component. Without its manifest, a guest no longer exists.
fn remove_files(manifest: &Path) -> io::Result<()> {
    fs::remove_file(manifest)?;
    match fs::remove_file(manifest.with_extension("wasm")) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads the file at `path` in the directory `ready`, if the owner of the directory wrote both.
///
/// All users can read its copy. Anyone who can write to the guest directory could have put a link to a private
/// file of this user here.
fn read_ready(ready: &Path, path: &Path) -> io::Result<Vec<u8>> {
    let refused = || io::Error::new(ErrorKind::PermissionDenied, format!("'{}' may be a link", path.display()));
    let directory = fs::symlink_metadata(ready)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::LOOP) => return Err(refused()),
        Err(error) => return Err(error.into()),
    };
    let metadata = file.metadata()?;
    if !directory.is_dir() || !metadata.is_file() || metadata.uid() != directory.uid() {
        return Err(refused());
    }
    let mut contents = Vec::new();
    file.read_to_end(&mut contents)?;
    Ok(contents)
}

/// Writes a file for all users to read, completely or not at all.
fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    atomic_file::write(path, contents, Mode::from_raw_mode(0o644))
}

fn file_in(directory: &Path, name: impl AsRef<OsStr>, ending: &str) -> PathBuf {
    directory.join(name.as_ref()).with_added_extension(ending)
}

fn cannot(what: &str, directory: &Path) -> Failure {
    Failure::new(Kind::System, format!("cannot {what} the guest directory '{}'", directory.display()))
}
