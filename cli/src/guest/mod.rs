//! Guests: finding and installing them, their manifests, and the settings in force.

pub(crate) mod assignments;
pub(crate) mod catalog;
pub(crate) mod digest;
pub(crate) mod installation;
pub mod manifest;
pub(crate) mod new_guest;
pub(crate) mod replacement;
pub(crate) mod secrets;
pub mod settings;
pub(crate) mod value_file;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::exit::{Failure, Kind};
use digest::Digest;
use manifest::{Grants, Manifest};

/// A component that can be called, and its declarations.
#[derive(Debug, Clone)]
pub struct Guest {
    /// The canonical spelling, or the name of the file if there is no manifest.
    pub name: String,
    /// The file of the component.
    pub component: PathBuf,
    /// The manifest; a component given by path may have none.
    pub manifest: Option<Manifest>,
    /// Whether it came with this executable, so that compiled code next to it is trusted.
    pub shipped: bool,
}

/// The failure to read the component at `path`.
pub(crate) fn cannot_read_component(path: &Path) -> Failure {
    Failure::new(Kind::Component, format!("cannot read the component '{}'", path.display()))
}

impl Guest {
    /// The version that the manifest declares.
    pub(crate) fn version(&self) -> Option<&str> {
        self.manifest.as_ref()?.version.as_deref()
    }

    /// The grants of the guest besides its settings.
    pub fn grants(&self) -> Grants {
        self.manifest.as_ref().map_or_else(Grants::default, |m| Grants { clocks: m.clocks, random: m.random })
    }

    /// Whether the guest may get a setting of this name: without a manifest, any.
    pub(crate) fn takes_setting(&self, name: &str) -> bool {
        self.manifest.as_ref().is_none_or(|manifest| manifest.settings.contains_key(name))
    }

    /// Refuses a component with this digest if the manifest pins another.
    pub(crate) fn check_pin(&self, digest: Digest) -> Result<()> {
        let Some(pinned) = self.manifest.as_ref().and_then(Manifest::pin) else { return Ok(()) };
        if pinned.parse() == Ok(digest) {
            return Ok(());
        }
        let (path, manifest) = (self.component.display(), self.component.with_extension("toml"));
        let message = format!(
            "the component '{path}' has the SHA-256 {digest}, but its manifest pins {pinned}; if you rebuilt it, delete \
             the line 'sha256' in '{}' or install it again with --force",
            manifest.display()
        );
        Err(Failure::new(Kind::Pin, message).into())
    }
}
