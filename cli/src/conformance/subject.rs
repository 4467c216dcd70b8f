//! The guest under test, its settings, and calls of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Error, Result};

use crate::audit::lines::EventLines;
use crate::exit::{self, Kind};
use crate::guest::Guest;
use crate::guest::assignments::Assignments;
use crate::guest::manifest::{Declaration, Manifest};
use crate::guest::secrets::Secrets;
use crate::guest::settings::{self, Setting, Source};
use crate::limits::Limits;
use crate::sandbox::contract::Operation;
use crate::sandbox::epoch::EpochTicker;
use crate::sandbox::instance::{GuestInstance, GuestPre};

/// The time limit of a call with a short text, unless the user's is shorter.
const SHORT_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum length of a short text, in bytes.
const SHORT_BYTES: usize = 16 * 1024;

/// The guest under test.
pub(super) struct Subject<'a> {
    /// The guest.
    pub guest: &'a Guest,
    /// Whether the guest takes messages in chunks.
    pub streams: bool,
    /// The maximum size of a result, all chunks together, in bytes.
    pub message_bytes: u64,
    given: &'a Assignments,
    settings: Vec<Setting>,
    quick: Arc<GuestPre>,
    patient: Arc<GuestPre>,
}

impl<'a> Subject<'a> {
    /// Loads `guest`, which `streams` or not, with the settings `given` and those that follow from them.
    ///
    /// # Errors
    ///
    /// When it cannot be loaded.
    pub(super) fn load(
        guest: &'a Guest,
        (given, settings): (&'a Assignments, Vec<Setting>),
        ticker: &EpochTicker,
        limits: &Limits,
        streams: bool,
    ) -> Result<Self> {
        let quick = Limits { timeout: limits.timeout.min(SHORT_TIMEOUT), ..limits.clone() };
        Ok(Self {
            settings,
            quick: GuestPre::load(guest, ticker, &quick)?,
            patient: GuestPre::load(guest, ticker, limits)?,
            message_bytes: limits.message_bytes,
            guest,
            streams,
            given,
        })
    }

    /// The manifest.
    pub(super) fn manifest(&self) -> Option<&'a Manifest> {
        self.guest.manifest.as_ref()
    }

    /// Whether the guest declares that its results are random.
    pub(super) fn is_random(&self) -> bool {
        self.manifest().is_some_and(|manifest| manifest.random)
    }

    /// The value of `variable` in most cases.
    pub(super) fn value(&self, variable: &str) -> Option<&str> {
        self.settings.iter().find(|setting| setting.variable == variable)?.value.as_deref()
    }

    /// The secrets that the user gave. Those of the manifest are examples, which anyone may read.
    pub(super) fn given_secrets(&self) -> Secrets {
        Secrets::of(self.settings.iter().filter(|setting| self.given.get(&setting.variable).is_some()))
    }

    /// A fresh instance for short texts.
    pub(super) fn open(&self) -> Result<GuestInstance> {
        open(&self.quick, &self.settings)
    }

    /// A fresh instance for texts of this length.
    pub(super) fn open_for(&self, bytes: usize) -> Result<GuestInstance> {
        open(if bytes <= SHORT_BYTES { &self.quick } else { &self.patient }, &self.settings)
    }

    /// A call of a fresh instance with `variable` set to `value`.
    pub(super) fn call_with(&self, variable: &str, value: &str, operation: Operation, text: &str) -> Result<String> {
        let mut all = base(self.guest, self.given);
        all.set(variable, value, Source::Example);
        open(&self.quick, &settings::resolve(self.guest, &all)?)?.call(operation, text)
    }

    /// A fresh instance for a known answer. Its settings override the defaults.
    pub(super) fn open_for_answer(&self, answer: &BTreeMap<String, String>) -> Result<GuestInstance> {
        let mut all = self.given.clone();
        for (variable, declared) in declarations(self.guest) {
            if let Some((value, source)) = default(declared).or_else(|| example(declared)) {
                all.set(variable, value, source);
            }
        }
        answer.iter().for_each(|(variable, value)| all.set(variable, value, Source::Example));
        open(&self.patient, &settings::resolve(self.guest, &all)?)
    }

    /// Encrypts `text` in a fresh instance.
    pub(super) fn encrypt(&self, text: &str) -> Result<String> {
        self.open_for(text.len())?.call(Operation::Encrypt, text)
    }

    /// Decrypts `text` in a fresh instance.
    pub(super) fn decrypt(&self, text: &str) -> Result<String> {
        self.open_for(text.len())?.call(Operation::Decrypt, text)
    }
}

/// The settings of most cases: those `given`, else the examples, else the defaults of `guest`.
///
/// # Errors
///
/// When `given` has a setting that is not declared.
pub(super) fn settings(guest: &Guest, given: &Assignments) -> Result<Vec<Setting>> {
    settings::resolve(guest, &base(guest, given))
}

/// Whether `error` is a refusal by the guest, which gave a reason.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(exit::kind(error), Kind::Refused | Kind::Setting)
}

fn open(guest: &Arc<GuestPre>, settings: &[Setting]) -> Result<GuestInstance> {
    guest.open(settings, 1, &mut EventLines::default())
}

fn declarations(guest: &Guest) -> impl Iterator<Item = (&String, &Declaration)> {
    guest.manifest.iter().flat_map(|manifest| &manifest.settings)
}

fn example(declared: &Declaration) -> Option<(&str, Source)> {
    declared.example.as_deref().map(|value| (value, Source::Example))
}

fn default(declared: &Declaration) -> Option<(&str, Source)> {
    let is_usable = |value: &&str| !(declared.secret && value.is_empty());
    declared.default.as_deref().filter(is_usable).map(|value| (value, Source::Default))
}

/// The settings `given`, else the examples, else the defaults. The caller's environment is ignored.
fn base(guest: &Guest, given: &Assignments) -> Assignments {
    let mut all = Assignments::default();
    for (variable, declared) in declarations(guest) {
        if let Some((value, source)) = example(declared).or_else(|| default(declared)) {
            all.set(variable, value, source);
        }
    }
    given.iter().for_each(|(variable, value, source)| all.set(variable, value, source));
    all
}
