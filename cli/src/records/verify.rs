//! The verification of results: each is decrypted and compared with its message.
//!
//! The instance that decrypts never encrypts. It serves one encrypting instance, and is replaced by a fresh one for the
//! 1st, 2nd, 4th, 8th, and so on of its results. So a result that only an instance with the same history could decrypt
//! is detected at the second message. A fresh instance for every message would take many times as long as a call.
//!
//! A message in chunks is compared while it is streamed: each part of the result must decrypt to the next part of the
//! message, and at the end, no part of the message may be missing.

use std::sync::Arc;

use anyhow::{Context, Error, Result};
use memchr::arch::all::is_prefix;

use crate::audit::format::{Encoding, Format};
use crate::audit::lines::EventLines;
use crate::exit::{self, Failure, Kind};
use crate::guest::settings::Setting;
use crate::limits::Size;
use crate::sandbox::contract::Operation;
use crate::sandbox::instance::{GuestInstance, GuestPre};
use crate::sandbox::message::Message;

/// Decrypts the results of one instance.
pub(crate) struct Verifier {
    guest: Arc<GuestPre>,
    settings: Arc<[Setting]>,
    instance: Option<GuestInstance>,
    /// The number of results checked.
    checked: u64,
    /// The decrypted text.
    text: Vec<u8>,
    /// Takes the audit events of decryption, and drops them.
    discarded: EventLines,
}

impl Verifier {
    /// A verifier that decrypts with `settings`.
    pub(crate) fn new(guest: &Arc<GuestPre>, settings: &Arc<[Setting]>) -> Self {
        let discarded = EventLines::new(Format { encoding: Encoding::Discard, ..Format::default() });
        let (guest, settings) = (guest.clone(), settings.clone());
        Self { guest, settings, instance: None, checked: 0, text: Vec::new(), discarded }
    }

    /// Decrypts `result`, and expects `message`.
    ///
    /// # Errors
    ///
    /// When the result cannot be decrypted, or decrypts to another text.
    pub(crate) fn check(&mut self, message: &str, result: &[u8]) -> Result<()> {
        self.checked += 1;
        if self.checked.is_power_of_two() {
            self.instance = None;
        }
        self.text.clear();
        let checked = match self.decrypt(result) {
            Ok(()) if self.text == message.as_bytes() => Ok(()),
            Ok(()) => Err(mismatch(&self.guest.guest().name)),
            Err(error) => Err(refused(&self.guest.guest().name, error)),
        };
        if checked.is_err() {
            self.instance = None;
        }
        checked
    }

    /// Starts to check the result of a message in chunks. At most `max_bytes` of the message are held for comparison.
    ///
    /// # Errors
    ///
    /// When the guest cannot decrypt.
    pub(crate) fn message(&mut self, max_bytes: u64) -> Result<MessageVerifier<'_>> {
        let Self { guest, settings, instance, text, discarded, .. } = self;
        let name = &guest.guest().name;
        let opened = guest.open(settings, 1, discarded).and_then(|opened| {
            let message = instance.insert(opened).message(Operation::Decrypt)?;
            message.context("it takes no messages in chunks")
        });
        let message = opened.map_err(|error| refused(name, error))?;
        Ok(MessageVerifier { message, name, awaited: Vec::new(), matched: 0, max_bytes, text, discarded })
    }

    fn decrypt(&mut self, result: &[u8]) -> Result<()> {
        let Self { guest, settings, instance, text, discarded, .. } = self;
        let instance = match instance {
            Some(instance) => instance,
            none => none.insert(guest.open(settings, 1, discarded)?),
        };
        let decrypted = instance.call_onto(Operation::Decrypt, std::str::from_utf8(result)?, text);
        instance.report(discarded);
        decrypted
    }
}

/// Decrypts the result of a message in chunks.
pub(crate) struct MessageVerifier<'a> {
    message: Message<'a>,
    /// The name of the guest.
    name: &'a str,
    /// The end of the message so far; `awaited[matched..]` is not decrypted yet.
    awaited: Vec<u8>,
    matched: usize,
    /// The maximum size of that part, in bytes.
    max_bytes: u64,
    text: &'a mut Vec<u8>,
    discarded: &'a mut EventLines,
}

impl MessageVerifier<'_> {
    /// Decrypts `result`, which encryption returned for `chunk`, and expects the next part of the message.
    ///
    /// # Errors
    ///
    /// When `result` cannot be decrypted or does not match the message, or too much of the message is not decrypted
    /// yet.
    pub(crate) fn update(&mut self, chunk: &str, result: &[u8]) -> Result<()> {
        self.awaited.extend_from_slice(chunk.as_bytes());
        if !result.is_empty() {
            self.text.clear();
            let decrypted = std::str::from_utf8(result)
                .map_err(Error::from)
                .and_then(|result| self.message.update(result, self.text));
            self.message.report(self.discarded);
            decrypted.map_err(|error| refused(self.name, error))?;
            self.compare()?;
        }
        if (self.awaited.len() - self.matched) as u64 <= self.max_bytes {
            return Ok(());
        }
        let (name, limit) = (self.name, Size(self.max_bytes));
        let problem =
            format!("{name} holds back more than {limit} (--max-message), which cannot be verified (--verify)");
        Err(Failure::new(Kind::Limit, problem).into())
    }

    /// Decrypts `result`, the rest of the result, and expects the rest of the message.
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update).
    pub(crate) fn finish(mut self, result: &[u8]) -> Result<()> {
        self.update("", result)?;
        let Self { message, name, awaited, matched, text, .. } = self;
        text.clear();
        message.finish(text).map_err(|error| refused(name, error))?;
        if awaited[matched..] == **text { Ok(()) } else { Err(mismatch(name)) }
    }

    /// Expects that the decrypted text is what comes next in the message.
    fn compare(&mut self) -> Result<()> {
        // `is_prefix` takes a quarter of the time of musl's `memcmp`, which compares byte by byte.
        if !is_prefix(&self.awaited[self.matched..], self.text) {
            return Err(mismatch(self.name));
        }
        self.matched += self.text.len();
        // The rest is moved only if it is shorter than the part to remove.
        if self.matched > self.awaited.len() / 2 {
            self.awaited.drain(..self.matched);
            self.matched = 0;
        }
        Ok(())
    }
}

/// The failure of a result that decrypts to another text.
fn mismatch(name: &str) -> Error {
    Failure::new(Kind::Unverified, format!("the result of {name} does not decrypt to the message (--verify)")).into()
}

/// The failure of a result whose decryption failed with `error`.
fn refused(name: &str, error: Error) -> Error {
    // If the system refuses a resource, the result is not at fault.
    match exit::kind(&error) {
        Kind::System => error,
        _ => Failure::new(Kind::Unverified, format!("the result of {name} does not decrypt (--verify): {error:#}"))
            .into(),
    }
}
