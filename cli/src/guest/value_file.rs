//! The value of a setting, read from a file, as for a secret.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::exit::{Failure, Kind};
use crate::platform::dump;
use crate::platform::standard::Standard;

/// The maximum length of a value, in bytes.
const MAX_VALUE_BYTES: usize = 64 * 1024;
/// The maximum length of the line ending after a value of the maximum length, in bytes.
const MAX_ENDING_BYTES: usize = 2;

/// Whether `path` is stdin: `-`, or another name of the same pipe, terminal, or socket, such as `/dev/stdin`.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
        || path.metadata().is_ok_and(|metadata| !metadata.is_file() && Standard::Input.is(&metadata))
}

/// Reads the setting `name` from `path`, which may also be a FIFO or a descriptor (`/dev/fd/N`); `-` is stdin. Line
/// feeds and carriage returns at the end are not part of the value.
///
/// # Errors
///
/// When the file cannot be read, or has no value that an environment variable can carry. The error never repeats the
/// content.
pub(crate) fn read(name: &str, path: &Path) -> Result<String> {
    // Before the value is in memory.
    dump::disable();
    let is_stdin = path.as_os_str() == "-";
    let shown = if is_stdin { "stdin".to_owned() } else { format!("'{}'", path.display()) };
    let opened = if is_stdin { Standard::Input.open() } else { File::open(path).map_err(Into::into) };
    let read = opened.and_then(|file| {
        let mut bytes = Vec::new();
        file.take((MAX_VALUE_BYTES + MAX_ENDING_BYTES + 1) as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    let error = read.as_ref().err().and_then(|error| error.downcast_ref::<io::Error>());
    if error.is_some_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidFilename)) {
        let problem = "the path given for it does not exist (it is not shown, because it may be a secret)";
        bail!(Failure::new(Kind::Setting, format!("cannot read {name}: {problem}")));
    }
    let bytes = read.with_context(|| Failure::new(Kind::Setting, format!("cannot read {name} from {shown}")))?;
    value(bytes).map_err(|problem| Failure::new(Kind::Setting, format!("{name}: {shown} {problem}")).into())
}

/// The value in a file with these bytes, or why the file is not valid.
fn value(mut bytes: Vec<u8>) -> Result<String, &'static str> {
    let is_cut = bytes.len() > MAX_VALUE_BYTES + MAX_ENDING_BYTES;
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    bytes.truncate(end);
    if is_cut || bytes.len() > MAX_VALUE_BYTES {
        return Err("is longer than 64 KiB");
    }
    match String::from_utf8(bytes) {
        Ok(value) if value.is_empty() => Err("is empty"),
        Ok(value) if value.contains('\0') => Err("contains a NUL character"),
        Ok(value) => Ok(value),
        Err(_) => Err("is not UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_line_endings_only() {
        for (file, expected) in [("key", "key"), ("key\n", "key"), (" k\ney \t\r\n\n\r", " k\ney \t")] {
            assert_eq!(value(file.into()).unwrap(), expected);
        }
    }

    #[test]
    fn refuses_unusable_values() {
        for (file, problem) in [("", "is empty"), ("\r\n", "is empty"), ("k\0", "contains a NUL character")] {
            assert_eq!(value(file.into()).unwrap_err(), problem);
        }
        assert_eq!(value(b"k\xff".into()).unwrap_err(), "is not UTF-8");
    }

    #[test]
    fn accepts_at_most_64_kib() {
        let longest = "k".repeat(MAX_VALUE_BYTES);
        assert_eq!(value(format!("{longest}\r\n").into()).unwrap(), longest);
        for file in [format!("{longest}k"), format!("{longest}k\n"), format!("{longest}\n\n\n")] {
            assert_eq!(value(file.into()).unwrap_err(), "is longer than 64 KiB");
        }
    }
}
