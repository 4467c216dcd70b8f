//! Machine code on disk: compiled once for a component and an engine, then mapped.
//!
//! Whatever is wrong with a [`shelf`] or anything on it, the answer is to compile again, and to run from memory where
//! nothing can be kept.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow, bail};
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::code::cache::{self, ArtifactCache, evict};
use crate::code::compile;
use crate::guest::Guest;
use crate::limits::{Limits, Size};
use crate::platform::file;
use crate::terminal::escape;
use crate::terminal::progress;

/// A file's times are exact to a tick of the kernel, 10 ms at the coarsest: a file changed within the tick in which it was
/// read could look unchanged.
const TICK: Duration = Duration::from_millis(20);
/// The same where a file system keeps no fractions of seconds: FAT's times are exact to two of them.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// A component ready to be linked.
#[derive(Debug)]
pub struct Artifact {
    /// The machine code, mapped where that is possible.
    pub component: Component,
    /// The SHA-256 of the component's file, in lower-case hexadecimal.
    pub digest: String,
    /// Why the machine code is not on a shelf, if it is not.
    pub not_kept: Option<String>,
}

/// Loads `guest` from a shelf, or compiles it and keeps the machine code for the next call.
///
/// # Errors
///
/// When the component cannot be read, is no component, or passes a limit. Never because of a shelf.
pub fn load(engine: &Engine, guest: &Guest, limits: &Limits) -> Result<Artifact> {
    let path = &guest.component;
    let (mut file, before) = open_component(path, limits)?;
    let shelves = shelf_paths(guest);
    let by_identity = cache::component_key(&before);
    for path in &shelves {
        if let Some(artifact) = ArtifactCache::open(path).and_then(|shelf| find(engine, &shelf, &by_identity)) {
            check_pin(guest, &artifact.digest)?;
            return Ok(artifact);
        }
    }

    let bytes = read_component(&mut file, &before).with_context(|| cannot_read(path))?;
    let digest = hex(&Sha256::digest(&bytes));
    check_pin(guest, &digest)?;
    let Some(shelf) = shelves.iter().find_map(|path| ArtifactCache::create(path)) else {
        let reason = "there is no cache directory that this user can write, and nobody else".to_owned();
        log::info!("{} is compiled for this call alone: {reason}", guest.name);
        let code = compile::compile(guest, bytes, limits)?;
        let component = from_memory(engine, &code).map_err(|error| unfit(guest, error))?;
        return Ok(Artifact { component, digest, not_kept: Some(reason) });
    };
    // Of many first calls at once, one compiles and the others wait for it. Without locks (some network file systems), or
    // if whoever has the lock does not get on, each compiles for itself, and the last to finish is the one that stays.
    let waiting = "waiting for another process, which compiles".to_owned();
    let _lock = progress::spin(waiting, || shelf.lock(limits.compile_time));
    let by_digest = cache::digest_key(&digest);
    if let Some(artifact) = find(engine, &shelf, &by_digest) {
        shelf.note(&by_identity, &digest, path);
        return Ok(artifact);
    }
    let code = compile::compile(guest, bytes, limits)?;
    let not_kept = match shelf.keep(&digest, &code, &[&by_digest, &by_identity], path) {
        Ok(()) => {
            evict::evict(&shelf.path, evict::LIMIT_BYTES, &digest);
            None
        }
        Err(error) => Some(format!("cannot write to '{}': {error}", shelf.path.display())),
    };
    if let Some(reason) = &not_kept {
        log::info!("the machine code of {} is not kept: {reason}", guest.name);
    }
    let component = match find(engine, &shelf, &by_digest) {
        Some(artifact) => artifact.component,
        None => from_memory(engine, &code).map_err(|error| unfit(guest, error))?,
    };
    Ok(Artifact { component, digest, not_kept })
}

/// Where the machine code of `guest` may lie, in the order of search. Only what came with the executable is trusted beside
/// its component: a directory that a stranger packed could have held machine code, too.
fn shelf_paths(guest: &Guest) -> Vec<PathBuf> {
    let beside = guest.component.parent().filter(|_| guest.shipped).map(|folder| folder.join("artifacts"));
    beside.into_iter().chain(cache::of_user()).collect()
}

