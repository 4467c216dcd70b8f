//! Core dumps, and access to this process by the same user's other processes.

use std::sync::Once;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Makes this process not dumpable from now on: it leaves no core file, and its memory and environment cannot be read
/// through `/proc` or `ptrace` by other processes of the same user.
pub(crate) fn disable() {
    static DISABLED: Once = Once::new();
    DISABLED.call_once(|| {
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            log::warn!("a core dump of this process could contain a secret: {error}");
        }
    });
}
