//! `cipher encrypt` and `cipher decrypt`.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use super::options::{AuditOptions, GuestOptions, JobOptions, LimitOptions, SettingStdin, VerifyOptions};
use crate::audit::lines::EventLines;
use crate::audit::sink::Sink;
use crate::code::engine;
use crate::exit::{self, Failure, Kind};
use crate::guest::Guest;
use crate::limits::Limits;
use crate::platform::file;
use crate::platform::standard::Standard;
use crate::records::blocks::Blocks;
use crate::records::lines::Lines;
use crate::records::message::{Beginning, Input};
use crate::records::run::{self, Policy};
use crate::records::session::{Session, SessionSettings};
use crate::records::split::Separator;
use crate::records::writer::{self, Writer};
use crate::sandbox::contract::Operation;
use crate::sandbox::epoch::EpochTicker;
use crate::sandbox::instance::GuestPre;
use crate::terminal::color;
use crate::terminal::escape;
use crate::terminal::output::{self, Output};
use crate::terminal::progress::Progress;

/// For `cipher encrypt --help`.
pub(super) const ENCRYPT_EXAMPLES: &str = "\
Examples:
  cipher encrypt Caesar 'Hello, World!'
  cipher encrypt Caesar --set SHIFT_AMOUNT=-1 -- '-n is text, too'
  cipher encrypt Vigenere < letter.txt > letter.enc
  cipher encrypt Caesar --lines --audit-file audit.log < names.txt
  cipher encrypt Age --set-file AGE_RECIPIENT=to.txt --verify --verify-set-file AGE_IDENTITY=key.txt
  cipher encrypt ./their.wasm Hello";

/// For `cipher decrypt --help`.
pub(super) const DECRYPT_EXAMPLES: &str = "\
Examples:
  cipher decrypt Caesar 'Khoor, Zruog!'
  VIGENERE_KEYWORD=LEMON cipher decrypt Vigenere LXFOPVEFRNHR
  find . -print0 | cipher encrypt Caesar --null | cipher decrypt Caesar --null";

/// Encrypt text with one guest.
#[derive(Debug, Args)]
pub(super) struct Encrypt {
    #[command(flatten)]
    verify: VerifyOptions,
    #[command(flatten)]
    transform: Transform,
}

impl Encrypt {
    /// Encrypts the text.
    ///
    /// # Errors
    ///
    /// As for [`Transform::run`], and when a result cannot be verified.
    pub(super) fn run(self) -> Result<()> {
        self.transform.run(Operation::Encrypt, &self.verify)
    }
}

/// Decrypt text with one guest.
#[derive(Debug, Args)]
pub(super) struct Decrypt {
    #[command(flatten)]
    transform: Transform,
}

impl Decrypt {
    /// Decrypts the text.
    ///
    /// # Errors
    ///
    /// As for [`Transform::run`].
    pub(super) fn run(self) -> Result<()> {
        self.transform.run(Operation::Decrypt, &VerifyOptions::default())
    }
}

