//! Links the dynamic libraries within a component into one core module:
//! link-libraries FROM TO [--without NAME]... [OPTIMISER [ARGUMENT]...].
//!
//! componentize-py builds a component from a dozen core modules (libc, CPython, its own runtime, ...) that are linked
//! when it starts: each takes functions and addresses of the others by name, some 1,600 of them. The host pays for
//! every one at every start, and it fills a table of 5,700 functions, since the module that has the table does not know
//! them. Once all is one module, calls are direct, addresses are constants, and the table fills itself as it is used.
//! An optimiser can then work across what were the borders of libraries.
//!
//! Libraries import whatever any program may need, and the host pays for every type and function of that, too. A guest
//! that needs no sockets, say, is made `--without wasi:sockets`. A call of what it then lacks traps, but for the question
//! which of something there are, such as directories: none. An export is left out in the same way.
//!
//! How such libraries are linked: <https://github.com/WebAssembly/tool-conventions/blob/main/DynamicLinking.md>; what a
//! component is made of: <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md>.

mod component;
mod failure;
mod left_out;
mod linked;
mod linker;
mod module;
mod optimiser;
mod rewrite;

use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsString;
use std::fs;

const USAGE: &str = "usage: link-libraries FROM TO [--without NAME]... [OPTIMISER [ARGUMENT]...]";

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [from, to, optimiser @ ..] = arguments.as_slice() else { bail!(USAGE) };
    let (mut optimiser, mut without) = (optimiser, vec![]);
    while let [option, rest @ ..] = optimiser
        && option == "--without"
    {
        let [name, rest @ ..] = rest else { bail!(USAGE) };
        without.push(name.to_str().context("a name is not UTF-8")?.to_owned());
        optimiser = rest;
    }
    let component = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    let linked = link(&component, &without, optimiser).with_context(|| format!("cannot link {}", from.display()))?;
    fs::write(to, linked).with_context(|| format!("cannot write {}", to.display()))
}

/// Links the libraries of `component`, leaves out the imports and exports `without`, and has `optimiser`, unless it is
/// empty, work on the linked module; what comes of it is checked to be a valid component.
fn link(component: &[u8], without: &[String], optimiser: &[OsString]) -> Result<Vec<u8>> {
    ensure!(wasmparser::Parser::is_component(component), "it is no component");
    wasmparser::Validator::new().validate_all(component).context("it is not valid")?;
    let component = component::Component::read(component, without)?;
    let linker = linker::Linker::new(&component)?;
    let mut linked = linker.link()?;
    if let Some((program, arguments)) = optimiser.split_first() {
        linked.binary = optimiser::run(program, arguments, &linked.binary)?;
    }
    let linked = rewrite::rewrite(&component, &linker, linked)?;
    wasmparser::Validator::new().validate_all(&linked).context("the outcome is not valid")?;
    Ok(linked)
}
