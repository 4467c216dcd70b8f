//! The artifact cache: compiled code on disk, and which of it may be loaded.
//!
//! A cache is a directory that only this user (or root) can write to. It contains artifacts, `DIGEST-ENGINE.cwasm`, and
//! *index entries*, small files that lead to one. One entry is named after the identity of a component's file (device,
//! inode, size, times), so a call need not read megabytes of wasm to identify the component. Another is named after the
//! digest of its bytes. An entry also contains the identity and the digest of the artifact's file, so that a replaced
//! artifact is not loaded.
//!
//! In the user's cache, entries are authenticated with a [`seal`]. Next to the guests that came with the program, the
//! directory itself is trusted.
//!
//! Files appear complete or not at all. Locks are files, too.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::Mode;

use crate::guest::digest::Digest;
use crate::platform::trust::{Distrust, TrustedDirectory};
use crate::platform::{atomic_file, user_dirs};
use crate::terminal::escape;
use entry::Entry;
use identity::FileIdentity;
use lock::Lock;
use seal::Seal;

pub(crate) mod contents;
mod entry;
pub(crate) mod evict;
mod identity;
mod lock;
mod seal;

/// The suffix of artifacts.
const ARTIFACT_SUFFIX: &str = ".cwasm";
/// The suffix of index entries.
const ENTRY_SUFFIX: &str = ".entry";
/// An entry's modification time says when it was last used, to this precision: not every call should write to the disk.
const USE_PRECISION: Duration = Duration::from_secs(60);
/// The permissions of files in a cache: artifacts that root installs serve every user.
const READABLE: Mode = Mode::from_raw_mode(0o644);

/// The place of a cache, which decides who uses it.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// Next to the guests that came with the program: used by all users, written at installation.
    Shipped(PathBuf),
    /// The user's own.
    User(PathBuf),
}

impl Place {
    /// This user's cache: `$XDG_CACHE_HOME/cipher`, or `~/.cache/cipher`.
    pub(crate) fn user() -> Option<Self> {
        user_dirs::cache().map(|base| Self::User(base.join("cipher")))
    }

    /// The path of the directory.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Shipped(path) | Self::User(path) => path,
        }
    }
}

/// A directory of artifacts that are safe to load.
pub(crate) struct ArtifactCache {
    place: Place,
    directory: TrustedDirectory,
    /// Without one, no entry can be authenticated.
    seal: Option<Seal>,
    engine: String,
}

/// An artifact that may be loaded.
pub(crate) struct CachedArtifact {
    /// The SHA-256 of the component.
    pub component: Digest,
    /// The file of the artifact.
    pub code: File,
    entry: Entry,
    entry_file: File,
    used: SystemTime,
}

impl ArtifactCache {
    /// Opens the cache at `place`, for artifacts of the engine named `engine`.
    ///
    /// # Errors
    ///
    /// When it is missing, or another user could have written there.
    pub(crate) fn open(place: &Place, engine: &str) -> Result<Self, Distrust> {
        let directory = TrustedDirectory::open(place.path())?;
        let seal = match place {
            Place::Shipped(_) => Some(Seal::None),
            Place::User(_) => Seal::read(&directory).ok(),
        };
        Ok(Self { place: place.clone(), directory, seal, engine: engine.to_owned() })
    }

    /// Opens the cache at `place` for writing, and creates missing directories.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open), and when this user cannot write there.
    pub(crate) fn create(place: &Place, engine: &str) -> Result<Self, Distrust> {
        let directory = TrustedDirectory::create(place.path())?;
        let seal = match place {
            Place::Shipped(_) => Seal::None,
            Place::User(path) => Seal::read_or_create(&directory)
                .map_err(|error| Distrust::Unavailable(path.join(seal::KEY_FILE), error))?,
        };
        Ok(Self { place: place.clone(), directory, seal: Some(seal), engine: engine.to_owned() })
    }

    /// Waits for the lock of a component, for at most `patience`. Without a lock, several processes may compile the
    /// component at once, which does no harm.
    ///
    /// # Errors
    ///
    /// `TimedOut`, or the system's error: some network file systems have no locks.
    pub(crate) fn lock(&self, component: Digest, patience: Duration) -> io::Result<impl Drop> {
        Lock::acquire(&self.directory, &component.to_string(), patience)
    }

    /// The artifact of the component in this file, if neither has changed since the entry was written. The component is
    /// not read. The artifact may also be in the cache `other`.
    pub(crate) fn find(&self, component: &Metadata, other: Option<&Self>) -> Option<CachedArtifact> {
        let (entry, entry_file, used) = self.entry(&self.file_key(component)?)?;
        let code = [Some(self), other].into_iter().flatten().find_map(|cache| {
            let (code, metadata) = cache.open_artifact(entry.component)?;
            entry.is_for(&metadata).then_some(code)
        })?;
        Some(CachedArtifact { component: entry.component, code, entry, entry_file, used })
    }

