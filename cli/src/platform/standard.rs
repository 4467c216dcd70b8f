//! Stdin, stdout, and stderr, unless the caller closed them.
//!
//! Where one is closed (`>&-`), the standard library opens `/dev/null` in its place before `main` starts, and a result
//! or an audit event would vanish without an error.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result};
use rustix::stdio;

use crate::exit::{Failure, Kind};
use crate::platform::file;

/// A standard stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standard {
    /// Descriptor 0.
    Input,
    /// Descriptor 1.
    Output,
    /// Descriptor 2.
    Error,
}

static CLOSED: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];

/// Notes which streams are closed, before the standard library opens them.
#[ctor::ctor(unsafe)] // Before main, only code without the standard library is sound: this makes three system calls.
fn look() {
    let is_closed = |descriptor: BorrowedFd<'_>| rustix::io::fcntl_getfd(descriptor).is_err();
    for (closed, descriptor) in CLOSED.iter().zip([stdio::stdin(), stdio::stdout(), stdio::stderr()]) {
        closed.store(is_closed(descriptor), Relaxed);
    }
}

impl Standard {
    /// Duplicates its descriptor, without the standard library's buffer.
    ///
    /// # Errors
    ///
    /// When the caller closed it, or the process has no descriptors left.
    pub(crate) fn open(self) -> Result<File> {
        let (name, kind) = (self.name(), self.kind());
        if CLOSED[self as usize].load(Relaxed) {
            return Err(Failure::new(kind, format!("{name} is closed")).into());
        }
        let duplicate = match self {
            Self::Input => io::stdin().as_fd().try_clone_to_owned(),
            Self::Output => io::stdout().as_fd().try_clone_to_owned(),
            Self::Error => io::stderr().as_fd().try_clone_to_owned(),
        };
        Ok(duplicate.with_context(|| Failure::new(kind, format!("cannot open {name}")))?.into())
    }

    /// Whether it is the file with this metadata.
    pub(crate) fn is(self, metadata: &Metadata) -> bool {
        let own = self.open().and_then(|file| Ok(file.metadata()?));
        own.is_ok_and(|own| file::identity(&own) == file::identity(metadata))
    }

    /// Its name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Input => "stdin",
            Self::Output => "stdout",
            Self::Error => "stderr",
        }
    }

    /// The kind of a failure of this stream.
    fn kind(self) -> Kind {
        match self {
            Self::Input => Kind::Input,
            Self::Output => Kind::Output,
            Self::Error => Kind::Audit,
        }
    }
}
