//! One line on stderr before a crash signal ends the process: if the engine aborts, a service has no shell to report
//! it. If the process aborts because the system has no memory for it, that is no crash: it ends like any other failure.

#![allow(unsafe_code, reason = "a handler of these signals has no safe interface")]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use libc::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, c_int};

use crate::exit::Kind;

const SIGNALS: [c_int; 5] = [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV];

/// Installs the handler before the standard library would install its own, which maps a stack for every thread and
/// panics where that fails. wasmtime, which handles the traps of guests, passes other faults on to this one.
#[ctor::ctor(unsafe)] // Before main, only code without the standard library is sound: this makes five system calls.
fn install() {
    for signal in SIGNALS {
        set_action(signal, report as *const () as libc::sighandler_t);
    }
}

fn set_action(signal: c_int, handler: libc::sighandler_t) {
    // SAFETY: zeros are a valid action, with no flags and an empty mask; the handler is a function that may run at any
    // time, or the default.
    unsafe {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_ONSTACK;
        libc::sigaction(signal, &action, ptr::null_mut());
    }
}

/// Runs at any time, so it allocates nothing, takes no lock, and makes only system calls.
extern "C" fn report(signal: c_int) {
    let name = match signal {
        SIGABRT => "SIGABRT",
        SIGBUS => "SIGBUS",
        SIGFPE => "SIGFPE",
        SIGILL => "SIGILL",
        _ => "SIGSEGV",
    };
    // The standard library aborts where the allocator fails, which has just set this error. With RUST_BACKTRACE=1, it
    // prints a backtrace before, which may change the error: then this counts as a crash.
    let is_out_of_memory = signal == SIGABRT && io::Error::last_os_error().raw_os_error() == Some(libc::ENOMEM);
    let end = ": what is written is correct up to the last whole record\n";
    let parts = if is_out_of_memory {
        ["error: out of memory", "", "", end]
    } else {
        ["error: cipher crashed (", name, ")", end]
    };
    let mut line = [0; 128];
    let mut length = 0;
    for (to, from) in line.iter_mut().zip(parts.iter().flat_map(|part| part.bytes())) {
        *to = from;
        length += 1;
    }
    // SAFETY: `line` has `length` bytes, and `raise` only takes effect when this returns.
    unsafe {
        libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), length);
        if is_out_of_memory {
            libc::_exit(Kind::System.status().into());
        }
        set_action(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}
