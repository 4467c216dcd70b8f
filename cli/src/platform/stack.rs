//! The stacks of threads on which guests run.

use std::{io, panic, thread};

use crate::limits::{SIGNAL_STACK_BYTES, THREAD_STACK_BYTES};

/// Runs `task` on the main thread or, if its stack (`ulimit -s`) is smaller than guests need, on another. An overflow
/// would kill the process without a message.
///
/// # Errors
///
/// When that thread cannot be started.
pub fn run_with_enough<T: Send + 'static>(task: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    if is_small() { run_on_thread(task) } else { Ok(task()) }
}

/// Memory for the signal handlers of a thread. wasmtime would map some on the first call of a guest in the thread, and
/// panic if the system refuses it.
pub(crate) struct SignalStack(Vec<u8>);

impl SignalStack {
    /// Allocates it. (In a frame of the thread's own stack, the compiler would touch each of its pages.)
    ///
    /// # Errors
    ///
    /// When the system refuses the memory.
    pub(crate) fn allocate() -> io::Result<Self> {
        let mut memory = Vec::new();
        memory.try_reserve_exact(SIGNAL_STACK_BYTES)?;
        Ok(Self(memory))
    }

    /// Runs `task` on this thread with it.
    pub(crate) fn with<T>(mut self, task: impl FnOnce() -> T) -> T {
        let start = self.0.as_mut_ptr().cast();
        let _previous = Replaced::by(libc::stack_t { ss_sp: start, ss_flags: 0, ss_size: SIGNAL_STACK_BYTES });
        task()
    }
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
