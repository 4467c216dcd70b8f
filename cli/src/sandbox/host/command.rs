//! `wasi:cli`: the environment, the exit, standard streams, and terminals.

use std::fmt;
use std::sync::Arc;

use wasmtime::Result;
use wasmtime::component::LinkerInstance;

use super::resources::{InputStream, OutputStream, TerminalInput, TerminalOutput};
use super::{Host, define as define_function};

/// Defines `function`. The names of functions are unique in all of `wasi:cli`.
pub fn define(instance: &mut LinkerInstance<'_, Host>, _: &str, function: &str) -> Result<()> {
    match function {
        "get-environment" => define_function(instance, function, |host, ()| Ok((host.environment.clone(),))),
        "get-arguments" => define_function(instance, function, |_, ()| Ok((Arc::<[String]>::default(),))),
        "initial-cwd" => define_function(instance, function, |_, ()| Ok((None::<String>,))),
        "exit" => define_function(instance, function, exit),
        "exit-with-code" => define_function(instance, function, |_, (code,): (u8,)| Exit::with(code)),
        "get-stdin" => define_function(instance, function, |host, ()| Ok((host.resources.push(InputStream)?,))),
        "get-stdout" | "get-stderr" => {
            define_function(instance, function, |host, ()| Ok((host.resources.push(OutputStream)?,)))
        }
        "get-terminal-stdin" => {
            define_function(instance, function, |_, ()| Ok((None::<wasmtime::component::Resource<TerminalInput>>,)))
        }
        "get-terminal-stdout" | "get-terminal-stderr" => {
            define_function(instance, function, |_, ()| Ok((None::<wasmtime::component::Resource<TerminalOutput>>,)))
        }
        _ => Ok(()),
    }
}

/// The end of a guest that exits instead of returning a result.
#[derive(Debug)]
pub struct Exit(pub u8);

impl Exit {
    fn with(code: u8) -> Result<()> {
        Err(Self(code).into())
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit with status {}", self.0)
    }
}

impl std::error::Error for Exit {}

fn exit(_: &mut Host, (status,): (std::result::Result<(), ()>,)) -> Result<()> {
    Exit::with(u8::from(status.is_err()))
}
