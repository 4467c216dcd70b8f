//! The stack of the main thread, on which guests run.

use std::{io, panic, thread};

use crate::limits::THREAD_STACK_BYTES;

/// Runs `task` on the main thread or, if its stack (`ulimit -s`) is smaller than guests need, on another. An overflow
/// would kill the process without a message.
///
/// # Errors
///
/// When that thread cannot be started.
pub fn run_with_enough<T: Send + 'static>(task: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    if is_small() { run_on_thread(task) } else { Ok(task()) }
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
