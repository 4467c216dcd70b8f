//! What a guest prints on its own standard output and error: kept to a bound, the rest counted.

use std::sync::{Arc, Mutex, PoisonError};

use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// How much is kept, in bytes. It is the end that is kept: a failure is told in the last line.
const KEPT_BYTES: usize = 16 * 1024;

/// Both streams of a guest, in the order in which it wrote to them.
#[derive(Debug, Clone, Default)]
pub struct GuestOutput(Arc<Mutex<Text>>);

#[derive(Debug, Default)]
struct Text {
    end: Vec<u8>,
    dropped: u64,
}

impl GuestOutput {
    /// Takes what was printed since it was last taken: the end of it, and how many bytes before that were dropped.
    pub fn take(&self) -> (String, u64) {
        let Text { end, dropped } = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        (String::from_utf8_lossy(&end).into_owned(), dropped)
    }

    fn append(&self, bytes: &[u8]) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = &bytes[bytes.len().saturating_sub(KEPT_BYTES)..];
        let surplus = (text.end.len() + fits.len()).saturating_sub(KEPT_BYTES);
        text.end.drain(..surplus);
        text.end.extend_from_slice(fits);
        text.dropped += (surplus + bytes.len() - fits.len()) as u64;
    }
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    // Only WASI 0.3 asks for this one, which is not offered.
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
}

impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(KEPT_BYTES)
    }
}

#[async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_the_rest_counted() {
        let printed = GuestOutput::default();
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
