//! Standard input, output and error, if the caller left them open.
//!
//! Where one is closed (`>&-`), the standard library opens `/dev/null` in its place before `main` starts: a result or an
//! audit entry would then vanish without an error.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result, bail};
use rustix::stdio;

/// One of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standard {
    /// Descriptor 0.
    Input,
    /// Descriptor 1.
    Output,
    /// Descriptor 2.
    Error,
}

static CLOSED: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];

/// Looks before the standard library does.
#[ctor::ctor(unsafe)] // before main, only what needs nothing of the standard library is sound: these are three system calls
fn look() {
    let is_closed = |descriptor: BorrowedFd<'_>| rustix::io::fcntl_getfd(descriptor).is_err();
    for (closed, descriptor) in CLOSED.iter().zip([stdio::stdin(), stdio::stdout(), stdio::stderr()]) {
        closed.store(is_closed(descriptor), Relaxed);
    }
}

impl Standard {
    /// A descriptor of its own for it, without the standard library's buffer.
    ///
    /// # Errors
    ///
    /// When the caller closed it, or no further descriptor can be had.
    pub fn open(self) -> Result<File> {
        let name = self.name();
        if CLOSED[self as usize].load(Relaxed) {
            bail!("{name} is closed");
        }
        let duplicate = match self {
            Self::Input => io::stdin().as_fd().try_clone_to_owned(),
            Self::Output => io::stdout().as_fd().try_clone_to_owned(),
            Self::Error => io::stderr().as_fd().try_clone_to_owned(),
        };
        Ok(duplicate.with_context(|| format!("cannot open {name}"))?.into())
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "standard input",
            Self::Output => "standard output",
            Self::Error => "standard error",
        }
    }
}
