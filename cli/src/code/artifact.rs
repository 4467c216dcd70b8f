//! From a guest to its compiled code: found in an artifact cache, or compiled and kept there.
//!
//! Whatever is wrong with a [cache](super::cache) or anything in it, the answer is to compile again, and to run from memory
//! where nothing can be kept.

use std::cell::OnceCell;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::code::cache::{self, ArtifactCache, CachedArtifact, Place};
use crate::code::{compile, engine};
use crate::exit::{Failure, Kind};
use crate::guest::Guest;
use crate::guest::digest::Digest;
use crate::limits::{Limits, Size};
use crate::platform::file;
use crate::platform::trust::Distrust;
use crate::terminal::escape;
use crate::terminal::progress;

/// A file's times are exact to a tick of the kernel, 10 ms at the coarsest: a file changed within the tick in which it was
/// read could look unchanged.
const TICK: Duration = Duration::from_millis(20);

/// A component ready to be linked.
#[derive(Debug)]
pub struct Artifact {
    /// The compiled code, mapped where that is possible.
    pub component: Component,
    /// The SHA-256 of the component's file.
    pub digest: Digest,
}

/// Why the compiled code is not in a cache, if it is not.
type NotKept = Option<String>;

/// Loads `guest` from a cache, or compiles it and keeps the artifact for the next call. If that is impossible, one line on
/// stderr says why, and what to do.
///
/// # Errors
///
/// When the component cannot be read, is no component, or passes a limit. Never because of a cache.
pub fn load(engine: &Engine, guest: &Guest, limits: &Limits) -> Result<Artifact> {
    let (artifact, not_kept) = find_or_compile(engine, guest, limits)?;
    if let Some(reason) = not_kept {
        let remedy = "set XDG_CACHE_HOME to a directory that only you can write to";
        log::warn!("{} is compiled on every run, because {reason}; {remedy}", guest.name);
    }
    Ok(artifact)
}

/// Puts the artifact of `guest` into the first cache that can be written, as an installation does for all users.
///
/// # Errors
///
/// As for [`load`], and when it cannot be kept.
pub fn add(engine: &Engine, guest: &Guest, limits: &Limits) -> Result<()> {
    let not_kept = |reason| {
        let message = format!("cannot keep the compiled code of {}, because {reason}", guest.name);
        Err(Failure::new(Kind::System, message).into())
    };
    let mut source = Source::open(guest, limits)?;
    let cache = match Caches::of(guest).create() {
        Ok(cache) => cache,
        Err(reason) => return not_kept(reason),
    };
    if let Some(artifact) = cache.find(&source.metadata, None).and_then(|found| load_from(engine, &found)) {
        return check_pin(guest, artifact.digest);
    }
    let bytes = source.read()?;
    let digest = Digest::of(&bytes);
    check_pin(guest, digest)?;
    compile_into(&cache, engine, &source, &bytes, digest, limits)?.1.map_or(Ok(()), not_kept)
}

/// Removes what the user's cache holds for a component that is no longer needed.
pub fn forget(component: Digest) {
    let cache = Place::user().and_then(|place| ArtifactCache::open(&place, &engine::fingerprint()).ok());
    if let Some(Err(error)) = cache.map(|cache| cache.forget(component)) {
        log::info!("cannot remove the artifact of {component}: {error}");
    }
}

/// The start of every error about a component's file.
pub fn cannot_read(path: &Path) -> String {
    format!("cannot read the component '{}'", path.display())
}

fn find_or_compile(engine: &Engine, guest: &Guest, limits: &Limits) -> Result<(Artifact, NotKept)> {
    let mut source = Source::open(guest, limits)?;
    let caches = Caches::of(guest);
    if let Some(artifact) = caches.find_unread(engine, &source.metadata) {
        check_pin(guest, artifact.digest)?;
        return Ok((artifact, None));
    }
    let bytes = source.read()?;
    let digest = Digest::of(&bytes);
    check_pin(guest, digest)?;
    if let Some(artifact) = caches.find_copy(engine, &source, digest) {
        return Ok((artifact, None));
    }
    match caches.create() {
        Ok(cache) => compile_into(&cache, engine, &source, &bytes, digest, limits),
        Err(reason) => {
            let code = compile::compile(guest, &bytes, limits)?;
            Ok((Artifact { component: from_memory(engine, guest, &code)?, digest }, Some(reason)))
        }
    }
}

