//! Eviction: keeps a cache within its limits, and clears it.

use std::io;
use std::time::{Duration, SystemTime};

use super::contents::{self, Item, Kind, StoredFile};
use super::entry::Entry;
use super::lock::{self, Lock};
use super::seal;
use crate::guest::digest::Digest;
use crate::platform::trust::TrustedDirectory;

/// The maximum size of a cache, in bytes on disk. The least recently used artifacts are removed first.
pub(crate) const LIMIT_BYTES: u64 = 1 << 30;
/// The maximum number of index entries per artifact: each copy of a component has one, even after it was deleted.
const MAX_ENTRIES: usize = 64;
/// The artifact of a component that was replaced at its path is removed after this time without use. It is kept until
/// then, because other hosts that share the cache may still have that component.
const REPLACED: Duration = Duration::from_secs(24 * 3600);
/// Temporary files of killed processes are removed after this time.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Cleans up a cache after `new` was written: removes artifacts of earlier components at the same path, files left by
/// killed processes, and the least recently used artifacts until the rest fits into `limit` bytes.
///
/// Files that cannot be removed are left for the next time.
pub(super) fn tidy(directory: &TrustedDirectory, limit: u64, new: &Entry) {
    let Ok(items) = contents::list(directory) else { return };
    let mut total: u64 = items.iter().map(|item| item.bytes).sum();
    for mut item in items {
        let is_new = item.digest == Some(new.component);
        if item.digest.is_none() {
            total -= sweep(directory, item.files);
        } else if !is_new && (total > limit || item.is_only_at(&new.path) && is_older(item.used, REPLACED)) {
            total -= item.bytes;
            let _ = remove(directory, &item.files);
        } else {
            total -= trim(directory, &mut item);
        }
    }
}

/// Removes the oldest entries of each artifact that has too many; returns their size.
fn trim(directory: &TrustedDirectory, item: &mut Item) -> u64 {
    item.files.retain(|file| file.kind == Kind::Entry);
    item.files.sort_by_key(|file| file.used);
    item.files.truncate(item.files.len().saturating_sub(MAX_ENTRIES));
    let _ = remove(directory, &item.files);
    item.files.iter().map(|file| file.bytes).sum()
}

/// Removes abandoned files, and returns their size.
fn sweep(directory: &TrustedDirectory, files: Vec<StoredFile>) -> u64 {
    let is_abandoned = |file: &StoredFile| match file.kind {
        Kind::Temporary => is_older(file.used, ABANDONED),
        Kind::Lock => {
            // The process that gets the lock removes it.
            let name = file.name.to_string_lossy();
            let _ = Lock::acquire(directory, name.trim_end_matches(lock::SUFFIX), Duration::ZERO);
            false
        }
        Kind::Artifact | Kind::Entry => true,
    };
    let abandoned: Vec<StoredFile> = files.into_iter().filter(is_abandoned).collect();
    let _ = remove(directory, &abandoned);
    abandoned.iter().map(|file| file.bytes).sum()
}

/// Removes the artifact of a component, and its index entries.
pub(super) fn remove_component(directory: &TrustedDirectory, component: Digest) -> io::Result<()> {
    let items = contents::list(directory)?;
    items.iter().filter(|item| item.digest == Some(component)).try_for_each(|item| remove(directory, &item.files))
}

/// Removes everything, and returns its size in bytes.
///
/// # Errors
///
/// When the directory cannot be read, or a file not removed.
pub(crate) fn clear(directory: &TrustedDirectory) -> io::Result<u64> {
    let items = contents::list(directory)?;
    items.iter().try_for_each(|item| remove(directory, &item.files))?;
    directory.remove(seal::KEY_FILE.as_ref())?;
    Ok(items.iter().map(|item| item.bytes).sum())
}

fn is_older(used: SystemTime, age: Duration) -> bool {
    used.elapsed().is_ok_and(|unused| unused > age)
}

