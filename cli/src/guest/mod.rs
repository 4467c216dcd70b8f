//! Guests: which exist, what their manifests declare, and the settings in force.

pub mod catalog;
pub mod digest;
pub mod manifest;
pub mod settings;

use std::path::PathBuf;

use manifest::{Grants, Manifest};

/// A component that can be called, and what it declares.
#[derive(Debug, Clone)]
pub struct Guest {
    /// The canonical spelling, or the file's name where there is no manifest.
    pub name: String,
    /// The component's file.
    pub component: PathBuf,
    /// What the guest declares; a component named by path may have none.
    pub manifest: Option<Manifest>,
    /// Whether it came with this executable, and so may carry its machine code beside it.
    pub shipped: bool,
}

impl Guest {
    /// What it is given beyond its settings.
    pub fn grants(&self) -> Grants {
        self.manifest.as_ref().map_or_else(Grants::default, |m| Grants { clocks: m.clocks, random: m.random })
    }
}
