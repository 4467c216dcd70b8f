//! `cipher list`.

use std::borrow::Cow;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use crate::guest::Guest;
use crate::guest::catalog::Catalog;
use crate::guest::settings::{self, Overrides, Setting};
use crate::terminal::escape;
use crate::terminal::output::Output;

const EXAMPLES: &str = "\
Examples:
  cipher list
  SHIFT_AMOUNT=5 cipher list --json
  CIPHER_GUESTS=./guests cipher list";

/// The guests that there are.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct List {
    /// Write one JSON array instead of text, for scripts
    #[arg(long)]
    json: bool,
}

/// What the list says of a guest.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    name: &'a str,
    description: &'a str,
    component: Cow<'a, str>,
    settings: Vec<SettingReport>,
}

#[derive(Debug, Serialize)]
struct SettingReport {
    #[serde(flatten)]
    setting: Setting,
    default: String,
    help: String,
}

impl List {
    /// Writes the list to standard output.
    ///
    /// # Errors
    ///
    /// When a guest cannot be read; the others are listed all the same.
    pub fn run(self) -> Result<()> {
        let catalog = Catalog::from_environment();
        catalog.warn_of_unreadable();
        let guests = catalog.all();
        let mut broken = Vec::new();
        let mut entries = Vec::new();
        for guest in &guests {
            match guest.as_ref().map(Entry::new) {
                Ok(Ok(entry)) => entries.push(entry),
                Ok(Err(error)) => broken.push(format!("{error:#}")),
                Err(error) => broken.push(format!("{error:#}")),
            }
        }
        let text = match self.json {
            true => serde_json::to_string_pretty(&entries)? + "\n",
            false => entries.iter().map(Entry::text).collect(),
        };
        Output::stdout()?.write(text.as_bytes())?;
        for error in &broken {
            log::error!("{error}");
        }
        if !broken.is_empty() {
            bail!("{} of {} guests cannot be used", broken.len(), broken.len() + entries.len());
        }
        if entries.is_empty() && !self.json {
            let searched: Vec<String> = catalog.directories().map(|path| path.display().to_string()).collect();
            log::warn!("no guests found in {}", searched.join(", "));
        }
        Ok(())
    }
}

impl<'a> Entry<'a> {
    fn new(guest: &'a Guest) -> Result<Self> {
        let manifest = guest.manifest.as_ref();
        let settings = settings::resolve(guest, &Overrides::new())?.into_iter().map(|setting| {
            let declared = manifest.and_then(|manifest| manifest.settings.get(&setting.variable));
            SettingReport {
                default: declared.map(|declared| declared.default.clone()).unwrap_or_default(),
                help: declared.map(|declared| declared.help.clone()).unwrap_or_default(),
                setting,
            }
        });
        Ok(Self {
            name: &guest.name,
            description: manifest.map_or("", |manifest| &manifest.description),
            component: guest.component.to_string_lossy(),
            settings: settings.collect(),
        })
    }

    fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.name, escape::line(self.description));
        for SettingReport { setting: Setting { variable, value, source }, help, .. } in &self.settings {
            let (variable, value, help) = (escape::line(variable), escape::line(value), escape::line(help));
            text += &format!("  {variable}={value} ({source}) {help}\n");
        }
        text + &format!("  {}\n", escape::line(&self.component))
    }
}
