//! Limits and isolation of the process that compiles.

#![allow(unsafe_code, reason = "timers, signals and closing descriptors have no safe interface")]

use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

/// The limits of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Confinement {
    /// Memory that it can write to, in bytes. The stacks of its threads count, their code does not.
    pub memory_bytes: u64,
    /// Processor time of all its threads.
    pub processor_time: Duration,
    /// The parent; this process is killed when it ends.
    pub parent: u64,
}

/// The stack of the thread that compiles, in bytes: twice Linux's default for a process.
pub(crate) const STACK_BYTES: usize = 16 << 20;

/// A time that no process runs for, and that every system can represent.
const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

impl Confinement {
    /// Applies the limits to this process, and closes every descriptor except the standard streams.
    ///
    /// # Errors
    ///
    /// When the system rejects one of the limits, or the parent has ended.
    pub(crate) fn limit(&self) -> Result<()> {
        end_with_parent(self.parent)?;
        close_descriptors();
        let time = self.processor_time.clamp(Duration::from_micros(1), CENTURY);
        lower(Resource::Core, 0)?;
        lower(Resource::Stack, STACK_BYTES as u64)?;
        lower(Resource::Data, self.memory_bytes)?;
        // This limit counts whole seconds; the timer is exact.
        lower(Resource::Cpu, time.as_secs() + 1)?;
        limit_processor_time(time)
    }
}

/// Lowers a limit to `value`, unless it is already lower.
fn lower(resource: Resource, value: u64) -> Result<()> {
    let old = getrlimit(resource);
    let below = |limit: Option<u64>| limit.map_or(value, |limit| limit.min(value));
    let new = Rlimit { current: Some(below(old.current)), maximum: Some(below(old.maximum)) };
    setrlimit(resource, new).with_context(|| format!("cannot limit {resource:?} to {value}"))
}

/// Has the kernel kill this process when its parent ends, and keeps it from ending sooner: Ctrl-C reaches both, and the
/// parent decides.
fn end_with_parent(parent: u64) -> Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .context("cannot detect the end of the parent process")?;
    let current = rustix::process::getppid().map_or(0, |pid| u64::from(pid.as_raw_pid().unsigned_abs()));
    if current != parent {
        bail!("the parent process has ended");
    }
    for signal in [Signal::INT, Signal::HUP, Signal::QUIT, Signal::TERM] {
        // SAFETY: this process has no other use for these signals, and an ignored signal runs no code.
        unsafe { libc::signal(signal.as_raw(), libc::SIG_IGN) };
    }
    Ok(())
}

/// Ends this process by SIGPROF when it has used `time`.
fn limit_processor_time(time: Duration) -> Result<()> {
    // A caller may have left the signal ignored.
    // SAFETY: the default action of a signal runs no code of this process.
    unsafe { libc::signal(Signal::PROF.as_raw(), libc::SIG_DFL) };
    let zero = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let value = libc::timeval { tv_sec: time.as_secs() as _, tv_usec: time.subsec_micros() as _ };
    let timer = libc::itimerval { it_interval: zero, it_value: value };
    // SAFETY: `timer` outlives the call, and with a null pointer the old value is not returned.
    let result = unsafe { libc::setitimer(libc::ITIMER_PROF, &timer, std::ptr::null_mut()) };
    if result != 0 {
        return Err(std::io::Error::last_os_error()).context("cannot limit the processor time");
    }
    Ok(())
}

/// Closes descriptors that the parent inherited.
fn close_descriptors() {
    // SAFETY: nothing in this process has opened a descriptor yet. Kernels before 5.9 lack the call and fail.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 0u32)
    };
}

/// Denies all system calls except those for memory, existing threads, and the standard streams. Has no effect where the
/// kernel does not support this.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
pub(crate) fn isolate() {
    if let Err(error) = filter::apply() {
        log::debug!("system calls cannot be filtered: {error}");
    }
}

/// Other systems enforce only the limits.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))))]
pub(crate) fn isolate() {}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
mod filter {
    use std::collections::BTreeMap;
    use std::env::consts::ARCH;

    use seccompiler::{
        BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    };

    /// The system calls of a program that only computes. All others fail with EPERM.
    const ALLOWED: [i64; 25] = [
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_close,
        libc::SYS_fstat,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_restart_syscall,
        libc::SYS_getrandom,
        libc::SYS_gettid,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ];

    /// Memory that is not executable (the third argument).
    const ALLOWED_WITHOUT_EXEC: [i64; 2] = [libc::SYS_mmap, libc::SYS_mprotect];

    pub(super) fn apply() -> Result<(), Error> {
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
        let exec = libc::PROT_EXEC as u64;
        for call in ALLOWED_WITHOUT_EXEC {
            let no_exec = SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(exec), 0)?;
            rules.insert(call, vec![SeccompRule::new(vec![no_exec])?]);
        }
        let denied = SeccompAction::Errno(libc::EPERM as u32);
        let filter = SeccompFilter::new(rules, denied, SeccompAction::Allow, ARCH.try_into()?)?;
        // The compiler threads already exist.
        seccompiler::apply_filter_all_threads(&BpfProgram::try_from(filter)?)
    }
}
