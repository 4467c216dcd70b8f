//! Obtains the compiled code of a guest: from an artifact cache, or by compiling it and caching the artifact.
//!
//! If anything is wrong with a cache or its contents, the component is compiled again. If the artifact cannot
//! be cached, the code runs from memory.

use std::cell::OnceCell;
use std::fs::Metadata;
use std::io;
use std::time::Duration;

use anyhow::{Result, bail};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::code::cache::{ArtifactCache, CachedArtifact, Place};
use crate::code::component_file::ComponentFile;
use crate::code::deserialize::{from_memory, map};
use crate::code::{compile, engine};
use crate::exit::{Failure, Kind};
use crate::guest::Guest;
use crate::guest::digest::Digest;
use crate::limits::Limits;
use crate::platform::code_memory;
use crate::platform::trust::Distrust;
use crate::terminal::progress;

/// A component ready to be linked.
#[derive(Debug)]
pub struct Artifact {
    /// The compiled code, mapped where that is possible.
    pub component: Component,
    /// The SHA-256 of the component's file.
    pub digest: Digest,
}

/// Why the artifact is not in a cache, if it is not.
type CacheProblem = Option<String>;

/// Loads `guest` from a cache, or compiles it and caches the artifact. If it cannot be cached, one line on stderr gives
/// the reason and a remedy.
///
/// # Errors
///
/// When the component cannot be read, is not a component, or exceeds a limit; never because of a cache.
pub fn load(engine: &Engine, guest: &Guest, limits: &Limits) -> Result<Artifact> {
    let (artifact, problem) = find_or_compile(engine, guest, limits)?;
    if let Some(reason) = problem {
        let remedy = "set XDG_CACHE_HOME to a directory that only you can write to";
        log::warn!("{} is compiled on every run, because {reason}; {remedy}", guest.name);
    }
    Ok(artifact)
}

/// Adds the artifact of `guest` to the first writable cache. During an installation, that is the cache for all users.
///
/// # Errors
///
/// As for [`load`], and when the artifact cannot be cached.
pub(crate) fn add(engine: &Engine, guest: &Guest, limits: &Limits) -> Result<()> {
    let not_cached = |reason| {
        let message = format!("cannot cache the compiled code of {}, because {reason}", guest.name);
        Err(Failure::new(Kind::System, message).into())
    };
    let mut file = ComponentFile::open(guest, limits)?;
    let cache = match Caches::of(guest).create() {
        Ok(cache) => cache,
        Err(reason) => return not_cached(reason),
    };
    if let Some(artifact) = cache.find(&file.metadata, None).and_then(|found| load_from(engine, &found)) {
        return guest.check_pin(artifact.digest);
    }
    let digest = file.digest()?;
    guest.check_pin(digest)?;
    compile_into(&cache, engine, &mut file, digest, limits)?.1.map_or(Ok(()), not_cached)
}

/// Removes the artifact of a component that is no longer needed from the user's cache.
pub(crate) fn remove(component: Digest) {
    let cache = Place::user().and_then(|place| ArtifactCache::open(&place, &engine::fingerprint()).ok());
    if let Some(Err(error)) = cache.map(|cache| cache.remove(component)) {
        log::info!("cannot remove the artifact of {component}: {error}");
    }
}

fn find_or_compile(engine: &Engine, guest: &Guest, limits: &Limits) -> Result<(Artifact, CacheProblem)> {
    let mut file = ComponentFile::open(guest, limits)?;
    let caches = Caches::of(guest);
    if let Some(artifact) = caches.find_unread(engine, &file.metadata) {
        guest.check_pin(artifact.digest)?;
        return Ok((artifact, None));
    }
    let digest = file.digest()?;
    guest.check_pin(digest)?;
    if let Some(artifact) = caches.find_copy(engine, &file, digest) {
        return Ok((artifact, None));
    }
    match caches.create() {
        Ok(cache) => compile_into(&cache, engine, &mut file, digest, limits),
        Err(reason) => {
            let code = compile(&mut file, digest, limits)?;
            Ok((Artifact { component: from_memory(engine, guest, &code)?, digest }, Some(reason)))
        }
    }
}

/// The caches that may contain the artifact of one guest, in search order.
struct Caches {
    /// Next to the guests that came with the program, and only for those: another guest directory may come from
    /// somebody else, with an artifact in it.
    shipped_place: Option<Place>,
    shipped: Option<ArtifactCache>,
    own_place: Option<Place>,
    /// The user's cache, opened when it is needed.
    own: OnceCell<Option<ArtifactCache>>,
    engine: String,
}

impl Caches {
    fn of(guest: &Guest) -> Self {
        let engine = engine::fingerprint();
        let folder = guest.component.parent().filter(|_| guest.shipped);
        let shipped_place = folder.map(|folder| Place::Shipped(folder.join("artifacts")));
        let shipped = shipped_place.as_ref().and_then(|place| open(place, &engine));
        Self { shipped_place, shipped, own_place: Place::user(), own: OnceCell::new(), engine }
    }

