//! Core dumps, and access to this process by the same user's other processes.

use std::sync::Once;

/// Makes this process not dumpable from now on: it leaves no core file, and on Linux its memory and environment cannot
/// be read through `/proc` or `ptrace` by other processes of the same user.
pub(crate) fn disable() {
    static DISABLED: Once = Once::new();
    DISABLED.call_once(|| {
        if let Err(error) = forbid() {
            log::warn!("a core dump of this process could contain a secret: {error}");
        }
    });
}

#[cfg(target_os = "linux")]
fn forbid() -> rustix::io::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

#[cfg(not(target_os = "linux"))]
fn forbid() -> rustix::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
}
