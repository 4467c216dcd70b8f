//! `cipher cache`: shows, clears, and fills the artifact cache.

use std::ffi::OsString;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use bytesize::ByteSize;
use clap::{Args, Subcommand};
use serde_json::json;

use super::options::LimitOptions;
use crate::code::artifact;
use crate::code::cache::contents::{self, Item};
use crate::code::cache::{Place, evict};
use crate::code::engine;
use crate::exit::{Failure, Kind};
use crate::guest::catalog::Catalog;
use crate::platform::trust::TrustedDirectory;
use crate::terminal::escape;
use crate::terminal::output::Output;

const EXAMPLES: &str = "\
Examples:
  cipher cache
  cipher cache add ./their.wasm
  cipher cache clear";

/// The last second of the year 9999, since 1970: RFC 3339 has four digits for a year.
const LAST_SECOND: u64 = 253_402_300_799;

/// Options of `cipher cache`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Cache {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    show: Show,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show cached artifacts, least recently used first (the default)
    #[command(after_help = "Examples:\n  cipher cache show\n  cipher cache show --json")]
    Show(Show),
    /// Clear the cache; components are recompiled on demand
    #[command(after_help = "Examples:\n  cipher cache clear")]
    Clear,
    /// Compile algorithms now, so that their first call starts at once
    #[command(after_help = "Examples:\n  cipher cache add Caesar Vigenere\n  cipher cache add ./their.wasm")]
    Add(Add),
}

#[derive(Debug, Args)]
struct Show {
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Add {
    /// Names, or paths of components
    #[arg(required = true, value_name = "ALGORITHM")]
    algorithms: Vec<OsString>,
    #[command(flatten)]
    limits: LimitOptions,
}

impl Cache {
    /// Shows, clears, or fills the cache.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read, written, or trusted, or a component cannot be compiled or cached.
    pub(super) fn run(self) -> Result<()> {
        match self.action {
            None => self.show.run(),
            Some(Action::Show(show)) => show.run(),
            Some(Action::Clear) => clear(),
            Some(Action::Add(add)) => add.run(),
        }
    }
}

impl Show {
    fn run(self) -> Result<()> {
        let place = place()?;
        let items = match open(&place)? {
            Some(directory) => contents::list(&directory).with_context(|| failure("read", &place))?,
            None => Vec::new(),
        };
        let total: u64 = items.iter().map(|item| item.bytes).sum();
        let text = match self.json {
            true => serde_json::to_string_pretty(&json!({
                "path": place.path().to_string_lossy(),
                "bytes": total,
                "limit_bytes": evict::LIMIT_BYTES,
                "artifacts": items.iter().map(json).collect::<Vec<_>>(),
            }))?,
            false => {
                let (total, limit) = (ByteSize(total), ByteSize(evict::LIMIT_BYTES));
                let head = format!("{}: {total} used, limit {limit}", place.path().display());
                head + &items.iter().map(line).collect::<String>()
            }
        };
        Output::stdout()?.write((text + "\n").as_bytes())
    }
}

fn json(item: &Item) -> serde_json::Value {
    json!({
        "sha256": item.digest.map(|digest| digest.to_string()),
        "components": item.paths,
        "bytes": item.bytes,
        "used": rfc3339(item.used),
    })
}

fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs().min(LAST_SECOND);
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

fn line(item: &Item) -> String {
    let minutes = item.used.elapsed().unwrap_or_default().as_secs() / 60;
    let ago = match minutes {
        0 => "just now".to_owned(),
        _ => format!("{} ago", humantime::format_duration(Duration::from_secs(minutes * 60))),
    };
    let name = match item.paths.first() {
        Some(path) => escape::line(path),
        None => "not in use".into(),
    };
    let more = item.paths.len().saturating_sub(1);
    let more = if more == 0 { String::new() } else { format!(" (and {more} more)") };
    format!("\n  {}, used {ago}: {name}{more}", ByteSize(item.bytes))
}

fn clear() -> Result<()> {
    let place = place()?;
    let bytes = match open(&place)? {
        Some(directory) => evict::clear(&directory).with_context(|| failure("clear", &place))?,
        None => 0,
    };
    let text = format!("removed {} from {}\n", ByteSize(bytes), place.path().display());
    Output::stdout()?.write(text.as_bytes())
}

fn place() -> Result<Place> {
    Place::user().with_context(|| {
        Failure::new(Kind::System, "there is no cache directory: neither XDG_CACHE_HOME nor HOME is an absolute path")
    })
}

/// Opens the directory, unless it does not exist.
fn open(place: &Place) -> Result<Option<TrustedDirectory>> {
    match TrustedDirectory::open(place.path()) {
        Ok(directory) => Ok(Some(directory)),
        Err(distrust) if distrust.is_missing() => Ok(None),
        Err(distrust) => Err(distrust).with_context(|| failure("use", place)),
    }
}

fn failure(action: &str, place: &Place) -> Failure {
    Failure::new(Kind::System, format!("cannot {action} the artifact cache '{}'", place.path().display()))
}

impl Add {
    fn run(self) -> Result<()> {
        let (catalog, engine, limits) = (Catalog::from_environment(), engine::loader()?, self.limits.limits()?);
        for algorithm in &self.algorithms {
            artifact::add(&engine, &catalog.find(algorithm)?, &limits)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_out_of_range_times() {
        let second = Duration::from_secs(1);
        assert_eq!(rfc3339(SystemTime::UNIX_EPOCH - second), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(LAST_SECOND) + second), "9999-12-31T23:59:59Z");
    }
}
