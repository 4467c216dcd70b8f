//! The `cipher` program: parse, run, and say in one line what went wrong.

use std::process::ExitCode;
use std::thread;

use cipher::commands::{self, Cli};
use cipher::{engine, interrupt, limits, output};
use clap::Parser;

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    // What wasmtime warns of says nothing to a user, and is said again by the error that follows.
    let level = env_logger::Env::default().default_filter_or("cipher=warn");
    let mut logger = env_logger::Builder::new();
    for module in engine::LOG_COMPILER {
        logger.filter_module(module, log::LevelFilter::Off);
    }
    logger.parse_env(level).format(output::write_diagnostic).init();
    if let Err(error) = interrupt::survive_size_limits() {
        log::warn!("a file at its limit of size will end the program: {error}");
    }
    if !limits::stack_is_small() {
        return run();
    }
    // A guest's stack is a part of its thread's. Past the end of that, the system ends the program without a word.
    let roomy = thread::Builder::new().stack_size(limits::THREAD_STACK_BYTES).spawn(run);
    match roomy.map(thread::JoinHandle::join) {
        Ok(Ok(status)) => status,
        Ok(Err(_)) => ExitCode::FAILURE,
        Err(error) => {
            output::complain(&format!("the stack is too small (ulimit -s), and no thread can be started: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version, too, come as an error: what to print, and the exit status.
        Err(usage) => return commands::print_usage(&usage),
    };
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed(&error) => ExitCode::SUCCESS,
        Err(error) => {
            log::debug!("{error:?}");
            output::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