/// The artifact on `shelf` that `key` leads to, loaded.
fn find(engine: &Engine, shelf: &ArtifactCache, key: &str) -> Option<Artifact> {
    let kept = shelf.find(key)?;
    let component =
        map(engine, &kept.code).inspect_err(|error| log::info!("cannot use machine code: {error:#}")).ok()?;
    kept.note_use();
    Some(Artifact { component, digest: kept.digest, not_kept: None })
}

fn open_component(path: &Path, limits: &Limits) -> Result<(File, Metadata)> {
    let (file, metadata) = file::open(path)
        .and_then(|file| file.metadata().map(|metadata| (file, metadata)))
        .with_context(|| cannot_read(path))?;
    if metadata.len() > limits.component_bytes {
        let (path, limit) = (path.display(), Size(limits.component_bytes));
        bail!("the component '{path}' has {} bytes; the limit is {limit} (--max-component)", metadata.len());
    }
    Ok((file, metadata))
}

/// Reads the component whose metadata was `before`, and makes sure that its identity stands for these bytes.
fn read_component(file: &mut File, before: &Metadata) -> Result<Vec<u8>> {
    let changed = SystemTime::UNIX_EPOCH + Duration::new(before.ctime().max(0) as u64, before.ctime_nsec() as u32);
    let tick = if before.ctime_nsec() == 0 { COARSE_TICK } else { TICK };
    if let Some(wait) = tick.checked_sub(changed.elapsed().unwrap_or_default()) {
        std::thread::sleep(wait);
    }
    let mut bytes = Vec::with_capacity(before.len() as usize);
    file.take(before.len() + 1).read_to_end(&mut bytes)?;
    if cache::identity(&file.metadata()?) != cache::identity(before) || bytes.len() as u64 != before.len() {
        bail!("it changed while it was read; try again");
    }
    Ok(bytes)
}

/// Refuses a component that is not the one its manifest pins.
fn check_pin(guest: &Guest, digest: &str) -> Result<()> {
    match guest.manifest.as_ref().and_then(|manifest| manifest.sha256.as_deref()) {
        Some(pinned) if !pinned.eq_ignore_ascii_case(digest) => {
            let path = guest.component.display();
            bail!(
                "the component '{path}' has the SHA-256 {digest}, but its manifest pins {pinned}; one of them was changed"
            )
        }
        _ => Ok(()),
    }
}

/// The start of every error about a component's file.
pub fn cannot_read(path: &Path) -> String {
    format!("cannot read the component '{}'", path.display())
}

#[allow(unsafe_code, reason = "maps an artifact as code")]
fn map(engine: &Engine, mut file: &File) -> Result<Component> {
    // Wasmtime opens by path; this one leads to the very file that was checked, whatever its name leads to by now.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: machine code is only as safe as whoever wrote it. `file` was opened below a directory, and is itself a
    // regular file, that none but this user and root can write (`ArtifactCache::find`); its identity is the one it had when this
    // program renamed it into place, complete, after compiling it; and this program never changes an artifact
    // in place. Wasmtime checks that it was made for this engine.
    match unsafe { Component::deserialize_file(engine, path) } {
        Ok(component) => Ok(component),
        Err(error) => {
            // A file system mounted noexec cannot be mapped as code, but can be read; so can any without `/proc`.
            log::debug!("machine code cannot be mapped: {error:#}");
            let mut code = Vec::new();
            file.read_to_end(&mut code)?;
            from_memory(engine, &code)
        }
    }
}

#[allow(unsafe_code, reason = "loads an artifact as code")]
fn from_memory(engine: &Engine, code: &[u8]) -> Result<Component> {
    // SAFETY: `code` is what this process compiled a moment ago, or the contents of a file to which the comment in `map`
    // applies; wasmtime copies it.
    Ok(unsafe { Component::deserialize(engine, code) }?)
}

/// Why what was compiled a moment ago cannot be loaded.
fn unfit(guest: &Guest, error: anyhow::Error) -> anyhow::Error {
    // wasmtime has no other sign of it.
    if format!("{error:#}").contains("pooling allocator") {
        anyhow!(
            "{} needs more than an instance gets with --isolate: {}",
            guest.name,
            escape::line(&error.root_cause().to_string())
        )
    } else {
        error.context(format!("cannot load the machine code of {}", guest.name))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
