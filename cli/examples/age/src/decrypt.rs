//! Decryption: armored ciphertext in, text out, chunk by chunk.
//!
//! age's readers pull their input, and a guest's input is pushed. The asynchronous readers bridge the two without a
//! thread: the whole decryption is one future, which is polled after each chunk and waits for the next one.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor, Identity};
use futures::io::{AsyncRead, AsyncReadExt};

use crate::keys::{IDENTITY, PASSPHRASE, Settings};

/// The maximum size of buffered input without an end of line, in bytes. Lines of armor have 64 characters.
const MAX_LINE_BYTES: usize = 4096;
/// The minimum size of the first input, in bytes: the armor reader recognizes the first line only if it gets the whole
/// line at once.
const FIRST_BYTES: usize = 64;
/// The size of the text that is decrypted at a time, in bytes: a block of the format.
const BLOCK_BYTES: usize = 64 * 1024;

/// A message being decrypted.
pub struct Decryption {
    input: Input,
    output: Rc<RefCell<Vec<u8>>>,
    task: Option<Pin<Box<dyn Future<Output = Result<(), String>>>>>,
}

impl Decryption {
    /// Starts a message for the identities in `settings`.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let input = Input::default();
        let output = Rc::default();
        let task = decrypt(input.clone(), settings.identities()?, Rc::clone(&output));
        Ok(Self { input, output, task: Some(Box::pin(task)) })
    }

    /// Takes the next chunk, and returns the text that is authenticated so far.
    pub fn update(&mut self, chunk: &str) -> Result<String, String> {
        self.input.push(chunk)?;
        self.advance()?;
        self.take_text(false)
    }

    /// Ends the message, and returns the rest of the text.
    pub fn finish(mut self) -> Result<String, String> {
        self.input.close()?;
        self.advance()?;
        if self.task.is_some() {
            return Err("the message is truncated".to_owned());
        }
        self.take_text(true)
    }

    fn advance(&mut self) -> Result<(), String> {
        let Some(task) = &mut self.task else { return Ok(()) };
        if let Poll::Ready(result) = task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            self.task = None;
            result?;
        }
        Ok(())
    }

    /// The decrypted text, except for an incomplete character at its end.
    fn take_text(&mut self, ended: bool) -> Result<String, String> {
        let mut bytes = self.output.borrow_mut();
        let complete = match std::str::from_utf8(&bytes) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() && !ended => error.valid_up_to(),
            Err(_) => return Err("the decrypted message is not UTF-8 text".to_owned()),
        };
        let rest = bytes.split_off(complete);
        let text = std::mem::replace(&mut *bytes, rest);
        String::from_utf8(text).map_err(|error| error.to_string())
    }
}

async fn decrypt(input: Input, identities: Vec<Box<dyn Identity>>, output: Rc<RefCell<Vec<u8>>>) -> Result<(), String> {
    let armor = ArmoredReader::from_async_reader(input);
    let decryptor = Decryptor::new_async(armor).await.map_err(|error| reason(&error))?;
    let identities = identities.iter().map(|identity| &**identity);
    let mut reader = decryptor.decrypt_async(identities).map_err(|error| reason(&error))?;
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match reader.read(&mut block).await {
            Ok(0) => return Ok(()),
            Ok(read) => output.borrow_mut().extend_from_slice(&block[..read]),
            Err(error) => return Err(format!("the message was altered or truncated: {error}")),
        }
    }
}

/// Why a header cannot be used. If no key matches, the reason names the settings.
fn reason(error: &DecryptError) -> String {
    match error {
        DecryptError::NoMatchingKeys => {
            format!("{IDENTITY} or {PASSPHRASE} does not match any recipient of the message")
        }
        // Only the scrypt stanza of a passphrase fails like this; other keys that do not match are skipped.
        DecryptError::DecryptionFailed => format!("{PASSPHRASE} is not the passphrase of the message"),
        other => format!("not an armored age message, or an altered one: {other}"),
    }
}

/// The chunks that were pushed and not read yet.
#[derive(Clone, Default)]
struct Input(Rc<RefCell<Buffer>>);

#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    /// The number of `bytes` that may be read. The armor reader forgets the start of a line if it has to wait for the
    /// end, so it gets whole lines, and at first more than one.
    ready: usize,
    begun: bool,
    closed: bool,
}

impl Input {
    fn push(&self, chunk: &str) -> Result<(), String> {
        let mut buffer = self.0.borrow_mut();
        // White space before the armor is allowed by age, but not by the reader.
        let chunk = if buffer.bytes.is_empty() && !buffer.begun { chunk.trim_ascii_start() } else { chunk };
        buffer.bytes.extend_from_slice(chunk.as_bytes());
        let lines = buffer.bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        if buffer.bytes.len() - lines > MAX_LINE_BYTES {
            return Err("not an armored age message: a line is too long".to_owned());
        }
        if buffer.begun || lines >= FIRST_BYTES {
            buffer.ready = lines;
            buffer.begun |= lines > 0;
        }
        Ok(())
    }

    fn close(&self) -> Result<(), String> {
        let mut buffer = self.0.borrow_mut();
        if !buffer.begun && buffer.bytes.len() < FIRST_BYTES {
            return Err("not an armored age message: it is too short".to_owned());
        }
        buffer.begun = true;
        buffer.closed = true;
        buffer.ready = buffer.bytes.len();
        Ok(())
    }
}

impl AsyncRead for Input {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, target: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = self.0.borrow_mut();
        if buffer.ready == 0 && !buffer.closed {
            return Poll::Pending;
        }
        let read = buffer.ready.min(target.len());
        target[..read].copy_from_slice(&buffer.bytes[..read]);
        buffer.bytes.drain(..read);
        buffer.ready -= read;
        Poll::Ready(Ok(read))
    }
}
