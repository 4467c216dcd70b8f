//! The `cipher` program: parse, run, and say in one line what went wrong.

use std::process::ExitCode;

use cipher::commands::{self, Cli};
use cipher::output;
use clap::Parser;

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).format_timestamp(None).init();
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