fn remove(directory: &TrustedDirectory, files: &[StoredFile]) -> io::Result<()> {
    files.iter().try_for_each(|file| directory.remove(&file.name))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;

    use super::*;
    use crate::code::cache::{ArtifactCache, Place};

    struct Fixture {
        directory: tempfile::TempDir,
        cache: ArtifactCache,
    }

    impl Fixture {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let cache = ArtifactCache::create(&Place::User(directory.path().to_owned()), "engine").unwrap();
            Self { directory, cache }
        }

        /// Adds an artifact of 8 KiB, with two entries of a block each, for the component `name`, last used the given
        /// number of minutes ago.
        fn add(&self, name: &str, minutes: u64) -> Entry {
            let path = self.directory.path().join(name);
            fs::write(&path, name).unwrap();
            let component = Digest::of(name.as_bytes());
            self.cache.add(component, &[1; 8192], &path, &fs::metadata(&path).unwrap()).unwrap();
            let used = SystemTime::now() - Duration::from_secs(minutes * 60);
            let items = contents::list(self.cache.directory()).unwrap();
            for file in &items.iter().find(|item| item.digest == Some(component)).unwrap().files {
                let file = File::options().append(true).open(self.directory.path().join(&file.name)).unwrap();
                file.set_modified(used).unwrap();
            }
            self.cache.find_by_digest(component).unwrap().entry
        }

        /// The names of the components, least recently used first.
        fn left(&self) -> String {
            let items = contents::list(self.cache.directory()).unwrap();
            let name = |path: &String| Path::new(path).file_name().unwrap().to_string_lossy().into_owned();
            items.iter().flat_map(|item| &item.paths).map(name).collect()
        }
    }

    #[test]
    fn evicts_least_recently_used_first() {
        let fixture = Fixture::new();
        let [_, _, _, oldest] = [("a", 10), ("b", 30), ("c", 20), ("d", 40)].map(|(n, used)| fixture.add(n, used));
        assert_eq!(fixture.left(), "dbca");
        tidy(fixture.cache.directory(), 4 * 16384, &oldest);
        assert_eq!(fixture.left(), "dbca");
        tidy(fixture.cache.directory(), 4 * 16384 - 1, &oldest);
        assert_eq!(fixture.left(), "dca");
        tidy(fixture.cache.directory(), 0, &oldest);
        assert_eq!(fixture.left(), "d");
        assert_eq!(clear(fixture.cache.directory()).unwrap(), 16384);
        assert_eq!(fixture.left(), "");
    }

    #[test]
    fn bounds_entries_of_one_artifact() {
        let fixture = Fixture::new();
        let component = Digest::of(b"a");
        fixture.add("a", 0);
        for copy in 0..100 {
            let path = fixture.directory.path().join(format!("copy-{copy}"));
            fs::write(&path, "a").unwrap();
            let found = fixture.cache.find_by_digest(component).unwrap();
            fixture.cache.add_entries(&found, &path, &fs::metadata(&path).unwrap()).unwrap();
        }
        let items = contents::list(fixture.cache.directory()).unwrap();
        assert_eq!(items[0].files.len(), MAX_ENTRIES + 1);
        assert!(fixture.cache.find_by_digest(component).is_some());
    }

    #[test]
    fn removes_artifact_of_replaced_component() {
        const DAYS: u64 = 2 * 24 * 60;
        let fixture = Fixture::new();
        fixture.add("a", DAYS);
        fixture.add("b", DAYS);
        let path = fixture.directory.path().join("a");
        fs::write(&path, "new").unwrap();
        fixture.cache.add(Digest::of(b"new"), &[2; 10], &path, &fs::metadata(&path).unwrap()).unwrap();
        assert!(fixture.cache.find_by_digest(Digest::of(b"a")).is_none());
        assert!(fixture.cache.find_by_digest(Digest::of(b"b")).is_some());
        fixture.cache.remove(Digest::of(b"b")).unwrap();
        assert_eq!(fixture.left(), "a");
        // The key, the components and the artifact with two entries.
        assert_eq!(fs::read_dir(fixture.directory.path()).unwrap().count(), 1 + 2 + 3);
    }

    #[test]
    fn removes_leftovers_of_killed_processes() {
        let fixture = Fixture::new();
        let entry = fixture.add("a", 0);
        let path = |name: &str| fixture.directory.path().join(name);
        for name in [".new-1", ".new-2", "abc.lock", "bad.entry"] {
            fs::write(path(name), "x").unwrap();
        }
        let old = SystemTime::now() - Duration::from_secs(7200);
        File::options().append(true).open(path(".new-1")).unwrap().set_modified(old).unwrap();
        tidy(fixture.cache.directory(), LIMIT_BYTES, &entry);
        assert_eq!(
            [".new-1", ".new-2", "abc.lock", "bad.entry"].map(|name| path(name).exists()),
            [false, true, false, false]
        );
    }
}
