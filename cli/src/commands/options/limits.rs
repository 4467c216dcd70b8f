//! Options for the resources that a guest may use.

use std::time::Duration;

use anyhow::Result;
use bytesize::ByteSize;
use clap::Args;

use crate::exit::{Failure, Kind};
use crate::limits::Limits;

/// The resources that a guest may use.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitOptions {
    /// Time limit per message (and, separately, for instantiation)
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = time)]
    timeout: Duration,
    /// Memory limit per guest instance (all memories and tables)
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    max_memory: ByteSize,
    /// Maximum size of an unstreamed message, and of a result
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    max_message: ByteSize,
    /// Maximum size of a component file
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    max_component: ByteSize,
    /// Processor time to compile a component
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = time)]
    compile_timeout: Duration,
    /// Maximum memory to compile a component
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = size)]
    max_compile_memory: ByteSize,
}

/// The sections of a component have sizes of 32 bits.
const COMPONENT_BYTES_MAX: u64 = 1 << 32;

/// Parses a time with its unit.
fn time(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "expected a time, such as 500ms or 2m")
}

/// Parses a number of bytes. A size of more than 64 bits counts as the largest of 64.
fn size(text: &str) -> Result<ByteSize, &'static str> {
    text.parse().map_err(|_| "expected a size, such as 256MiB or 4096")
}

impl LimitOptions {
    /// The limits, with those that have no option at their defaults.
    pub(crate) fn limits(&self) -> Result<Limits> {
        Ok(Limits {
            timeout: self.timeout,
            memory_bytes: usize::try_from(self.max_memory.as_u64())
                .map_err(|_| Failure::new(Kind::Usage, "--max-memory is too large"))?,
            message_bytes: self.max_message.as_u64(),
            component_bytes: self.max_component.as_u64().min(COMPONENT_BYTES_MAX),
            compile_time: self.compile_timeout,
            compile_memory: self.max_compile_memory.as_u64(),
            ..Limits::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    #[test]
    fn options_default_to_limits() {
        let matches = LimitOptions::augment_args(Command::new("cipher")).get_matches_from(["cipher"]);
        let limits = LimitOptions::from_arg_matches(&matches).unwrap().limits().unwrap();
        assert_eq!(format!("{limits:?}"), format!("{:?}", Limits::default()));
    }
}
