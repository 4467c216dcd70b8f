//! What a guest may use: memory, tables and time.

use std::time::Duration;

use humantime::format_duration;

/// The stack of a guest, in bytes: wasmtime's default. A deeper recursion is a trap.
pub const WASM_STACK_BYTES: usize = 512 * 1024;

/// The stack of a thread that calls guests, in bytes: the guest's, and room for the host's functions below it.
pub const THREAD_STACK_BYTES: usize = WASM_STACK_BYTES + (2 << 20);

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
    /// Processor time for compiling a component.
    pub compile_time: Duration,
    /// Bytes of memory for compiling a component.
    pub compile_memory: u64,
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
            compile_memory: 2 << 30,
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
