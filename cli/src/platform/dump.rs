//! Core dumps, and access to this process by the same user's other processes.

use std::sync::Once;

/// Makes this process undumpable: it leaves no core file, and on Linux other processes of the same user cannot read its
/// memory and environment through `/proc` or `ptrace`.
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