/// The file of a guest's component.
struct Source<'a> {
    guest: &'a Guest,
    file: File,
    /// As of before it was read.
    metadata: Metadata,
}

impl<'a> Source<'a> {
    fn open(guest: &'a Guest, limits: &Limits) -> Result<Self> {
        let path = &guest.component;
        let (file, metadata) = file::open(path)
            .and_then(|file| file.metadata().map(|metadata| (file, metadata)))
            .with_context(|| Failure::new(Kind::Component, cannot_read(path)))?;
        if metadata.len() > limits.component_bytes {
            let (path, size, limit) = (path.display(), metadata.len(), Size(limits.component_bytes));
            let message = format!("the component '{path}' has {size} bytes; the limit is {limit} (--max-component)");
            return Err(Failure::new(Kind::Component, message).into());
        }
        Ok(Self { guest, file, metadata })
    }

    /// Reads the component, and makes sure that its metadata stands for these bytes.
    fn read(&mut self) -> Result<Vec<u8>> {
        let before = &self.metadata;
        let changed = SystemTime::UNIX_EPOCH + Duration::new(before.ctime().max(0) as u64, before.ctime_nsec() as u32);
        if let Some(wait) = TICK.checked_sub(changed.elapsed().unwrap_or_default()) {
            std::thread::sleep(wait);
        }
        let mut bytes = Vec::with_capacity(before.len() as usize);
        let read = self.file.by_ref().take(before.len().saturating_add(1)).read_to_end(&mut bytes);
        let after = read.and_then(|_| self.file.metadata());
        let failure = || Failure::new(Kind::Component, cannot_read(&self.guest.component));
        if !cache::is_unchanged(before, &after.with_context(failure)?) || bytes.len() as u64 != before.len() {
            return Err(anyhow!("it changed while it was read; try again").context(failure()));
        }
        Ok(bytes)
    }
}

/// The caches in which the artifact of one guest may be, in the order of search.
struct Caches {
    /// Beside the guests that came with the program, and only theirs: another guest directory may have been packed by a
    /// stranger, with an artifact in it.
    shipped_place: Option<Place>,
    shipped: Option<ArtifactCache>,
    own_place: Option<Place>,
    /// This user's, opened when it is needed.
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

    /// The artifact of a component that was found before, and is unchanged since. The user's own cache may also lead to
    /// one that was shipped.
    fn find_unread(&self, engine: &Engine, component: &Metadata) -> Option<Artifact> {
        let own = || self.own()?.find(component, self.shipped.as_ref());
        let shipped = self.shipped.as_ref().and_then(|cache| cache.find(component, None));
        shipped.and_then(|found| load_from(engine, &found)).or_else(|| load_from(engine, &own()?))
    }

    /// The artifact of a component that was copied or touched since it was compiled, or has a second place. The next call
    /// will find it without reading the component, if that can be noted.
    fn find_copy(&self, engine: &Engine, source: &Source<'_>, digest: Digest) -> Option<Artifact> {
        let own = || self.own()?.find_by_digest(digest);
        let found = self.shipped.as_ref().and_then(|cache| cache.find_by_digest(digest)).or_else(own)?;
        let artifact = load_from(engine, &found)?;
        if let Ok(cache) = self.create() {
            note(&cache, &found, source);
        }
        Some(artifact)
    }

