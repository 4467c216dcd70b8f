//! The limits of a guest: memory, time, and data passed to the host.

use std::time::Duration;

use humantime::format_duration;

/// The stack of a guest, in bytes: wasmtime's default. A deeper recursion traps.
pub(crate) const WASM_STACK_BYTES: usize = 512 * 1024;

/// The stack of a thread's signal handlers, in bytes: what wasmtime demands.
pub(crate) const SIGNAL_STACK_BYTES: usize = 256 << 10;

/// The stack of a thread that calls guests, in bytes: the guest's, and room for the host's functions below it.
pub(crate) const THREAD_STACK_BYTES: usize = WASM_STACK_BYTES + (2 << 20);

/// The limits of a call, and of loading its guest.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The time for one message, and as much for instantiation. While the process is stopped, time does not count.
    pub timeout: Duration,
    /// The size of all memories and tables of a guest, in bytes.
    pub memory_bytes: usize,
    /// The size of an unstreamed message, and of a result, in bytes.
    pub message_bytes: u64,
    /// The number of audit events of one message.
    pub audit_events: usize,
    /// The size of all audit events of one message, in bytes.
    pub audit_bytes: usize,
    /// The size of a component's file, in bytes.
    pub component_bytes: u64,
    /// The processor time for compiling a component.
    pub compile_time: Duration,
    /// The memory for compiling a component, in bytes.
    pub compile_memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            memory_bytes: 1 << 30,
            message_bytes: 256 << 20,
            audit_events: 1000,
            audit_bytes: AUDIT_TEXT_UNITS,
            component_bytes: 256 << 20,
            compile_time: Duration::from_secs(120),
            compile_memory: 2 << 30,
        }
    }
}

/// A limit that a guest exceeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExceededLimit {
    /// The guest ran longer than this.
    Time(Duration),
    /// The guest asked for more than this many bytes of memory and tables.
    Memory(usize),
    /// The guest asked for more memory than is left of this many bytes of address space.
    AddressSpace(u64),
    /// The guest asked for a table of more than this many elements.
    Table(usize),
    /// The guest returned more than this many bytes.
    Message(u64),
    /// The guest passed more than this many bytes to the host in one call.
    HostCall(usize),
    /// The guest held more than this many resources: streams, clocks to wait for, and the like.
    Resources(usize),
}

/// A number of bytes, displayed in the largest unit that divides it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size(pub u64);

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.0;
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        match units.iter().find(|(bits, _)| bytes != 0 && bytes.trailing_zeros() >= *bits) {
            Some((bits, unit)) => write!(f, "{}{unit}", bytes >> bits),
            None if bytes == 1 => write!(f, "1 byte"),
            None => write!(f, "{bytes} bytes"),
        }
    }
}

impl std::error::Error for ExceededLimit {}

impl std::fmt::Display for ExceededLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Time(limit) => write!(f, "ran longer than {} (--timeout)", format_duration(*limit)),
            Self::Memory(limit) => write!(f, "needs more than {} of memory (--max-memory)", Size(*limit as u64)),
            Self::AddressSpace(limit) => {
                write!(f, "needs more memory than is left of the address space of {} (ulimit -v)", Size(*limit))
            }
            Self::Table(limit) => write!(f, "needs a table of more than {limit} elements"),
            Self::Message(limit) => write!(f, "returned more than {} (--max-message)", Size(*limit)),
            Self::HostCall(limit) => write!(f, "passed more than {} to the host in one call", Size(*limit as u64)),
            Self::Resources(limit) => write!(f, "held more than {limit} resources at once"),
        }
    }
}

/// The maximum number of elements of a table, many times what the largest known guests need. One instruction can copy
/// a table, and nothing can interrupt it.
pub(crate) const TABLE_ELEMENTS: usize = 1 << 20;

/// With more memory than this, in bytes, one instruction of a guest, or one conversion between two components, may take
/// longer than a tick of the time limit.
pub(crate) const SLOW_MEMORY_BYTES: usize = 64 << 20;

/// The maximum number of the host's resources that a guest may hold at a time. They do not count as memory.
pub(crate) const RESOURCES: usize = 10_000;

/// The maximum number of resources that a guest may hold at a time, including its own.
pub(crate) const HANDLES: usize = 100_000;

/// The maximum length of a text for the audit log, in units of its encoding; a longer one is dropped unread.
pub(crate) const AUDIT_TEXT_UNITS: usize = 1 << 20;

/// The maximum number of bytes that a guest may pass to the host in one call: two texts for the audit log in UTF-16.
/// Under the rules of WASI, printed text is written in much smaller parts.
pub(crate) const HOST_CALL_BYTES: usize = 4 * AUDIT_TEXT_UNITS;

/// The maximum size of the instances of a component, besides memories and tables, in bytes. Those of a Python guest
/// take about 1 MiB.
pub(crate) const INSTANCE_BYTES: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_sizes_exactly() {
        let shown =
            [0, 1, 1000, 1024, 1 << 20, 1_000_000, (1 << 30) + 1024, 3 << 30].map(|bytes| Size(bytes).to_string());
        let expected = ["0 bytes", "1 byte", "1000 bytes", "1KiB", "1MiB", "1000000 bytes", "1048577KiB", "3GiB"];
        assert_eq!(shown, expected);
    }
}
