//! The compiler process: a component on stdin, the result of its `Task` on stdout, and its limits as arguments.
//!
//! The process runs this program again, with the task as the first argument. The input may be an attack, so before
//! reading it, the process gives up everything except stdin, stdout, and stderr (`confine`). It refuses a component
//! with an exit status, and the reason on stdout.

use std::any::Any;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use wasmparser::Validator;
use wasmtime::Engine;

use super::{Linking, nesting};
use crate::code::{engine, instances, link};
use crate::platform::confine::{self, Confinement};
use crate::terminal::escape;

/// What the process does with the component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Compiles it.
    Compile,
    /// Reports whether it is linked before it is compiled, as JSON of a [`Linking`].
    ReportLinking,
}

impl Task {
    /// The first argument of the process. No command and no algorithm looks like this.
    fn argument(self) -> &'static str {
        match self {
            Self::Compile => "--compile-component",
            Self::ReportLinking => "--report-linking",
        }
    }

    fn from_argument(argument: &OsStr) -> Option<Self> {
        [Self::Compile, Self::ReportLinking].into_iter().find(|task| argument == task.argument())
    }
}

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Stdout is the result.
    Done = 0,
    /// Stdout says why the component is invalid.
    Invalid = 10,
    /// The component uses the async part of the component model.
    Async = 11,
    /// Stdout is the message of a panic.
    Panicked = 12,
    /// There was not enough memory.
    Memory = 13,
    /// Stdout says why the process could not limit itself, or start.
    System = 14,
}

impl Status {
    pub(super) fn from_code(code: i32) -> Option<Self> {
        let all = [Self::Done, Self::Invalid, Self::Async, Self::Panicked, Self::Memory, Self::System];
        all.into_iter().find(|status| *status as i32 == code)
    }
}

/// The arguments that make this program a compiler process with this task and these limits.
pub(super) fn arguments(task: Task, confinement: &Confinement) -> [String; 5] {
    let Confinement { memory_bytes, processor_time, .. } = confinement;
    let verbose = u8::from(log::log_enabled!(log::Level::Debug));
    [
        task.argument().into(),
        memory_bytes.to_string(),
        u64::try_from(processor_time.as_micros()).unwrap_or(u64::MAX).to_string(),
        process::id().to_string(),
        verbose.to_string(),
    ]
}

/// Runs the task of a compiler process, if this process was started as one.
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    let task = Task::from_argument(&arguments.next()?)?;
    // A panic is reported on stdout; other messages of the standard library are on stderr.
    panic::set_hook(Box::new(|_| {}));
    let (status, output) = run(task, arguments);
    // If this fails, the reader has ended.
    let written = io::stdout().lock().write_all(&output);
    Some(ExitCode::from(if written.is_ok() { status as u8 } else { Status::System as u8 }))
}

fn run(task: Task, mut arguments: impl Iterator<Item = OsString>) -> (Status, Vec<u8>) {
    let mut number = || arguments.next()?.to_str()?.parse::<u64>().ok();
    let (Some(memory_bytes), Some(micros), Some(parent), Some(verbose)) = (number(), number(), number(), number())
    else {
        return (Status::System, b"it was started with unexpected arguments".into());
    };
    if verbose == 1 {
        // The parent logs stderr.
        let mut logger = env_logger::Builder::new();
        logger.filter_module("cipher", log::LevelFilter::Debug);
        logger.format(|line, record| writeln!(line, "{}", record.args())).init();
    }
    let confinement = Confinement { memory_bytes, processor_time: Duration::from_micros(micros), parent };
    if let Err(error) = confinement.limit() {
        return (Status::System, format!("{error:#}").into());
    }
    // The stack of the main thread may be small (`ulimit -s`).
    match thread::Builder::new().stack_size(confine::STACK_BYTES).spawn(move || process_stdin(task)) {
        Ok(worker) => worker.join().unwrap_or_else(|panic| panicked(&*panic)),
        Err(_) => process_stdin(task),
    }
}

fn process_stdin(task: Task) -> (Status, Vec<u8>) {
    // The engine first: it queries the processor through the system, and starts the threads that compile.
    let prepared = engine::compiler().and_then(|engine| {
        confine::isolate();
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes)?;
        Ok((engine, bytes))
    });
    let (engine, bytes) = match prepared {
        Ok(prepared) => prepared,
        Err(error) if is_out_of_memory(&error) => return (Status::Memory, Vec::new()),
        Err(error) => return (Status::System, format!("{error:#}").into()),
    };
    let work = || match task {
        Task::Compile => translate(&engine, &bytes),
        Task::ReportLinking => report_linking(&bytes),
    };
    match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(result)) => (Status::Done, result),
        Ok(Err(error)) if is_out_of_memory(&error) => (Status::Memory, Vec::new()),
        Ok(Err(error)) => match escape::line(&error.root_cause().to_string()) {
            // Only the text of the error names the proposal.
            reason if reason.contains("component model async") => (Status::Async, Vec::new()),
            reason => (Status::Invalid, reason.into_owned().into()),
        },
        Err(panic) => panicked(&*panic),
    }
}

fn is_out_of_memory(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    error.is::<wasmtime::OutOfMemory>() || io.is_some_and(|error| error.kind() == io::ErrorKind::OutOfMemory)
}

fn panicked(panic: &(dyn Any + Send)) -> (Status, Vec<u8>) {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    (Status::Panicked, escape::line(text).into_owned().into())
}

/// Validates and compiles the component in `bytes`.
///
/// # Errors
///
/// When it is not a valid component, uses a proposal that is not one of [`engine::PROPOSALS`], is nested too deeply, or
/// has instances that are too large.
pub fn translate(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>> {
    nesting::check(bytes)?;
    // The engine accepts slightly more than a guest may use. This takes 1% of the time of compiling.
    Validator::new_with_features(engine::PROPOSALS).validate_all(bytes)?;
    instances::check(bytes)?;
    Ok(link::precompile(engine, bytes)?)
}

fn report_linking(bytes: &[u8]) -> Result<Vec<u8>> {
    nesting::check(bytes)?;
    let linking: Linking = link::link(bytes).map(|linked| linked.modules).map_err(|reason| reason.to_string());
    Ok(serde_json::to_vec(&linking)?)
}
