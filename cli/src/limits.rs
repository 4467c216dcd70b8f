//! What a guest may use: memory, tables and time.

use std::time::{Duration, Instant};

use humantime::format_duration;
use wasmtime::ResourceLimiter;

/// The stack of a guest, in bytes: wasmtime's default. A deeper recursion is a trap.
pub const WASM_STACK_BYTES: usize = 512 * 1024;

/// The stack of a thread that calls guests, in bytes: the guest's, and room for the host's functions below it.
pub const THREAD_STACK_BYTES: usize = WASM_STACK_BYTES + (2 << 20);

/// Whether the main thread has a smaller stack (`ulimit -s`) than a thread that calls guests needs.
pub fn stack_is_small() -> bool {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Stack).current;
    limit.is_some_and(|bytes| bytes < THREAD_STACK_BYTES as u64)
}

/// The limits of a call, and of what comes before it.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For one message, instantiation included, in which nothing may be running on.
    pub timeout: Duration,
    /// Bytes over all memories and tables of a guest.
    pub memory_bytes: usize,
    /// Bytes of a message that is taken whole, and of a result.
    pub message_bytes: u64,
    /// Audit entries for one message.
    pub audit_entries: usize,
    /// Bytes of all audit entries for one message.
    pub audit_bytes: usize,
    /// Bytes of a component's file.
    pub component_bytes: u64,
    /// For compiling a component.
    pub compile_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            memory_bytes: 1 << 30,
            message_bytes: 256 << 20,
            audit_entries: 1000,
            audit_bytes: 1 << 20,
            component_bytes: 256 << 20,
            compile_time: Duration::from_secs(120),
        }
    }
}

/// A limit that a guest ran into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exceeded {
    /// It ran longer than this.
    Time(Duration),
    /// It asked for more than this many bytes of memory and tables.
    Memory(usize),
    /// It handed the host more than this many bytes in one result or piece of what it printed.
    Message(u64),
    /// It held more than this many of the host's resources: streams, clocks to wait for, and the like.
    Resources(usize),
}

/// A number of bytes as people write it: in the largest unit of which it is a whole number.
#[derive(Debug, Clone, Copy)]
pub struct Size(pub u64);

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.0;
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        match units.iter().find(|(bits, _)| bytes != 0 && bytes.trailing_zeros() >= *bits) {
            Some((bits, unit)) => write!(f, "{}{unit}", bytes >> bits),
            None => write!(f, "{bytes} bytes"),
        }
    }
}

impl std::error::Error for Exceeded {}

impl std::fmt::Display for Exceeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Time(limit) => write!(f, "ran longer than {} (--timeout)", format_duration(*limit)),
            Self::Memory(limit) => write!(f, "needs more than {} of memory (--max-memory)", Size(*limit as u64)),
            Self::Message(limit) => write!(f, "handed over more than {} at once (--max-message)", Size(*limit)),
            Self::Resources(limit) => write!(f, "held more than {limit} of the host's resources at once"),
        }
    }
}

/// How many of the host's resources a guest may hold at a time: some need a file descriptor, and none counts as memory.
pub const RESOURCES: usize = 10_000;

/// Counts all memories and tables of one store against one total; wasmtime's own limits are for each memory.
#[derive(Debug)]
pub struct Meter {
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

impl Meter {
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

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, maximum, 1))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, maximum, TABLE_ELEMENT_BYTES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_exact_and_short() {
        let shown =
            [0, 1, 1000, 1024, 1 << 20, 1_000_000, (1 << 30) + 1024, 3 << 30].map(|bytes| Size(bytes).to_string());
        let expected = ["0 bytes", "1 bytes", "1000 bytes", "1KiB", "1MiB", "1000000 bytes", "1048577KiB", "3GiB"];
        assert_eq!(shown, expected);
    }
}
