//! The size of blocks: by time, so that slow records are spread over all workers, and by bytes, so that fast ones are
//! handed out in large blocks.

use std::time::Duration;

use crate::records::blocks::BlockSize;

/// The time for which a block should keep a worker busy.
const WORK: Duration = Duration::from_millis(40);
/// The maximum growth in records from a measured block to the next.
const GROWTH: u64 = 8;
/// The size of a block for a single worker, in bytes: large enough for few system calls.
const ALONE_BYTES: usize = 256 * 1024;
/// The size of a block for several workers at first, in bytes: small enough to share out a small input.
const FIRST_BYTES: usize = 32 * 1024;
/// The maximum size of a block for several workers, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// The maximum size of the blocks of all workers together, in bytes.
const MAX_TOTAL_BYTES: usize = 4 * 1024 * 1024;
/// A block is at most the input handed out before it, divided by this number. So the last block, on which only one
/// worker is busy, is a small part of the input.
const BLOCKS_BEFORE: usize = 16;

/// The measured speed of records.
#[derive(Debug)]
pub(super) struct Pace {
    workers: usize,
    /// The target number of records per block.
    records: u64,
    /// The number of bytes handed out.
    bytes: usize,
}

impl Pace {
    /// No measurements yet.
    pub(super) fn new(workers: usize) -> Self {
        Self { workers, records: 1, bytes: 0 }
    }

    /// The size of the next block.
    pub(super) fn block_size(&self) -> BlockSize {
        if self.workers == 1 {
            return BlockSize { bytes: ALONE_BYTES, records: u64::MAX };
        }
        let most = (MAX_TOTAL_BYTES / self.workers).clamp(FIRST_BYTES, MAX_BYTES);
        BlockSize { bytes: (self.bytes / BLOCKS_BEFORE).clamp(FIRST_BYTES, most), records: self.records }
    }

    /// Counts `bytes` as handed out.
    pub(super) fn hand_out(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Adds a measurement: the time that a worker took for `records`.
    pub(super) fn learn(&mut self, records: u64, time: Duration) {
        let fitting = u128::from(records) * WORK.as_nanos() / time.as_nanos().max(1);
        let fitting = u64::try_from(fitting).unwrap_or(u64::MAX).max(1);
        // A few fast records do not mean that the next ones are fast.
        let proven = self.records.max(records.saturating_mul(GROWTH));
        self.records = fitting.min(proven);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_time_per_record() {
        let mut pace = Pace::new(2);
        assert_eq!(pace.block_size().records, 1);
        let learned = [(1, 1), (8, 8), (64, 640_000), (1, 1_000_000), (1, 1)].map(|(records, micros)| {
            pace.learn(records, Duration::from_micros(micros));
            pace.block_size().records
        });
        assert_eq!(learned, [8, 64, 4, 1, 8]);
    }

    #[test]
    fn grows_blocks_slowly() {
        let mut pace = Pace::new(4);
        let (mut before, mut largest) = (0, 0);
        for _ in 0..300 {
            let bytes = pace.block_size().bytes;
            assert!(bytes <= (before / BLOCKS_BEFORE).max(FIRST_BYTES), "{bytes} bytes after {before}");
            pace.hand_out(bytes);
            (before, largest) = (before + bytes, bytes.max(largest));
        }
        assert_eq!(largest, MAX_BYTES);
    }
}
