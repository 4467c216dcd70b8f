//! The formats of audit events, one file per format.
//!
//! The host states the origin of an event in the head of its line. Each format escapes the guest's texts that follow,
//! so they cannot imitate a head.

use std::borrow::Cow;
use std::time::SystemTime;

use super::event::{Event, Origin, Outcome};
use crate::terminal::escape::Place;

/// The encoding of audit events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `[AUDIT] Action: encrypt | Detail: Length: 13`
    #[default]
    Text,
    /// One JSON object per line, with the members of the host apart from those of the guest.
    Json,
    /// Nothing is written.
    Discard,
}

/// The encoding of a sink's lines, and their maximum size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Format {
    /// The encoding.
    pub(crate) encoding: Encoding,
    /// The maximum size of a line, with its newline, in bytes.
    pub(crate) line_bytes: usize,
}

impl Default for Format {
    fn default() -> Self {
        Self { encoding: Encoding::default(), line_bytes: usize::MAX }
    }
}

/// The lines of one encoding: the head, and a body for each kind of event.
pub(super) trait Syntax {
    /// Adds the head of a line to `text`, and returns where the sequence number belongs; `None` if the format has none.
    fn head(&self, text: &mut String, head: Head<'_>, part: Option<Part>) -> Option<usize>;

    /// The body of an event that a guest recorded.
    fn event<'a>(&self, event: &Event<'a>) -> Body<'a>;

    /// The body that states how many events were dropped.
    fn dropped(&self, count: u64) -> Body<'static>;

    /// The body that states how a call ended; `None` if the format leaves it out.
    fn outcome<'a>(&self, outcome: &'a Outcome) -> Option<Body<'a>>;
}

/// What the host states about an event.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) time: SystemTime,
    pub(super) guest: &'a Origin,
    pub(super) record: u64,
    /// The member that identifies the request; empty if there is none.
    pub(super) id: &'a str,
}

/// The number of a part, from 1, and the number of parts.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) number: usize,
    pub(super) count: usize,
}

/// Two texts, and the literal parts of the line around them.
#[derive(Default)]
pub(super) struct Body<'a> {
    pub(super) before_first: Cow<'static, str>,
    pub(super) first: UntrustedText<'a>,
    pub(super) before_second: Cow<'static, str>,
    pub(super) second: UntrustedText<'a>,
    pub(super) end: &'static str,
}

/// An unescaped text, and the place that it must be escaped for.
#[derive(Clone, Copy)]
pub(super) struct UntrustedText<'a> {
    pub(super) text: &'a str,
    pub(super) place: Place,
}

impl Default for UntrustedText<'_> {
    fn default() -> Self {
        Self { text: "", place: Place::Line }
    }
}
