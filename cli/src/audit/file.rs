//! The audit file, which other processes may write to or rotate, and which a crash may leave with an incomplete line.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use crate::platform::{file, write};

/// How long to wait for a process that reads a FIFO.
const FIFO_PATIENCE: Duration = Duration::from_secs(5);
/// How long the file must stay unchanged before an incomplete last line counts as torn, not as being written.
const TORN_AFTER: Duration = Duration::from_millis(50);

/// A file that events are appended to.
#[derive(Debug)]
pub(super) struct AuditFile {
    path: PathBuf,
    file: File,
    /// The device and inode, if it is a regular file.
    identity: Option<(u64, u64)>,
    /// The same file for reading, if it is a regular one and can be read.
    reader: Option<File>,
}

impl AuditFile {
    /// Opens the file at `path`, or creates it so that only its owner can read it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = open_to_append(path)?;
        let metadata = file.metadata()?;
        let identity = metadata.is_file().then(|| file::identity(&metadata));
        let reader = identity.and_then(|own| {
            let reader =
                File::options().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path).ok()?;
            (reader.metadata().ok().map(|metadata| file::identity(&metadata)) == Some(own)).then_some(reader)
        });
        Ok(Self { path: path.to_owned(), file, identity, reader })
    }

    /// Whether it is a regular file, to which a write of any length is atomic.
    pub(super) fn is_regular(&self) -> bool {
        self.identity.is_some()
    }

    /// The metadata of the open file.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Appends `lines`, in one write if it is a regular file.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let Some(own) = self.identity else { return write::write_lines(&self.file, lines) };
        // A log rotation moved the file away or removed it. Checking costs a microsecond and needs no signal handler.
        if self.path.metadata().ok().map(|metadata| file::identity(&metadata)) != Some(own) {
            *self = Self::open(&self.path)?;
        }
        if self.is_torn()? {
            write::write_all(&self.file, &[b"\n", lines].concat())
        } else {
            write::write_all(&self.file, lines)
        }
    }

    /// Whether the file ends within a line, because a process was killed or the disk was full.
    fn is_torn(&self) -> io::Result<bool> {
        let Some(reader) = &self.reader else { return Ok(false) };
        let (mut size, mut since) = (None, Instant::now());
        loop {
            let now = reader.metadata()?.len();
            let Some(last) = now.checked_sub(1) else { return Ok(false) };
            let mut byte = [b'\n'];
            reader.read_at(&mut byte, last)?;
            if byte == [b'\n'] {
                return Ok(false);
            }
            if size != Some(now) {
                (size, since) = (Some(now), Instant::now());
            } else if since.elapsed() > TORN_AFTER {
                return Ok(true);
            }
            thread::sleep(TORN_AFTER / 10);
        }
    }
}

/// Opens `path` for appending. Waits a limited time for the reader of a FIFO.
fn open_to_append(path: &Path) -> io::Result<File> {
    let start = Instant::now();
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = loop {
        let opened =
            File::options().append(true).create(true).mode(0o600).custom_flags(flags.bits().cast_signed()).open(path);
        match opened {
            Err(error) if is_fifo_without_reader(path, &error) => {
                if start.elapsed() > FIFO_PATIENCE {
                    let reason = "no process reads this FIFO; start its reader first";
                    return Err(io::Error::new(io::ErrorKind::NotConnected, reason));
                }
                thread::sleep(Duration::from_millis(10));
            }
            opened => break opened?,
        }
    };
    let flags = rustix::fs::fcntl_getfl(&opened)?;
    rustix::fs::fcntl_setfl(&opened, flags - OFlags::NONBLOCK)?;
    Ok(opened)
}

fn is_fifo_without_reader(path: &Path, error: &io::Error) -> bool {
    let refused = error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error());
    refused && path.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn completes_torn_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit");
        fs::write(&path, "torn").unwrap();
        let mut file = AuditFile::open(&path).unwrap();
        file.append(b"one\n").unwrap();
        file.append(b"two\nth").unwrap();
        file.append(b"three\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "torn\none\ntwo\nth\nthree\n");
    }

    #[test]
    fn follows_rotation() {
        let directory = tempfile::tempdir().unwrap();
        let [path, old] = ["audit", "audit.1"].map(|name| directory.path().join(name));
        let mut file = AuditFile::open(&path).unwrap();
        file.append(b"one\n").unwrap();
        fs::rename(&path, &old).unwrap();
        file.append(b"two\n").unwrap();
        fs::remove_file(&path).unwrap();
        file.append(b"three\n").unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "one\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn waits_for_fifo_reader() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let reading = thread::spawn({
            let path = path.clone();
            move || {
                thread::sleep(Duration::from_millis(100));
                fs::read_to_string(path).unwrap()
            }
        });
        let mut file = AuditFile::open(&path).unwrap();
        file.append(b"one\n").unwrap();
        drop(file);
        assert_eq!(reading.join().unwrap(), "one\n");
    }
}
