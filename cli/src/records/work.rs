//! The work of one worker: its block of records, and the answers to those that it has processed.

use std::sync::Arc;

use crate::records::answers::{Answer, Answers, Outcome};
use crate::records::blocks::Block;
use crate::records::split::Separator;

/// The number of ticks after which idle workers take over the rest of a block.
const PATIENT_TICKS: u32 = 2;

/// The work in progress of one worker.
#[derive(Default)]
pub(super) struct Work {
    block: Arc<Block>,
    /// The number of records that the worker processes.
    count: u64,
    /// The number of processed records.
    pub done: u64,
    /// Where they end in the block.
    offset: usize,
    /// The answers that are not handed over yet.
    pub answers: Answers,
    /// The ticks since the worker took its block.
    ticks: u32,
    /// Whether there were answers at the last tick.
    seen: bool,
}

impl Work {
    /// Starts with `block`, once there are no answers to the one before.
    pub(super) fn start(&mut self, block: Arc<Block>) {
        let mut answers = std::mem::take(&mut self.answers);
        answers.first = block.first;
        *self = Self { count: block.count, answers, block, ..Self::default() };
    }

    /// Releases the block, but keeps the room for answers.
    pub(super) fn end(&mut self) {
        let answers = std::mem::take(&mut self.answers);
        *self = Self { answers, ..Self::default() };
    }

    /// Adds the answer to the next record, which has `bytes` in the block.
    pub(super) fn add(&mut self, answer: &mut Answer, outcome: Outcome, bytes: usize) {
        self.answers.add(answer, outcome, bytes);
        self.offset += bytes;
        self.done += 1;
    }

    /// Whether no record is left for the worker.
    pub(super) fn is_done(&self) -> bool {
        self.done == self.count
    }

    /// A copy of the worker's records that are not processed yet.
    pub(super) fn rest(&self, separator: Separator) -> Block {
        let (first, count) = (self.block.first + self.done, self.block.count - self.done);
        let mut rest = Block { first, count, bytes: self.block.bytes[self.offset..].to_vec() };
        drop(rest.split_off(separator, self.count - self.done));
        rest
    }

    /// Counts a tick. Returns the records after the current one, if that is slow and `others` wait for records; and the
    /// answers, if it is their turn and they have waited for a whole tick.
    pub(super) fn tick(&mut self, turn: u64, others: bool, separator: Separator) -> (Option<Block>, Option<Answers>) {
        self.ticks += 1;
        let is_slow = self.ticks > PATIENT_TICKS && self.count > self.done + 1;
        let rest = if others && is_slow { self.rest(separator).split_off(separator, 1) } else { None };
        if rest.is_some() {
            self.count = self.done + 1;
        }
        let is_due = self.answers.count > 0 && self.answers.first == turn && self.seen;
        self.seen = self.answers.count > 0 && !is_due;
        (rest, is_due.then(|| self.answers.take()))
    }
}
