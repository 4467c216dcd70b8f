//! Calls of one instance of a guest, whose results may be verified.

use std::sync::Arc;

use anyhow::Result;

use crate::audit::lines::EventLines;
use crate::guest::settings::Setting;
use crate::records::verify::{MessageVerifier, Verifier};
use crate::sandbox::contract::Operation;
use crate::sandbox::instance::{GuestInstance, GuestPre};
use crate::sandbox::message::Message;

/// The settings of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionSettings {
    /// The settings of the guest.
    pub guest: Arc<[Setting]>,
    /// The settings that decrypt every result of an encryption, if results are verified.
    pub verify: Option<Arc<[Setting]>>,
}

/// An instance of a guest, and the verifier of its results.
pub(crate) struct Session {
    instance: GuestInstance,
    verifier: Option<Verifier>,
}

impl Session {
    /// Instantiates `guest` for the message of `record`, counted from 1. If that fails, the audit events recorded until
    /// then are formatted into `events`.
    ///
    /// # Errors
    ///
    /// As for [`GuestPre::open`].
    pub(crate) fn open(
        guest: &Arc<GuestPre>,
        settings: &SessionSettings,
        record: u64,
        events: &mut EventLines,
    ) -> Result<Self> {
        let verifier = settings.verify.as_ref().map(|settings| Verifier::new(guest, settings));
        Ok(Self { instance: guest.open(&settings.guest, record, events)?, verifier })
    }

    /// Calls `encr` or `decr` on `text`, the message of `record`, and adds the result to `output`. The audit events are
    /// formatted into `events`.
    ///
    /// # Errors
    ///
    /// When the call fails, or its result cannot be verified. Then `output` is left unchanged.
    pub(crate) fn call(
        &mut self,
        (operation, record): (Operation, u64),
        text: &str,
        output: &mut Vec<u8>,
        events: &mut EventLines,
    ) -> Result<()> {
        let Self { instance, verifier } = self;
        let end = output.len();
        instance.set_record(record);
        let mut called = instance.call_onto(operation, text, output);
        if let (Ok(()), Operation::Encrypt, Some(verifier)) = (&called, operation, verifier) {
            called = verifier.check(text, &output[end..]);
        }
        if called.is_err() {
            output.truncate(end);
        }
        instance.end_call(operation, &called);
        instance.report(events);
        called
    }

    /// Opens a message in chunks, if the guest is streaming. If results are verified, at most `max_bytes` of the
    /// message are held for comparison.
    ///
    /// # Errors
    ///
    /// As for [`GuestInstance::message`].
    pub(crate) fn message(&mut self, operation: Operation, max_bytes: u64) -> Result<Option<SessionMessage<'_>>> {
        let Self { instance, verifier } = self;
        let Some(message) = instance.message(operation)? else { return Ok(None) };
        let verifier = verifier.as_mut().filter(|_| operation == Operation::Encrypt);
        let verifier = verifier.map(|verifier| verifier.message(max_bytes)).transpose()?;
        Ok(Some(SessionMessage { message, verifier }))
    }

    /// Ends a message in chunks, and formats the audit events since its last report into `events`.
    pub(crate) fn end_message<T>(&mut self, operation: Operation, result: &Result<T>, events: &mut EventLines) {
        self.instance.end_call(operation, result);
        self.instance.report(events);
    }

    /// Formats the audit events since the last report into `events`.
    pub(crate) fn report(&mut self, events: &mut EventLines) {
        self.instance.report(events);
    }

    /// Leaks the session, because the end of the process unmaps its memory faster.
    pub(crate) fn abandon(self) {
        std::mem::forget(self);
    }
}

/// A message in chunks, whose result may be verified.
pub(crate) struct SessionMessage<'a> {
    message: Message<'a>,
    verifier: Option<MessageVerifier<'a>>,
}

impl SessionMessage<'_> {
    /// Hands the guest the next chunk, and adds the result that is ready to `output`.
    ///
    /// # Errors
    ///
    /// When the call fails, or the result so far cannot be verified.
    pub(crate) fn update(&mut self, chunk: &str, output: &mut Vec<u8>) -> Result<()> {
        let end = output.len();
        self.message.update(chunk, output)?;
        self.verifier.as_mut().map_or(Ok(()), |verifier| verifier.update(chunk, &output[end..]))
    }

    /// Formats the audit events since the last report into `events`.
    pub(crate) fn report(&mut self, events: &mut EventLines) {
        self.message.report(events);
    }

    /// Ends the message, and adds the rest of its result to `output`.
    ///
    /// # Errors
    ///
    /// As for [`update`](Self::update).
    pub(crate) fn finish(self, output: &mut Vec<u8>) -> Result<()> {
        let end = output.len();
        self.message.finish(output)?;
        self.verifier.map_or(Ok(()), |verifier| verifier.finish(&output[end..]))
    }
}
