//! Reading an input in blocks of whole records.

use std::io::Read;
use std::os::fd::AsFd;

use anyhow::{Context, Result};

use crate::exit::{Failure, Kind};
use crate::platform::file;
use crate::records::split::Separator;

/// Whole records, as in the input.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The number of the first record, counted from 1.
    pub first: u64,
    /// The number of records.
    pub count: u64,
    /// The records with their separators.
    pub bytes: Vec<u8>,
}

/// The target size of a block. A block is smaller where the input pauses, and larger for a larger record.
#[derive(Debug, Clone, Copy)]
pub struct BlockSize {
    /// In bytes; also the size of a read.
    pub bytes: usize,
    /// In records.
    pub records: u64,
}

/// A source of bytes.
pub trait ByteSource {
    /// Reads once into `buffer`. Returns 0 at the end.
    ///
    /// # Errors
    ///
    /// The system's error.
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize>;
}

impl<T: Read + AsFd> ByteSource for T {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        file::read(self, buffer)
    }
}

/// An input, read block by block. Data is passed on as it arrives.
#[derive(Debug)]
pub struct Blocks<S> {
    source: S,
    separator: Separator,
    /// The maximum size of a record, in bytes. Of a longer record, only enough is kept to detect that it is too long.
    record_bytes: u64,
    /// `buffer[start..filled]` was read and is in no block yet.
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    /// How many bytes after `start` are known to contain no separator.
    searched: usize,
    next: u64,
    ended: bool,
}

impl Block {
    /// Splits off everything after the first `records` records, if anything follows.
    pub fn split_off(&mut self, separator: Separator, records: u64) -> Option<Self> {
        if self.count <= records {
            return None;
        }
        let end = end_of(&self.bytes, separator, records)?;
        let rest = self.bytes.split_off(end);
        let count = self.count - records;
        self.count = records;
        Some(Self { first: self.first + records, count, bytes: rest })
    }
}

/// The end of the first `records` records, if `bytes` contains that many.
fn end_of(bytes: &[u8], separator: Separator, records: u64) -> Option<usize> {
    let last = usize::try_from(records.checked_sub(1)?).ok()?;
    memchr::memchr_iter(separator.byte(), bytes).nth(last).map(|at| at + 1)
}

impl<S: ByteSource> Blocks<S> {
    /// Reads from `source` records of at most `record_bytes`.
    pub fn new(source: S, separator: Separator, record_bytes: u64) -> Self {
        let (buffer, start, filled, searched) = (Vec::new(), 0, 0, 0);
        Self { source, separator, record_bytes, buffer, start, filled, searched, next: 1, ended: false }
    }

    /// The number of the record that the next block starts with.
    pub fn next_record(&self) -> u64 {
        self.next
    }

    /// Returns the next block, or `None` at the end of the input.
    ///
    /// # Errors
    ///
    /// When the input cannot be read.
    pub fn next_block(&mut self, size: BlockSize) -> Result<Option<Block>> {
        loop {
            if let Some((end, count)) = self.find(size) {
                return Ok(Some(self.take(end, count)));
            }
            if self.ended {
                let rest = self.filled - self.start;
                return Ok((rest > 0).then(|| self.take(rest, 1)));
            }
            self.shorten();
            self.fill(size.bytes).with_context(|| Failure::new(Kind::Input, "cannot read the input"))?;
        }
    }

    /// Finds the end of the next block and its number of records, if a whole record was read.
    fn find(&mut self, size: BlockSize) -> Option<(usize, u64)> {
        let unread = &self.buffer[self.start..self.filled];
        let (separator, fresh) = (self.separator.byte(), &unread[self.searched..]);
        let window = &fresh[..size.bytes.saturating_sub(self.searched).min(fresh.len())];
        let last = memchr::memrchr(separator, window).or_else(|| memchr::memchr(separator, fresh));
        let Some(last) = last else {
            self.searched = unread.len();
            return None;
        };
        let count = memchr::memchr_iter(separator, &fresh[..=last]).count() as u64;
        if count <= size.records {
            return Some((self.searched + last + 1, count));
        }
        let end = end_of(&fresh[..=last], self.separator, size.records)?;
        Some((self.searched + end, size.records))
    }

