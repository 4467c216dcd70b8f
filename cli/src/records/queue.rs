//! The queue of a run: blocks that wait for a worker, and answers that wait for their turn.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::records::answers::Answers;
use crate::records::blocks::Block;
use crate::records::pace::Pace;

/// The number of bytes that may wait for their turn before workers wait, too.
const WAITING_BYTES: usize = 8 << 20;

/// The state that the threads of a run share.
#[derive(Debug)]
pub(super) struct Queue {
    /// Blocks that a worker gave back, by their first records.
    pub returned: BTreeMap<u64, Block>,
    /// Whether a worker is reading the input.
    pub reading: bool,
    /// The number of the record after the last one, once the input has ended, or cannot be read.
    end: Option<u64>,
    read_error: Option<anyhow::Error>,
    /// The number of the next record to write.
    pub turn: u64,
    /// Answers that come later, by their first records.
    waiting: BTreeMap<u64, Answers>,
    waiting_bytes: usize,
    /// The number of workers.
    pub workers: usize,
    /// The number of workers that have a block.
    pub busy: usize,
    /// Whether the thread that monitors slow records sleeps until it is woken.
    pub asleep: bool,
    /// The speed of records.
    pub pace: Pace,
    /// The outcome of the run, once it has ended.
    outcome: Option<Result<()>>,
}

impl Queue {
    /// The queue of a run that has not begun.
    pub(super) fn new(workers: usize) -> Self {
        Self {
            returned: BTreeMap::new(),
            reading: false,
            end: None,
            read_error: None,
            turn: 1,
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            workers,
            busy: 0,
            asleep: false,
            pace: Pace::new(workers),
            outcome: None,
        }
    }

    /// Whether the run has ended.
    pub(super) fn is_over(&self) -> bool {
        self.outcome.is_some()
    }

    /// Takes the outcome of the run, if it has ended. A second call returns success.
    pub(super) fn take_outcome(&mut self) -> Option<Result<()>> {
        // The outcome is not removed, because workers check whether the run has ended.
        self.outcome.as_mut().map(|outcome| std::mem::replace(outcome, Ok(())))
    }

    /// Ends the run, unless it has ended.
    pub(super) fn finish(&mut self, outcome: Result<()>) {
        self.outcome.get_or_insert(outcome);
    }

    /// Whether there is more to read.
    pub(super) fn can_read(&self) -> bool {
        self.end.is_none() && !self.reading
    }

    /// Records that the input ends before the record `end`. The run ends once all records before it are written.
    pub(super) fn end_input(&mut self, end: u64, error: Option<anyhow::Error>) {
        self.end = Some(end);
        self.read_error = error;
        self.finish_at_end();
    }

    fn finish_at_end(&mut self) {
        if self.end == Some(self.turn) {
            let outcome = self.read_error.take().map_or(Ok(()), Err);
            self.finish(outcome);
        }
    }

    /// Passes the turn on by `records`. Returns the answers whose turn it is now, if they wait.
    pub(super) fn pass_turn(&mut self, records: u64) -> Option<Answers> {
        self.turn += records;
        self.finish_at_end();
        self.take_waiting()
    }

    /// Takes the answers whose turn it is, if they wait.
    pub(super) fn take_waiting(&mut self) -> Option<Answers> {
        let answers = self.waiting.remove(&self.turn)?;
        self.waiting_bytes -= answers.size();
        Some(answers)
    }

    /// Keeps `answers` until their turn.
    pub(super) fn wait_for_turn(&mut self, answers: Answers) {
        self.waiting_bytes += answers.size();
        self.waiting.insert(answers.first, answers);
    }

    /// Whether the worker whose answers start at the record `first` has to wait until they are written.
    pub(super) fn is_full(&self, first: u64) -> bool {
        let is_needed = self.returned.keys().next().is_some_and(|returned| *returned < first);
        self.waiting_bytes > WAITING_BYTES && self.waiting.contains_key(&first) && !is_needed && !self.is_over()
    }
}
