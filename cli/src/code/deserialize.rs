//! Loads an artifact as a wasmtime component: the only place where bytes become code.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsRawFd;

use anyhow::Result;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::code::address_space;
use crate::exit::{Failure, Kind};
use crate::guest::Guest;
use crate::platform::file;
use crate::terminal::escape;

/// Maps the artifact in `file`, or reads it where it cannot be mapped.
#[allow(unsafe_code, reason = "maps an artifact as code")]
pub(super) fn map(engine: &Engine, mut file: &File) -> Result<Component> {
    read_ahead(file);
    // Wasmtime opens a path. This path names the file that was checked, even if its name has been reused.
    let path = format!("/dev/fd/{}", file.as_raw_fd());
    // SAFETY: compiled code is only as trustworthy as its author. `file` is a regular file, and was opened in a
    // directory that only this user and root can write to (`TrustedDirectory`). `ArtifactCache` found it unchanged
    // since this program renamed it into place, complete, after compiling it; and this program never changes an
    // artifact in place. Wasmtime checks that it was made for this engine.
    match unsafe { Component::deserialize_file(engine, path) } {
        Ok(component) => Ok(component),
        Err(error) => {
            // A file on a noexec file system, or without `/proc`, cannot be mapped as code, but can be read.
            log::debug!("the artifact cannot be mapped: {error:#}");
            let mut code = Vec::new();
            file.rewind()?;
            file.read_to_end(&mut code)?;
            deserialize(engine, &code)
        }
    }
}

/// Reads an artifact sequentially if it is not in the page cache, as after a reboot.
///
/// Page faults would read it into single pages, which slow down every later call: a Vigenere call takes 1.4 times as
/// long as with the large units that a sequential read leaves in the page cache.
fn read_ahead(mut file: &File) {
    if !file::is_in_page_cache(file) {
        log::debug!("reading the artifact, which is not in the page cache");
        if let Err(error) = io::copy(&mut file, &mut io::sink()) {
            log::debug!("the artifact cannot be read: {error}");
        }
    }
}

/// Loads code that was just compiled.
pub(super) fn from_memory(engine: &Engine, guest: &Guest, code: &[u8]) -> Result<Component> {
    deserialize(engine, code).map_err(|error| {
        // wasmtime has no type for this error.
        if format!("{error:#}").contains("pooling allocator") {
            let cause = escape::line(&error.root_cause().to_string()).into_owned();
            let message = format!("{} needs more than an instance gets with --isolate: {cause}", guest.name);
            Failure::new(Kind::Limit, message).into()
        } else {
            // Wasmtime checked the code when it was compiled, so only the system refuses it.
            let message = format!("cannot load the compiled code of {}{}", guest.name, address_space::note());
            error.context(Failure::new(Kind::System, message))
        }
    })
}

#[allow(unsafe_code, reason = "loads an artifact as code")]
fn deserialize(engine: &Engine, code: &[u8]) -> Result<Component> {
    // SAFETY: `code` is what this process compiled a moment ago, or the contents of a file to which the comment in
    // `map` applies; wasmtime copies it.
    Ok(unsafe { Component::deserialize(engine, code) }?)
}
