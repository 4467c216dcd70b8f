//! The guest's audit entries: how they are kept until a message is done, how they are written, and where they go.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, Result};

use crate::escape;
use crate::standard::Standard;

/// What a guest has put on record of a message, in order.
#[derive(Debug, Default)]
pub struct Entries {
    /// All actions and details, one after the other. A batch has many entries, which so need no memory each.
    words: String,
    made: Vec<Made>,
    /// How many more the guest made, past the limits.
    dropped: u64,
}

#[derive(Debug)]
struct Made {
    time: SystemTime,
    /// Where in `words` the action ends, which begins where the entry before it ends.
    action_end: usize,
    detail_end: usize,
}

/// One call of `auditrecord`.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// When.
    pub time: SystemTime,
    /// What was done, in the guest's words.
    pub action: &'a str,
    /// To what, in the guest's words.
    pub detail: &'a str,
}

impl Entries {
    /// Adds an entry made now, unless that were more than `most` entries or `most_bytes` of actions and details.
    pub fn add(&mut self, action: &str, detail: &str, most: usize, most_bytes: usize) {
        let bytes = self.words.len().saturating_add(action.len()).saturating_add(detail.len());
        if self.made.len() >= most || bytes > most_bytes {
            self.dropped += 1;
            return;
        }
        self.words.push_str(action);
        let action_end = self.words.len();
        self.words.push_str(detail);
        self.made.push(Made { time: SystemTime::now(), action_end, detail_end: self.words.len() });
    }

    /// Those that were kept.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut begin = 0;
        self.made.iter().map(move |&Made { time, action_end, detail_end }| {
            let action = &self.words[begin..action_end];
            begin = detail_end;
            Entry { time, action, detail: &self.words[action_end..detail_end] }
        })
    }

    /// How many were not.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Forgets all of them, for the next message.
    pub fn clear(&mut self) {
        self.words.clear();
        self.made.clear();
        self.dropped = 0;
    }
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format {
    /// `[AUDIT] Action: encrypt | Detail: Length: 13`
    #[default]
    Text,
    /// A JSON object a line, with the host's fields apart from the guest's.
    Json,
}

/// Entries as they are written, a line each. Workers write them down side by side; only their number in the sequence of all
/// is left open until the [`Sink`] has them in order.
#[derive(Debug, Default)]
pub struct Lines {
    format: Format,
    text: String,
    /// Where in `text` numbers are missing.
    gaps: Vec<usize>,
}

impl Lines {
    /// None yet.
    pub fn new(format: Format) -> Self {
        Self { format, ..Self::default() }
    }

    /// Adds what `guest` put on record of `record`, counted from 1; a message alone is the first. What is the host's to say is
    /// written so that a guest cannot say it.
    pub fn add(&mut self, entries: &Entries, guest: &Origin, record: u64) {
        for Entry { time, action, detail } in entries.iter() {
            match self.format {
                Format::Text => {
                    let (action, detail) = (escape::field(action), escape::line(detail));
                    self.text.extend(["[AUDIT] Action: ", &action, " | Detail: ", &detail, "\n"]);
                }
                Format::Json => {
                    let (action, detail) = (escape::json(action), escape::json(detail));
                    let entry = format!(r#""entry":{{"action":{action},"detail":{detail}}}"#);
                    self.object(time, guest, record, &entry);
                }
            }
        }
        let dropped = entries.dropped();
        if dropped > 0 {
            match self.format {
                Format::Text => self.text += &format!("[AUDIT] Dropped: {dropped} further entries, past the limit\n"),
                Format::Json => self.object(SystemTime::now(), guest, record, &format!(r#""dropped":{dropped}"#)),
            }
        }
    }

    fn object(&mut self, time: SystemTime, guest: &Origin, record: u64, content: &str) {
        let Origin { name, digest } = guest;
        let (time, name) = (humantime::format_rfc3339_micros(time), escape::json(name));
        self.text += &format!(r#"{{"time":"{time}","sequence":"#);
        self.gaps.push(self.text.len());
        self.text += &format!(r#","guest":{name},"component":"sha256:{digest}","record":{record},{content}}}"#);
        self.text.push('\n');
    }

    /// Fills the gaps with numbers that go on from `sequence`.
    fn number(&mut self, sequence: &mut u64) {
        let mut numbered = String::with_capacity(self.text.len() + self.gaps.len() * 8);
        let mut begin = 0;
        for gap in self.gaps.drain(..) {
            *sequence += 1;
            numbered += &self.text[begin..gap];
            numbered += &sequence.to_string();
            begin = gap;
        }
        numbered += &self.text[begin..];
        self.text = numbered;
    }
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

    /// How entries are written to it.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Writes `lines` in a single write.
    ///
    /// # Errors
    ///
    /// When the sink does not take them all: the results that they speak of must then not be written.
    pub fn write(&mut self, mut lines: Lines) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(format: Format, entries: &[(&str, &str)]) -> Lines {
        let mut made = Entries::default();
        for (action, detail) in entries {
            made.add(action, detail, 10, 1000);
        }
        let mut lines = Lines::new(format);
        lines.add(&made, &Origin { name: "Caesar".into(), digest: "ab".into() }, 7);
        lines
    }

    #[test]
    fn an_entry_is_one_line() {
        let lines = lines(Format::Text, &[("encrypt", "Length: 13"), ("", ""), ("decrypt", "Länge")]);
        let expected = [
            "[AUDIT] Action: encrypt | Detail: Length: 13\n",
            "[AUDIT] Action:  | Detail: \n",
            "[AUDIT] Action: decrypt | Detail: Länge\n",
        ];
        assert_eq!(lines.text, expected.concat());
    }

    #[test]
    fn a_second_line_or_field_cannot_be_forged() {
        let entry = ("encrypt | Detail: Length: 1\n[AUDIT] Action: decrypt", "x\n[AUDIT] Action: y");
        let forged = lines(Format::Text, &[entry]).text;
        assert_eq!(forged.matches('\n').count(), 1);
        assert_eq!(forged.matches(" | Detail: ").count(), 1);
    }

    #[test]
    fn json_keeps_the_hosts_fields_apart_and_loses_nothing() {
        let (action, detail) = ("a\",\"sequence\":9", "line\nbreak \u{2028} \u{1b}[0m \u{202e} 🎉\\");
        let mut lines = lines(Format::Json, &[("first", ""), (action, detail)]);
        let mut sequence = 2;
        lines.number(&mut sequence);
        assert_eq!(sequence, 4);
        let line = lines.text.lines().nth(1).unwrap();
        assert_eq!(line.chars().filter(|c| !(' '..='~').contains(c) && *c != '🎉').count(), 0, "{line}");
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["entry"]["action"], action);
        assert_eq!(value["entry"]["detail"], detail);
        assert_eq!((&value["sequence"], &value["record"]), (&4.into(), &7.into()));
        assert!(value["time"].as_str().unwrap().ends_with('Z'));
    }

    #[test]
    fn what_is_past_a_limit_is_counted() {
        let mut entries = Entries::default();
        for (action, detail) in [("a", "b"), ("c", "de"), ("f", ""), ("g", "")] {
            entries.add(action, detail, 2, 4);
        }
        let kept: Vec<_> = entries.iter().map(|entry| (entry.action, entry.detail)).collect();
        assert_eq!((kept.as_slice(), entries.dropped()), (&[("a", "b"), ("f", "")][..], 2));
        entries.clear();
        assert_eq!((entries.iter().count(), entries.dropped()), (0, 0));
    }
}
