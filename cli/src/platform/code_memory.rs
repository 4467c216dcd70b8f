//! Whether the system lets this process run code that it has compiled.

use std::ptr;

use rustix::io::Errno;
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

/// The length of a mapping, which the system rounds up to a page.
const BYTES: usize = 1;

/// Whether memory can be made executable. `MemoryDenyWriteExecute` in a systemd unit denies it, as SELinux may.
#[allow(unsafe_code, reason = "mappings have no safe interface")]
pub(crate) fn is_allowed() -> bool {
    // SAFETY: the mapping is new and anonymous, and nothing refers to it when it is unmapped.
    unsafe {
        let Ok(page) = mmap_anonymous(ptr::null_mut(), BYTES, ProtFlags::READ, MapFlags::PRIVATE) else { return true };
        let changed = mprotect(page, BYTES, MprotectFlags::READ | MprotectFlags::EXEC);
        // Otherwise the page stays until the process ends.
        let _ = munmap(page, BYTES);
        !matches!(changed, Err(Errno::ACCESS | Errno::PERM))
    }
}
