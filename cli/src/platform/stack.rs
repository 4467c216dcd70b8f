//! The stacks of threads on which guests run.

use std::mem::MaybeUninit;
use std::{io, panic, thread};

use crate::limits::{SIGNAL_STACK_BYTES, THREAD_STACK_BYTES};

/// Runs `task` on the main thread or, if its stack (`ulimit -s`) is smaller than guests need, on another. An overflow
/// would kill the process without a message.
///
/// # Errors
///
/// When that thread cannot be started.
pub fn run_with_enough<T: Send + 'static>(task: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let task = || with_signal_stack(task);
    if is_small() { run_on_thread(task) } else { Ok(task()) }
}

/// Runs `task` with a stack for signal handlers that is part of this thread's own stack. wasmtime would map one on the
/// first call of a guest in this thread, and panic if the system refuses the memory.
#[inline(never)] // The stack of a caller may be too small for it.
pub(crate) fn with_signal_stack<T>(task: impl FnOnce() -> T) -> T {
    let mut bytes = MaybeUninit::<[u8; SIGNAL_STACK_BYTES]>::uninit();
    let _previous =
        Replaced::by(libc::stack_t { ss_sp: bytes.as_mut_ptr().cast(), ss_flags: 0, ss_size: SIGNAL_STACK_BYTES });
    task()
}

/// Restores a thread's signal stack.
struct Replaced(libc::stack_t);

#[allow(unsafe_code, reason = "no safe function sets the signal stack")]
impl Replaced {
    /// If this fails, the thread has the stack that wasmtime maps.
    fn by(new: libc::stack_t) -> Self {
        let mut old = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        // SAFETY: the caller keeps the memory of `new` until this value is dropped, and nothing else uses it.
        unsafe { libc::sigaltstack(&new, &mut old) };
        Self(old)
    }
}

#[allow(unsafe_code, reason = "no safe function sets the signal stack")]
impl Drop for Replaced {
    fn drop(&mut self) {
        // SAFETY: the previous stack belongs to the standard library, which keeps it until the thread ends.
        unsafe { libc::sigaltstack(&self.0, std::ptr::null_mut()) };
    }
}

fn is_small() -> bool {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Stack).current;
    limit.is_some_and(|bytes| bytes < THREAD_STACK_BYTES as u64)
}

/// Runs `task` on another thread. A panic is propagated, so that the exit status is the same.
fn run_on_thread<T: Send + 'static>(task: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let thread = thread::Builder::new().stack_size(THREAD_STACK_BYTES).spawn(task)?;
    Ok(thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_result_of_thread() {
        assert_eq!(run_on_thread(|| 6).expect("a thread starts"), 6);
    }

    #[test]
    #[should_panic(expected = "a bug")]
    fn passes_on_panic_of_thread() {
        let _ = run_on_thread(|| panic!("a bug"));
    }
}
