//! Compiles untrusted components within limits.
//!
//! The parser, the linker, and the compiler are large, and none of them bounds its memory use. So they run in a
//! separate process ([`compiler`]) that has limits, and access to nothing but its input and its output.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use compiler::Task;
use humantime::format_duration;

use crate::code::address_space;
use crate::code::component_file::ComponentFile;
use crate::exit::{self, Failure};
use crate::guest::Guest;
use crate::guest::digest::Digest;
use crate::limits::{Limits, Size};
use crate::terminal::progress;

pub mod compiler;
mod nesting;
mod process;

/// Why a component was not compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refusal {
    /// The file is not a valid component, for this reason.
    Invalid(String),
    /// The component uses the async part of the component model.
    Async,
    /// The compiler panicked, with this message.
    Panicked(String),
    /// The compiler was ended by this signal.
    Crashed(i32),
    /// Compiling takes more processor time than the limit.
    ProcessorTime,
    /// The compiler did not end, although it used little processor time.
    WallTime,
    /// Compiling takes more memory than the limit.
    Memory,
    /// The compiler could not be started, or limited, for this reason.
    System(String),
}

/// Compiles the component of `guest`, whose SHA-256 is `digest`, to an artifact for
/// [`engine::loader`](super::engine::loader).
///
/// This process remembers a refusal, and does not compile the component again.
///
/// # Errors
///
/// When `bytes` are not an acceptable component, or compiling exceeds a limit.
pub(crate) fn compile(guest: &Guest, bytes: &[u8], digest: Digest, limits: &Limits) -> Result<Vec<u8>> {
    let path = guest.component.display();
    if let Some(other) = FileType::of(bytes).problem() {
        return Err(Failure::new(exit::Kind::Component, format!("'{path}' {other}")).into());
    }
    let known = refused().get(&digest).cloned();
    let refusal = match known {
        Some(refusal) => refusal,
        None => {
            let message = format!("compiling {} for its first use", guest.name);
            log::info!("{message}");
            match progress::spin(message, || process::run(Task::Compile, bytes, limits)) {
                Ok(code) => return Ok(code),
                Err(refusal) => refusal,
            }
        }
    };
    let failure = refusal.describe(&path.to_string(), limits);
    if !matches!(refusal, Refusal::System(_)) && refused().len() < MAX_REFUSED {
        refused().insert(digest, refusal);
    }
    Err(failure.into())
}

/// The number of core modules that are linked into one before a component is compiled, or why it is compiled unlinked.
pub(crate) type Linking = Result<usize, String>;

/// Facts about a component's file that need no compilation.
#[derive(Debug)]
pub(crate) struct FileReport {
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// Whether the component is linked. The text comes from the compiler process and is not escaped.
    pub linking: Linking,
}

/// Reports on the file of `guest`, whose SHA-256 must be `digest`.
///
/// # Errors
///
/// When it cannot be read, has changed, or exceeds a limit for compiling.
pub(crate) fn inspect(guest: &Guest, digest: Digest, limits: &Limits) -> Result<FileReport> {
    let bytes = ComponentFile::open(guest, limits)?.read(digest)?;
    let path = guest.component.display().to_string();
    let report = process::run(Task::ReportLinking, &bytes, limits).and_then(|report| {
        serde_json::from_slice(&report)
            .map_err(|error| Refusal::System(format!("the compiler's report is invalid: {error}")))
    });
    let linking = report.map_err(|refusal| refusal.describe(&path, limits))?;
    Ok(FileReport { bytes: bytes.len() as u64, linking })
}

fn refused() -> MutexGuard<'static, BTreeMap<Digest, Refusal>> {
    REFUSED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The refusals of this process, by the component's SHA-256. A batch may ask for the same component a million times.
static REFUSED: Mutex<BTreeMap<Digest, Refusal>> = Mutex::new(BTreeMap::new());

/// The maximum number of remembered refusals. Further components are compiled again.
const MAX_REFUSED: usize = 1000;

