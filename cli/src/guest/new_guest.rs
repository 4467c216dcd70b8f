//! A guest before it is installed: its component and its manifest.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};

use super::digest::Digest;
use super::manifest::{self, Manifest};
use super::{Guest, cannot_read_component};
use crate::exit::{Failure, Kind};
use crate::limits::Size;
use crate::platform::file;

/// A component and its manifest, read once, so that the installed files are those that were checked.
pub(crate) struct NewGuest {
    /// The component.
    pub component: Vec<u8>,
    /// The manifest.
    pub manifest: Manifest,
    /// The text of the manifest, with the digest of the component as its pin.
    pub text: String,
    /// The digest of the component.
    pub digest: Digest,
}

impl NewGuest {
    /// Reads the component at `path` and the manifest next to it. With `renew_pin` the manifest may pin another
    /// component.
    ///
    /// # Errors
    ///
    /// When either is missing, too large or invalid, or they do not belong together.
    pub(crate) fn read(path: &Path, max_bytes: u64, renew_pin: bool) -> Result<Self> {
        refuse_other_files(path)?;
        let component = read_component(path, max_bytes)?;
        let manifest_path = path.with_extension("toml");
        if !manifest_path.exists() {
            let (manifest, path) = (manifest_path.display(), path.display());
            let message =
                format!("no manifest '{manifest}' for '{path}'; create it ('cipher new' generates an example)");
            return Err(Failure::new(Kind::Manifest, message).into());
        }
        let text = manifest::read_text(&manifest_path)?;
        let manifest = Manifest::parse_file(&text, &manifest_path)?;
        let digest = Digest::of(&component);
        if let Some(pin) = manifest.pin().filter(|pin| !renew_pin && pin.parse() != Ok(digest)) {
            let (path, manifest) = (path.display(), manifest_path.display());
            let message = format!(
                "'{manifest}' pins the SHA-256 {pin}, but '{path}' has {digest}; if you rebuilt it, delete the line \
                 'sha256' or use --force"
            );
            return Err(Failure::new(Kind::Pin, message).into());
        }
        let text = manifest.pinned(&text, &digest.to_string());
        Ok(Self { manifest: Manifest::parse_file(&text, &manifest_path)?, component, text, digest })
    }

    /// The guest once its files are in `directory`.
    pub(crate) fn guest(&self, directory: &Path) -> Guest {
        let name = self.manifest.name.clone();
        let component = directory.join(&name).with_added_extension("wasm");
        Guest { name, component, manifest: Some(self.manifest.clone()), shipped: false }
    }
}

/// Reports why a path cannot be a component, rather than that its manifest is missing.
fn refuse_other_files(path: &Path) -> Result<()> {
    let shown = path.display();
    let (kind, message) = if path.to_string_lossy().contains("://") {
        (Kind::Usage, format!("'{shown}' is a URL; download the component and its manifest first"))
    } else if path.is_dir() {
        (Kind::Component, format!("'{shown}' is a directory; name the component in it"))
    } else if path.extension() == Some(OsStr::new("toml")) {
        let component = path.with_extension("wasm");
        (Kind::Component, format!("'{shown}' is a manifest; name its component '{}'", component.display()))
    } else {
        return Ok(());
    };
    Err(Failure::new(kind, message).into())
}

fn read_component(path: &Path, max_bytes: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = file::open(path).and_then(|file| file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes));
    read.with_context(|| cannot_read_component(path))?;
    if bytes.len() as u64 > max_bytes {
        let (path, limit) = (path.display(), Size(max_bytes));
        let message = format!("the component '{path}' is larger than {limit} (--max-component)");
        return Err(Failure::new(Kind::Component, message).into());
    }
    Ok(bytes)
}
