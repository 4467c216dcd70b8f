//! The address space of this process, which may be limited (`ulimit -v`).
//!
//! A guest's memory takes address space in large units, and the program aborts when none is left for its own next
//! allocation. So under a limit, guests get memory only while enough is left for the host.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use wasmtime::Config;

use crate::limits::Size;

/// The address space that a memory reserves, in bytes: its size and growth, and the guards around it.
struct Layout {
    /// The minimum that is reserved for a memory and its growth. Growing further moves the memory.
    reservation: u64,
    /// The inaccessible bytes before it, and as many after it: constant offsets up to this size need no separate check.
    guard: u64,
}

/// The layout that runs fastest: no bounds checks, because no memory can leave its 4 GiB.
const LARGE: Layout = Layout { reservation: 4 << 30, guard: 32 << 20 };
/// The layout where that is too much.
const SMALL: Layout = Layout { reservation: 32 << 20, guard: 64 << 10 };

/// The address space that a process needs to run one guest fast, in bytes: for its memory and the program.
const ADDRESS_SPACE_BYTES: u64 = LARGE.reservation + (256 << 20);

/// The address space that guests leave to a process with one message, in bytes.
const MESSAGE_BYTES: u64 = 4 << 20;
/// The address space that guests leave to a run, in bytes: for answers that wait, and the events of their calls.
const RUN_BYTES: u64 = 16 << 20;
/// The address space that guests leave for each worker, in bytes: for its block of records, and its answers.
const WORKER_BYTES: u64 = 2 << 20;
/// The address space of a new worker besides the memory of its guest, in bytes: stacks, tables, and [`WORKER_BYTES`].
const NEW_WORKER_BYTES: u64 = 16 << 20;

/// The address space that guests leave to the host, in bytes.
static HOST_BYTES: AtomicU64 = AtomicU64::new(MESSAGE_BYTES);

/// Held while an instance is created, because another thread could take the address space that was found free.
static CREATION: Mutex<()> = Mutex::new(());

/// The bytes of address space that this process may have, unless that is unlimited.
pub(crate) fn limit() -> Option<u64> {
    getrlimit(Resource::As).current
}

/// The limit, in bytes, if it is too small for the memory layout that runs fastest. The compiler process inherits the
/// limit, and so compiles for the same layout.
pub(super) fn small_limit() -> Option<u64> {
    limit().filter(|limit| *limit < ADDRESS_SPACE_BYTES)
}

/// Sets the layout of memories.
pub(super) fn configure(config: &mut Config) {
    match small_limit() {
        None => config.memory_reservation(LARGE.reservation).memory_guard_size(LARGE.guard),
        // Without a fixed reservation, a memory gets its initial size, and room to grow.
        Some(_) => {
            config.memory_reservation(0).memory_reservation_for_growth(SMALL.reservation).memory_guard_size(SMALL.guard)
        }
    };
}

/// The number of workers, at most `wanted`, for which the address space suffices. From now on, guests leave to the host
/// what these workers need.
pub(crate) fn fit_workers(wanted: usize) -> usize {
    let workers = limit().map_or(wanted, |limit| {
        let memory = layout().reservation + NEW_WORKER_BYTES;
        let fit = usize::try_from(free(limit).saturating_sub(RUN_BYTES) / memory).unwrap_or(wanted).max(1);
        if fit < wanted {
            log::info!("running at most {fit} workers{}", note());
        }
        wanted.min(fit)
    });
    HOST_BYTES.store(RUN_BYTES + WORKER_BYTES * workers as u64, Relaxed);
    workers
}

/// Keeps other threads from creating an instance, if the address space is limited.
pub(crate) fn lock() -> Option<MutexGuard<'static, ()>> {
    limit().map(|_| CREATION.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Checks that a memory of a guest may be created (`current` is 0) or grow to `desired` bytes.
///
/// # Errors
///
/// As for [`check`].
pub(crate) fn check_memory(current: usize, desired: usize) -> Result<(), Errno> {
    let (Layout { reservation, guard }, desired) = (layout(), desired as u64);
    if current > 0 && desired <= reservation {
        return Ok(());
    }
    // A memory that moves has its old place until it is copied. Its reservation is for growing further.
    let size = if small_limit().is_some() { desired.saturating_add(reservation) } else { reservation };
    check(size.saturating_add(2 * guard))
}

/// Checks that `bytes` of address space can be taken, and enough is left for the host.
///
/// # Errors
///
/// ENOMEM, when they cannot.
pub(crate) fn check(bytes: u64) -> Result<(), Errno> {
    let Some(limit) = limit() else { return Ok(()) };
    let needed = bytes.saturating_add(HOST_BYTES.load(Relaxed));
    if needed <= free(limit) { Ok(()) } else { Err(Errno::NOMEM) }
}

/// Why the system may refuse memory, for the end of an error: empty unless the address space is limited.
pub(crate) fn note() -> String {
    let Some(limit) = limit().map(Size) else { return String::new() };
    let layout = if small_limit().is_some() { "" } else { ", and each memory reserves 4GiB" };
    format!("; the address space is limited to {limit} (ulimit -v){layout}")
}

fn layout() -> Layout {
    if small_limit().is_some() { SMALL } else { LARGE }
}

/// The part of `limit` that this process does not use yet, in bytes.
fn free(limit: u64) -> u64 {
    // Linux: the first number is the size in pages. Where it is not reported, the program may abort at the limit.
    let sizes = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = sizes.split(' ').next().and_then(|pages| pages.parse::<u64>().ok());
    limit.saturating_sub(pages.unwrap_or(0) * rustix::param::page_size() as u64)
}
