//! Options for where audit events go.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::audit::format::Format;
use crate::audit::sink::Sink;

/// Where audit entries go, and how they are written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Audit")]
pub struct AuditOptions {
    /// How audit entries are written
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    audit_format: FormatOption,
    /// Append audit entries to this file instead of writing them to standard error
    #[arg(long, value_name = "PATH")]
    audit_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatOption {
    /// One readable line an entry
    Text,
    /// One JSON object a line, with time, guest, digest and record
    Json,
}

impl AuditOptions {
    /// The sink, which is none of `streams`, the files that are read or written besides.
    pub fn sink<'a>(&self, streams: impl IntoIterator<Item = (&'a File, &'a str)>) -> Result<Sink> {
        let format = match self.audit_format {
            FormatOption::Text => Format::Text,
            FormatOption::Json => Format::Json,
        };
        let Some(path) = &self.audit_file else { return Sink::stderr(format) };
        let sink = Sink::file(path, format)?;
        for (stream, what) in streams {
            if sink.is(stream)? {
                bail!("--audit-file '{}' is the {what}, too; give the entries a file of their own", path.display());
            }
        }
        Ok(sink)
    }
}