    /// The first cache that can be written, or why there is none.
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

/// Refuses a component that is not the one its manifest pins.
fn check_pin(guest: &Guest, digest: Digest) -> Result<()> {
    match guest.manifest.as_ref().and_then(|manifest| manifest.sha256.as_deref()) {
        Some(pinned) if pinned.parse() != Ok(digest) => {
            let (path, manifest) = (guest.component.display(), guest.component.with_extension("toml"));
            let message = format!(
                "the component '{path}' has the SHA-256 {digest}, but its manifest pins {pinned}; if you rebuilt it, \
                 update the pin in '{}'",
                manifest.display()
            );
            Err(Failure::new(Kind::Pin, message).into())
        }
        _ => Ok(()),
    }
}

/// Compiles a component under its lock in `cache`, and keeps the artifact there.
fn compile_into(
    cache: &ArtifactCache,
    engine: &Engine,
    source: &Source<'_>,
    bytes: &[u8],
    digest: Digest,
    limits: &Limits,
) -> Result<(Artifact, NotKept)> {
    let guest = source.guest;
    let waiting = "waiting for another process to finish compiling".to_owned();
    let _lock = progress::spin(waiting, || cache.lock(digest, limits.compile_time));
    let find = || cache.find_by_digest(digest).and_then(|found| Some((load_from(engine, &found)?, found)));
    if let Some((artifact, found)) = find() {
        note(cache, &found, source);
        return Ok((artifact, None));
    }
    let code = compile::compile(guest, bytes, limits)?;
    let kept = cache.keep(digest, &code, &guest.component, &source.metadata);
    let not_kept =
        kept.err().map(|error| format!("'{}' cannot be written: {error}", cache.directory().path().display()));
    match find() {
        Some((artifact, _)) => Ok((artifact, not_kept)),
        None => Ok((Artifact { component: from_memory(engine, guest, &code)?, digest }, not_kept)),
    }
}

/// Lets the next call find an artifact without reading the component.
fn note(cache: &ArtifactCache, found: &CachedArtifact, source: &Source<'_>) {
    if let Err(error) = cache.note(found, &source.guest.component, &source.metadata) {
        log::info!("cannot write to '{}': {error}", cache.directory().path().display());
    }
}

/// Loads what a cache found, if that can be loaded.
fn load_from(engine: &Engine, found: &CachedArtifact) -> Option<Artifact> {
    let component =
        map(engine, &found.code).inspect_err(|error| log::info!("cannot load an artifact: {error:#}")).ok()?;
    found.note_use();
    Some(Artifact { component, digest: found.component })
}

#[allow(unsafe_code, reason = "maps an artifact as code")]
fn map(engine: &Engine, mut file: &File) -> Result<Component> {
    // Wasmtime opens by path; this one leads to the very file that was checked, whatever its name leads to by now.
    let path = format!("/dev/fd/{}", file.as_raw_fd());
    // SAFETY: compiled code is only as safe as whoever wrote it. `file` is a regular file, and was opened in a directory,
    // that none but this user and root can write (`TrustedDirectory`). `ArtifactCache` found it unchanged since this
    // program renamed it into place, complete, after compiling it; and this program never changes an artifact in place.
    // Wasmtime checks that it was made for this engine.
    match unsafe { Component::deserialize_file(engine, path) } {
        Ok(component) => Ok(component),
        Err(error) => {
            // A file system mounted noexec cannot be mapped as code, but can be read; so can any without `/proc`.
            log::debug!("the artifact cannot be mapped: {error:#}");
            let mut code = Vec::new();
            std::io::Seek::rewind(&mut file)?;
            file.read_to_end(&mut code)?;
            deserialize(engine, &code)
        }
    }
}

/// Loads what was compiled a moment ago.
fn from_memory(engine: &Engine, guest: &Guest, code: &[u8]) -> Result<Component> {
    deserialize(engine, code).map_err(|error| {
        // wasmtime has no other sign of it.
        if format!("{error:#}").contains("pooling allocator") {
            let cause = escape::line(&error.root_cause().to_string()).into_owned();
            let message = format!("{} needs more than an instance gets with --isolate: {cause}", guest.name);
            Failure::new(Kind::Limit, message).into()
        } else {
            error.context(Failure::new(Kind::Component, format!("cannot load the compiled code of {}", guest.name)))
        }
    })
}

#[allow(unsafe_code, reason = "loads an artifact as code")]
fn deserialize(engine: &Engine, code: &[u8]) -> Result<Component> {
    // SAFETY: `code` is what this process compiled a moment ago, or the contents of a file to which the comment in `map`
    // applies; wasmtime copies it.
    Ok(unsafe { Component::deserialize(engine, code) }?)
}
