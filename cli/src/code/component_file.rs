//! The file of a component: opened, identified, and read within limits.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, Take};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Error, Result, anyhow};

use super::cache;
use crate::exit::{Failure, Kind};
use crate::guest::digest::Digest;
use crate::guest::{Guest, cannot_read_component};
use crate::limits::{Limits, Size};
use crate::platform::file;

/// A file's times are exact to a tick of the kernel, 10 ms at the coarsest: a file changed within the tick in which it
/// was read could look unchanged.
const TICK: Duration = Duration::from_millis(20);

/// The file of a guest's component.
pub(super) struct ComponentFile<'a> {
    pub guest: &'a Guest,
    file: File,
    /// The metadata before the file was read.
    pub metadata: Metadata,
}

impl<'a> ComponentFile<'a> {
    /// Opens it, unless it is too large.
    pub(super) fn open(guest: &'a Guest, limits: &Limits) -> Result<Self> {
        let path = &guest.component;
        let (file, metadata) = file::open(path)
            .and_then(|file| file.metadata().map(|metadata| (file, metadata)))
            .with_context(|| cannot_read_component(path))?;
        if metadata.len() > limits.component_bytes {
            let (path, size, limit) = (path.display(), metadata.len(), Size(limits.component_bytes));
            let message = format!("the component '{path}' has {size} bytes; the limit is {limit} (--max-component)");
            return Err(Failure::new(Kind::Component, message).into());
        }
        Ok(Self { guest, file, metadata })
    }

    /// Reads the component, whose digest must be `expected`, and makes sure that its metadata identifies these bytes.
    pub(super) fn read(&mut self, expected: Digest) -> Result<Vec<u8>> {
        let failure = || cannot_read_component(&self.guest.component);
        // A sparse file can be larger than memory.
        let mut bytes = Vec::new();
        let size = usize::try_from(self.metadata.len()).with_context(failure)?;
        bytes.try_reserve_exact(size).with_context(failure)?;
        self.read_with(|file| file.read_to_end(&mut bytes).map(drop))?;
        if Digest::of(&bytes) == expected { Ok(bytes) } else { Err(self.changed()) }
    }

    /// The digest of the bytes that [`read`](Self::read) returns, without keeping them.
    pub(super) fn digest(&mut self) -> Result<Digest> {
        self.read_with(|file| Digest::read(file))
    }

    /// The error for a file that changed.
    fn changed(&self) -> Error {
        anyhow!("it changed while it was read; try again").context(cannot_read_component(&self.guest.component))
    }

    fn read_with<T>(&mut self, read: impl FnOnce(&mut Take<&mut File>) -> io::Result<T>) -> Result<T> {
        let before = &self.metadata;
        if let Some(wait) = TICK.checked_sub(age(before)) {
            std::thread::sleep(wait);
        }
        let mut file = self.file.by_ref().take(before.len().saturating_add(1));
        let outcome = file.get_mut().rewind().and_then(|()| read(&mut file));
        let is_complete = file.limit() == 1;
        let (value, after) = outcome
            .and_then(|value| Ok((value, self.file.metadata()?)))
            .with_context(|| cannot_read_component(&self.guest.component))?;
        if cache::is_unchanged(before, &after) && is_complete { Ok(value) } else { Err(self.changed()) }
    }
}

/// The time since a file was last changed; zero for a change in the future. File systems may report any number.
fn age(metadata: &Metadata) -> Duration {
    let seconds = Duration::from_secs(u64::try_from(metadata.ctime()).unwrap_or(0));
    let nanoseconds = Duration::from_nanos(u64::try_from(metadata.ctime_nsec()).unwrap_or(0));
    let changed = seconds.checked_add(nanoseconds).and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
    changed.and_then(|changed| changed.elapsed().ok()).unwrap_or_default()
}
