//! Signals that end a run: finished results are written first. A signal that the caller ignores stays ignored.

use std::os::fd::AsFd;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// The signals that end a run.
const ENDING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// The time that a run may take to write finished results. A reader that has stopped reading would block it for longer.
const GRACE: Duration = Duration::from_secs(1);

/// Whether the next signal ends the process at once.
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Makes a write beyond the file size limit (`ulimit -f`) fail, instead of killing the process.
///
/// # Errors
///
/// When the signal cannot be caught.
pub fn survive_size_limits() -> std::io::Result<()> {
    flag::register(SIGXFSZ, Arc::default()).map(drop)
}

/// Makes signals end the process even if it is the first of a container, where the kernel ignores them by default.
///
/// # Errors
///
/// When a signal cannot be caught.
pub fn end_as_first_process() -> std::io::Result<()> {
    if process::id() != 1 {
        return Ok(());
    }
    AT_ONCE.store(true, Ordering::SeqCst);
    ENDING
        .into_iter()
        .filter(|signal| !is_ignored(*signal))
        .try_for_each(|signal| flag::register_conditional_shutdown(signal, 128 + signal, AT_ONCE.clone()).map(drop))
}

/// Runs `finish` on the first signal that asks the process to end, then exits with 128 plus the signal's number: even
/// if `finish` does not return within a second, and at once on a second signal.
///
/// # Errors
///
/// When the signals cannot be caught, or no thread can be started to wait for them.
pub(crate) fn finish_on_signal(finish: impl FnOnce() + Send + 'static) -> Result<()> {
    let caught: Vec<i32> = ENDING.into_iter().filter(|signal| !is_ignored(*signal)).collect();
    AT_ONCE.store(false, Ordering::SeqCst);
    for &signal in &caught {
        // In this order: the first signal finds the flag unset and sets it, the second finds it set.
        flag::register_conditional_shutdown(signal, 128 + signal, AT_ONCE.clone())
            .and_then(|_| flag::register(signal, AT_ONCE.clone()))
            .context("cannot catch signals")?;
    }
    let mut signals = Signals::new(caught).context("cannot catch signals")?;
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            let status = 128 + signal;
            let deadline = thread::Builder::new().name("deadline".to_owned()).spawn(move || exit_after_grace(status));
            if deadline.is_ok() {
                finish();
            }
            process::exit(status);
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait).context("cannot start a thread for signals")?;
    Ok(())
}

/// Ends the process while another thread is still writing. That thread may hold the lock of stderr, so none is taken.
fn exit_after_grace(status: i32) -> ! {
    thread::sleep(GRACE);
    let stderr = rustix::stdio::stderr();
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    if poll(&mut [PollFd::new(&stderr.as_fd(), PollFlags::OUT)], Some(&now)) == Ok(1) {
        // If this fails, there is no way to report it.
        let _ = rustix::io::write(stderr, b"error: interrupted while writing; the last record may be incomplete\n");
    }
    process::exit(status)
}

/// Whether this process was started with `signal` ignored, as by `nohup`, or as a background job of a shell.
#[allow(unsafe_code, reason = "no safe interface asks for a signal's action")]
fn is_ignored(signal: i32) -> bool {
    let mut current = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action this only writes the current one to `current`, which is large enough; where it fails
    // (an unknown signal), `current` stays zeroed, which is a valid value.
    let current = unsafe {
        libc::sigaction(signal, std::ptr::null(), current.as_mut_ptr());
        current.assume_init()
    };
    current.sa_sigaction == libc::SIG_IGN
}
