//! `cipher install` and `cipher uninstall`: the guests in the user's own directory.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::options::LimitOptions;
use crate::code::artifact;
use crate::code::engine;
use crate::conformance::{self, Outcome};
use crate::guest::catalog::{self, Catalog};
use crate::guest::manifest::Manifest;
use crate::guest::settings::Overrides;
use crate::sandbox::epoch::EpochTicker;
use crate::terminal::escape;
use crate::terminal::output::Output;

const INSTALL_EXAMPLES: &str = "\
Examples:
  cipher install ./Rot13.wasm
  cipher install --force ./Caesar.wasm";

const UNINSTALL_EXAMPLES: &str = "\
Examples:
  cipher uninstall Rot13";

/// A component into the user's directory.
#[derive(Debug, Args)]
#[command(after_help = INSTALL_EXAMPLES)]
pub struct Install {
    /// The component; its manifest lies beside it, with the ending .toml
    path: PathBuf,
    /// Install it even if its name then means another guest than before
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    limits: LimitOptions,
}

impl Install {
    /// Checks the component, copies it with its manifest, which then pins it, and compiles it.
    ///
    /// # Errors
    ///
    /// When it has no manifest, does not keep the contract, would hide another guest, or cannot be written.
    pub fn run(self) -> Result<()> {
        let limits = self.limits.limits()?;
        // With a slash it is a path, whatever else the name could mean.
        let path = std::path::absolute(&self.path)?;
        let catalog = Catalog::from_environment();
        let guest = catalog.find(path.as_os_str())?;
        let shown = self.path.display();
        let Some(manifest) = &guest.manifest else {
            let missing = self.path.with_extension("toml");
            bail!("'{shown}' has no manifest: write '{}' ('cipher new' shows what is in one)", missing.display());
        };
        let engine = engine::loader()?;
        let mut failed = Vec::new();
        conformance::check(&guest, &Overrides::new(), &EpochTicker::new(engine.clone()), &limits, |case| {
            if let Outcome::Fails(reason) = case.outcome {
                failed.push(format!("{}: {reason}", case.name));
            }
            Ok(())
        })?;
        if let [first, ..] = failed.as_slice() {
            let (name, first) = (&guest.name, escape::line(first));
            bail!("{name} does not keep the contract ({first}); 'cipher check {shown}' shows every case");
        }
        let directory = own_directory()?;
        if let Ok(other) = catalog.find(OsStr::new(&guest.name))
            && !self.force
        {
            let other = other.component.display().to_string();
            bail!("{} means '{other}' now; --force installs yours in front of it", guest.name);
        }
        let digest = artifact::load(&engine, &guest, &limits)?.digest.to_string();
        let to = |ending: &str| directory.join(&guest.name).with_added_extension(ending);
        fs::create_dir_all(&directory).with_context(|| format!("cannot make '{}'", directory.display()))?;
        let component = fs::read(&path).with_context(|| artifact::cannot_read(&path))?;
        let text = fs::read_to_string(path.with_extension("toml")).context("cannot read the manifest")?;
        write(&to("wasm"), &component)?;
        write(&to("toml"), pinned(text, manifest, &digest).as_bytes())?;
        // Read back as any call will, so that the pin is compared and the machine code is ready.
        let installed = catalog.find(OsStr::new(&guest.name))?;
        artifact::load(&engine, &installed, &limits)?;
        Output::stdout()?.write(format!("installed {} in {}\n", guest.name, directory.display()).as_bytes())
    }
}

/// A guest out of the user's directory.
#[derive(Debug, Args)]
#[command(after_help = UNINSTALL_EXAMPLES)]
pub struct Uninstall {
    /// The name of an algorithm that was installed
    name: String,
}

impl Uninstall {
    /// Removes the component and its manifest.
    ///
    /// # Errors
    ///
    /// When it is not in the user's directory, or cannot be removed.
    pub fn run(self) -> Result<()> {
        let directory = own_directory()?;
        let Some(manifest) = catalog::manifest_in(&directory, &self.name)? else {
            let name = escape::line(&self.name);
            bail!("'{name}' is not installed in '{}' ('cipher list' shows what is where)", directory.display());
        };
        // The manifest first: without it there is no guest of that name, whatever else is left.
        remove(&manifest)?;
        let component = manifest.with_extension("wasm");
        if component.exists() {
            remove(&component)?;
        }
        let name = manifest.file_stem().unwrap_or_default().display();
        Output::stdout()?.write(format!("removed {name} from {}\n", directory.display()).as_bytes())
    }
}

fn remove(file: &Path) -> Result<()> {
    fs::remove_file(file).with_context(|| format!("cannot remove '{}'", file.display()))
}

fn own_directory() -> Result<PathBuf> {
    catalog::user_directory().context("there is no guest directory: neither XDG_DATA_HOME nor HOME is an absolute path")
}

/// The text of a manifest with the digest of its component, which may be in it already.
fn pinned(text: String, manifest: &Manifest, digest: &str) -> String {
    match manifest.sha256 {
        Some(_) => text,
        // A top-level key is valid at the start of any TOML.
        None => format!("sha256 = \"{digest}\"\n{text}"),
    }
}

/// Writes a file whole or not at all.
fn write(path: &Path, contents: &[u8]) -> Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let written = tempfile::Builder::new().prefix(".new-").tempfile_in(directory).and_then(|mut file| {
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    });
    written.with_context(|| format!("cannot write '{}'", path.display()))
}
