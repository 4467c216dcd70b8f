//! Many messages in one input: cutting it into records, and into blocks of whole records.

use std::io::{ErrorKind, Read};
use std::ops::RangeInclusive;

use anyhow::{Context, Result, bail};

use crate::limits::Size;

/// What stands between records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// LF, or CRLF; the last line may have none.
    Line,
    /// NUL; the last record may have none.
    Nul,
}

/// A record and the separator after it, as they stood in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The message.
    pub text: &'a [u8],
    /// LF, CRLF, NUL, or nothing at the end of the input.
    pub terminator: &'a [u8],
}

impl Separator {
    /// The byte that ends a record.
    pub fn byte(self) -> u8 {
        match self {
            Self::Line => b'\n',
            Self::Nul => b'\0',
        }
    }

    /// Cuts `bytes`, which starts with a record, into its records. Nothing is lost: text and terminators, one after the
    /// other, are `bytes`.
    pub fn records(self, bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
        let mut rest = bytes;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let end = memchr::memchr(self.byte(), rest).map_or(rest.len(), |at| at + 1);
            let (record, after) = rest.split_at(end);
            rest = after;
            let (text, terminator) = record.split_at(self.text_length(record));
            Some(Record { text, terminator })
        })
    }

    /// Whether `result`, followed by `terminator`, would be read as exactly one record again.
    pub fn holds(self, result: &[u8], terminator: &[u8]) -> bool {
        let mistaken = self == Self::Line && terminator == b"\n" && result.ends_with(b"\r");
        !mistaken && memchr::memchr(self.byte(), result).is_none()
    }

    fn text_length(self, record: &[u8]) -> usize {
        let without = |end: &[u8]| record.len() - end.len();
        match self {
            Self::Line if record.ends_with(b"\r\n") => without(b"\r\n"),
            _ if record.ends_with(&[self.byte()]) => without(&[self.byte()]),
            _ => record.len(),
        }
    }
}

/// How many times as much must have been read before, for a block to be larger than the first.
const BLOCKS_BEFORE: usize = 16;

/// Whole records, as they stood in the input.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// The number of the first record, counted from 1.
    pub first: u64,
    /// How many records there are.
    pub count: u64,
    /// The records with their separators.
    pub bytes: Vec<u8>,
}

/// Reads an input block by block: as much as there is, so that a trickle is handed on at once and a flood in large pieces.
#[derive(Debug)]
pub struct Blocks<R> {
    source: R,
    separator: Separator,
    /// How much is read at a time, in bytes.
    block_bytes: usize,
    most_block_bytes: usize,
    /// How much was read, in bytes.
    read: usize,
    /// The most that one record may have, in bytes.
    record_bytes: u64,
    /// The start of a record whose end was not read yet.
    begun: Vec<u8>,
    next: u64,
    ended: bool,
}

impl<R: Read> Blocks<R> {
    /// Reads from `source` as many bytes at a time as `block_bytes` says: the least at first, and the most when there was much
    /// more. A record may be longer, but not longer than `record_bytes`.
    pub fn new(source: R, separator: Separator, block_bytes: RangeInclusive<usize>, record_bytes: u64) -> Self {
        Self {
            source,
            separator,
            block_bytes: *block_bytes.start(),
            most_block_bytes: *block_bytes.end(),
            read: 0,
            record_bytes,
            begun: Vec::new(),
            next: 1,
            ended: false,
        }
    }