impl Refusal {
    fn describe(&self, path: &str, limits: &Limits) -> Failure {
        let (time, memory) = (format_duration(limits.compile_time), Size(limits.compile_memory));
        let problem = match self {
            Self::Invalid(reason) => format!("is not a valid component: {reason}"),
            Self::Async => "has async functions, which cipher does not support; export the functions of the contract without 'async'".into(),
            Self::Panicked(message) => format!("cannot be compiled: the compiler panicked: {message}"),
            Self::Crashed(signal) => format!("cannot be compiled: the compiler crashed (signal {signal})"),
            Self::ProcessorTime => format!("takes more than {time} of processor time to compile (--compile-timeout)"),
            Self::WallTime => format!("was not compiled within {}", format_duration(process::wall_time(limits))),
            Self::Memory => match address_space::limit().filter(|bytes| *bytes < limits.compile_memory) {
                Some(bytes) => {
                    let problem = format!("'{path}' takes more memory to compile than {} (ulimit -v)", Size(bytes));
                    return Failure::new(exit::Kind::System, problem);
                }
                None => format!("takes more than {memory} of memory to compile (--max-compile-memory)"),
            },
            Self::System(reason) => {
                return Failure::new(exit::Kind::System, format!("cannot compile '{path}': {reason}"));
            }
        };
        Failure::new(exit::Kind::Component, format!("'{path}' {problem}"))
    }
}

/// The kind of a file, by its first bytes (in the WebAssembly binary format: magic, version, layer).
enum FileType {
    Component,
    CoreModule,
    CompiledCode,
    Text,
    Other,
}

impl FileType {
    fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0, b'a', b's', b'm', _, _, 1, 0, ..] => Self::Component,
            [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Self::CoreModule,
            [0x7f, b'E', b'L', b'F', ..] => Self::CompiledCode,
            _ if is_text(bytes) => Self::Text,
            _ => Self::Other,
        }
    }

    fn problem(self) -> Option<&'static str> {
        match self {
            Self::Component => None,
            Self::CoreModule => Some("is a core WebAssembly module; a component is needed (wasm-tools component new)"),
            Self::CompiledCode => Some("is compiled code; cipher loads only code that it compiled itself"),
            Self::Text => Some("is WebAssembly text; assemble it first (wasm-tools parse)"),
            Self::Other => Some("is not a WebAssembly component"),
        }
    }
}

/// Whether `bytes` are in the WebAssembly text format.
fn is_text(bytes: &[u8]) -> bool {
    let code = skip_comments(bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes));
    let Some(keyword) = code.strip_prefix(b"(").map(skip_comments) else { return false };
    [&b"component"[..], b"module"].iter().any(|word| keyword.starts_with(word))
}

/// The rest of `bytes` after white space and comments: `;; line` and `(; block ;)`, which nests.
fn skip_comments(bytes: &[u8]) -> &[u8] {
    let (mut rest, mut depth) = (bytes, 0_usize);
    loop {
        rest = match rest {
            [b'(', b';', after @ ..] => {
                depth += 1;
                after
            }
            [b';', b')', after @ ..] if depth > 0 => {
                depth -= 1;
                after
            }
            [b';', b';', after @ ..] if depth == 0 => {
                let end = after.iter().position(|&byte| byte == b'\n').unwrap_or(after.len());
                &after[end..]
            }
            [first, after @ ..] if depth > 0 || first.is_ascii_whitespace() => after,
            _ => return rest,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_text_after_comments() {
        for text in [
            "(component)",
            "\u{feff}(component",
            " \r\n\t( component",
            ";; a (module) that\n;; is a\n(component",
            "(; a (; nested ;) ;; comment ;)(component",
            "(module)",
        ] {
            assert!(is_text(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn recognizes_only_text() {
        for text in ["", "(", ";; (component)", "(; (component)", "(; ;) ;)(component", "component", "( ;)module"] {
            assert!(!is_text(text.as_bytes()), "{text}");
        }
        assert!(!is_text(b"\xff(component)"));
    }
}
