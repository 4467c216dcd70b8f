//! Runs an optimiser of core modules, such as Binaryen's wasm-opt.

use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::process::Command;

/// What `program` makes of `module`. Its last arguments are those of wasm-opt: MODULE -o OUTCOME, both of them files.
pub fn run(program: &OsString, arguments: &[OsString], module: &[u8]) -> Result<Vec<u8>> {
    let directory = tempfile::tempdir().context("cannot make a temporary directory")?;
    let (from, to) = (directory.path().join("linked.wasm"), directory.path().join("optimised.wasm"));
    fs::write(&from, module).with_context(|| format!("cannot write {}", from.display()))?;
    let mut command = Command::new(program);
    command.args(arguments).arg(&from).arg("-o").arg(&to);
    let status = command.status().with_context(|| format!("cannot run {}", program.display()))?;
    ensure!(status.success(), "{} failed ({status})", program.display());
    fs::read(&to).with_context(|| format!("{} wrote nothing", program.display()))
}