    fn take(&mut self, end: usize, count: u64) -> Block {
        let (from, to) = (self.start, self.start + end);
        let bytes = if from == 0 && end > self.filled / 2 {
            // The block is most of the buffer, so copying the rest is cheaper.
            let rest = self.buffer[to..self.filled].to_vec();
            self.buffer.truncate(to);
            (self.start, self.filled) = (0, rest.len());
            std::mem::replace(&mut self.buffer, rest)
        } else {
            self.start = to;
            self.buffer[from..to].to_vec()
        };
        self.searched = 0;
        let first = self.next;
        self.next += count;
        Block { first, count, bytes }
    }

    /// Drops the excess of a record that is too large and not yet complete.
    fn shorten(&mut self) {
        let keep = usize::try_from(self.record_bytes.saturating_add(1)).unwrap_or(usize::MAX);
        if self.filled - self.start > keep.saturating_add(1) {
            // The last byte stays, because a carriage return may belong to the separator.
            self.buffer[self.start + keep] = self.buffer[self.filled - 1];
            self.filled = self.start + keep + 1;
            self.searched = keep + 1;
        }
    }

    fn fill(&mut self, bytes: usize) -> std::io::Result<()> {
        // musl copies bytes even onto themselves, so every read would copy the start of a long record again.
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        let wanted = self.filled.saturating_add(bytes);
        if self.buffer.len() > wanted.saturating_mul(4) {
            self.buffer.truncate(wanted);
            self.buffer.shrink_to_fit();
        } else if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let read = self.source.read(&mut self.buffer[self.filled..wanted])?;
        self.filled += read;
        self.ended = read == 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out at most `.1` bytes at a time.
    struct Sips<'a>(&'a [u8], usize);

    impl ByteSource for Sips<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            Read::read(&mut Read::take(&mut self.0, self.1 as u64), buffer)
        }
    }

    proptest::proptest! {
        #[test]
        fn joined_blocks_are_the_input(
            text in "[ab\r\n]{0,60}", sip in 1usize..8, bytes in 1usize..20, records in 1u64..9, kept in 1u64..5
        ) {
            let mut blocks = Blocks::new(Sips(text.as_bytes(), sip), Separator::Line, 1000);
            let (mut joined, mut next) = (Vec::new(), 1);
            while let Some(mut block) = blocks.next_block(BlockSize { bytes, records }).unwrap() {
                assert!(block.count <= records);
                let rest = block.split_off(Separator::Line, kept);
                for part in [Some(block), rest].into_iter().flatten() {
                    assert_eq!(part.first, next);
                    assert_eq!(part.count, Separator::Line.records(&part.bytes).count() as u64);
                    next += part.count;
                    joined.extend(part.bytes);
                    assert!(joined.ends_with(b"\n") || joined.len() == text.len());
                }
            }
            assert_eq!(joined, text.as_bytes());
            assert_eq!(blocks.next_record(), next);
        }

        #[test]
        fn shortens_only_long_records(
            text in "([ab\r]{0,12}\n){0,6}[ab\r]{0,12}", sip in 1usize..30, bytes in 1usize..20, limit in 0u64..8
        ) {
            let mut blocks = Blocks::new(Sips(text.as_bytes(), sip), Separator::Line, limit);
            let mut expected = Separator::Line.records(text.as_bytes());
            while let Some(block) = blocks.next_block(BlockSize { bytes, records: 3 }).unwrap() {
                for record in Separator::Line.records(&block.bytes) {
                    let whole = expected.next().unwrap();
                    assert_eq!(record.terminator, whole.terminator);
                    match whole.text.len() as u64 > limit {
                        true => assert!(record.text.len() as u64 > limit),
                        false => assert_eq!(record.text, whole.text),
                    }
                }
            }
            assert_eq!(expected.next(), None);
        }
    }

    #[test]
    fn keeps_little_of_long_records() {
        let text = "x".repeat(1 << 20);
        let mut blocks = Blocks::new(Sips(text.as_bytes(), 1000), Separator::Line, 10);
        let block = blocks.next_block(BlockSize { bytes: 1000, records: 1 }).unwrap().unwrap();
        assert!(block.bytes.len() <= 2020, "{}", block.bytes.len());
    }
}
