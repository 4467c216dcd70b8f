//! The identity of a file, by which an unchanged file is recognized without reading it.

use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::str::FromStr;

/// Metadata that changes when a file is written, replaced, or touched. `ctime` cannot be set, except by creating a
/// whole file system. (A write through a mapping changes it only when the kernel notices the write.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileIdentity {
    inode: u64,
    size: u64,
    modified: Time,
    changed: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Time {
    seconds: i64,
    nanoseconds: i64,
}

impl FileIdentity {
    /// The identity of the file with this metadata.
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            size: metadata.size(),
            modified: Time { seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() },
            changed: Time { seconds: metadata.ctime(), nanoseconds: metadata.ctime_nsec() },
        }
    }

    /// Whether this identity cannot recur with other contents.
    ///
    /// Where times are whole seconds, a file can change twice at the same time. In a file system created from an image,
    /// all files often have the same times, `ctime` included.
    pub(super) fn is_unique(&self) -> bool {
        self.changed.nanoseconds != 0
    }

    /// Whether a copy of the file that preserves the time of its last change could have the identity `other`. Archives
    /// preserve that time in whole seconds.
    pub(super) fn may_be_copied_to(&self, other: &Self) -> bool {
        let same_time = [self.modified.nanoseconds, 0].contains(&other.modified.nanoseconds);
        self.size == other.size && self.modified.seconds == other.modified.seconds && same_time
    }

    /// The size of the file, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

/// In hexadecimal, for file names.
impl fmt::Display for FileIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inode, size, modified, changed } = self;
        write!(f, "{inode:x}-{size:x}-{modified}-{changed}")
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{:x}", self.seconds, self.nanoseconds)
    }
}

/// A text that is not an identity.
#[derive(Debug)]
pub(super) struct NotAnIdentity;

impl FromStr for FileIdentity {
    type Err = NotAnIdentity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| u64::from_str_radix(text, 16).map_err(|_| NotAnIdentity);
        let time = |text: &str| {
            let (seconds, nanoseconds) = text.split_once('.').ok_or(NotAnIdentity)?;
            // Times before 1970 are shown in two's complement.
            Ok(Time { seconds: number(seconds)?.cast_signed(), nanoseconds: number(nanoseconds)?.cast_signed() })
        };
        let mut parts = text.split('-');
        let mut part = || parts.next().ok_or(NotAnIdentity);
        let identity =
            Self { inode: number(part()?)?, size: number(part()?)?, modified: time(part()?)?, changed: time(part()?)? };
        if parts.next().is_none() { Ok(identity) } else { Err(NotAnIdentity) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(modified: (i64, i64), size: u64) -> FileIdentity {
        let time = |(seconds, nanoseconds)| Time { seconds, nanoseconds };
        FileIdentity { inode: 7, size, modified: time(modified), changed: time((-1, 999_999_999)) }
    }

    #[test]
    fn parses_what_it_displays() {
        let before = identity((-5, 1), 100);
        assert_eq!(before.to_string().parse::<FileIdentity>().ok(), Some(before));
        for wrong in ["", "7-64-0.0", "7-64-0.0-0.0-0", "7-64-0-0.0", "g-64-0.0-0.0"] {
            assert!(wrong.parse::<FileIdentity>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn recognizes_faithful_copies() {
        let original = identity((1000, 5), 100);
        for (copy, faithful) in [
            (identity((1000, 5), 100), true),
            (identity((1000, 0), 100), true),
            (identity((1000, 6), 100), false),
            (identity((1001, 0), 100), false),
            (identity((1000, 5), 99), false),
        ] {
            assert_eq!(original.may_be_copied_to(&copy), faithful, "{copy}");
        }
    }
}
