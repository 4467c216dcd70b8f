//! Signals. After Ctrl-C and TERM during long work, the block that is being written is finished, then the program says how
//! far it came.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

/// Lets a file that is at its limit of size (`ulimit -f`) be an error of the write to it, and not the end of the program.
///
/// # Errors
///
/// When the signal cannot be caught.
pub fn survive_size_limits() -> std::io::Result<()> {
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map(drop)
}

/// What a signal waits for: a block with its audit entries and results is written under the lock, or not at all.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    lock: Arc<Mutex<()>>,
    records: Arc<AtomicU64>,
}

impl Gate {
    /// A gate that the signals are caught for, from now on. A second signal ends the program at once.
    ///
    /// # Errors
    ///
    /// When the signals cannot be caught.
    pub fn install() -> Result<Self> {
        let gate = Self::default();
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag unset and sets it, the second finds it set.
            signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, asked.clone())
                .and_then(|_| signal_hook::flag::register(signal, asked.clone()))
                .context("cannot catch signals")?;
        }
        let mut signals = Signals::new([SIGINT, SIGTERM]).context("cannot catch signals")?;
        let waiting = gate.clone();
        let wait = move || {
            if let Some(signal) = signals.forever().next() {
                let _closed = waiting.close();
                let records = waiting.records.load(Ordering::Relaxed);
                crate::terminal::color::print_error(&format!("interrupted after {records} records"));
                process::exit(128 + signal);
            }
        };
        thread::Builder::new().name("signals".to_owned()).spawn(wait).context("cannot start a signals thread")?;
        Ok(gate)
    }

    /// Keeps a signal from ending the program for as long as the guard lives.
    pub fn close(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts records as done.
    pub fn count(&self, records: u64) {
        self.records.fetch_add(records, Ordering::Relaxed);
    }
}
