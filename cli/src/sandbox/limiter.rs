//! The usage of one store against its limits: memory, tables, and time.

use std::thread;
use std::time::Duration;

use wasmtime::ResourceLimiter;

use crate::limits::{Exceeded, Limits};
use crate::sandbox::epoch::EpochTicker;

/// Counts all memories and tables of one store against one total, and its calls against the time limit. (wasmtime's own
/// limits are for each memory.)
pub(super) struct Limiter {
    limit: usize,
    used: usize,
    /// Whether growth was denied. How a guest then fails is up to its language.
    pub denied: bool,
    timeout: Duration,
    /// When the time is up, as the ticker counts it.
    deadline: Duration,
    ticker: EpochTicker,
}

/// The size of a table element in the host, in bytes: a pointer.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

impl Limiter {
    /// A limiter whose time starts now.
    pub(super) fn new(limits: &Limits, ticker: EpochTicker) -> Self {
        let Limits { timeout, memory_bytes, .. } = *limits;
        let deadline = ticker.deadline(timeout);
        Self { limit: memory_bytes, used: 0, denied: false, timeout, deadline, ticker }
    }

    /// Starts the time of another message.
    pub(super) fn restart(&mut self) {
        self.deadline = self.ticker.deadline(self.timeout);
    }

    /// Returns the time left until the deadline.
    ///
    /// # Errors
    ///
    /// When nothing is left.
    pub(super) fn time_left(&self) -> Result<Duration, Exceeded> {
        let left = self.deadline.saturating_sub(self.ticker.now());
        if left.is_zero() { Err(Exceeded::Time(self.timeout)) } else { Ok(left) }
    }

    /// Sleeps for a `nap`, during which the ticker counts the time.
    pub(super) fn sleep(&self, nap: Duration) {
        if nap >= EpochTicker::TICK {
            // If the ticker cannot start, time for which the process is stopped counts as well.
            let _ = self.ticker.start();
        }
        thread::sleep(nap);
    }

    /// The bytes in use.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// The error of a guest that got no more memory.
    pub(super) fn out_of_memory(&self) -> Exceeded {
        Exceeded::Memory(self.limit)
    }

    fn grow(&mut self, current: usize, desired: usize, maximum: Option<usize>, unit: usize) -> wasmtime::Result<bool> {
        self.time_left()?;
        if maximum.is_some_and(|maximum| desired > maximum) {
            // Wasmtime denies this growth, so nothing is charged for it.
            return Ok(true);
        }
        let by = desired.saturating_sub(current).saturating_mul(unit);
        let allowed = self.used.checked_add(by).filter(|total| *total <= self.limit);
        match allowed {
            Some(total) => self.used = total,
            None => self.denied = true,
        }
        Ok(allowed.is_some())
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(current, desired, maximum, 1)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        self.grow(current, desired, maximum, TABLE_ELEMENT_BYTES)
    }
}
