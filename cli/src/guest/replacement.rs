//! The guest that an installation replaces.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use anyhow::Result;
use semver::Version;

use super::Guest;
use super::catalog::{self, Catalog};
use super::digest::Digest;
use super::manifest::Manifest;
use super::new_guest::NewGuest;
use crate::exit::{Failure, Kind};

/// The directory that a guest is installed in, and the guest that it replaces.
pub(crate) struct Replacement {
    /// The guest directory.
    pub directory: PathBuf,
    old: Option<Guest>,
    /// The digest of the old component, if it is in this directory.
    digest: Option<Digest>,
}

impl Replacement {
    /// Finds what `new` replaces or shadows in `directory`, or in the directories of `catalog`. With `force`, the
    /// guest is installed in a directory that takes precedence, if it has another guest of this name.
    ///
    /// # Errors
    ///
    /// When there is another guest of this name, unless `force`d. In `directory`, a lower version is replaced, and so is
    /// the same component unless its version is higher.
    pub(crate) fn plan(new: &NewGuest, directory: &Path, catalog: Option<&Catalog>, force: bool) -> Result<Self> {
        let name = &new.manifest.name;
        let here = catalog::manifest_in(directory, name)?;
        let found = match catalog {
            Some(catalog) => catalog.find(name.as_ref()).ok(),
            None => here.as_ref().and_then(|path| catalog::read(path, false).ok()),
        };
        // A guest that cannot be read is repaired by another one.
        let Some(old) = found else { return Ok(Self { directory: directory.to_owned(), old: None, digest: None }) };
        let folder = old.component.parent().unwrap_or(directory);
        let is_here = here.is_some_and(|path| path.parent() == Some(folder));
        let takes_precedence = !is_here && catalog.is_some_and(|catalog| is_before(catalog, folder, directory));
        let digest = if is_here || takes_precedence { Digest::of_file(&old.component).ok() } else { None };
        let is_same = digest == Some(new.digest);
        let order = order(&new.manifest, old.manifest.as_ref());
        let is_update = order == Some(Ordering::Greater) || is_same && order != Some(Ordering::Less);
        if force || is_here && is_update {
            let directory = if takes_precedence { folder } else { directory };
            return Ok(Self { directory: directory.to_owned(), old: Some(old), digest });
        }
        let (version, path) = (version_of(&old), old.component.display());
        let verb = if is_here || takes_precedence { "replace" } else { "shadow" };
        let message = format!("'{path}' already provides {name}{version}; use --force to {verb} it");
        Err(Failure::new(Kind::Component, message).into())
    }

    /// The digest of the component that was replaced, if another was put in its place.
    pub(crate) fn replaced(&self, new: &NewGuest) -> Option<Digest> {
        self.digest.filter(|digest| *digest != new.digest)
    }

    /// A clause for the message about the new guest; empty if it replaces or shadows none.
    pub(crate) fn describe(&self) -> String {
        let Some(old) = &self.old else { return String::new() };
        let (name, version) = (&old.name, version_of(old));
        match old.component.parent() == Some(&self.directory) {
            true => format!(", replacing {name}{version}"),
            false => format!(", shadowing '{}'", old.component.display()),
        }
    }
}

/// Whether `first` is searched before `second`.
fn is_before(catalog: &Catalog, first: &Path, second: &Path) -> bool {
    let position = |wanted: &Path| catalog.directories().position(|path| path == wanted);
    position(first).is_some_and(|at| position(second).is_none_or(|other| at < other))
}

fn version_of(guest: &Guest) -> String {
    guest.version().map(|version| format!(" {version}")).unwrap_or_default()
}

/// How the version of `new` compares with that of `old`, if both have one.
fn order(new: &Manifest, old: Option<&Manifest>) -> Option<Ordering> {
    let version = |manifest: &Manifest| manifest.version.as_ref().and_then(|version| Version::parse(version).ok());
    Some(version(new)?.cmp_precedence(&version(old?)?))
}
