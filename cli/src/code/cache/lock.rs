//! Locks, one per component: of concurrent first calls, one compiles and the others wait.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use crate::platform::trust::TrustedDirectory;

/// The suffix of lock files.
pub(super) const SUFFIX: &str = ".lock";
/// The interval between attempts to take a lock that another process holds.
const POLL: Duration = Duration::from_millis(20);

/// A lock that this process holds. It is released when the process ends for any reason.
pub(super) struct Lock<'a> {
    directory: &'a TrustedDirectory,
    name: String,
    _file: File,
}

impl<'a> Lock<'a> {
    /// Waits for the lock `name`, for at most `patience`: the process that holds it may be stopped.
    ///
    /// # Errors
    ///
    /// `TimedOut`, or the system's error: some network file systems have no locks.
    pub(super) fn acquire(directory: &'a TrustedDirectory, name: &str, patience: Duration) -> io::Result<Self> {
        let name = format!("{name}{SUFFIX}");
        let started = Instant::now();
        loop {
            let file = open(directory, &name)?;
            match file.try_lock() {
                // The previous holder removes the file when it is done.
                Ok(()) if is_at(directory, &name, &file) => return Ok(Self { directory, name, _file: file }),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if started.elapsed() < patience => thread::sleep(POLL),
                Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::TimedOut.into()),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        let _ = self.directory.remove(self.name.as_ref());
    }
}

/// Opens a lock file. This never blocks, not even on a FIFO. Other users cannot read the file, because anyone who can
/// read a file can lock it.
fn open(directory: &TrustedDirectory, name: &str) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(directory, name, flags, Mode::RUSR | Mode::WUSR)?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn is_at(directory: &TrustedDirectory, name: &str, file: &File) -> bool {
    let Ok(metadata) = file.metadata() else { return false };
    directory.stat(name.as_ref()).is_ok_and(|stat| stat.st_ino == metadata.ino())
}
