//! Text in: bytes from a reader, handed on in pieces of whole characters.

use std::io::{ErrorKind, Read};

use anyhow::{Context, Result, bail};

use crate::limits::Size;

/// How much of a message is gathered before it is handed on in pieces, in bytes: below this, input that is not UTF-8
/// leaves no output at all.
pub const WHOLE_BYTES: usize = 1 << 20;
/// The most that is read at a time after that, in bytes: it fits into the second-level cache together with its result,
/// and is what a pipe holds.
const PIECE_BYTES: usize = 64 * 1024;

/// A reader of UTF-8 text.
#[derive(Debug)]
pub struct Input<R> {
    source: R,
    /// What this input is, for error messages.
    name: &'static str,
    buffer: Vec<u8>,
    /// `buffer[..done]` was handed on, `buffer[done..filled]` was read and not handed on.
    done: usize,
    filled: usize,
    /// How many bytes were handed on before those in `buffer`.
    offset: u64,
    ended: bool,
}

/// How a message begins.
#[derive(Debug, PartialEq, Eq)]
pub enum Beginning<'a> {
    /// This is all of it.
    Whole(&'a str),
    /// There may be more.
    Part(&'a str),
}

impl<R: Read> Input<R> {
    /// Reads from `source`, which errors call `name`.
    pub fn new(source: R, name: &'static str) -> Self {
        Self { source, name, buffer: Vec::new(), done: 0, filled: 0, offset: 0, ended: false }
    }

    /// The first [`WHOLE_BYTES`] of the message, or all of it if it is no longer.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not UTF-8: the error has the offset of the first wrong byte, counted from 0.
    pub fn begin(&mut self) -> Result<Beginning<'_>> {
        self.read_up_to(WHOLE_BYTES as u64)?;
        let ended = self.ended;
        self.text().map(if ended { Beginning::Whole } else { Beginning::Part })
    }

    /// All of the message, with what [`begin`](Self::begin) returned, if it is no longer than `limit` bytes.
    ///
    /// # Errors
    ///
    /// As for [`begin`](Self::begin), and when the message is longer.
    pub fn whole(&mut self, limit: u64) -> Result<&str> {
        self.read_up_to((limit + 1).saturating_sub(self.filled as u64))?;
        if self.filled as u64 > limit {
            let (name, limit) = (self.name, Size(limit));
            bail!("{name} is longer than {limit} (--max-message), and this algorithm takes messages only whole");
        }
        self.ended = true;
        self.done = 0;
        self.text()
    }

    /// The next piece as soon as there is one; empty if what was read ends within a character, `None` at the end.
    ///
    /// # Errors
    ///
    /// As for [`begin`](Self::begin).
    pub fn next_piece(&mut self) -> Result<Option<&str>> {
        if self.ended {
            return Ok(None);
        }
        self.offset += self.done as u64;
        self.buffer.copy_within(self.done..self.filled, 0);
        self.filled -= self.done;
        self.done = 0;
        // Shrinks once, after the first piece.
        self.buffer.resize(PIECE_BYTES, 0);
        let read = loop {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.with_context(|| format!("cannot read {}", self.name))?,
            }
        };
        self.filled += read;
        self.ended = read == 0;
        self.text().map(Some)
    }

    fn read_up_to(&mut self, bytes: u64) -> Result<()> {
        let read = self.source.by_ref().take(bytes).read_to_end(&mut self.buffer);
        let read = read.with_context(|| format!("cannot read {}", self.name))?;
        self.filled += read;
        self.ended = (read as u64) < bytes;
        Ok(())
    }

    /// What was read and not handed on, but for a character whose end is still to come.
    fn text(&mut self) -> Result<&str> {
        let bytes = &self.buffer[self.done..self.filled];
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let (whole, rest) = bytes.split_at(error.valid_up_to());
                if error.error_len().is_some() || self.ended {
                    let at = self.offset + (self.done + whole.len()) as u64;
                    bail!("{} is not UTF-8: byte 0x{:02x} at offset {at}", self.name, rest[0]);
                }
                std::str::from_utf8(whole)?
            }
        };
        self.done += text.len();
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out one byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            (&mut self.0).take(1).read(buffer)
        }
    }

    fn pieces(source: impl Read) -> Result<String> {
        let mut input = Input::new(source, "it");
        let (Beginning::Whole(first) | Beginning::Part(first)) = input.begin()?;
        let mut text = first.to_owned();
        while let Some(piece) = input.next_piece()? {
            text.push_str(piece);
        }
        Ok(text)
    }

    #[test]
    fn a_short_message_is_handed_on_at_once() {
        let mut input = Input::new("größe".as_bytes(), "it");
        assert_eq!(input.begin().unwrap(), Beginning::Whole("größe"));
        assert_eq!(input.next_piece().unwrap(), None);
    }

    #[test]
    fn pieces_end_between_characters_and_lose_nothing() {
        for shift in 0..4 {
            let text = "x".repeat(shift) + &"日🎉é".repeat(WHOLE_BYTES / 4);
            assert!(pieces(text.as_bytes()).unwrap() == text);
        }
        let long = "y".repeat(WHOLE_BYTES) + "日🎉é";
        assert!(pieces(Drip(long.as_bytes())).unwrap() == long);
    }

    #[test]
    fn a_wrong_byte_is_named_with_its_offset_wherever_it_is() {
        for at in [0, 1, WHOLE_BYTES - 1, WHOLE_BYTES, WHOLE_BYTES + 1, WHOLE_BYTES + PIECE_BYTES + 7] {
            let mut bytes = vec![b'a'; at];
            bytes.extend(b"\xffrest");
            let error = pieces(bytes.as_slice()).unwrap_err().to_string();
            assert_eq!(error, format!("it is not UTF-8: byte 0xff at offset {at}"));
        }
    }

    #[test]
    fn a_character_cut_off_at_the_end_is_an_error() {
        for length in [2, WHOLE_BYTES, WHOLE_BYTES + PIECE_BYTES] {
            let mut bytes = vec![b'a'; length - 2];
            bytes.extend(&"日".as_bytes()[..2]);
            let error = pieces(bytes.as_slice()).unwrap_err().to_string();
            assert_eq!(error, format!("it is not UTF-8: byte 0xe6 at offset {}", length - 2));
        }
    }

    #[test]
    fn a_whole_message_has_a_limit() {
        let text = "z".repeat(WHOLE_BYTES + 10);
        for (limit, fits) in [(text.len(), true), (text.len() - 1, false)] {
            let mut input = Input::new(text.as_bytes(), "it");
            input.begin().unwrap();
            assert_eq!(input.whole(limit as u64).is_ok(), fits);
        }
    }
}
