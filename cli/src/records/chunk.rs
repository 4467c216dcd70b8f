//! Results on their way to the output.

use crate::audit::format::EventLines;

/// What one record leaves behind.
#[derive(Debug)]
pub struct Answer {
    /// Its result, with what follows it in the output.
    pub output: Vec<u8>,
    /// Its audit events.
    pub events: EventLines,
}

/// How a record ends.
#[derive(Debug)]
pub enum Outcome {
    /// Its result is in the answer.
    Done,
    /// It is no record after all, such as an empty line between requests.
    Ignored,
    /// It failed. A reason is reported on stderr, unless the answer contains it.
    Failed(Option<String>),
    /// It was not processed: the system refuses what a guest needs, which is no fault of the record.
    Unavailable(anyhow::Error),
}

/// The results of consecutive records, each complete.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The number of the first record, counted from 1.
    pub first: u64,
    /// The number of records, ignored ones included.
    pub count: u64,
    /// The results, in order.
    pub output: Vec<u8>,
    /// The audit events, in order.
    pub events: EventLines,
    /// The numbers of records with what stderr should say about them.
    pub errors: Vec<(u64, String)>,
    /// The number of records that failed.
    pub failed: u64,
    /// The number of ignored records.
    pub ignored: u64,
    /// The size of the records in the input, in bytes.
    pub input_bytes: u64,
    /// Whether no record after it is wanted.
    pub is_last: bool,
    /// The size of the errors, in bytes.
    error_bytes: usize,
}

/// What a chunk takes besides its contents, in bytes, roughly.
const OVERHEAD: usize = 256;

impl Chunk {
    /// Nothing yet of the records from `first` on.
    pub fn starting_at(first: u64) -> Self {
        Self { first, ..Self::default() }
    }

    /// Adds the answer to the next record.
    pub fn add(&mut self, answer: &mut Answer, outcome: Outcome, input_bytes: usize) {
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

    /// Takes what was added, and leaves an empty chunk for the records that follow.
    pub fn take(&mut self) -> Self {
        let next = Self::starting_at(self.first + self.count);
        std::mem::replace(self, next)
    }

    /// The memory that it takes, in bytes, roughly.
    pub fn size(&self) -> usize {
        OVERHEAD + self.output.len() + self.events.size() + self.error_bytes
    }
}
