//! Where machine code is kept on disk, and which of it may be loaded.
//!
//! A *shelf* is a directory that only this user (or root) can write. It holds artifacts, `DIGEST-ENGINE.cwasm`, and
//! *records*, small files that lead to one: from the identity of a component's file (device, inode, size, times), so that
//! a call need not read 18 MB of wasm to know which bytes they are, and from the digest of its bytes. A record also has
//! the identity of the artifact's own file, so an artifact that was touched after it was written is not loaded.
//!
//! Files appear whole or not at all: written under another name, synced, renamed.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{Mode, OFlags};

use crate::{catalog, engine, escape};

/// How much machine code the user's shelf may hold, in bytes; what was used least recently goes first.
pub const LIMIT_BYTES: u64 = 1 << 30;
/// A record's modification time says when it was last used, to this precision: not every call should write to the disk.
const USE_PRECISION: Duration = Duration::from_secs(60);
/// What a killed process left under a temporary name may go after this long.
const ABANDONED: Duration = Duration::from_secs(3600);

/// This user's own shelf: `$XDG_CACHE_HOME/cipher`, or `~/.cache/cipher`.
pub fn of_user() -> Option<PathBuf> {
    catalog::user_base("XDG_CACHE_HOME", ".cache").map(|base| base.join("cipher"))
}

/// A directory of machine code that is safe to load from.
pub struct Shelf {
    /// Where it is.
    pub path: PathBuf,
    directory: OwnedFd,
}

/// An artifact that may be loaded.
pub struct Kept {
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

impl Shelf {
    /// Opens the shelf at `path`, unless it is missing or another user could have written there.
    pub fn open(path: &Path) -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, flags, Mode::empty()).ok()?;
        let stat = rustix::fs::fstat(&directory).ok()?;
        if !is_ours(stat.st_uid, stat.st_mode) {
            log::warn!("'{}' is not used for machine code: others than this user can write there", path.display());
            return None;
        }
        Some(Self { path: path.to_owned(), directory })
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
        Self::open(path).filter(|_| writable)
    }

    /// Waits for the shelf's lock; it goes when the file is closed, also when the process is killed.
    pub fn lock(&self) -> Option<File> {
        let file = File::options().create(true).append(true).open(self.path.join("lock")).ok()?;
        file.lock().ok()?;
        Some(file)
    }

    /// The artifact that the record `key` leads to, if both are there, ours and unchanged.
    pub fn find(&self, key: &str) -> Option<Kept> {
        let (record, metadata) = self.open_ours(&record_name(key))?;
        let Record { digest, artifact } = Record::read(&record)?;
        let used = metadata.modified().ok()?;
        let (code, metadata) = self.open_ours(&artifact_name(&digest))?;
        if identity(&metadata) != artifact {
            log::info!("machine code of {digest} was touched after it was written");
            return None;
        }
        Some(Kept { digest, code, record, used })
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

    /// Removes what was used least recently until all machine code fits into `limit` bytes; `keep` stays.
    pub fn evict(&self, limit: u64, keep: &str) {
        let Ok(holdings) = holdings(&self.path) else { return };
        let mut total: u64 = holdings.iter().map(|holding| holding.bytes).sum();
        for holding in &holdings {
            if total <= limit {
                break;
            }
            if holding.digest != keep {
                total -= holding.bytes;
                for file in &holding.files {
                    let _ = fs::remove_file(file);
                }
            }
        }
    }
}

impl Kept {
    /// Notes that it is used now.
    pub fn note_use(&self) {
        if self.used.elapsed().unwrap_or_default() > USE_PRECISION {
            // Only eviction reads it, so on a read-only disk it may stay as it is.
            let _ = self.record.set_modified(SystemTime::now());
        }
    }
}

/// A component's machine code on a shelf, with all its files.
#[derive(Debug)]
pub struct Holding {
    /// The SHA-256 of the component.
    pub digest: String,
    /// A file that had these bytes when it was compiled.
    pub component: String,
    /// The size of the machine code.
    pub bytes: u64,
    /// When it was last loaded, to the minute.
    pub used: SystemTime,
    files: Vec<PathBuf>,
}

