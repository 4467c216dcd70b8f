//! One message from a reader: as one text if it is short, otherwise in chunks of whole characters.

use std::sync::mpsc::{self, Receiver};
use std::thread;

use anyhow::{Context, Result, bail};

use crate::exit::{Failure, Kind};
use crate::limits::Size;
use crate::records::blocks::ByteSource;
use crate::records::utf8;

/// The number of bytes read before a message is passed on in chunks. A shorter message that is not UTF-8 causes no
/// output.
const WHOLE_BYTES: usize = 1 << 20;
/// The maximum size of the chunks that follow, in bytes: a chunk and its result fit into the second-level cache, and a
/// pipe has the same capacity.
const CHUNK_BYTES: usize = 64 * 1024;
/// The number of chunks that wait while one is processed.
const CHUNKS_AHEAD: usize = 2;
/// The size of the stack of the thread that reads ahead, in bytes.
const STACK_BYTES: usize = 256 * 1024;

/// The size of the first read, in bytes.
const FIRST_BYTES: usize = 8 * 1024;

/// A reader of UTF-8 text.
#[derive(Debug)]
pub(crate) struct Input<S> {
    source: S,
    /// The name of this input in errors.
    name: &'static str,
    buffer: Vec<u8>,
    /// `buffer[..done]` was returned, `buffer[done..filled]` was read but not returned yet.
    done: usize,
    filled: usize,
    /// The number of bytes returned before those in `buffer`.
    offset: u64,
    ended: bool,
}

/// The rest of a message, read ahead.
#[derive(Debug)]
pub(crate) struct Chunks(Receiver<Result<Option<String>>>);

impl Chunks {
    /// Returns the next chunk as soon as it arrives, or `None` at the end of the message. Nothing follows an error.
    ///
    /// # Errors
    ///
    /// As for [`Input::begin`].
    pub(crate) fn next(&self) -> Result<Option<String>> {
        self.0.recv().with_context(|| Failure::new(Kind::Input, "the thread that reads the input panicked"))?
    }
}

