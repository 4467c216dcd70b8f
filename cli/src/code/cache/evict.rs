//! What lies on a shelf, whoever put it there: shown, thrown out when it is too much, and removed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::platform::file;

/// How much machine code the user's shelf may hold, in bytes; what was used least recently goes first.
pub const LIMIT_BYTES: u64 = 1 << 30;
/// The most of a record that is read, in bytes.
const MOST_OF_RECORD: u64 = 64 << 10;
/// What a killed process left under a temporary name may go after this long.
const ABANDONED: Duration = Duration::from_secs(3600);

/// A component's machine code on a shelf, with all its files.
#[derive(Debug)]
pub struct CacheEntry {
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

impl CacheEntry {
    /// Whether these are files under temporary names of a process that may still be there.
    fn may_be_written(&self) -> bool {
        self.digest.is_empty() && self.used.elapsed().unwrap_or_default() < ABANDONED
    }
}

/// What lies on the shelf at `path`, least recently used first. What leads nowhere is listed with no component.
///
/// # Errors
///
/// When the directory cannot be read. A missing one holds nothing.
pub fn list(path: &Path) -> io::Result<Vec<CacheEntry>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found: BTreeMap<String, CacheEntry> = BTreeMap::new();
    for entry in entries.flatten() {
        // Somebody else may have written here before the directory was refused: no link is followed.
        let (Ok(metadata), file) = (entry.metadata(), entry.path()) else { continue };
        if !metadata.is_file() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let mut component = String::new();
        let (digest, bytes) = if let Some((digest, _)) = name.strip_suffix(".cwasm").and_then(|n| n.split_once('-')) {
            (digest.to_owned(), metadata.len())
        } else if name.ends_with(".record") {
            let text = read_record(&file).unwrap_or_default();
            component = text.lines().nth(1).unwrap_or_default().to_owned();
            (text.split(' ').next().unwrap_or_default().to_owned(), 0)
        } else if name.starts_with(".new-") {
            (String::new(), metadata.len())
        } else {
            continue;
        };
        let holding = found.entry(digest.clone()).or_insert_with(|| CacheEntry {
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
    let mut holdings: Vec<CacheEntry> = found.into_values().collect();
    holdings.sort_by_key(|holding| holding.used);
    Ok(holdings)
}

fn read_record(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    file::open(path)?.take(MOST_OF_RECORD).read_to_string(&mut text)?;
    Ok(text)
}

/// Removes what was used least recently from the shelf at `path` until all machine code fits into `limit` bytes; what has the
/// digest `keep` stays.
pub fn evict(path: &Path, limit: u64, keep: &str) {
    let Ok(holdings) = list(path) else { return };
    let mut total: u64 = holdings.iter().map(|holding| holding.bytes).sum();
    for holding in &holdings {
        if total <= limit {
            break;
        }
        if holding.digest != keep && !holding.may_be_written() {
            total -= holding.bytes;
            for file in &holding.files {
                let _ = fs::remove_file(file);
            }
        }
    }
}

/// Removes everything on the shelf at `path`, and says how many bytes of machine code that was.
///
/// # Errors
///
/// When a file cannot be removed.
pub fn clear(path: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for holding in list(path)? {
        for file in &holding.files {
            match fs::remove_file(file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {} // somebody else clears it, too
                removed => removed?,
            }
        }
        bytes += holding.bytes;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::code::cache::{ArtifactCache, artifact_name, digest_key, record_name};

    /// A shelf with artifacts of 100 bytes that were used so many minutes ago.
    fn shelf(uses: &[(char, u64)]) -> (tempfile::TempDir, ArtifactCache) {
        let directory = tempfile::tempdir().unwrap();
        let shelf = ArtifactCache::open(directory.path()).unwrap();
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

    fn left(shelf: &ArtifactCache) -> String {
        list(&shelf.path).unwrap().iter().map(|holding| &holding.digest[..1]).collect()
    }

    #[test]
    fn what_was_used_least_recently_is_evicted_first_and_what_was_just_made_stays() {
        let (_directory, shelf) = shelf(&[('a', 10), ('b', 30), ('c', 20), ('d', 40)]);
        assert_eq!(left(&shelf), "dbca");
        evict(&shelf.path, 400, &"d".repeat(64));
        assert_eq!(left(&shelf), "dbca");
        evict(&shelf.path, 399, &"d".repeat(64));
        assert_eq!(left(&shelf), "dca");
        evict(&shelf.path, 0, &"d".repeat(64));
        assert_eq!(left(&shelf), "d");
        assert_eq!(clear(&shelf.path).unwrap(), 100);
        assert_eq!(left(&shelf), "");
    }
}
