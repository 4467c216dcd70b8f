//! Where audit events go.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, Result};

use super::format::{EventLines, Format};
use crate::platform::standard::Standard;

/// Where entries go. They are written whole, before the result that they speak of.
#[derive(Debug)]
pub struct Sink {
    file: File,
    /// What it is, for error messages.
    name: String,
    format: Format,
    /// How many entries were written before.
    sequence: u64,
}

impl Sink {
    /// Standard error.
    ///
    /// # Errors
    ///
    /// When it is closed, or no further descriptor can be had.
    pub fn stderr(format: Format) -> Result<Self> {
        let file = Standard::Error.open().context("cannot write audit entries")?;
        Ok(Self { file, name: Standard::Error.name().to_owned(), format, sequence: 0 })
    }

    /// The end of the file at `path`, which is made if it is missing, for its owner alone to read. Each write is appended
    /// whole, also when other processes write to the same file.
    ///
    /// # Errors
    ///
    /// When it cannot be opened for writing.
    pub fn file(path: &Path, format: Format) -> Result<Self> {
        let opened = File::options().append(true).create(true).mode(0o600).open(path);
        let name = format!("'{}'", path.display());
        let file = opened.with_context(|| format!("cannot open the audit file {name}"))?;
        Ok(Self { file, name, format, sequence: 0 })
    }

    /// Whether `other` is the same file or pipe: what one writes, the other would read or overwrite.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn is(&self, other: &File) -> Result<bool> {
        let (own, other) = (self.file.metadata()?, other.metadata()?);
        // A terminal, or `/dev/null`, may be as many things at once as one likes.
        let is_device = own.file_type().is_char_device();
        Ok(!is_device && (own.dev(), own.ino()) == (other.dev(), other.ino()))
    }

    /// How entries are written to it.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Writes `lines` in a single write.
    ///
    /// # Errors
    ///
    /// When the sink does not take them all: the results that they speak of must then not be written.
    pub fn write(&mut self, mut lines: EventLines) -> Result<()> {
        if lines.text.is_empty() {
            return Ok(());
        }
        if !lines.gaps.is_empty() {
            lines.number(&mut self.sequence);
        }
        let written = self.file.write_all(lines.text.as_bytes());
        written.with_context(|| format!("cannot write audit entries to {}, so the result is withheld", self.name))
    }
}