    /// The artifact of the component with this digest, even if the artifact was copied.
    pub(crate) fn find_by_digest(&self, component: Digest) -> Option<CachedArtifact> {
        let (mut entry, entry_file, used) = self.entry(&self.digest_key(component))?;
        let (code, metadata) = self.open_artifact(component)?;
        let now = FileIdentity::of(&metadata);
        let is_same = entry.artifact == now
            || matches!(self.place, Place::Shipped(_)) && entry.artifact.may_be_copied_to(&now)
            || entry.artifact.size() == now.size() && Digest::read(&code).ok()? == entry.contents;
        if entry.component != component || !is_same {
            log::info!("the artifact of {component} is not the one that was written");
            return None;
        }
        entry.artifact = now;
        Some(CachedArtifact { component, code, entry, entry_file, used })
    }

    /// Writes the artifact of a component, and the entries that lead to it.
    ///
    /// # Errors
    ///
    /// When the disk is full, or the cache cannot be written to.
    pub(crate) fn add(&self, component: Digest, code: &[u8], path: &Path, file: &Metadata) -> io::Result<()> {
        self.write(&self.artifact_name(component), code)?;
        let (_, metadata) = self.directory.open_file(self.artifact_name(component).as_ref())?;
        let path = escape::line(&std::path::absolute(path)?.to_string_lossy()).into_owned();
        let entry = Entry { component, artifact: FileIdentity::of(&metadata), contents: Digest::of(code), path };
        self.write_entries(&entry, file).inspect_err(|_| {
            // Nothing leads to it.
            let _ = self.directory.remove(self.artifact_name(component).as_ref());
        })?;
        evict::tidy(&self.directory, evict::LIMIT_BYTES, &entry);
        Ok(())
    }

    /// Adds index entries from the component in `file` to an existing artifact, in this or another cache.
    ///
    /// # Errors
    ///
    /// As for [`add`](Self::add).
    pub(crate) fn add_entries(&self, found: &CachedArtifact, path: &Path, file: &Metadata) -> io::Result<()> {
        let path = escape::line(&std::path::absolute(path)?.to_string_lossy()).into_owned();
        let entry = Entry { path, ..found.entry.clone() };
        self.write_entries(&entry, file)?;
        evict::tidy(&self.directory, evict::LIMIT_BYTES, &entry);
        Ok(())
    }

    /// Removes the artifacts of a component, for any engine, and their index entries.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read, or a file not removed.
    pub(crate) fn remove(&self, component: Digest) -> io::Result<()> {
        evict::remove_component(&self.directory, component)
    }

    /// The directory.
    pub(crate) fn directory(&self) -> &TrustedDirectory {
        &self.directory
    }

    fn write_entries(&self, entry: &Entry, component: &Metadata) -> io::Result<()> {
        let seal = self.seal.as_ref().ok_or(io::ErrorKind::PermissionDenied)?;
        for key in [Some(self.digest_key(entry.component)), self.file_key(component)].into_iter().flatten() {
            self.write(&(key.clone() + ENTRY_SUFFIX), entry.seal(&key, seal).as_bytes())?;
        }
        // The names must survive a power cut, as the contents do.
        atomic_file::sync(self.directory.as_fd())
    }

    fn write(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        atomic_file::write_at(self.directory.as_fd(), OsStr::new(name), contents, READABLE)
    }

    /// The entry with this key, with its file and when it was last used.
    fn entry(&self, key: &str) -> Option<(Entry, File, SystemTime)> {
        let (mut file, metadata) = self.directory.open_file((key.to_owned() + ENTRY_SUFFIX).as_ref()).ok()?;
        let mut text = String::new();
        (&mut file).take(entry::MAX_BYTES).read_to_string(&mut text).ok()?;
        let entry = Entry::unseal(key, &text, self.seal.as_ref()?)?;
        Some((entry, file, metadata.modified().ok()?))
    }

    fn open_artifact(&self, component: Digest) -> Option<(File, Metadata)> {
        self.directory.open_file(self.artifact_name(component).as_ref()).ok()
    }

    fn artifact_name(&self, component: Digest) -> String {
        self.digest_key(component) + ARTIFACT_SUFFIX
    }

    fn digest_key(&self, component: Digest) -> String {
        format!("{component}-{}", self.engine)
    }

    /// The key of the component in this file, if its metadata identifies it.
    ///
    /// The program's own guests have a fixed path, but the device number of its file system can change with each mount.
    /// Other components can be anywhere.
    fn file_key(&self, component: &Metadata) -> Option<String> {
        let identity = Some(FileIdentity::of(component)).filter(FileIdentity::is_unique)?;
        Some(match self.place {
            Place::Shipped(_) => format!("{identity}-{}", self.engine),
            Place::User(_) => format!("{:x}-{identity}-{}", component.dev(), self.engine),
        })
    }
}

impl CachedArtifact {
    /// Updates the time of the last use.
    pub(crate) fn note_use(&self) {
        if self.used.elapsed().unwrap_or_default() > USE_PRECISION {
            // Only eviction reads this time, so a failure, as on a read-only disk, does no harm.
            let _ = self.entry_file.set_modified(SystemTime::now());
        }
    }
}

/// Whether a file with the metadata `before` is unchanged.
pub(crate) fn is_unchanged(before: &Metadata, now: &Metadata) -> bool {
    FileIdentity::of(before) == FileIdentity::of(now)
}
