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

use std::path::PathBuf;

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

impl Guest {
    /// The grants of the guest besides its settings.
    pub fn grants(&self) -> Grants {
        self.manifest.as_ref().map_or_else(Grants::default, |m| Grants { clocks: m.clocks, random: m.random })
    }
}
