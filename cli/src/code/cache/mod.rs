//! Where machine code is kept on disk, and which of it may be loaded.
//!
//! A *shelf* is a directory that only this user (or root) can write. It holds artifacts, `DIGEST-ENGINE.cwasm`, and
//! *records*, small files that lead to one: from the identity of a component's file (device, inode, size, times), so that
//! a call need not read 18 MB of wasm to know which bytes they are, and from the digest of its bytes. A record also has
//! the identity of the artifact's own file, so an artifact that was touched after it was written is not loaded.
//!
//! Files appear whole or not at all: written under another name, synced, renamed.

use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::{Mode, OFlags};

use crate::code::engine;
use crate::platform::user_dirs;
use crate::terminal::escape;

pub mod evict;

/// A record's modification time says when it was last used, to this precision: not every call should write to the disk.
const USE_PRECISION: Duration = Duration::from_secs(60);
/// How often a lock that somebody else has is asked for.
const LOCK_POLL: Duration = Duration::from_millis(20);

/// This user's own shelf: `$XDG_CACHE_HOME/cipher`, or `~/.cache/cipher`.
pub fn of_user() -> Option<PathBuf> {
    user_dirs::base("XDG_CACHE_HOME", ".cache").map(|base| base.join("cipher"))
}

/// A directory of machine code that is safe to load from.
pub struct ArtifactCache {
    /// Where it is.
    pub path: PathBuf,
    directory: OwnedFd,
}

/// An artifact that may be loaded.
pub struct CachedArtifact {
    /// The SHA-256 of the component, in lower-case hexadecimal.
    pub digest: String,
    /// The file of machine code.
    pub code: File,
    record: File,
    used: SystemTime,
}

/// What a record says.
struct Record {
    digest: String,
    /// The identity of the artifact's file when it was written.
    artifact: String,
}

impl ArtifactCache {
    /// Opens the shelf at `path`, unless it is missing or another user could have written there, which the log then says.
    pub fn open(path: &Path) -> Option<Self> {
        let (shelf, owner, mode) = Self::open_any(path)?;
        let shown = path.display();
        if is_ours(owner, mode) {
            return Some(shelf);
        } else if mode & 0o022 != 0 {
            log::warn!("'{shown}' is not used for machine code: others can write there ('chmod go-w' ends that)");
        } else {
            log::info!("'{shown}' is not used for machine code: it belongs to another user");
        }
        None
    }

    /// Opens the directory at `path`, whoever can write there: its owner and its mode come with it.
    fn open_any(path: &Path) -> Option<(Self, u32, u32)> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, flags, Mode::empty()).ok()?;
        let stat = rustix::fs::fstat(&directory).ok()?;
        Some((Self { path: path.to_owned(), directory }, stat.st_uid, stat.st_mode))
    }

    /// Opens the shelf at `path` for writing, making it where it is missing.
    pub fn create(path: &Path) -> Option<Self> {
        // Readable by all: what root installs serves every user.
        let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(path);
        if let Err(error) = made {
            log::info!("cannot make '{}': {error}", path.display());
            return None;
        }
        let writable = rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
        let (shelf, owner, mode) = Self::open_any(path)?;
        (writable && is_ours(owner, mode)).then_some(shelf)
    }

    /// Waits for the shelf's lock, but not longer than `patience`: who has it may have been stopped. It goes when the file
    /// is closed, also when the process is killed.
    pub fn lock(&self, patience: Duration) -> Option<File> {
        // Another user who could read the file could lock it.
        let file = File::options().create(true).append(true).mode(0o600).open(self.path.join("lock")).ok()?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Some(file),
                Err(TryLockError::WouldBlock) if started.elapsed() < patience => thread::sleep(LOCK_POLL),
                Err(TryLockError::WouldBlock) => {
                    log::info!("'{}' has been locked for too long by another process", self.path.display());
                    return None;
                }
                Err(TryLockError::Error(error)) => {
                    log::info!("'{}' cannot be locked: {error}", self.path.display());
                    return None;
                }
            }
        }
    }

    /// The artifact that the record `key` leads to, if both are there, ours and unchanged.
    pub fn find(&self, key: &str) -> Option<CachedArtifact> {
        let (record, metadata) = self.open_ours(&record_name(key))?;
        let Record { digest, artifact } = Record::read(&record)?;
        let used = metadata.modified().ok()?;
        let (code, metadata) = self.open_ours(&artifact_name(&digest))?;
        if identity(&metadata) != artifact {
            log::info!("machine code of {digest} was touched after it was written");
            return None;
        }
        Some(CachedArtifact { digest, code, record, used })
    }

    fn open_ours(&self, name: &str) -> Option<(File, Metadata)> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.directory, name, flags, Mode::empty()).ok()?);
        let metadata = file.metadata().ok()?;
        (metadata.is_file() && is_ours(metadata.uid(), metadata.mode())).then_some((file, metadata))
    }

    /// Writes an artifact, and the records `keys` that lead to it.
    ///
    /// # Errors
    ///
    /// When the disk is full, or the shelf cannot be written to.
    pub fn keep(&self, digest: &str, code: &[u8], keys: &[&str], component: &Path) -> io::Result<()> {
        self.write(&artifact_name(digest), code)?;
        for key in keys {
            self.write_record(key, digest, component)?;
        }
        // The names must survive a power cut as the contents do.
        rustix::fs::fsync(&self.directory)?;
        Ok(())
    }

    /// Adds a record for an artifact that is there already.
    pub fn note(&self, key: &str, digest: &str, component: &Path) {
        if let Err(error) = self.write_record(key, digest, component) {
            log::info!("cannot write to '{}': {error}", self.path.display());
        }
    }

    fn write_record(&self, key: &str, digest: &str, component: &Path) -> io::Result<()> {
        let artifact = identity(&fs::symlink_metadata(self.path.join(artifact_name(digest)))?);
        let shown = std::path::absolute(component)?;
        let text = format!("{digest} {artifact}\n{}\n", escape::line(&shown.to_string_lossy()));
        self.write(&record_name(key), text.as_bytes())
    }

    fn write(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .permissions(fs::Permissions::from_mode(0o644))
            .tempfile_in(&self.path)?;
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        file.persist(self.path.join(name))?;
        Ok(())
    }
}

