//! Options for the destination of audit events.

use std::env;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::audit::format::Encoding;
use crate::audit::sink::Sink;
use crate::exit::{Failure, Kind};
use crate::terminal::escape;

/// The default of `--audit-file`.
const FILE_VARIABLE: &str = "CIPHER_AUDIT_FILE";
/// The default of `--audit-format`.
const FORMAT_VARIABLE: &str = "CIPHER_AUDIT_FORMAT";

/// The destination and format of audit events.
#[derive(Debug, Args)]
#[command(next_help_heading = "Audit")]
pub(crate) struct AuditOptions {
    /// Format of audit events [default: $CIPHER_AUDIT_FORMAT, or text]
    #[arg(long, value_enum, value_name = "FORMAT")]
    audit_format: Option<FormatOption>,
    /// Append audit events to this file, '-' for stderr [default: $CIPHER_AUDIT_FILE, or -]
    ///
    /// A missing file is created with mode 0600, regardless of the umask. After a log rotation has moved the
    /// file away, events go to a new one. A FIFO needs a reader within 5 seconds.
    #[arg(long, value_name = "PATH")]
    audit_file: Option<PathBuf>,
    /// Write no audit events to stderr (an audit file still gets them)
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatOption {
    /// Human-readable, one line per event
    Text,
    /// One JSON object per line, also for calls without events, with time, guest, digest, record, and outcome
    Json,
}

impl AuditOptions {
    /// Opens the sink, which must not be one of `streams`, the files that are also read or written.
    pub(crate) fn sink<'a>(&self, streams: impl IntoIterator<Item = (&'a File, &'a str)>) -> Result<Sink> {
        let encoding = match self.format()? {
            FormatOption::Text => Encoding::Text,
            FormatOption::Json => Encoding::Json,
        };
        let from_environment = || env::var_os(FILE_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
        let path = self.audit_file.clone().or_else(from_environment).filter(|path| path != Path::new("-"));
        let Some(path) = path else {
            return if self.quiet { Ok(Sink::discard()) } else { Sink::stderr(encoding) };
        };
        let sink = Sink::file(&path, encoding)?;
        for (stream, what) in streams {
            if sink.writes_to(stream)? {
                let path = path.display();
                let problem = format!("audit file '{path}' is also the {what}; use a different file for audit events");
                return Err(Failure::new(Kind::Usage, problem).into());
            }
        }
        Ok(sink)
    }

    fn format(&self) -> Result<FormatOption> {
        let Some(value) = env::var_os(FORMAT_VARIABLE).filter(|value| self.audit_format.is_none() && !value.is_empty())
        else {
            return Ok(self.audit_format.unwrap_or(FormatOption::Text));
        };
        let value = value.to_string_lossy();
        FormatOption::from_str(&value, true).map_err(|_| {
            let value = escape::start(&value);
            Failure::new(Kind::Usage, format!("{FORMAT_VARIABLE} must be 'text' or 'json', not '{value}'")).into()
        })
    }
}
