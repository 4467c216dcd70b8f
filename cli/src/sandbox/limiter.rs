//! What one store has used of its limits: memory, tables, and time.

use std::time::{Duration, Instant};

use wasmtime::ResourceLimiter;

use crate::limits::{Exceeded, Limits};

/// Counts all memories and tables of one store against one total; wasmtime's own limits are for each memory.
#[derive(Debug)]
pub struct Limiter {
    limit: usize,
    used: usize,
    /// Whether something was denied: a guest may well trap on that in a way of its own.
    pub denied: bool,
    message_bytes: u64,
    timeout: Duration,
    deadline: Instant,
}

/// When `timeout` from now is over; what the system's clock cannot tell counts as a century.
fn deadline(timeout: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or_else(|| now + CENTURY)
}

/// What one element of a table takes in the host, in bytes: a pointer.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

impl Limiter {
    /// A meter whose clock starts now.
    pub fn new(limits: &Limits) -> Self {
        let deadline = deadline(limits.timeout);
        let Limits { timeout, memory_bytes, message_bytes, .. } = *limits;
        Self { limit: memory_bytes, used: 0, denied: false, message_bytes, timeout, deadline }
    }

    /// Starts the clock for another message.
    pub fn restart(&mut self) {
        self.deadline = deadline(self.timeout);
    }

    /// What is left until the deadline.
    ///
    /// # Errors
    ///
    /// When nothing is left.
    pub fn time_left(&self) -> Result<Duration, Exceeded> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.out_of_time()) } else { Ok(left) }
    }

    /// The bytes in use.
    pub fn used(&self) -> usize {
        self.used
    }

    /// The error of a guest whose time is up.
    pub fn out_of_time(&self) -> Exceeded {
        Exceeded::Time(self.timeout)
    }

    /// The error of a guest that got no more memory.
    pub fn out_of_memory(&self) -> Exceeded {
        Exceeded::Memory(self.limit)
    }

    /// The error of a guest that handed over too much.
    pub fn too_long(&self) -> Exceeded {
        Exceeded::Message(self.message_bytes)
    }

    fn grow(&mut self, current: usize, desired: usize, maximum: Option<usize>, unit: usize) -> bool {
        if maximum.is_some_and(|maximum| desired > maximum) {
            // It will not come to that, so it costs nothing.
            return true;
        }
        let by = desired.saturating_sub(current).saturating_mul(unit);
        let allowed = self.used.checked_add(by).filter(|total| *total <= self.limit);
        match allowed {
            Some(total) => self.used = total,
            None => self.denied = true,
        }
        allowed.is_some()
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, maximum, 1))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, maximum, TABLE_ELEMENT_BYTES))
    }
}