/// Transform text with one guest.
#[derive(Debug, Args)]
struct Transform {
    #[command(flatten)]
    guest: GuestOptions,
    /// The text; without it, or with '-', stdin is read to its end as one message
    text: Option<String>,
    /// Treat each line of stdin as a message, and keep its line ending
    #[arg(long, help_heading = "Records")]
    lines: bool,
    /// Treat each NUL-terminated record of stdin as a message
    #[arg(long, short = '0', conflicts_with = "lines", help_heading = "Records")]
    null: bool,
    /// Action for a record that fails, after it is reported on stderr
    #[arg(long, value_enum, value_name = "ACTION", default_value = "skip", help_heading = "Records")]
    on_error: OnError,
    #[command(flatten)]
    jobs: JobOptions,
    #[command(flatten)]
    audit: AuditOptions,
    #[command(flatten)]
    limits: LimitOptions,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnError {
    /// Write nothing for it
    Skip,
    /// Stop, as with --fail-fast
    Fail,
    /// Write an empty record, so that records of input and output correspond
    Empty,
}

impl Transform {
    /// Runs `operation` on the text.
    ///
    /// # Errors
    ///
    /// When the guest cannot be loaded or called, or its events or result cannot be written.
    fn run(self, operation: Operation, verify: &VerifyOptions) -> Result<()> {
        let limits = self.limits.limits()?;
        let text = self.text.as_deref().filter(|text| *text != "-");
        let separator = self.separator(text)?;
        let guest = self.guest.find()?;
        let mut stdin_use = if text.is_some() { SettingStdin::Free } else { SettingStdin::Input };
        let own = self.guest.resolve(&guest, &mut stdin_use)?;
        let verify = verify.resolve(&guest, &own, &mut stdin_use)?;
        let settings = SessionSettings { guest: own.into(), verify: verify.map(Into::into) };
        let output = Output::stdout()?;
        let input = text.is_none().then(stdin).transpose()?;
        if let Some(input) = &input {
            writer::check_files(input, &output)?;
        }
        let streams = input.iter().map(|input| (input, "input")).chain([(output.file(), "output")]);
        let sink = self.audit.sink(streams)?;
        match (input, separator) {
            (Some(input), Some(separator)) => {
                self.records(&guest, settings, (operation, separator), input, (sink, output), &limits)
            }
            (input, _) => {
                let guest = GuestPre::load(&guest, &EpochTicker::new(engine::loader()?), &limits)?;
                if let Some(text) = text {
                    hint_at_file(text);
                }
                let one = SingleMessage::open(&guest, &settings, operation, sink, output)?;
                one.run(text, input, &limits)
            }
        }
    }

    /// The separator of the records on stdin; `None` without an option for records.
    fn separator(&self, text: Option<&str>) -> Result<Option<Separator>> {
        let (option, separator) = match (self.lines, self.null) {
            (true, _) => ("--lines", Separator::Line),
            (_, true) => ("--null", Separator::Nul),
            _ => return Ok(None),
        };
        if let Some(text) = text {
            let text = escape::start(text);
            let problem = format!("{option} reads stdin, not the argument '{text}'; for a file, use '< FILE'");
            bail!(Failure::new(Kind::Usage, problem));
        }
        Ok(Some(separator))
    }

    fn records(
        &self,
        guest: &Guest,
        settings: SessionSettings,
        (operation, separator): (Operation, Separator),
        input: File,
        (sink, output): (Sink, Output),
        limits: &Limits,
    ) -> Result<()> {
        let jobs = self.jobs.jobs();
        let instances = if settings.verify.is_some() { 2 * jobs } else { jobs };
        let guest = GuestPre::load(guest, &self.jobs.ticker(instances)?, limits)?;
        let worker = |_| Lines {
            guest: guest.clone(),
            settings: settings.clone(),
            operation,
            separator,
            max_bytes: limits.message_bytes,
            isolate: self.jobs.isolate,
            keep_failed: self.on_error == OnError::Empty,
            session: None,
        };
        let writer = Writer::new(sink, output, file::size(&input));
        let blocks = Blocks::new(input, separator, limits.message_bytes);
        let policy = Policy { separator, fail_fast: self.jobs.fail_fast || self.on_error == OnError::Fail };
        run::run((0..jobs).map(worker).collect(), blocks, writer, policy)
    }
}

/// Unbuffered stdin. At a terminal, a hint says that the program waits for input.
fn stdin() -> Result<File> {
    if io::stdin().is_terminal() {
        color::print_hint("reading the message from the terminal; end it with Ctrl-D");
    }
    Standard::Input.open()
}

/// At a terminal, hints that the text is the name of an existing file, whose contents are not read.
fn hint_at_file(text: &str) {
    if io::stderr().is_terminal() && Path::new(text).is_file() {
        color::print_hint(&format!("'{text}' is taken as text; use '< {text}' for the contents of the file"));
    }
}

/// Ends the process as `main` does after a failure. The thread of the failed call cannot return to `main`, because it
/// is still in the guest.
fn end(error: &anyhow::Error, sink: &Mutex<Sink>, events: EventLines) -> ! {
    let written = lock(sink).write(events);
    let error = written.as_ref().err().unwrap_or(error);
    color::print_error(&format!("{error:#}"));
    std::process::exit(exit::kind(error).status().into())
}

fn lock(sink: &Mutex<Sink>) -> MutexGuard<'_, Sink> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One message, from its text to its result.
struct SingleMessage {
    session: Session,
    operation: Operation,
    sink: Arc<Mutex<Sink>>,
    output: Output,
    /// Whether a streamed message has begun and not ended.
    is_streaming: bool,
}

impl SingleMessage {
    fn open(
        guest: &Arc<GuestPre>,
        settings: &SessionSettings,
        operation: Operation,
        sink: Sink,
        output: Output,
    ) -> Result<Self> {
        let format = sink.format();
        let sink = Arc::new(Mutex::new(sink));
        let end_sink = sink.clone();
        guest.end_overdue(operation, format, move |error, events| end(&error, &end_sink, events));
        let mut events = EventLines::new(format);
        let opened = Session::open(guest, settings, 1, &mut events);
        lock(&sink).write(events)?;
        Ok(Self { session: opened?, operation, sink, output, is_streaming: false })
    }

