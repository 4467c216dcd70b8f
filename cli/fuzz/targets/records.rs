//! Cutting an input into records: joined again they are the input, wherever the borders of what was read at a time fall.

#![no_main]

use std::io::Read;

use cipher::records::split::{Blocks, Separator};
use libfuzzer_sys::fuzz_target;

/// Hands out at most `.1` bytes at a time.
struct Sips<'a>(&'a [u8], usize);

impl Read for Sips<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = self.1;
        self.0.by_ref().take(most as u64).read(buffer)
    }
}

fuzz_target!(|input: (u8, u8, bool, &[u8])| {
    let (sip, block_bytes, nul, bytes) = input;
    let (sip, block_bytes) = (usize::from(sip) + 1, usize::from(block_bytes) + 1);
    let separator = if nul { Separator::Nul } else { Separator::Line };
    let at_once: Vec<_> = separator.records(bytes).collect();
    let mut blocks = Blocks::new(Sips(bytes, sip), separator, block_bytes..=4 * block_bytes, u64::MAX);
    let (mut joined, mut number) = (Vec::new(), 0);
    while let Some(block) = blocks.next_block().expect("memory can be read") {
        assert_eq!(block.first, number as u64 + 1);
        let records: Vec<_> = separator.records(&block.bytes).collect();
        assert_eq!(records.len() as u64, block.count);
        for record in records {
            assert_eq!(record, at_once[number]);
            number += 1;
            joined.extend_from_slice(record.text);
            joined.extend_from_slice(record.terminator);
            assert!(separator.holds(record.text, record.terminator), "a record that was read can be written again");
        }
    }
    assert_eq!(number, at_once.len());
    assert_eq!(joined, bytes);
});
