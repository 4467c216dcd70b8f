//! What can go wrong, as types, and the exit status of each kind of failure.
//!
//! A panic is a bug and has no kind: it ends the process with status 101, as usual in Rust. If a worker panics, the
//! finished records are written, and the run fails as if the system had refused a resource.

use std::fmt;
use std::process::ExitCode;

/// Why something failed. Its name is the `kind` in an answer of `cipher batch`, and the `outcome` in an audit event;
/// its status is that of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The guest refused the message, with a reason.
    Refused,
    /// The guest trapped, exited, or returned something other than text.
    Trapped,
    /// The guest or the message exceeded a limit.
    Limit,
    /// The message is not UTF-8.
    NotUtf8,
    /// The result does not decrypt to the message.
    Unverified,
    /// The result cannot be written as a record, because it contains the separator.
    Separator,
    /// A line of `cipher batch` is not a request.
    BadRequest,
    /// The command line is invalid.
    Usage,
    /// Some records failed; the others were written.
    Records,
    /// No guest has this name.
    UnknownAlgorithm,
    /// The component is missing, unreadable, or not a component that can be compiled.
    Component,
    /// The manifest is missing, unreadable, or invalid.
    Manifest,
    /// The component does not satisfy the contract.
    Contract,
    /// The component is not the one that its manifest pins.
    Pin,
    /// A setting is undeclared, missing, unreadable, or refused by the guest.
    Setting,
    /// The input cannot be read.
    Input,
    /// The output cannot be written.
    Output,
    /// An audit event cannot be written.
    Audit,
    /// The operating system refused a resource: a thread, memory, disk space, or the like.
    System,
}

impl Kind {
    /// The name in answers of `cipher batch` and in audit events.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Trapped => "trapped",
            Self::Limit => "limit",
            Self::NotUtf8 => "not-utf8",
            Self::Unverified => "unverified",
            Self::Separator => "separator",
            Self::BadRequest => "bad-request",
            Self::Usage => "usage",
            Self::Records => "records",
            Self::UnknownAlgorithm => "unknown-algorithm",
            Self::Component => "component",
            Self::Manifest => "manifest",
            Self::Contract => "contract",
            Self::Pin => "pin",
            Self::Setting => "setting",
            Self::Input => "input",
            Self::Output => "output",
            Self::Audit => "audit",
            Self::System => "system",
        }
    }

    /// The exit status of a process that fails for this reason.
    pub fn status(self) -> u8 {
        match self {
            Self::Refused
            | Self::Trapped
            | Self::Limit
            | Self::NotUtf8
            | Self::Unverified
            | Self::Separator
            | Self::BadRequest => 1,
            Self::Usage => 2,
            Self::Records => 3,
            Self::UnknownAlgorithm | Self::Component | Self::Manifest | Self::Contract | Self::Pin => 4,
            Self::Setting => 5,
            Self::Input | Self::Output | Self::Audit | Self::System => 6,
        }
    }
}

/// The exit statuses, for `--help`, the manual and the README.
pub const TABLE: &[(&str, &str)] = &[
    ("0", "done (also when the reader closed the pipe)"),
    ("1", "the message failed: refused, trapped, over a limit, not UTF-8, or not verified"),
    ("2", "usage error"),
    ("3", "some records failed; the others were written"),
    ("4", "the guest cannot be used: unknown, missing, invalid, wrong contract, failed pin"),
    ("5", "a setting is undeclared, missing, or unreadable, or the guest refused it"),
    ("6", "input, output, audit sink, or disk failed"),
    ("129, 130, 143", "ended by SIGHUP, SIGINT, or SIGTERM"),
];

/// A failure with its kind: a root cause, or the context of one.
///
/// `anyhow` finds it anywhere in a chain, so a function returns `Failure::new(..).into()` or adds
/// `.with_context(|| Failure::new(..))` where the failure arises, and callers pass it on.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
}

impl Failure {
    /// A failure of this kind, with what failed, the offending value, and what to do about it, in one line.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The kind of the outermost [`Failure`] in a chain. An error without one came from the operating system.
pub(crate) fn kind(error: &anyhow::Error) -> Kind {
    error.downcast_ref::<Failure>().map_or(Kind::System, |failure| failure.kind)
}

/// The exit status for `error`.
pub fn status(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(kind(error).status())
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn finds_kind_through_context() {
        let result: anyhow::Result<()> = Err(std::io::Error::other("disk").into());
        let error = result.with_context(|| Failure::new(Kind::Audit, "cannot write")).context("outer").unwrap_err();
        assert_eq!(kind(&error), Kind::Audit);
        assert_eq!(format!("{error:#}"), "outer: cannot write: disk");
    }

    #[test]
    fn defaults_to_system() {
        assert_eq!(kind(&anyhow::anyhow!("untyped")), Kind::System);
    }
}
