//! Files that appear complete or not at all.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

/// The prefix of temporary files, which are in the directory of the file.
pub(crate) const TEMPORARY_PREFIX: &str = ".new-";

/// Replaces the file at `path` with one that contains `contents` and has these permissions.
///
/// A reader sees the complete old or the complete new file, even after a crash.
///
/// # Errors
///
/// The system's error; the old file is then unchanged.
pub(crate) fn write(path: &Path, contents: &[u8], mode: Mode) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory =
        rustix::fs::openat(CWD, parent, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    write_at(directory.as_fd(), name, contents, mode)?;
    sync(directory.as_fd())
}

/// Like [`write()`], for the file `name` in an open directory. The new name survives a crash after [`sync`].
///
/// # Errors
///
/// As for [`write()`].
pub(crate) fn write_at(directory: BorrowedFd<'_>, name: &OsStr, contents: &[u8], mode: Mode) -> io::Result<()> {
    let temporary = format!("{TEMPORARY_PREFIX}{:016x}", getrandom::u64().map_err(io::Error::from)?);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(directory, &temporary, flags, Mode::RUSR | Mode::WUSR)?);
    let written = (|| {
        file.write_all(contents)?;
        rustix::fs::fchmod(&file, mode)?;
        file.sync_all()?;
        Ok(rustix::fs::renameat(directory, &temporary, directory, name)?)
    })();
    if written.is_err() {
        let _ = rustix::fs::unlinkat(directory, &temporary, AtFlags::empty());
    }
    written
}

/// Makes the names in a directory survive a crash.
///
/// # Errors
///
/// The system's error.
pub(crate) fn sync(directory: BorrowedFd<'_>) -> io::Result<()> {
    // The descriptor may be one that can only be searched (`O_PATH`).
    let readable =
        rustix::fs::openat(directory, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(rustix::fs::fsync(&readable)?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn replaces_file_without_leftovers() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for contents in ["old", "new"] {
            write(&path, contents.as_bytes(), Mode::from_raw_mode(0o640)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), contents);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        }
        fs::create_dir(directory.path().join("occupied")).unwrap();
        assert!(write(&directory.path().join("occupied"), b"", Mode::RUSR).is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }
}
