//! Encryption: text in, armored ciphertext out, chunk by chunk.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use age::armor::{ArmoredWriter, Format};
use age::stream::StreamWriter;
use age::{Encryptor, Recipient};

use crate::keys::Settings;

/// A message being encrypted.
pub struct Encryption {
    writer: StreamWriter<ArmoredWriter<Shared>>,
    output: Shared,
}

/// What was written and not taken yet.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn take(&self) -> Result<String, String> {
        // Armor is ASCII, so this is never an error.
        String::from_utf8(self.0.take()).map_err(|error| error.to_string())
    }
}

impl Encryption {
    /// Starts a message to the recipients in `settings`.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let recipients = settings.recipients()?;
        let recipients = recipients.iter().map(|recipient| &**recipient as &dyn Recipient);
        let encryptor = Encryptor::with_recipients(recipients).map_err(|error| error.to_string())?;
        let output = Shared::default();
        let writer = ArmoredWriter::wrap_output(output.clone(), Format::AsciiArmor)
            .and_then(|armor| encryptor.wrap_output(armor))
            .map_err(|error| error.to_string())?;
        Ok(Self { writer, output })
    }

    /// Takes the next chunk, and returns the ciphertext that is complete: age works in blocks of 64 KiB.
    pub fn update(&mut self, chunk: &str) -> Result<String, String> {
        self.writer.write_all(chunk.as_bytes()).map_err(|error| error.to_string())?;
        self.output.take()
    }

    /// Ends the message, and returns the rest of the ciphertext.
    pub fn finish(self) -> Result<String, String> {
        self.writer.finish().and_then(ArmoredWriter::finish).map_err(|error| error.to_string())?;
        self.output.take()
    }
}
