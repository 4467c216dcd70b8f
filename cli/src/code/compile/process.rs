//! Runs the compiler process: writes its input, reads its output, enforces its time limit, and interprets its end.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::Refusal;
use super::compiler::{self, Status, Task};
use crate::limits::{Limits, Size};
use crate::platform::confine::Confinement;
use crate::platform::executable;
use crate::terminal::escape;

/// Runs `task` on the component in `bytes` in a separate process, and returns the result.
pub(super) fn run(task: Task, bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, Refusal> {
    let deadline = Instant::now().checked_add(wall_time(limits));
    let confinement =
        Confinement { memory_bytes: limits.compile_memory, processor_time: limits.compile_time, parent: 0 };
    let mut child =
        start(task, &confinement).map_err(|error| Refusal::System(format!("cannot start a process: {error}")))?;
    let result_limit = match task {
        Task::Compile => limits.compile_memory,
        Task::ReportLinking => REPORT_BYTES,
    };
    let mut output = Output { result: Vec::new(), messages: Vec::new(), result_limit };
    let exchanged = exchange(&mut child, bytes, &mut output, deadline);
    if exchanged.is_err() {
        // The process may have ended by itself.
        let _ = child.kill();
    }
    let status = wait(&mut child, deadline);
    match (exchanged, status) {
        (Err(error), _) if error.kind() == ErrorKind::TimedOut => Err(Refusal::WallTime),
        (Err(error), _) | (_, Err(error)) => Err(Refusal::System(error.to_string())),
        (Ok(()), Ok(status)) => output.end(status),
    }
}

/// The wall-clock limit of a compiler: many times its limit on processor time, to allow for a busy machine.
pub(super) fn wall_time(limits: &Limits) -> Duration {
    limits.compile_time.saturating_mul(10).saturating_add(Duration::from_secs(60))
}

/// Starts this same program, even if its file has been replaced.
fn start(task: Task, confinement: &Confinement) -> io::Result<Child> {
    let start = |program: PathBuf| {
        let mut command = Command::new(program);
        command.args(compiler::arguments(task, confinement)).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    };
    start("/proc/self/exe".into()).or_else(|error| match error.kind() {
        // There is no `/proc`.
        ErrorKind::NotFound => executable::path().map_or(Err(error), start),
        _ => Err(error),
    })
}

/// The output of a process.
struct Output {
    result: Vec<u8>,
    messages: Vec<u8>,
    /// The maximum size of the result, in bytes.
    result_limit: u64,
}

/// The maximum size of a report, in bytes.
const REPORT_BYTES: u64 = 64 * 1024;

/// How much of stderr is kept, in bytes.
const MESSAGES_BYTES: usize = 64 * 1024;

/// Writes `bytes` to the process and reads its output, until it has closed both stdout and stderr.
fn exchange(child: &mut Child, bytes: &[u8], output: &mut Output, deadline: Option<Instant>) -> io::Result<()> {
    let (mut stdin, mut left) = (child.stdin.take(), bytes);
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    if let Some(stdin) = &stdin {
        rustix::io::ioctl_fionbio(stdin, true)?;
    }
    let mut buffer = vec![0; 64 * 1024];
    while stdout.is_some() || stderr.is_some() {
        let [can_write, can_read, has_message] = ready(
            [stdin.as_ref().map(AsFd::as_fd), stdout.as_ref().map(AsFd::as_fd), stderr.as_ref().map(AsFd::as_fd)],
            deadline,
        )?;
        if can_write && !write_some(&mut stdin, &mut left)? {
            stdin = None;
        }
        if let Some(pipe) = stdout.as_mut().filter(|_| can_read) {
            match pipe.read(&mut buffer)? {
                0 => stdout = None,
                count if (output.result.len() + count) as u64 > output.result_limit => {
                    let problem = format!("the compiler writes more than {}", Size(output.result_limit));
                    return Err(io::Error::other(problem));
                }
                count => output.result.extend(&buffer[..count]),
            }
        }
        if let Some(pipe) = stderr.as_mut().filter(|_| has_message) {
            match pipe.read(&mut buffer)? {
                0 => stderr = None,
                count if output.messages.len() < MESSAGES_BYTES => output.messages.extend(&buffer[..count]),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Waits until one of the pipes is ready for writing or reading.
fn ready(pipes: [Option<BorrowedFd<'_>>; 3], deadline: Option<Instant>) -> io::Result<[bool; 3]> {
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    if left.is_some_and(|left| left.is_zero()) {
        return Err(ErrorKind::TimedOut.into());
    }
    let timeout = left.and_then(|left| Timespec::try_from(left).ok());
    let events = [PollFlags::OUT, PollFlags::IN, PollFlags::IN];
    let mut fds: Vec<PollFd<'_>> = pipes
        .iter()
        .zip(events)
        .filter_map(|(pipe, events)| pipe.map(|pipe| PollFd::from_borrowed_fd(pipe, events)))
        .collect();
    match poll(&mut fds, timeout.as_ref()) {
        Err(rustix::io::Errno::INTR) => return Ok([false; 3]),
        result => result?,
    };
    let mut polled = fds.iter();
    Ok(pipes.map(|pipe| pipe.and_then(|_| polled.next()).is_some_and(|fd| !fd.revents().is_empty())))
}

/// Writes as much of `left` as the pipe takes, and returns whether there is more to write.
fn write_some(stdin: &mut Option<ChildStdin>, left: &mut &[u8]) -> io::Result<bool> {
    let Some(stdin) = stdin else { return Ok(false) };
    match stdin.write(left) {
        Ok(count) => *left = &left[count..],
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
        // Its exit status will say why it stopped reading.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(false),
        Err(error) => return Err(error),
    }
    Ok(!left.is_empty())
}

/// Waits for the end of a process that has closed its pipes, or was killed.
fn wait(child: &mut Child, deadline: Option<Instant>) -> io::Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            // It ends now, whether or not this succeeds.
            let _ = child.kill();
        }
        thread::sleep(Duration::from_millis(1));
    }
}

impl Output {
    /// The outcome of the process, from its exit status and its output.
    fn end(self, status: ExitStatus) -> Result<Vec<u8>, Refusal> {
        let text = || String::from_utf8_lossy(&self.result).into_owned();
        for line in self.messages() {
            log::debug!("{}", escape::line(&line));
        }
        Err(match status.code().map(Status::from_code) {
            Some(Some(Status::Done)) => return Ok(self.result),
            Some(Some(Status::Invalid)) => Refusal::Invalid(text()),
            Some(Some(Status::Async)) => Refusal::Async,
            Some(Some(Status::Panicked)) => Refusal::Panicked(text()),
            Some(Some(Status::Memory)) => Refusal::Memory,
            Some(Some(Status::System)) => Refusal::System(text()),
            Some(None) | None if self.is_out_of_memory() => Refusal::Memory,
            Some(None) => Refusal::System(format!("the compiler ended with {status}")),
            None => match status.signal() {
                Some(signal) if [Signal::PROF, Signal::XCPU].map(Signal::as_raw).contains(&signal) => {
                    Refusal::ProcessorTime
                }
                Some(signal) if signal == Signal::KILL.as_raw() => {
                    Refusal::System("the compiler was killed, perhaps because the system is out of memory".into())
                }
                signal => Refusal::Crashed(signal.unwrap_or_default()),
            },
        })
    }

    /// Whether Rust's standard library could not allocate: then it aborts, and reports this only on stderr.
    fn is_out_of_memory(&self) -> bool {
        self.messages().any(|line| line.starts_with("memory allocation of "))
    }

    fn messages(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.messages.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(String::from_utf8_lossy)
    }
}