    /// Transforms `text`, or the contents of `input`.
    fn run(mut self, text: Option<&str>, input: Option<File>, limits: &Limits) -> Result<()> {
        let done = match (text, input) {
            (None, Some(input)) => self.stdin(input, limits),
            (text, _) => self.call(text.unwrap_or_default(), "\n"),
        };
        if !self.is_streaming {
            // The guest may have recorded events when it started.
            self.report()?;
        } else if !done.as_ref().is_err_and(output::is_closed) {
            self.end_message(&done)?;
        }
        done?;
        self.session.abandon();
        Ok(())
    }

    /// Transforms `text` in one call; `end` follows the result.
    fn call(&mut self, text: &str, end: &str) -> Result<()> {
        let (mut result, mut events) = (Vec::new(), self.event_lines());
        let called = self.session.call((self.operation, 1), text, &mut result, &mut events);
        // Events recorded before a failure are written, too.
        lock(&self.sink).write(events)?;
        called?;
        result.extend_from_slice(end.as_bytes());
        self.output.write(&result)
    }

    /// Writes the last events of a streamed message, and its outcome.
    fn end_message<T>(&mut self, result: &Result<T>) -> Result<()> {
        self.is_streaming = false;
        let mut events = self.event_lines();
        self.session.end_message(self.operation, result, &mut events);
        lock(&self.sink).write(events)
    }

    /// Writes events that are not written yet.
    fn report(&mut self) -> Result<()> {
        let mut events = self.event_lines();
        self.session.report(&mut events);
        lock(&self.sink).write(events)
    }

    fn event_lines(&self) -> EventLines {
        EventLines::new(lock(&self.sink).format())
    }

    /// Transforms stdin: in one call if it is short or the guest cannot stream, otherwise in chunks.
    fn stdin(&mut self, stdin: File, limits: &Limits) -> Result<()> {
        let size = file::size(&stdin);
        let mut input = Input::new(stdin, Standard::Input.name());
        let first = match input.begin()? {
            Beginning::Whole(text) => return self.call(text, ""),
            Beginning::Part(text) => text,
        };
        self.is_streaming = true;
        let Self { session, operation, sink, output, .. } = self;
        let Some(mut message) = session.message(*operation, limits.message_bytes)? else {
            self.is_streaming = false;
            return self.call(input.whole(limits.message_bytes)?, "");
        };
        let format = lock(sink).format();
        let mut progress = Progress::new(size);
        let mut ready = Vec::new();
        let mut updated = message.update(first, &mut ready);
        let chunks = input.read_ahead()?;
        loop {
            let mut events = EventLines::new(format);
            message.report(&mut events);
            progress.suspend(|| {
                lock(sink).write(events)?;
                updated?;
                output.write_part(&mut ready)
            })?;
            let Some(chunk) = chunks.next()? else { break };
            progress.advance(chunk.len() as u64, 0);
            updated = message.update(&chunk, &mut ready);
        }
        let finished = message.finish(&mut ready);
        self.end_message(&finished)?;
        finished?;
        self.output.write(&ready)
    }
}
