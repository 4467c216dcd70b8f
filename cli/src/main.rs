//! The `cipher` program: parse the arguments, run the command, and map its error to an exit status.

use std::process::ExitCode;

use cipher::{Cli, color, compiler, exit, output, print_usage, signals, stack};
use clap::Parser;

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    if let Some(status) = compiler::run_if_asked() {
        return status;
    }
    // With RUST_BACKTRACE=1, each failed record would capture a backtrace that is never shown. A panic still has one.
    if std::env::var_os("RUST_LIB_BACKTRACE").is_none() {
        #[allow(unsafe_code, reason = "no safe function changes the environment")]
        // SAFETY: no other thread exists yet.
        unsafe {
            std::env::set_var("RUST_LIB_BACKTRACE", "0");
        }
    }
    // wasmtime's own warnings mean nothing to a user, and the error that follows repeats them.
    let level = env_logger::Env::default().default_filter_or("cipher=warn");
    let mut logger = env_logger::Builder::new();
    let stderr = env_logger::Target::Pipe(Box::new(color::Stderr));
    logger.parse_env(level).format(color::write_diagnostic).target(stderr).init();
    if let Err(error) = signals::survive_size_limits() {
        log::warn!("cannot ignore SIGXFSZ; exceeding a file size limit will kill the program: {error}");
    }
    if let Err(error) = signals::end_as_first_process() {
        log::warn!("cannot catch signals: {error}");
    }
    stack::run_with_enough(run).unwrap_or_else(|error| {
        color::print_error(&format!("the stack is too small (ulimit -s), and no thread can be started: {error}"));
        ExitCode::from(exit::Kind::System.status())
    })
}

fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version arrive as errors, too, with the text to print and the exit status.
        Err(usage) => return print_usage(&usage),
    };
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed(&error) => ExitCode::SUCCESS,
        Err(error) => {
            log::debug!("{error:?}");
            color::print_error(&format!("{error:#}"));
            exit::status(&error)
        }
    }
}
