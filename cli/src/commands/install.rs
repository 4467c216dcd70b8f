//! `cipher install` and `cipher uninstall`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use super::options::{LimitOptions, SettingOptions, SettingStdin};
use crate::code::{artifact, engine};
use crate::conformance::{self, Outcome};
use crate::exit::{Failure, Kind};
use crate::guest::Guest;
use crate::guest::catalog::{self, Catalog};
use crate::guest::digest::Digest;
use crate::guest::installation::Installation;
use crate::guest::new_guest::NewGuest;
use crate::guest::replacement::Replacement;
use crate::limits::Limits;
use crate::sandbox::epoch::EpochTicker;
use crate::terminal::escape;
use crate::terminal::output::Output;

const INSTALL_EXAMPLES: &str = "\
Examples:
  cipher install ./Rot13.wasm
  cipher install --force ./Caesar.wasm
  cipher install --set-file KEY=key.txt ./Their.wasm
  sudo cipher install --prefix /usr/local ./Rot13.wasm

The component must pass 'cipher check'. A newer version of an installed algorithm
replaces it; anything else of that name needs --force.";

const UNINSTALL_EXAMPLES: &str = "\
Examples:
  cipher uninstall Rot13";

/// The directory that guests are installed in.
#[derive(Debug, Args)]
struct DirectoryOptions {
    /// Use PREFIX/lib/cipher/guests, for all users of PREFIX/bin/cipher, instead of your own directory
    #[arg(long, value_name = "PREFIX", conflicts_with = "system")]
    prefix: Option<PathBuf>,
    /// Use the directory that came with this cipher, for all its users
    #[arg(long)]
    system: bool,
}

impl DirectoryOptions {
    fn is_own(&self) -> bool {
        self.prefix.is_none() && !self.system
    }

    fn directory(&self) -> Result<PathBuf> {
        let (directory, missing) = match &self.prefix {
            Some(prefix) => (Some(catalog::prefix_directory(&std::path::absolute(prefix)?)), ""),
            None if self.system => {
                (catalog::shipped_directory(), "this cipher is not in a directory 'bin'; use --prefix")
            }
            None => (catalog::user_directory(), "no guest directory: set HOME or XDG_DATA_HOME to an absolute path"),
        };
        directory.ok_or_else(|| Failure::new(Kind::System, missing).into())
    }
}

/// Options of `cipher install`.
#[derive(Debug, Args)]
#[command(after_help = INSTALL_EXAMPLES)]
pub(super) struct Install {
    /// Component file; its manifest must be next to it as NAME.toml
    path: PathBuf,
    /// Replace or shadow another algorithm of the same name, and renew a pin that does not match
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    directory: DirectoryOptions,
    #[command(flatten)]
    settings: SettingOptions,
    #[command(flatten)]
    limits: LimitOptions,
}

impl Install {
    /// Checks a private copy of the component, installs it with its manifest, which pins it, and compiles it.
    ///
    /// # Errors
    ///
    /// When it has no valid manifest, violates the contract, would replace another guest, or cannot be written.
    pub(super) fn run(self) -> Result<()> {
        let limits = self.limits.limits()?;
        let new = NewGuest::read(&self.path, limits.component_bytes, self.force)?;
        let catalog = Catalog::from_environment();
        let directory = self.directory.directory()?;
        let searched = if self.directory.is_own() { Some(&catalog) } else { None };
        let replacement = Replacement::plan(&new, &directory, searched, self.force)?;
        self.check(&new, &limits)?;
        let installed = Installation::put(&replacement.directory, &new)?;
        // Load it as any call will, so that the pin is checked and the compiled code is cached.
        artifact::load(&engine::loader()?, &installed, &limits)?;
        if let Some(digest) = replacement.replaced(&new) {
            artifact::remove(digest);
        }
        self.refuse_shadowed(&catalog, &installed)?;
        let version = installed.version().map(|version| format!(" {version}")).unwrap_or_default();
        let (name, directory) = (&installed.name, replacement.directory.display());
        let line = format!("installed {name}{version} in {directory}{}\n", replacement.describe());
        Output::stdout()?.write(line.as_bytes())
    }

    /// Runs the conformance suite on a copy that nobody else can change.
    fn check(&self, new: &NewGuest, limits: &Limits) -> Result<()> {
        let given = self.settings.assignments(&mut SettingStdin::Free)?;
        let copy = tempfile::tempdir().context("cannot create a temporary directory")?;
        let guest = new.guest(copy.path());
        fs::write(&guest.component, &new.component).context("cannot write a temporary file")?;
        let mut first = None;
        let ticker = EpochTicker::new(engine::loader()?);
        conformance::run(&guest, &given, &ticker, limits, true, |case| {
            if let Outcome::Fails(reason) = case.outcome {
                first.get_or_insert(format!("{}: {reason}", case.name));
            }
            Ok(())
        })?;
        let Some(reason) = first else { return Ok(()) };
        let (name, reason, path) = (&guest.name, escape::message(&reason), self.path.display());
        let message = format!("{name} violates the contract ({reason}); 'cipher check {path}' shows every case");
        Err(Failure::new(Kind::Contract, message).into())
    }

    /// Fails if a call would run another guest instead of the one that was just installed.
    fn refuse_shadowed(&self, catalog: &Catalog, installed: &Guest) -> Result<()> {
        match catalog.find(installed.name.as_ref()) {
            Ok(found) if self.directory.is_own() && found.component != installed.component => {
                let (name, other) = (&installed.name, found.component.display());
                let message = format!("{name} is installed, but '{other}' takes precedence over it");
                Err(Failure::new(Kind::Component, message).into())
            }
            _ => Ok(()),
        }
    }
}

/// Options of `cipher uninstall`.
#[derive(Debug, Args)]
#[command(after_help = UNINSTALL_EXAMPLES)]
pub(super) struct Uninstall {
    /// Name of an installed algorithm
    name: String,
    #[command(flatten)]
    directory: DirectoryOptions,
}

impl Uninstall {
    /// Removes the component and its manifest.
    ///
    /// # Errors
    ///
    /// When the guest is not installed, or cannot be removed.
    pub(super) fn run(self) -> Result<()> {
        let directory = self.directory.directory()?;
        let removed = match directory.exists() {
            true => self.remove_from(&directory)?,
            false => None,
        };
        let Some(manifest) = removed else {
            let (name, directory) = (escape::start(&self.name), directory.display());
            let message = format!(
                "'{name}' is not installed in '{directory}' ('cipher list' shows all algorithms and where they are)"
            );
            return Err(Failure::new(Kind::UnknownAlgorithm, message).into());
        };
        let name = Path::new(manifest.file_stem().unwrap_or_default()).display();
        Output::stdout()?.write(format!("removed {name} from {}\n", directory.display()).as_bytes())
    }

    /// Removes the guest and its artifact, and returns the path of its manifest.
    fn remove_from(&self, directory: &Path) -> Result<Option<PathBuf>> {
        let installation = Installation::open(directory)?;
        let manifest = catalog::manifest_in(directory, &self.name)?;
        let digest = manifest.and_then(|manifest| Digest::of_file(&manifest.with_extension("wasm")).ok());
        let removed = installation.remove(&self.name)?;
        if let Some(digest) = digest {
            artifact::remove(digest);
        }
        Ok(removed)
    }
}
