//! `cipher cache`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use bytesize::ByteSize;
use clap::{Args, Subcommand};
use serde_json::json;

use super::options::LimitOptions;
use crate::code::artifact;
use crate::code::cache;
use crate::code::cache::evict::{self, CacheEntry};
use crate::code::engine;
use crate::guest::catalog::Catalog;
use crate::terminal::escape;
use crate::terminal::output::Output;

const EXAMPLES: &str = "\
Examples:
  cipher cache
  cipher cache add ./their.wasm
  cipher cache clear";

/// The last second of the year 9999, from the start of 1970: RFC 3339 has four digits for a year.
const LAST_SECOND: u64 = 253_402_300_799;

/// The machine code kept on disk.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cache {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    show: Show,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show what is kept, least recently used first (what 'cipher cache' alone does)
    #[command(after_help = "Examples:\n  cipher cache show\n  cipher cache show --json")]
    Show(Show),
    /// Remove all of it; it is compiled again when it is needed
    #[command(after_help = "Examples:\n  cipher cache clear")]
    Clear,
    /// Compile algorithms now, so that their first call is as fast as the next
    #[command(after_help = "Examples:\n  cipher cache add Caesar Vigenere\n  cipher cache add ./their.wasm")]
    Add(Add),
}

#[derive(Debug, Args)]
struct Show {
    /// Write one JSON object instead of text, for scripts
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
    /// Shows, clears or fills the cache.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read or written, or a component cannot be compiled or kept.
    pub fn run(self) -> Result<()> {
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
        let path = shelf()?;
        let holdings = evict::list(&path).with_context(|| format!("cannot read '{}'", path.display()))?;
        let total: u64 = holdings.iter().map(|holding| holding.bytes).sum();
        let text = match self.json {
            true => {
                let artifacts: Vec<_> = holdings.iter().map(json).collect();
                let most = evict::LIMIT_BYTES;
                let value =
                    json!({"path": path.to_string_lossy(), "bytes": total, "most_bytes": most, "artifacts": artifacts});
                serde_json::to_string_pretty(&value)? + "\n"
            }
            false => {
                let (total, most) = (ByteSize(total), ByteSize(evict::LIMIT_BYTES));
                let head = format!("{}: {total} of at most {most}\n", path.display());
                head + &holdings.iter().map(line).collect::<String>()
            }
        };
        Output::stdout()?.write(text.as_bytes())
    }
}

fn json(holding: &CacheEntry) -> serde_json::Value {
    json!({
        "sha256": holding.digest,
        "component": holding.component,
        "bytes": holding.bytes,
        "used": rfc3339(holding.used),
    })
}

fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs().min(LAST_SECOND);
    humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

fn line(holding: &CacheEntry) -> String {
    let CacheEntry { component, bytes, used, .. } = holding;
    let minutes = used.elapsed().unwrap_or_default().as_secs() / 60;
    let ago = match minutes {
        0 => "just now".to_owned(),
        _ => format!("{} ago", humantime::format_duration(Duration::from_secs(minutes * 60))),
    };
    format!("  {}, used {ago}: {}\n", ByteSize(*bytes), escape::line(component))
}

fn clear() -> Result<()> {
    let path = shelf()?;
    let bytes = evict::clear(&path).with_context(|| format!("cannot clear '{}'", path.display()))?;
    let text = format!("removed {} from {}\n", ByteSize(bytes), path.display());
    Output::stdout()?.write(text.as_bytes())
}

fn shelf() -> Result<PathBuf> {
    cache::of_user().context("there is no cache directory: neither XDG_CACHE_HOME nor HOME is an absolute path")
}

impl Add {
    fn run(self) -> Result<()> {
        let (catalog, engine, limits) = (Catalog::from_environment(), engine::loader()?, self.limits.limits()?);
        for algorithm in &self.algorithms {
            let guest = catalog.find(algorithm)?;
            if let Some(reason) = artifact::load(&engine, &guest, &limits)?.not_kept {
                bail!("the machine code of {} is not kept: {reason}", guest.name);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_has_no_name_is_shown_as_the_nearest_one() {
        let second = Duration::from_secs(1);
        assert_eq!(rfc3339(SystemTime::UNIX_EPOCH - second), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(LAST_SECOND) + second), "9999-12-31T23:59:59Z");
    }
}
