//! Locks, one per component: of many first calls at once, one compiles and the others wait for it.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use crate::platform::trust::TrustedDirectory;

/// How the names of locks end.
pub const SUFFIX: &str = ".lock";
/// How often a lock that somebody else has is asked for.
const POLL: Duration = Duration::from_millis(20);

/// A lock that this process has. It ends with the process, however that ends.
pub struct Lock<'a> {
    directory: &'a TrustedDirectory,
    name: String,
    _file: File,
}

impl<'a> Lock<'a> {
    /// Waits for the lock `name`, but not longer than `patience`: whoever has it may have been stopped.
    ///
    /// # Errors
    ///
    /// `TimedOut`, or the system's: some network file systems have no locks.
    pub fn acquire(directory: &'a TrustedDirectory, name: &str, patience: Duration) -> io::Result<Self> {
        let name = format!("{name}{SUFFIX}");
        let started = Instant::now();
        loop {
            let file = open(directory, &name)?;
            match file.try_lock() {
                // It was removed in the meantime if whoever had it is done.
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

/// Opens a lock's file. That never waits, not even for a pipe's other end; and others, who could lock what they can read,
/// cannot read it.
fn open(directory: &TrustedDirectory, name: &str) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(directory, name, flags, Mode::RUSR | Mode::WUSR)?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn is_at(directory: &TrustedDirectory, name: &str, file: &File) -> bool {
    let Ok(metadata) = file.metadata() else { return false };
    directory.stat(name.as_ref()).is_ok_and(|stat| stat.st_ino == metadata.ino())
}
