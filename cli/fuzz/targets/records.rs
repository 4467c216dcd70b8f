//! Blocks of records: joined, they equal the input, wherever reads, blocks, and records end.

#![no_main]

use cipher::blocks::{BlockSize, Blocks, ByteSource};
use cipher::split::Separator;
use libfuzzer_sys::fuzz_target;

/// Hands out at most `.1` bytes at a time.
struct Sips<'a>(&'a [u8], usize);

impl ByteSource for Sips<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (now, later) = self.0.split_at(self.0.len().min(self.1).min(buffer.len()));
        buffer[..now.len()].copy_from_slice(now);
        self.0 = later;
        Ok(now.len())
    }
}

fuzz_target!(|input: (u8, u8, u8, u8, u8, bool, &[u8])| {
    let (sip, block_bytes, records, kept, limit, nul, bytes) = input;
    let sip = usize::from(sip) + 1;
    let size = BlockSize { bytes: usize::from(block_bytes) + 1, records: u64::from(records) + 1 };
    // Every other input has no record that is too long.
    let limit = if limit % 2 == 0 { u64::MAX } else { u64::from(limit) };
    let separator = if nul { Separator::Nul } else { Separator::Line };
    let mut expected = separator.records(bytes);
    let mut blocks = Blocks::new(Sips(bytes, sip), separator, limit);
    let mut next = 1;
    while let Some(mut block) = blocks.next_block(size).expect("memory can be read") {
        assert!(block.count <= size.records);
        let rest = block.split_off(separator, u64::from(kept) + 1);
        for part in [Some(block), rest].into_iter().flatten() {
            assert_eq!(part.first, next);
            let records: Vec<_> = separator.records(&part.bytes).collect();
            assert_eq!(records.len() as u64, part.count);
            next += part.count;
            for record in records {
                let whole = expected.next().expect("no record appears from nowhere");
                assert_eq!(record.terminator, whole.terminator);
                if whole.text.len() as u64 > limit {
                    assert!(record.text.len() as u64 > limit, "a record that is too long stays so");
                } else {
                    assert_eq!(record.text, whole.text);
                    assert!(separator.holds(record.text, record.terminator), "a record can be written again");
                }
            }
        }
    }
    assert_eq!(expected.next(), None);
});