    fn own(&self) -> Option<&ArtifactCache> {
        self.own.get_or_init(|| open(self.own_place.as_ref()?, &self.engine)).as_ref()
    }

    /// The artifact of a component that was found before and has not changed. An entry of the user's cache may also
    /// lead to a shipped artifact.
    fn find_unread(&self, engine: &Engine, component: &Metadata) -> Option<Artifact> {
        let own = || self.own()?.find(component, self.shipped.as_ref());
        let shipped = self.shipped.as_ref().and_then(|cache| cache.find(component, None));
        shipped.and_then(|found| load_from(engine, &found)).or_else(|| load_from(engine, &own()?))
    }

    /// The artifact of a component that was copied or touched since it was compiled, or has a second path. Adds an
    /// index entry if possible, so the next call finds it without reading the component.
    fn find_copy(&self, engine: &Engine, file: &ComponentFile<'_>, digest: Digest) -> Option<Artifact> {
        let own = || self.own()?.find_by_digest(digest);
        let found = self.shipped.as_ref().and_then(|cache| cache.find_by_digest(digest)).or_else(own)?;
        let artifact = load_from(engine, &found)?;
        if let Ok(cache) = self.create() {
            index(&cache, &found, file);
        }
        Some(artifact)
    }

    /// The first writable cache, or why there is none.
    fn create(&self) -> Result<ArtifactCache, String> {
        let shipped = self.shipped_place.as_ref().and_then(|place| ArtifactCache::create(place, &self.engine).ok());
        match (shipped, &self.own_place) {
            (Some(cache), _) => Ok(cache),
            (None, Some(place)) => ArtifactCache::create(place, &self.engine).map_err(|distrust| distrust.to_string()),
            (None, None) => Err("neither XDG_CACHE_HOME nor HOME is an absolute path".to_owned()),
        }
    }
}

fn open(place: &Place, engine: &str) -> Option<ArtifactCache> {
    let report = |distrust: &Distrust| {
        if !distrust.is_missing() {
            log::info!("no artifacts are loaded from '{}': {distrust}", place.path().display());
        }
    };
    ArtifactCache::open(place, engine).inspect_err(report).ok()
}

/// Compiles a component under its lock in `cache`, and adds the artifact to the cache.
fn compile_into(
    cache: &ArtifactCache,
    engine: &Engine,
    file: &mut ComponentFile<'_>,
    digest: Digest,
    limits: &Limits,
) -> Result<(Artifact, CacheProblem)> {
    let guest = file.guest;
    let waiting = "waiting for another process to finish compiling".to_owned();
    let lock = cache.lock(digest, Duration::ZERO).or_else(|error| match error.kind() {
        io::ErrorKind::TimedOut => progress::spin(waiting, || cache.lock(digest, limits.compile_time)),
        _ => Err(error),
    });
    let directory = cache.directory().path().display();
    let _lock = lock.inspect_err(|error| log::info!("cannot lock '{directory}': {error}"));
    let find = || cache.find_by_digest(digest).and_then(|found| Some((load_from(engine, &found)?, found)));
    if let Some((artifact, found)) = find() {
        index(cache, &found, file);
        return Ok((artifact, None));
    }
    let code = compile(file, digest, limits)?;
    let added = cache.add(digest, &code, &guest.component, &file.metadata);
    let problem = added.err().map(|error| format!("'{directory}' cannot be written: {error}"));
    match find() {
        Some((artifact, _)) => Ok((artifact, problem)),
        None => Ok((Artifact { component: from_memory(engine, guest, &code)?, digest }, problem)),
    }
}

/// Compiles the component with this digest, unless its code could not run.
fn compile(file: &mut ComponentFile<'_>, digest: Digest, limits: &Limits) -> Result<Vec<u8>> {
    if !code_memory::is_allowed() {
        let remedy = "in a systemd unit, set MemoryDenyWriteExecute=no";
        let name = &file.guest.name;
        bail!(Failure::new(Kind::System, format!("cannot run {name}: the system denies executable memory; {remedy}")));
    }
    compile::compile(file.guest, &file.read(digest)?, digest, limits)
}

/// Adds index entries, so that the next call finds an artifact without reading the component.
fn index(cache: &ArtifactCache, found: &CachedArtifact, file: &ComponentFile<'_>) {
    if let Err(error) = cache.add_entries(found, &file.guest.component, &file.metadata) {
        log::info!("cannot write to '{}': {error}", cache.directory().path().display());
    }
}

/// Loads an artifact found in a cache, if possible.
fn load_from(engine: &Engine, found: &CachedArtifact) -> Option<Artifact> {
    let component =
        map(engine, &found.code).inspect_err(|error| log::info!("cannot load an artifact: {error:#}")).ok()?;
    found.note_use();
    Some(Artifact { component, digest: found.component })
}
