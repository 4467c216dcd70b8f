//! Lists the contents of a cache directory, without authenticating them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::time::{Duration, SystemTime};

use rustix::fs::{FileType, Stat};

use super::entry::{self, Entry};
use super::{ARTIFACT_SUFFIX, ENTRY_SUFFIX, lock};
use crate::guest::digest::Digest;
use crate::platform::atomic_file::TEMPORARY_PREFIX;
use crate::platform::trust::TrustedDirectory;

/// An artifact with its index entries, or files without an artifact, which have no digest.
#[derive(Debug)]
pub(crate) struct Item {
    /// The SHA-256 of the component.
    pub digest: Option<Digest>,
    /// The files that had these bytes when they were compiled or found, escaped for a terminal.
    pub paths: BTreeSet<String>,
    /// The size of all files, in bytes.
    pub bytes: u64,
    /// When the artifact was last loaded, to the minute.
    pub used: SystemTime,
    /// Its files.
    pub(super) files: Vec<StoredFile>,
}

/// One file in a cache directory.
#[derive(Debug)]
pub(super) struct StoredFile {
    pub name: OsString,
    pub kind: Kind,
    pub bytes: u64,
    pub used: SystemTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Artifact,
    Entry,
    /// A file being written, or left by a killed process.
    Temporary,
    Lock,
}

/// The contents of `directory`, least recently used first.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn list(directory: &TrustedDirectory) -> io::Result<Vec<Item>> {
    let mut found: BTreeMap<Option<Digest>, Item> = BTreeMap::new();
    for name in directory.names()? {
        let (Some(kind), Ok(stat)) = (kind_of(&name), directory.stat(&name)) else { continue };
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            continue;
        }
        let (digest, path) = origin(directory, &name, kind);
        let item = found.entry(digest).or_insert_with(|| Item::new(digest));
        item.add(StoredFile { name, kind, bytes: size(&stat), used: modified(&stat) });
        item.paths.extend(path);
    }
    let mut items: Vec<Item> = found.into_values().collect();
    items.sort_by_key(|item| item.used);
    Ok(items)
}

impl Item {
    fn new(digest: Option<Digest>) -> Self {
        Self { digest, paths: BTreeSet::new(), bytes: 0, used: SystemTime::UNIX_EPOCH, files: Vec::new() }
    }

    fn add(&mut self, file: StoredFile) {
        self.bytes += file.bytes;
        self.used = self.used.max(file.used);
        self.files.push(file);
    }

    /// Whether all index entries that lead to it are for the component at `path`.
    pub(super) fn is_only_at(&self, path: &str) -> bool {
        !self.paths.is_empty() && self.paths.iter().all(|other| other == path)
    }
}

/// The kind of a file, by its name; `None` if it does not belong to a cache.
fn kind_of(name: &OsStr) -> Option<Kind> {
    let name = name.to_str()?;
    [
        (name.ends_with(ARTIFACT_SUFFIX), Kind::Artifact),
        (name.ends_with(ENTRY_SUFFIX), Kind::Entry),
        (name.starts_with(TEMPORARY_PREFIX), Kind::Temporary),
        (name.ends_with(lock::SUFFIX), Kind::Lock),
    ]
    .into_iter()
    .find_map(|(matches, kind)| matches.then_some(kind))
}

/// The component that a file belongs to, and its path.
fn origin(directory: &TrustedDirectory, name: &OsStr, kind: Kind) -> (Option<Digest>, Option<String>) {
    match kind {
        Kind::Artifact => (name.to_str().and_then(|name| name.get(..64)?.parse().ok()), None),
        Kind::Entry => match read_entry(directory, name) {
            Some(Entry { component, path, .. }) => (Some(component), Some(path)),
            None => (None, None),
        },
        Kind::Temporary | Kind::Lock => (None, None),
    }
}

fn read_entry(directory: &TrustedDirectory, name: &OsStr) -> Option<Entry> {
    let (file, _) = directory.open_file(name).ok()?;
    let mut text = String::new();
    file.take(entry::MAX_BYTES).read_to_string(&mut text).ok()?;
    Entry::parse(&text)
}

/// The disk space of a file, in bytes: small files take a block.
fn size(stat: &Stat) -> u64 {
    let [length, blocks] = [stat.st_size, stat.st_blocks].map(|number| u64::try_from(number).unwrap_or_default());
    length.max(blocks.saturating_mul(512))
}

fn modified(stat: &Stat) -> SystemTime {
    let seconds = Duration::from_secs(u64::try_from(stat.st_mtime).unwrap_or_default());
    SystemTime::UNIX_EPOCH.checked_add(seconds).unwrap_or(SystemTime::UNIX_EPOCH)
}
