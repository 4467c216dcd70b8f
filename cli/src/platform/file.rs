//! Opening what a user named, without waiting on a pipe or reading a device for ever.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Opens `path` for reading if it is a regular file, following symbolic links.
///
/// # Errors
///
/// The system's, or `InvalidInput` saying what the file is instead. Opening never blocks, not even on a FIFO.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    let found = if kind.is_dir() { "a directory" } else { "not a regular file" };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {found}")))
}
