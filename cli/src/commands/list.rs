//! `cipher list`.

use std::borrow::Cow;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;

use crate::exit::{self, Failure, Kind};
use crate::guest::assignments::Assignments;
use crate::guest::catalog::Catalog;
use crate::guest::digest::Digest;
use crate::guest::settings::{self, Source};
use crate::guest::{Guest, cannot_read_component};
use crate::terminal::escape;
use crate::terminal::output::Output;

const EXAMPLES: &str = "\
Examples:
  cipher list
  SHIFT_AMOUNT=5 cipher list --json
  CIPHER_GUESTS=./guests cipher list";

/// Options of `cipher list`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct List {
    /// Print one JSON array instead of text
    #[arg(long)]
    json: bool,
}

/// One guest in the list.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    name: &'a str,
    version: Option<&'a str>,
    description: &'a str,
    component: Cow<'a, str>,
    sha256: String,
    settings: Vec<SettingEntry>,
}

/// One setting of a guest in the list. A secret has no value here.
#[derive(Debug, Serialize)]
struct SettingEntry {
    variable: String,
    value: Option<String>,
    source: Source,
    secret: bool,
    default: Option<String>,
    help: String,
    #[serde(skip)]
    line: String,
}

impl List {
    /// Writes the list to stdout.
    ///
    /// # Errors
    ///
    /// When a guest cannot be read; the others are still listed.
    pub(super) fn run(self) -> Result<()> {
        let catalog = Catalog::from_environment();
        catalog.warn_of_unreadable();
        let (mut guests, mut broken, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for guest in catalog.all() {
            guest.map_or_else(|error| broken.push(error), |guest| guests.push(guest));
        }
        for guest in &guests {
            Entry::new(guest).map_or_else(|error| broken.push(error), |entry| entries.push(entry));
        }
        let text = match self.json {
            true => serde_json::to_string_pretty(&entries)? + "\n",
            false => entries.iter().map(Entry::text).collect(),
        };
        Output::stdout()?.write(text.as_bytes())?;
        let kind = broken.first().map_or(Kind::Manifest, exit::kind);
        for error in &broken {
            log::error!("{error:#}");
        }
        if !broken.is_empty() {
            let message = format!("{} of {} guests cannot be used", broken.len(), broken.len() + entries.len());
            return Err(Failure::new(kind, message).into());
        }
        if entries.is_empty() && !self.json {
            log::warn!("{}", catalog.nothing_found());
        }
        Ok(())
    }
}

impl<'a> Entry<'a> {
    fn new(guest: &'a Guest) -> Result<Self> {
        let manifest = guest.manifest.as_ref();
        let settings = settings::resolve(guest, &Assignments::default())?.into_iter().map(|setting| {
            let declared = manifest.and_then(|manifest| manifest.settings.get(&setting.variable));
            SettingEntry {
                line: settings::describe(&setting),
                default: declared.and_then(|declared| declared.default.clone()),
                help: declared.map(|declared| declared.help.clone()).unwrap_or_default(),
                value: setting.value.filter(|_| !setting.secret),
                source: setting.source,
                secret: setting.secret,
                variable: setting.variable,
            }
        });
        let digest = Digest::of_file(&guest.component).with_context(|| cannot_read_component(&guest.component))?;
        guest.check_pin(digest)?;
        Ok(Self {
            name: &guest.name,
            version: guest.version(),
            description: manifest.map_or("", |manifest| &manifest.description),
            component: guest.component.to_string_lossy(),
            sha256: digest.to_string(),
            settings: settings.collect(),
        })
    }

    fn text(&self) -> String {
        let version = self.version.map(|version| format!(" {version}")).unwrap_or_default();
        let mut text = format!("{}{version}: {}\n", self.name, escape::line(self.description));
        for SettingEntry { line, help, .. } in &self.settings {
            text += &format!("  {line} {}\n", escape::line(help));
        }
        text + &format!("  {}\n  sha256:{}\n", escape::line(&self.component), self.sha256)
    }
}
