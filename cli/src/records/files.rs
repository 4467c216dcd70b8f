//! Several files as one input.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::exit::{Failure, Kind};
use crate::platform::file;
use crate::records::blocks::Source;

/// Files that are read one after the other. The end of a file also ends its last line, with or without a newline.
#[derive(Debug)]
pub(crate) struct Files {
    waiting: VecDeque<Waiting>,
    current: Option<File>,
    last_byte: u8,
}

#[derive(Debug)]
enum Waiting {
    Open(File),
    /// Opened only when its turn comes: opening waits for a writer, which may still be writing to another file.
    Fifo(PathBuf),
}

impl Files {
    /// A file that is open.
    pub(crate) fn one(file: File) -> Self {
        Self { waiting: [Waiting::Open(file)].into(), current: None, last_byte: b'\n' }
    }

    /// The files at `paths`.
    ///
    /// # Errors
    ///
    /// When one does not exist, is a directory, or cannot be opened.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self> {
        let open = |path: &PathBuf| {
            match fs::metadata(path) {
                Ok(metadata) if metadata.file_type().is_fifo() => Ok(Waiting::Fifo(path.clone())),
                _ => file::open_stream(path).map(Waiting::Open),
            }
            .with_context(|| Failure::new(Kind::Input, format!("cannot read '{}'", path.display())))
        };
        let waiting = paths.iter().map(open).collect::<Result<_>>()?;
        Ok(Self { waiting, current: None, last_byte: b'\n' })
    }

    /// The files that are open.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &File> {
        self.waiting.iter().filter_map(|waiting| match waiting {
            Waiting::Open(file) => Some(file),
            Waiting::Fifo(_) => None,
        })
    }
}

impl Source for Files {
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
            let Some(next) = self.waiting.pop_front() else { return Ok(0) };
            self.current = Some(match next {
                Waiting::Open(file) => file,
                Waiting::Fifo(path) => File::open(path)?,
            });
            if self.last_byte != b'\n' && !buffer.is_empty() {
                self.last_byte = b'\n';
                buffer[0] = b'\n';
                return Ok(1);
            }
        }
    }
}
