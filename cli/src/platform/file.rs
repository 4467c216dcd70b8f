//! Files that a user named, and reads that wait even if the descriptor is non-blocking.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};

/// Opens `path` for reading if it is a regular file, following symbolic links.
///
/// # Errors
///
/// The system's error, or `InvalidInput` with the type of the file. Opening never blocks, not even on a FIFO.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    let found = if kind.is_dir() { "a directory" } else { "not a regular file" };
    Err(io::Error::new(ErrorKind::InvalidInput, format!("it is {found}")))
}

/// Opens `path` for reading, unless it is a directory. Opening a FIFO waits for its writer.
///
/// # Errors
///
/// The system's error, or `InvalidInput` for a directory.
pub(crate) fn open_stream(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is a directory"));
    }
    Ok(file)
}

/// Whether both are the same regular file. Two descriptors of one terminal, pipe or device do not count.
///
/// # Errors
///
/// The system's error.
pub(crate) fn is_same(one: &File, other: &File) -> io::Result<bool> {
    let (one, other) = (one.metadata()?, other.metadata()?);
    Ok(one.is_file() && identity(&one) == identity(&other))
}

/// The size of a regular file, in bytes; `None` for anything else.
pub(crate) fn size(file: &File) -> Option<u64> {
    file.metadata().ok().filter(Metadata::is_file).map(|metadata| metadata.len())
}

/// The device and inode, which identify a file while it exists.
pub(crate) fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Whether the start of `file` can be read without waiting for a disk; true if the system cannot tell.
pub(crate) fn is_in_page_cache(file: &File) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::io::{Errno, ReadWriteFlags, preadv2};
        let mut byte = [0];
        let read = preadv2(file, &mut [io::IoSliceMut::new(&mut byte)], 0, ReadWriteFlags::NOWAIT);
        read != Err(Errno::AGAIN)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        true
    }
}

/// Reads once into `buffer`. Retries after a signal, and waits for data if `source` is non-blocking.
///
/// # Errors
///
/// The system's error.
pub(crate) fn read(source: &mut (impl Read + AsFd), buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait(source, PollFlags::IN)?,
            read => return read,
        }
    }
}

/// Waits until `file` is ready for reading or writing, or a signal arrives.
///
/// # Errors
///
/// The system's.
pub(super) fn wait(file: &impl AsFd, until: PollFlags) -> io::Result<()> {
    match poll(&mut [PollFd::new(file, until)], None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
