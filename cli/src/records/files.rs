//! Several files as one input.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::exit::{Failure, Kind};
use crate::platform::file;
use crate::platform::standard::Standard;
use crate::records::blocks::ByteSource;

/// Files that are read one after the other. The end of a file also ends its last line, with or without a newline.
#[derive(Debug)]
pub(crate) struct Files {
    pending: VecDeque<PendingFile>,
    current: Option<File>,
    last_byte: u8,
}

#[derive(Debug)]
enum PendingFile {
    Open(File),
    /// A FIFO, opened only when its turn comes, because opening waits for a writer that may still write to another
    /// file.
    Fifo(PathBuf),
}

impl Files {
    /// The files at `paths`, where `-` is stdin.
    ///
    /// # Errors
    ///
    /// When one does not exist, is a directory, is closed, or cannot be opened.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self> {
        let open = |path: &PathBuf| {
            if path.as_os_str() == "-" {
                return Standard::Input.open().map(PendingFile::Open);
            }
            match fs::metadata(path) {
                Ok(metadata) if metadata.file_type().is_fifo() => Ok(PendingFile::Fifo(path.clone())),
                _ => file::open_stream(path).map(PendingFile::Open),
            }
            .with_context(|| Failure::new(Kind::Input, format!("cannot read '{}'", path.display())))
        };
        let pending = paths.iter().map(open).collect::<Result<_>>()?;
        Ok(Self { pending, current: None, last_byte: b'\n' })
    }

    /// The size of all files together, in bytes, if all are regular.
    pub(crate) fn size(&self) -> Option<u64> {
        let sizes = self.pending.iter().map(|pending| match pending {
            PendingFile::Open(file) => file::size(file),
            PendingFile::Fifo(_) => None,
        });
        sizes.sum()
    }

    /// The files that are open.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &File> {
        self.pending.iter().filter_map(|pending| match pending {
            PendingFile::Open(file) => Some(file),
            PendingFile::Fifo(_) => None,
        })
    }
}

impl ByteSource for Files {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(file) = &mut self.current {
                let read = file::read(file, buffer)?;
                if let Some(last) = buffer[..read].last() {
                    self.last_byte = *last;
                    return Ok(read);
                }
                self.current = None;
            }
            let Some(next) = self.pending.pop_front() else { return Ok(0) };
            self.current = Some(match next {
                PendingFile::Open(file) => file,
                PendingFile::Fifo(path) => File::open(path)?,
            });
            if self.last_byte != b'\n' && !buffer.is_empty() {
                self.last_byte = b'\n';
                buffer[0] = b'\n';
                return Ok(1);
            }
        }
    }
}
