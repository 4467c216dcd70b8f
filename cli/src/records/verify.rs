//! The verification of results: each is decrypted again and compared with its message.
//!
//! The instance that decrypts never encrypts. It serves one encrypting instance, and is replaced by a fresh one for the
//! 1st, 2nd, 4th, 8th, and so on of its results. So a result that only an instance with the same history could decrypt
//! is detected at the second message. A fresh instance for every message would take many times as long as a call.

use std::sync::Arc;

use anyhow::Result;

use crate::audit::format::{Encoding, Format};
use crate::audit::lines::EventLines;
use crate::exit::{self, Failure, Kind};
use crate::guest::settings::Setting;
use crate::sandbox::contract::Operation;
use crate::sandbox::instance::{GuestInstance, GuestPre};

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
        let decrypted = self.decrypt(result);
        if decrypted.is_ok() && self.text == message.as_bytes() {
            return Ok(());
        }
        self.instance = None;
        let name = &self.guest.guest().name;
        let problem = match decrypted {
            Ok(()) => format!("the result of {name} does not decrypt to the message (--verify)"),
            // The system refuses a resource, which is not the fault of the result.
            Err(error) if exit::kind(&error) == Kind::System => return Err(error),
            Err(error) => format!("the result of {name} does not decrypt (--verify): {error:#}"),
        };
        Err(Failure::new(Kind::Unverified, problem).into())
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
