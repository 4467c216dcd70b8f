//! Records that are messages themselves: lines, or NUL-terminated records.

use std::sync::Arc;

use anyhow::{Result, bail};

use crate::exit::{Failure, Kind};
use crate::limits::Size;
use crate::records::answers::{self, Answer, Outcome};
use crate::records::run::Process;
use crate::records::session::{Session, SessionSettings};
use crate::records::split::{Record, Separator};
use crate::records::utf8;
use crate::sandbox::contract::Operation;
use crate::sandbox::instance::GuestPre;

/// The state of one worker that processes records, all with the same guest and settings.
pub(crate) struct Lines {
    /// The guest.
    pub guest: Arc<GuestPre>,
    /// Its settings.
    pub settings: SessionSettings,
    /// The operation on each record.
    pub operation: Operation,
    /// The separator of records, in the input and in the output.
    pub separator: Separator,
    /// The maximum size of a record, in bytes.
    pub max_bytes: u64,
    /// Whether each record gets a fresh instance.
    pub isolate: bool,
    /// Whether a failed record leaves an empty record in the output.
    pub keep_failed: bool,
    /// The session for the next record; `None` at first, and after a failed record.
    pub session: Option<Session>,
}

impl Process for Lines {
    fn process(&mut self, number: u64, record: Record<'_>, answer: &mut Answer) -> Outcome {
        match self.call(number, record, answer) {
            Ok(()) => {}
            Err(error) if answers::is_unavailable(&error) => return Outcome::Unavailable(error),
            Err(error) => {
                answer.output.clear();
                if self.keep_failed {
                    answer.output.extend_from_slice(record.terminator);
                }
                return Outcome::Failed(Some(format!("{error:#}")));
            }
        }
        match record.terminator {
            // This is faster than a call of `memcpy`.
            &[byte] => answer.output.push(byte),
            bytes => answer.output.extend_from_slice(bytes),
        }
        Outcome::Done
    }
}

impl Lines {
    fn call(&mut self, number: u64, record: Record<'_>, answer: &mut Answer) -> Result<()> {
        let text = self.text(record)?;
        let session = match &mut self.session {
            Some(session) => session,
            none => none.insert(Session::open(&self.guest, &self.settings, number, &mut answer.events)?),
        };
        let called = session.call((self.operation, number), text, &mut answer.output, &mut answer.events);
        if self.isolate || called.is_err() {
            self.session = None;
        }
        called?;
        if !self.separator.holds(&answer.output, record.terminator) {
            let problem = match self.separator {
                Separator::Line => "its result contains a line end, so it would be read as several records; use --null",
                Separator::Nul => "its result contains a NUL character, so it would be read as several records",
            };
            return Err(Failure::new(Kind::Separator, problem).into());
        }
        Ok(())
    }

    fn text<'a>(&self, record: Record<'a>) -> Result<&'a str> {
        if record.text.len() as u64 > self.max_bytes {
            bail!(Failure::new(Kind::Limit, format!("longer than {} (--max-message)", Size(self.max_bytes))));
        }
        utf8::text(record.text)
    }
}