impl CachedArtifact {
    /// Notes that it is used now.
    pub fn note_use(&self) {
        if self.used.elapsed().unwrap_or_default() > USE_PRECISION {
            // Only eviction reads it, so on a read-only disk it may stay as it is.
            let _ = self.record.set_modified(SystemTime::now());
        }
    }
}

impl Record {
    fn read(mut file: &File) -> Option<Self> {
        let mut text = [0; 512];
        let length = file.read(&mut text).ok()?;
        let first = std::str::from_utf8(&text[..length]).ok()?.lines().next()?;
        let (digest, artifact) = first.split_once(' ')?;
        let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then(|| Self { digest: digest.to_owned(), artifact: artifact.to_owned() })
    }
}

/// Whether a file or directory of this owner and mode can have been written by none but this user and root.
fn is_ours(owner: u32, mode: u32) -> bool {
    (owner == rustix::process::geteuid().as_raw() || owner == 0) && mode & 0o022 == 0
}

/// What changes when a file is written, replaced or given other times: nobody can set `ctime` at will, unless they make the
/// whole file system. (A write through a mapping counts when the system notices it.)
pub fn identity(metadata: &Metadata) -> String {
    let (m, c) = (metadata.mtime_nsec(), metadata.ctime_nsec());
    format!("{:x}-{:x}-{:x}.{m:x}-{:x}.{c:x}", metadata.ino(), metadata.len(), metadata.mtime(), metadata.ctime())
}

/// The key of the component whose file has this metadata.
pub fn component_key(metadata: &Metadata) -> String {
    format!("{:x}-{}-{}", metadata.dev(), identity(metadata), engine::fingerprint())
}

/// The key of the component with this digest.
pub fn digest_key(digest: &str) -> String {
    format!("{digest}-{}", engine::fingerprint())
}

fn artifact_name(digest: &str) -> String {
    format!("{}.cwasm", digest_key(digest))
}

fn record_name(key: &str) -> String {
    format!("{key}.record")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_user_and_root_alone_can_write_is_ours() {
        let me = rustix::process::geteuid().as_raw();
        for (owner, mode, ours) in [
            (me, 0o100_644, true),
            (me, 0o40_755, true),
            (0, 0o100_644, true),
            (me + 1, 0o100_644, false),
            (me, 0o100_664, false),
            (me, 0o100_646, false),
            (0, 0o41_777, false),
        ] {
            assert_eq!(is_ours(owner, mode), ours, "{owner} {mode:o}");
        }
    }
}