/// The start of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beginning<'a> {
    /// The complete message.
    Whole(&'a str),
    /// A prefix, which may be followed by more.
    Part(&'a str),
}

impl<S: ByteSource> Input<S> {
    /// Reads from `source`, which errors call `name`.
    pub(crate) fn new(source: S, name: &'static str) -> Self {
        Self { source, name, buffer: Vec::new(), done: 0, filled: 0, offset: 0, ended: false }
    }

    /// Returns the first [`WHOLE_BYTES`] of the message, or all of it if it is no longer.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not UTF-8: the error has the offset of the first wrong byte, counted from 0.
    pub(crate) fn begin(&mut self) -> Result<Beginning<'_>> {
        self.read_up_to(WHOLE_BYTES as u64)?;
        let ended = self.ended;
        self.text().map(if ended { Beginning::Whole } else { Beginning::Part })
    }

    /// Returns the complete message, including what [`begin`](Self::begin) returned, if it is at most `limit` bytes
    /// long.
    ///
    /// # Errors
    ///
    /// As for [`begin`](Self::begin), and when the message is longer.
    pub(crate) fn whole(&mut self, limit: u64) -> Result<&str> {
        self.read_up_to(limit.saturating_add(1))?;
        if self.filled as u64 > limit {
            let (name, limit) = (self.name, Size(limit));
            let problem =
                format!("{name} is longer than {limit} (--max-message), the limit for messages that are not streamed");
            bail!(Failure::new(Kind::Limit, problem));
        }
        self.done = 0;
        self.text()
    }

    /// Reads the rest of the message on a thread of its own, so that reading overlaps with processing. The thread may
    /// still be blocked when the process ends.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub(crate) fn read_ahead(mut self) -> Result<Chunks>
    where
        S: Send + 'static,
    {
        let (sender, chunks) = mpsc::sync_channel(CHUNKS_AHEAD);
        let read = move || loop {
            let chunk = self.next_chunk().map(|chunk| chunk.map(str::to_owned));
            let is_last = !matches!(chunk, Ok(Some(_)));
            // Without a receiver, the message has failed.
            if sender.send(chunk).is_err() || is_last {
                break;
            }
        };
        let thread = thread::Builder::new().name("reader".to_owned()).stack_size(STACK_BYTES).spawn(read);
        thread.with_context(|| Failure::new(Kind::System, "cannot start a thread that reads the input"))?;
        Ok(Chunks(chunks))
    }

    /// Returns the next chunk as soon as it arrives: empty if only part of a character was read, `None` at the end.
    fn next_chunk(&mut self) -> Result<Option<&str>> {
        if self.ended {
            return Ok(None);
        }
        self.offset += self.done as u64;
        self.buffer.copy_within(self.done..self.filled, 0);
        self.filled -= self.done;
        self.done = 0;
        // Shrinks once, after the first chunk.
        self.buffer.resize(CHUNK_BYTES, 0);
        self.read_once(CHUNK_BYTES)?;
        self.text().map(Some)
    }

    /// Reads until `bytes` of the message are in the buffer, or all of it.
    fn read_up_to(&mut self, bytes: u64) -> Result<()> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        while self.filled < bytes && !self.ended {
            // The buffer doubles, so a short message needs little memory and a long one few reads.
            let wanted = self.filled.saturating_mul(2).clamp(FIRST_BYTES.min(bytes), bytes);
            self.buffer.resize(wanted, 0);
            self.read_once(wanted)?;
        }
        Ok(())
    }

    /// Reads once into the buffer up to `end`.
    fn read_once(&mut self, end: usize) -> Result<()> {
        let read = self.source.read(&mut self.buffer[self.filled..end]);
        let read = read.with_context(|| Failure::new(Kind::Input, format!("cannot read {}", self.name)))?;
        self.filled += read;
        self.ended = read == 0;
        Ok(())
    }

    /// Returns the text that was read but not returned yet, except for an incomplete character at its end.
    fn text(&mut self) -> Result<&str> {
        let bytes = &self.buffer[self.done..self.filled];
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let (whole, rest) = bytes.split_at(error.valid_up_to());
                if error.error_len().is_some() || self.ended {
                    let at = self.offset + (self.done + whole.len()) as u64;
                    let problem = format!("{} is {}", self.name, utf8::problem(rest[0], at));
                    bail!(Failure::new(Kind::NotUtf8, problem));
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
    use std::io::{Cursor, Read};

    use super::*;

    /// Hands out at most `.1` bytes at a time.
    struct Sips(Cursor<Vec<u8>>, usize);

    impl ByteSource for Sips {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            (&mut self.0).take(self.1 as u64).read(buffer)
        }
    }

    fn sips(bytes: impl Into<Vec<u8>>, size: usize) -> Sips {
        Sips(Cursor::new(bytes.into()), size)
    }

    fn at_once(bytes: impl Into<Vec<u8>>) -> Sips {
        sips(bytes, usize::MAX)
    }

    fn chunks(source: Sips) -> Result<String> {
        let mut input = Input::new(source, "it");
        let (Beginning::Whole(first) | Beginning::Part(first)) = input.begin()?;
        let mut text = first.to_owned();
        let chunks = input.read_ahead()?;
        while let Some(chunk) = chunks.next()? {
            text += &chunk;
        }
        Ok(text)
    }

    #[test]
    fn returns_short_message_whole() {
        let mut input = Input::new(at_once("größe"), "it");
        assert_eq!(input.begin().unwrap(), Beginning::Whole("größe"));
        assert_eq!(input.next_chunk().unwrap(), None);
    }

    #[test]
    fn splits_chunks_between_characters() {
        for shift in 0..4 {
            let text = "x".repeat(shift) + &"日🎉é".repeat(WHOLE_BYTES / 4);
            assert!(chunks(at_once(&*text)).unwrap() == text);
        }
        let long = "y".repeat(WHOLE_BYTES) + "日🎉é";
        assert!(chunks(sips(&*long, 1)).unwrap() == long);
    }

    #[test]
    fn reports_offset_of_invalid_byte() {
        for at in [0, 1, WHOLE_BYTES - 1, WHOLE_BYTES, WHOLE_BYTES + 1, WHOLE_BYTES + CHUNK_BYTES + 7] {
            let mut bytes = vec![b'a'; at];
            bytes.extend(b"\xffrest");
            let error = chunks(at_once(bytes)).unwrap_err().to_string();
            assert_eq!(error, format!("it is not valid UTF-8: byte 0xff at offset {at}"));
        }
    }

    #[test]
    fn rejects_truncated_character() {
        for length in [2, WHOLE_BYTES, WHOLE_BYTES + CHUNK_BYTES] {
            let mut bytes = vec![b'a'; length - 2];
            bytes.extend(&"日".as_bytes()[..2]);
            let error = chunks(at_once(bytes)).unwrap_err().to_string();
            assert_eq!(error, format!("it is not valid UTF-8: byte 0xe6 at offset {}", length - 2));
        }
    }

    #[test]
    fn limits_whole_message() {
        let text = "z".repeat(WHOLE_BYTES + 10);
        for (limit, fits) in [(text.len(), true), (text.len() - 1, false)] {
            let mut input = Input::new(at_once(&*text), "it");
            input.begin().unwrap();
            assert_eq!(input.whole(limit as u64).is_ok(), fits);
        }
    }
}
