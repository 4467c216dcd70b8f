//! `wasi:cli`: the environment, the exit, standard streams, and terminals.

use wasmtime::Result;
use wasmtime::component::LinkerInstance;
use wasmtime_wasi::cli::WasiCliView;
use wasmtime_wasi::p2::bindings::cli::{environment, exit, terminal_stderr, terminal_stdin, terminal_stdout};

use super::resources::{InputStream, OutputStream};
use super::{Host, define as define_function};

/// Defines `function`. The names of functions are unique in all of `wasi:cli`.
pub(super) fn define(instance: &mut LinkerInstance<'_, Host>, _: &str, function: &str) -> Result<()> {
    match function {
        "get-environment" => {
            define_function(instance, function, |host, ()| Ok((environment::Host::get_environment(&mut host.cli())?,)))
        }
        "get-arguments" => {
            define_function(instance, function, |host, ()| Ok((environment::Host::get_arguments(&mut host.cli())?,)))
        }
        "initial-cwd" => {
            define_function(instance, function, |host, ()| Ok((environment::Host::initial_cwd(&mut host.cli())?,)))
        }
        "exit" => define_function(instance, function, |host, (status,)| exit::Host::exit(&mut host.cli(), status)),
        "exit-with-code" => {
            define_function(instance, function, |host, (code,)| exit::Host::exit_with_code(&mut host.cli(), code))
        }
        "get-stdin" => define_function(instance, function, |host, ()| Ok((host.resources.push(InputStream)?,))),
        "get-stdout" | "get-stderr" => {
            define_function(instance, function, |host, ()| Ok((host.resources.push(OutputStream)?,)))
        }
        "get-terminal-stdin" => define_function(instance, function, |host, ()| {
            Ok((terminal_stdin::Host::get_terminal_stdin(&mut host.cli())?,))
        }),
        "get-terminal-stdout" => define_function(instance, function, |host, ()| {
            Ok((terminal_stdout::Host::get_terminal_stdout(&mut host.cli())?,))
        }),
        "get-terminal-stderr" => define_function(instance, function, |host, ()| {
            Ok((terminal_stderr::Host::get_terminal_stderr(&mut host.cli())?,))
        }),
        _ => Ok(()),
    }
}
