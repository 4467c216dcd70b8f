//! `cipher cache`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use bytesize::ByteSize;
use clap::{Args, Subcommand};
use serde_json::json;

use super::options::LimitOptions;
use crate::artifacts;
use crate::catalog::Catalog;
use crate::engine;
use crate::output::Output;
use crate::shelf::{self, Holding};

const EXAMPLES: &str = "\
Examples:
  cipher cache
  cipher cache add ./their.wasm
  cipher cache clear";

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
    /// When the directory cannot be read or written, or a component cannot be compiled.
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
        let holdings = shelf::holdings(&path).with_context(|| format!("cannot read '{}'", path.display()))?;
        let total: u64 = holdings.iter().map(|holding| holding.bytes).sum();
        let text = match self.json {
            true => {
                let artifacts: Vec<_> = holdings.iter().map(json).collect();
                let most = shelf::LIMIT_BYTES;
                let value = json!({"path": path, "bytes": total, "most_bytes": most, "artifacts": artifacts});
                serde_json::to_string_pretty(&value)? + "\n"
            }
            false => {
                let (total, most) = (ByteSize(total), ByteSize(shelf::LIMIT_BYTES));
                let head = format!("{}: {total} of at most {most}\n", path.display());
                head + &holdings.iter().map(line).collect::<String>()
            }
        };
        Output::stdout()?.write(text.as_bytes())
    }
}

fn json(holding: &Holding) -> serde_json::Value {
    let used = holding.used.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    json!({
        "sha256": holding.digest,
        "component": holding.component,
        "bytes": holding.bytes,
        "used": humantime::format_rfc3339_seconds(SystemTime::UNIX_EPOCH + Duration::from_secs(used)).to_string(),
    })
}

fn line(holding: &Holding) -> String {
    let Holding { component, bytes, used, .. } = holding;
    let minutes = used.elapsed().unwrap_or_default().as_secs() / 60;
    let ago = match minutes {
        0 => "just now".to_owned(),
        _ => format!("{} ago", humantime::format_duration(Duration::from_secs(minutes * 60))),
    };
    format!("  {}, used {ago}: {component}\n", ByteSize(*bytes))
}

fn clear() -> Result<()> {
    let path = shelf()?;
    let bytes = shelf::clear(&path).with_context(|| format!("cannot clear '{}'", path.display()))?;
    let text = format!("removed {} from {}\n", ByteSize(bytes), path.display());
    Output::stdout()?.write(text.as_bytes())
}

fn shelf() -> Result<PathBuf> {
    shelf::of_user().context("there is no cache directory: neither XDG_CACHE_HOME nor HOME is an absolute path")
}

impl Add {
    fn run(self) -> Result<()> {
        let (catalog, engine, limits) = (Catalog::from_environment(), engine::loader()?, self.limits.limits()?);
        for algorithm in &self.algorithms {
            artifacts::load(&engine, &catalog.find(algorithm)?, &limits)?;
        }
        Ok(())
    }
}
