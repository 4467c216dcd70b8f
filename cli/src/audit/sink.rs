//! The destination of audit events.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use anyhow::{Context, Result};

use super::file::AuditFile;
use super::format::{Encoding, Format};
use super::lines::EventLines;
use crate::exit::{Failure, Kind};
use crate::platform::file;
use crate::platform::standard::Standard;
use crate::platform::write::{self, PIPE_BUF};

/// An open destination. Events are written to it before the result that they belong to.
#[derive(Debug)]
pub(crate) struct Sink {
    target: Target,
    /// The target in error messages.
    name: String,
    format: Format,
    /// The number of events so far.
    sequence: u64,
}

#[derive(Debug)]
enum Target {
    Nowhere,
    Stderr { file: File, is_regular: bool },
    File(AuditFile),
}

impl Sink {
    /// Drops all events.
    pub(crate) fn discard() -> Self {
        let format = Format { encoding: Encoding::Discard, ..Format::default() };
        Self { target: Target::Nowhere, name: String::new(), format, sequence: 0 }
    }

    /// Writes events to stderr.
    ///
    /// # Errors
    ///
    /// When it is closed, or the process has no descriptors left.
    pub(crate) fn stderr(encoding: Encoding) -> Result<Self> {
        let failure = || Failure::new(Kind::Audit, "cannot write audit events");
        let file = Standard::Error.open().with_context(failure)?;
        let is_regular = file.metadata().with_context(failure)?.is_file();
        let format = format(encoding, is_regular);
        Ok(Self {
            target: Target::Stderr { file, is_regular },
            name: Standard::Error.name().into(),
            format,
            sequence: 0,
        })
    }

    /// Appends events to the file at `path`. A missing file is created, readable and writable by its owner only.
    ///
    /// # Errors
    ///
    /// When it cannot be opened for writing, or is a FIFO without a reader.
    pub(crate) fn file(path: &Path, encoding: Encoding) -> Result<Self> {
        let name = format!("'{}'", path.display());
        let file = AuditFile::open(path)
            .with_context(|| Failure::new(Kind::Audit, format!("cannot open the audit file {name}")))?;
        let format = format(encoding, file.is_regular());
        Ok(Self { target: Target::File(file), name, format, sequence: 0 })
    }

    /// Whether events go to the same file or pipe as `other`, where they would mix with the input or the output.
    ///
    /// # Errors
    ///
    /// When the metadata of a file cannot be read.
    pub(crate) fn writes_to(&self, other: &File) -> Result<bool> {
        let own = match &self.target {
            Target::Nowhere => return Ok(false),
            Target::Stderr { file, .. } => file.metadata()?,
            Target::File(file) => file.metadata()?,
        };
        let other = other.metadata()?;
        // A terminal, or `/dev/null`, may serve several purposes at once.
        let is_device = own.file_type().is_char_device();
        Ok(!is_device && file::identity(&own) == file::identity(&other))
    }

    /// The format of its lines.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Writes `lines`: in one write to a regular file, and in atomic writes of whole lines elsewhere.
    ///
    /// # Errors
    ///
    /// When not all of them can be written. The results that they belong to must then be withheld.
    pub(crate) fn write(&mut self, mut lines: EventLines) -> Result<()> {
        if lines.text.is_empty() {
            return Ok(());
        }
        if !lines.gaps.is_empty() {
            lines.number(&mut self.sequence);
        }
        let bytes = lines.text.as_bytes();
        let written = match &mut self.target {
            Target::Nowhere => Ok(()),
            Target::Stderr { file, is_regular } => {
                // The log and errors take the same lock.
                let _lock = io::stderr().lock();
                if *is_regular { write::write_all(&*file, bytes) } else { write::write_lines(&*file, bytes) }
            }
            Target::File(file) => file.append(bytes),
        };
        written.with_context(|| {
            let name = &self.name;
            Failure::new(Kind::Audit, format!("cannot write audit events to {name}, so the result is withheld"))
        })
    }
}

/// A write of any length to a regular file is atomic; elsewhere only a short one is.
fn format(encoding: Encoding, is_regular: bool) -> Format {
    Format { encoding, line_bytes: if is_regular { usize::MAX } else { PIPE_BUF } }
}
