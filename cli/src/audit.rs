//! The guest's audit entries: what one is, how it is written, and where it goes.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::escape;
use crate::standard::Standard;

/// What is on record of a message, and what the host knows about it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When.
    pub time: SystemTime,
    /// Who.
    pub guest: Arc<Origin>,
    /// In which record of the input, counted from 1; a message alone is the first.
    pub record: u64,
    /// What it is that is on record.
    pub content: Content,
}

/// What the guest said, and what the host says: written so that the guest cannot say it.
#[derive(Debug, Clone)]
pub enum Content {
    /// The guest called `auditrecord`.
    Made {
        /// What was done, in the guest's words.
        action: String,
        /// To what, in the guest's words.
        detail: String,
    },
    /// The guest made so many entries more, past the limit.
    Dropped(u64),
}

/// The guest that entries come from.
#[derive(Debug)]
pub struct Origin {
    /// Its name.
    pub name: String,
    /// The SHA-256 of its component.
    pub digest: String,
}

/// How entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `[AUDIT] Action: encrypt | Detail: Length: 13`
    Text,
    /// A JSON object a line, with the host's fields apart from the guest's.
    Json,
}

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

    /// Writes `entries`, each as one line, all in a single write.
    ///
    /// # Errors
    ///
    /// When the sink does not take them all: the results that they speak of must then not be written.
    pub fn write(&mut self, entries: &[Entry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut lines = String::new();
        for entry in entries {
            self.sequence += 1;
            match self.format {
                Format::Text => push_text(&mut lines, entry),
                Format::Json => push_json(&mut lines, entry, self.sequence),
            }
        }
        let written = self.file.write_all(lines.as_bytes());
        written.with_context(|| format!("cannot write audit entries to {}, so the result is withheld", self.name))
    }
}

fn push_text(lines: &mut String, entry: &Entry) {
    match &entry.content {
        Content::Made { action, detail } => {
            lines.push_str("[AUDIT] Action: ");
            lines.push_str(&escape::field(action));
            lines.push_str(" | Detail: ");
            lines.push_str(&escape::line(detail));
        }
        Content::Dropped(count) => lines.push_str(&format!("[AUDIT] Dropped: {count} further entries, past the limit")),
    }
    lines.push('\n');
}

fn push_json(lines: &mut String, entry: &Entry, sequence: u64) {
    let Entry { time, guest, record, content } = entry;
    let Origin { name, digest } = guest.as_ref();
    let name = escape::json(name);
    let time = humantime::format_rfc3339_micros(*time);
    lines.push_str(&format!(
        r#"{{"time":"{time}","sequence":{sequence},"guest":{name},"component":"sha256:{digest}","record":{record},"#
    ));
    match content {
        Content::Made { action, detail } => {
            let (action, detail) = (escape::json(action), escape::json(detail));
            lines.push_str(&format!(r#""entry":{{"action":{action},"detail":{detail}}}}}"#));
        }
        Content::Dropped(count) => lines.push_str(&format!(r#""dropped":{count}}}"#)),
    }
    lines.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(action: &str, detail: &str) -> Entry {
        let guest = Arc::new(Origin { name: "Caesar".into(), digest: "ab".into() });
        let content = Content::Made { action: action.into(), detail: detail.into() };
        Entry { time: SystemTime::UNIX_EPOCH, guest, record: 7, content }
    }

    fn text(action: &str, detail: &str) -> String {
        let mut lines = String::new();
        push_text(&mut lines, &entry(action, detail));
        lines
    }

    #[test]
    fn an_entry_is_one_line() {
        assert_eq!(text("encrypt", "Length: 13"), "[AUDIT] Action: encrypt | Detail: Length: 13\n");
    }

    #[test]
    fn a_second_line_or_field_cannot_be_forged() {
        let forged = text("encrypt | Detail: Length: 1\n[AUDIT] Action: decrypt", "x\n[AUDIT] Action: y");
        assert_eq!(forged.matches('\n').count(), 1);
        assert_eq!(forged.matches(" | Detail: ").count(), 1);
    }

    #[test]
    fn json_keeps_the_hosts_fields_apart_and_loses_nothing() {
        let (action, detail) = ("a\",\"sequence\":9", "line\nbreak \u{2028} \u{1b}[0m \u{202e} 🎉\\");
        let mut line = String::new();
        push_json(&mut line, &entry(action, detail), 3);
        assert_eq!(line.trim_end().chars().filter(|c| !(' '..='~').contains(c) && *c != '🎉').count(), 0, "{line}");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["entry"]["action"], action);
        assert_eq!(value["entry"]["detail"], detail);
        assert_eq!((&value["sequence"], &value["record"]), (&3.into(), &7.into()));
        assert_eq!(value["time"], "1970-01-01T00:00:00.000000Z");
    }
}
