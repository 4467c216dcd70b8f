//! The stack of the main thread.

use crate::limits::THREAD_STACK_BYTES;

/// Whether the main thread has a smaller stack (`ulimit -s`) than a thread that calls guests needs.
pub fn stack_is_small() -> bool {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Stack).current;
    limit.is_some_and(|bytes| bytes < THREAD_STACK_BYTES as u64)
}
