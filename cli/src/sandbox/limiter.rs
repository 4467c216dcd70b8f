//! The usage of one store against its limits: memory, tables, and time.

use std::thread;
use std::time::Duration;

use wasmtime::ResourceLimiter;

use crate::code::address_space;
use crate::limits::{ExceededLimit, Limits, SLOW_MEMORY_BYTES, TABLE_ELEMENTS};
use crate::sandbox::epoch::EpochTicker;
use crate::sandbox::error;

/// Counts all memories and tables of one store against one total, and its calls against the time limit. (wasmtime's own
/// limits are for each memory.)
pub(super) struct Limiter {
    limit: usize,
    used: usize,
    /// Why growth was denied, if it was. How a guest then fails is up to its language.
    denied: Option<ExceededLimit>,
    timeout: Duration,
    /// When the time is up, as the ticker counts it, in nanoseconds.
    deadline: u64,
    ticker: EpochTicker,
}

/// The size of a table element in the host, in bytes: a pointer.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

impl Limiter {
    /// A limiter whose time starts now.
    pub(super) fn new(limits: &Limits, ticker: EpochTicker) -> Self {
        let Limits { timeout, memory_bytes, .. } = *limits;
        let deadline = ticker.deadline(timeout);
        Self { limit: memory_bytes, used: 0, denied: None, timeout, deadline, ticker }
    }

    /// Starts the time of another message, and returns its end, as the ticker counts it.
    pub(super) fn restart(&mut self) -> u64 {
        self.tick_if_slow();
        self.deadline = self.ticker.deadline(self.timeout);
        self.deadline
    }

    /// Returns the time left until the deadline.
    ///
    /// # Errors
    ///
    /// When nothing is left.
    pub(super) fn time_left(&self) -> Result<Duration, ExceededLimit> {
        match self.deadline.saturating_sub(self.ticker.now()) {
            0 => Err(ExceededLimit::Time(self.timeout)),
            left => Ok(Duration::from_nanos(left)),
        }
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

    /// The limit that denied growth, if one did.
    pub(super) fn denied(&self) -> Option<ExceededLimit> {
        self.denied.clone()
    }

    /// Starts the ticker if the guest has so much memory that it may work for a long time without checking the epoch.
    fn tick_if_slow(&self) {
        if self.used > SLOW_MEMORY_BYTES {
            // Without a thread for the ticker, the call fails when it comes to the next check.
            let _ = self.ticker.start();
        }
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
            None => self.denied = Some(ExceededLimit::Memory(self.limit)),
        }
        self.tick_if_slow();
        Ok(allowed.is_some())
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = self.grow(current, desired, maximum, 1)?;
        if !allowed || maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(allowed);
        }
        match address_space::check_memory(current, desired) {
            Ok(()) => Ok(true),
            // The guest has not started, so no message is to blame.
            Err(error) if current == 0 => Err(error.into()),
            Err(_) => {
                self.used -= desired - current;
                self.denied = address_space::limit().map(ExceededLimit::AddressSpace);
                Ok(false)
            }
        }
    }

    /// Ends the call if the system refused memory: the guest would otherwise fail in its own way, and be blamed.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        if error::is_of_system(&error) { Err(error) } else { Ok(()) }
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS && maximum.is_none_or(|maximum| desired <= maximum) {
            self.denied = Some(ExceededLimit::Table(TABLE_ELEMENTS));
            return Ok(false);
        }
        self.grow(current, desired, maximum, TABLE_ELEMENT_BYTES)
    }
}