/// What lies on the shelf at `path`, least recently used first. What leads nowhere is listed with no component.
///
/// # Errors
///
/// When the directory cannot be read. A missing one holds nothing.
pub fn holdings(path: &Path) -> io::Result<Vec<Holding>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found: std::collections::BTreeMap<String, Holding> = std::collections::BTreeMap::new();
    for entry in entries.flatten() {
        let (Ok(metadata), file) = (entry.metadata(), entry.path()) else { continue };
        let name = entry.file_name().to_string_lossy().into_owned();
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let mut component = String::new();
        let (digest, bytes) = if let Some((digest, _)) = name.strip_suffix(".cwasm").and_then(|n| n.split_once('-')) {
            (digest.to_owned(), metadata.len())
        } else if name.ends_with(".record") {
            let text = fs::read_to_string(&file).unwrap_or_default();
            component = text.lines().nth(1).unwrap_or_default().to_owned();
            (text.split(' ').next().unwrap_or_default().to_owned(), 0)
        } else if name.starts_with(".new-") && modified.elapsed().unwrap_or_default() > ABANDONED {
            (String::new(), metadata.len())
        } else {
            continue;
        };
        let holding = found.entry(digest.clone()).or_insert_with(|| Holding {
            digest,
            component: String::new(),
            bytes: 0,
            used: SystemTime::UNIX_EPOCH,
            files: Vec::new(),
        });
        holding.bytes += bytes;
        holding.used = holding.used.max(modified);
        if !component.is_empty() {
            holding.component = component;
        }
        holding.files.push(file);
    }
    let mut holdings: Vec<Holding> = found.into_values().collect();
    holdings.sort_by_key(|holding| holding.used);
    Ok(holdings)
}

/// Removes everything on the shelf at `path`, and says how many bytes of machine code that was.
///
/// # Errors
///
/// When a file cannot be removed.
pub fn clear(path: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for holding in holdings(path)? {
        for file in &holding.files {
            fs::remove_file(file)?;
        }
        bytes += holding.bytes;
    }
    Ok(bytes)
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

/// What changes when a file is written, replaced or given other times; nobody can set `ctime` at will.
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

    /// A shelf with artifacts of 100 bytes that were used so many minutes ago.
    fn shelf(uses: &[(char, u64)]) -> (tempfile::TempDir, Shelf) {
        let directory = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(directory.path()).unwrap();
        for &(digit, minutes) in uses {
            let digest = digit.to_string().repeat(64);
            shelf.keep(&digest, &[0; 100], &[&digest_key(&digest)], Path::new("/guest.wasm")).unwrap();
            let used = SystemTime::now() - Duration::from_secs(minutes * 60);
            for name in [artifact_name(&digest), record_name(&digest_key(&digest))] {
                File::options().append(true).open(shelf.path.join(name)).unwrap().set_modified(used).unwrap();
            }
        }
        (directory, shelf)
    }

    fn left(shelf: &Shelf) -> String {
        holdings(&shelf.path).unwrap().iter().map(|holding| &holding.digest[..1]).collect()
    }

    #[test]
    fn what_was_used_least_recently_is_evicted_first_and_what_was_just_made_stays() {
        let (_directory, shelf) = shelf(&[('a', 10), ('b', 30), ('c', 20), ('d', 40)]);
        assert_eq!(left(&shelf), "dbca");
        shelf.evict(400, &"d".repeat(64));
        assert_eq!(left(&shelf), "dbca");
        shelf.evict(399, &"d".repeat(64));
        assert_eq!(left(&shelf), "dca");
        shelf.evict(0, &"d".repeat(64));
        assert_eq!(left(&shelf), "d");
        assert_eq!(clear(&shelf.path).unwrap(), 100);
        assert_eq!(left(&shelf), "");
    }
}
