//! The `cipher` program: parse, run, and say in one line what went wrong.

use std::process::ExitCode;

use cipher::{commands::Cli, output};
use clap::Parser;

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).format_timestamp(None).init();
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            log::debug!("{error:?}");
            output::complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
