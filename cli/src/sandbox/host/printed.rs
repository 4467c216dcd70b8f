//! The text that a guest prints to stdout and stderr. Its end is kept; the rest is only counted.

/// The number of bytes that are kept. A guest gives its reason for a failure in the last line.
pub(super) const KEPT_BYTES: usize = 16 * 1024;

/// Both streams of a guest, in the order in which it wrote to them.
#[derive(Debug, Default)]
pub(super) struct GuestOutput {
    end: Vec<u8>,
    dropped: u64,
}

impl GuestOutput {
    /// Whether nothing was printed since the last call of `take`.
    pub(super) fn is_empty(&self) -> bool {
        self.end.is_empty()
    }

    /// Takes the text printed since the last call of this method: its end, and the number of bytes dropped before it.
    pub(super) fn take(&mut self) -> (String, u64) {
        let Self { end, dropped } = std::mem::take(self);
        (String::from_utf8_lossy(&end).into_owned(), dropped)
    }

    /// Adds `bytes` at the end.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        let fits = &bytes[bytes.len().saturating_sub(KEPT_BYTES)..];
        let surplus = (self.end.len() + fits.len()).saturating_sub(KEPT_BYTES);
        self.end.drain(..surplus);
        self.end.extend_from_slice(fits);
        self.dropped += (surplus + bytes.len() - fits.len()) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_end_and_counts_rest() {
        let mut printed = GuestOutput::default();
        printed.append(b"start");
        printed.append(&vec![b'x'; KEPT_BYTES - 1]);
        printed.append(b"end");
        let (text, dropped) = printed.take();
        assert_eq!((text.len(), dropped), (KEPT_BYTES, 7));
        assert!(text.ends_with("xend"));
        printed.append(&vec![b'y'; KEPT_BYTES + 9]);
        assert_eq!(printed.take().1, 9);
        assert_eq!(printed.take(), (String::new(), 0));
    }
}
