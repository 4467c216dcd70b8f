//! The answers to records, until they are written.

use crate::audit::lines::EventLines;
use crate::exit::{self, Kind};

/// The answer to one record.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The result, with its terminator in the output.
    pub output: Vec<u8>,
    /// The audit events.
    pub events: EventLines,
}

/// The outcome of a record.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The result is in the answer.
    Done,
    /// The text is not a record, such as a blank line between requests.
    Ignored,
    /// The record failed. A reason is reported on stderr, unless the answer contains it.
    Failed(Option<String>),
    /// The record was not processed through no fault of its own: the system refuses a resource that the guest needs.
    Unavailable(anyhow::Error),
}

/// Whether `error` is not the fault of the record, because the system refuses a resource that the guest needs.
pub(crate) fn is_unavailable(error: &anyhow::Error) -> bool {
    exit::kind(error) == Kind::System
}

/// The answers to consecutive records.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// The number of the first record, counted from 1.
    pub first: u64,
    /// The number of records, including ignored ones.
    pub count: u64,
    /// The results, in order.
    pub output: Vec<u8>,
    /// The audit events, in order.
    pub events: EventLines,
    /// The messages for stderr, each with the number of its record.
    pub errors: Vec<(u64, String)>,
    /// The number of records that failed.
    pub failed: u64,
    /// The number of ignored records.
    pub ignored: u64,
    /// The size of the records in the input, in bytes.
    pub input_bytes: u64,
    /// Whether the run ends after these.
    pub is_last: bool,
    /// The size of the errors, in bytes.
    error_bytes: usize,
}

/// The approximate size of the struct and of an error in it, in bytes.
const OVERHEAD: usize = 256;
/// The maximum size of a buffer that is allocated in advance, in bytes.
const MAX_ROOM_BYTES: usize = 256 << 10;

impl Answers {
    /// Adds the answer to the next record.
    pub(crate) fn add(&mut self, answer: &mut Answer, outcome: Outcome, input_bytes: usize) {
        let number = self.first + self.count;
        self.count += 1;
        self.input_bytes += input_bytes as u64;
        self.output.extend_from_slice(&answer.output);
        self.events.append(&mut answer.events);
        match outcome {
            Outcome::Done | Outcome::Unavailable(_) => {}
            Outcome::Ignored => self.ignored += 1,
            Outcome::Failed(error) => {
                self.failed += 1;
                if let Some(error) = error {
                    self.error_bytes += error.len() + OVERHEAD;
                    self.errors.push((number, error));
                }
            }
        }
    }

    /// Takes all answers, and allocates as much room for those to the records that follow.
    pub(crate) fn take(&mut self) -> Self {
        let room = |bytes: usize| bytes.min(MAX_ROOM_BYTES);
        let output = Vec::with_capacity(room(self.output.len()));
        let events = EventLines::with_capacity(room(self.events.size()));
        let next = Self { first: self.first + self.count, output, events, ..Self::default() };
        std::mem::replace(self, next)
    }

    /// The approximate size in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        OVERHEAD + self.output.len() + self.events.size() + self.error_bytes
    }
}