    /// The next block, or `None` at the end of the input.
    ///
    /// # Errors
    ///
    /// When the input cannot be read, or a record is too long.
    pub fn next_block(&mut self) -> Result<Option<Block>> {
        let mut bytes = std::mem::take(&mut self.begun);
        while !self.ended {
            let searched = bytes.len();
            if searched as u64 > self.record_bytes {
                bail!("record {} is longer than {} (--max-message)", self.next, Size(self.record_bytes));
            }
            bytes.resize(searched + self.block_bytes, 0);
            let read = loop {
                match self.source.read(&mut bytes[searched..]) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    read => break read.context("cannot read the input")?,
                }
            };
            bytes.truncate(searched + read);
            self.ended = read == 0;
            self.read = self.read.saturating_add(read);
            if read == self.block_bytes {
                // The last block, which one worker has and no other, is never more than a small part of the whole.
                self.block_bytes = (self.read / BLOCKS_BEFORE).clamp(self.block_bytes, self.most_block_bytes);
            }
            if let Some(last) = memchr::memrchr(self.separator.byte(), &bytes[searched..]) {
                self.begun = bytes.split_off(searched + last + 1);
                break;
            }
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let ends = memchr::memchr_iter(self.separator.byte(), &bytes).count() as u64;
        let count = ends + u64::from(bytes.last() != Some(&self.separator.byte()));
        let first = self.next;
        self.next += count;
        Ok(Some(Block { first, count, bytes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &str) -> Vec<(&str, &str)> {
        let utf8 = |bytes| std::str::from_utf8(bytes).unwrap();
        Separator::Line.records(bytes.as_bytes()).map(|r| (utf8(r.text), utf8(r.terminator))).collect()
    }

    #[test]
    fn a_terminator_is_kept_as_it_was() {
        assert_eq!(lines("a\nb\r\nc"), [("a", "\n"), ("b", "\r\n"), ("c", "")]);
        assert_eq!(lines("\n\r\n"), [("", "\n"), ("", "\r\n")]);
        assert_eq!(lines(""), []);
    }

    #[test]
    fn a_lone_carriage_return_belongs_to_the_text() {
        assert_eq!(lines("a\rb\r\r\nc\r"), [("a\rb\r", "\r\n"), ("c\r", "")]);
    }

    #[test]
    fn nul_leaves_lines_alone() {
        let records: Vec<_> = Separator::Nul.records(b"a\nb\0c\r\n\0\0d").map(|r| (r.text, r.terminator)).collect();
        assert_eq!(records, [(&b"a\nb"[..], &b"\0"[..]), (b"c\r\n", b"\0"), (b"", b"\0"), (b"d", b"")]);
    }

    #[test]
    fn a_result_that_would_be_two_records_does_not_hold() {
        assert!(Separator::Line.holds(b"a\0b", b"\n"));
        assert!(!Separator::Line.holds(b"a\nb", b"\n"));
        assert!(!Separator::Line.holds(b"a\r", b"\n"));
        assert!(Separator::Line.holds(b"a\r", b"\r\n"));
        assert!(!Separator::Nul.holds(b"a\0b", b"\0"));
    }

    /// Hands out at most `.1` bytes at a time.
    struct Sips<'a>(&'a [u8], usize);

    impl Read for Sips<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = self.1;
            self.0.by_ref().take(most as u64).read(buffer)
        }
    }

    proptest::proptest! {
        #[test]
        fn blocks_are_whole_records_and_lose_nothing(
            text in "[ab\r\n]{0,60}", sip in 1usize..8, first in 1usize..8, more in 0usize..8
        ) {
            let mut blocks = Blocks::new(Sips(text.as_bytes(), sip), Separator::Line, first..=first + more, 1000);
            let (mut bytes, mut count) = (Vec::new(), 0);
            while let Some(block) = blocks.next_block().unwrap() {
                assert_eq!(block.first, count + 1);
                assert_eq!(block.count, Separator::Line.records(&block.bytes).count() as u64);
                count += block.count;
                bytes.extend(block.bytes);
                assert!(bytes.ends_with(b"\n") || bytes.len() == text.len());
            }
            assert_eq!(bytes, text.as_bytes());
        }
    }

    #[test]
    fn blocks_grow_but_none_is_a_large_part_of_the_whole() {
        let text = "a\n".repeat(1000);
        let mut blocks = Blocks::new(text.as_bytes(), Separator::Line, 4..=64, 1000);
        let (mut before, mut largest) = (0, 0);
        while let Some(block) = blocks.next_block().unwrap() {
            let size = block.bytes.len();
            assert!(size <= (before / BLOCKS_BEFORE + 1).max(4), "{size} bytes after {before}");
            (before, largest) = (before + size, size.max(largest));
        }
        assert_eq!(largest, 64);
    }

    #[test]
    fn a_record_that_is_too_long_is_named() {
        let mut blocks = Blocks::new(&b"a\nbcdefgh\n"[..], Separator::Line, 2..=2, 4);
        assert_eq!(blocks.next_block().unwrap().unwrap().bytes, b"a\n");
        assert_eq!(blocks.next_block().unwrap_err().to_string(), "record 2 is longer than 4 bytes (--max-message)");
    }
}
