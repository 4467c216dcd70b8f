//! `cipher encrypt` and `cipher decrypt`.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use clap::Args;

use super::options::{AuditOptions, GuestOptions, JobOptions, LimitOptions};
use crate::audit::format::{EventLines, Format};
use crate::audit::sink::Sink;
use crate::guest::settings::{self, Setting};
use crate::limits::Limits;
use crate::platform::standard::Standard;
use crate::records::message::{Beginning, Input};
use crate::records::pipeline::{self, Ends};
use crate::records::split::{Block, Blocks, Record, Separator};
use crate::records::workers::BlockResult;
use crate::sandbox::instance::{GuestInstance, GuestPre, Operation};
use crate::terminal::color;
use crate::terminal::output::Output;
use crate::terminal::progress::Progress;

/// For `cipher encrypt --help`.
pub const ENCRYPT_EXAMPLES: &str = "\
Examples:
  cipher encrypt Caesar 'Hello, World!'
  cipher encrypt Caesar --set SHIFT_AMOUNT=-1 -- '-n is a text, too'
  cipher encrypt Vigenere < letter.txt > letter.enc
  cipher encrypt Caesar --lines --audit-file audit.log < names.txt
  cipher encrypt ./their.wasm Hello";

/// For `cipher decrypt --help`.
pub const DECRYPT_EXAMPLES: &str = "\
Examples:
  cipher decrypt Caesar 'Khoor, Zruog!'
  VIGENERE_KEYWORD=LEMON cipher decrypt Vigenere LXFOPVEFRNHR
  find . -print0 | cipher encrypt Caesar --null | cipher decrypt Caesar --null";

/// SingleMessage message, or standard input, through one guest.
#[derive(Debug, Args)]
pub struct Transform {
    #[command(flatten)]
    guest: GuestOptions,
    /// The text; without it, standard input is one message, read to its end
    text: Option<String>,
    /// Take every line of standard input as a message, and keep its line ending
    #[arg(long, conflicts_with = "text", help_heading = "Records")]
    lines: bool,
    /// Take every record of standard input that ends in NUL as a message
    #[arg(long, short = '0', conflicts_with_all = ["text", "lines"], help_heading = "Records")]
    null: bool,
    #[command(flatten)]
    jobs: JobOptions,
    #[command(flatten)]
    audit: AuditOptions,
    #[command(flatten)]
    limits: LimitOptions,
}

impl Transform {
    /// Runs `operation` on the text.
    ///
    /// # Errors
    ///
    /// When the guest cannot be loaded or called, or its entries or result cannot be written.
    pub fn run(self, operation: Operation) -> Result<()> {
        let limits = self.limits.limits()?;
        let guest = self.guest.find()?;
        let settings = settings::resolve(&guest, &self.guest.given())?;
        let output = Output::stdout()?;
        let input = self.text.is_none().then(stdin).transpose()?;
        let streams = input.iter().map(|input| (input, "input")).chain([(output.file(), "output")]);
        let mut sink = self.audit.sink(streams)?;
        let linked = GuestPre::load(&guest, &self.jobs.clock()?, &limits)?;
        let separator = match (self.lines, self.null) {
            (true, _) => Separator::Line,
            (_, true) => Separator::Nul,
            _ => {
                let mut lines = EventLines::new(sink.format());
                let opened = linked.open(&settings, 1, &mut lines);
                sink.write(lines)?;
                let mut one = SingleMessage { session: opened?, operation, sink, output };
                let done = match (input, self.text) {
                    (Some(input), _) => one.stdin(&input, &limits),
                    (None, text) => one.call(&text.unwrap_or_default(), "\n"),
                };
                // What the guest put on record before something failed is a fact all the same.
                one.report()?;
                done?;
                one.session.abandon();
                return Ok(());
            }
        };
        let settings: Arc<[Setting]> = settings.into();
        let format = sink.format();
        let worker = |_| {
            let mut worker = Worker {
                guest: linked.clone(),
                settings: settings.clone(),
                operation,
                separator,
                format,
                isolate: self.jobs.isolate,
                fail_fast: self.jobs.fail_fast,
                session: None,
            };
            move |block| worker.work(block)
        };
        let jobs = self.jobs.jobs();
        let Some(input) = input else { return Ok(()) }; // a text has no records
        let blocks = Blocks::new(input.try_clone()?, separator, pipeline::block_bytes(jobs), limits.message_bytes);
        pipeline::run((0..jobs).map(worker).collect(), blocks, Ends { sink, output, input })
    }
}

/// Standard input without a buffer of its own; a person at a terminal is told that it is waited for.
fn stdin() -> Result<File> {
    if io::stdin().is_terminal() {
        color::print_hint("reading the message from the terminal; end it with Ctrl-D");
    }
    Standard::Input.open()
}

/// SingleMessage message, from its text to its result.
struct SingleMessage {
    session: GuestInstance,
    operation: Operation,
    sink: Sink,
    output: Output,
}

impl SingleMessage {
    /// The whole message in one call; `end` follows the result.
    fn call(&mut self, text: &str, end: &str) -> Result<()> {
        let mut result = Vec::new();
        self.session.call_onto(self.operation, text, &mut result)?;
        self.report()?;
        result.extend_from_slice(end.as_bytes());
        self.output.write(&result)
    }

    /// Writes what the guest has put on record since this was last called.
    fn report(&mut self) -> Result<()> {
        let mut lines = EventLines::new(self.sink.format());
        self.session.report(&mut lines);
        self.sink.write(lines)
    }

    /// Standard input: in one call if it is short or the guest takes it no other way, else piece by piece.
    fn stdin(&mut self, stdin: &File, limits: &Limits) -> Result<()> {
        let mut input = Input::new(stdin, Standard::Input.name());
        let first = match input.begin()? {
            Beginning::Whole(text) => return self.call(text, ""),
            Beginning::Part(text) => text,
        };
        let Some(mut message) = self.session.message(self.operation)? else {
            return self.call(input.whole(limits.message_bytes)?, "");
        };
        let mut progress = Progress::new(stdin);
        let part = message.update(first)?;
        self.output.write_part(&part)?;
        while let Some(piece) = input.next_piece()? {
            progress.advance(piece.len() as u64, 0);
            let part = message.update(piece)?;
            progress.suspend(|| self.output.write_part(&part))?;
        }
        let rest = message.finish()?;
        // The message's one entry comes with its end, and a result must not be complete before its entry is written.
        self.report()?;
        self.output.write_part(&rest)?;
        self.output.complete()
    }
}

/// One of the threads that work on records.
struct Worker {
    guest: Arc<GuestPre>,
    settings: Arc<[Setting]>,
    operation: Operation,
    separator: Separator,
    format: Format,
    isolate: bool,
    fail_fast: bool,
    /// The instance that the next record gets; none at the start and after a record that failed.
    session: Option<GuestInstance>,
}

impl Worker {
    fn work(&mut self, block: Block) -> BlockResult {
        let mut done = BlockResult {
            output: Vec::with_capacity(block.bytes.len()),
            entries: EventLines::new(self.format),
            bytes: block.bytes.len() as u64,
            ..BlockResult::default()
        };
        for (number, record) in (block.first..).zip(self.separator.records(&block.bytes)) {
            done.count += 1;
            if let Err(error) = self.record(number, record, &mut done) {
                done.errors.push((number, error));
                done.failed += 1;
                done.last = self.fail_fast;
                if done.last {
                    break;
                }
            }
        }
        done
    }

    fn record(&mut self, number: u64, record: Record<'_>, done: &mut BlockResult) -> Result<()> {
        let text = std::str::from_utf8(record.text).map_err(|error| {
            let at = error.valid_up_to();
            anyhow!("it is not UTF-8: byte 0x{:02x} at offset {at} of the record", record.text[at])
        })?;
        let session = match &mut self.session {
            Some(session) => session,
            none => none.insert(self.guest.open(&self.settings, number, &mut done.entries)?),
        };
        session.set_record(number);
        let begin = done.output.len();
        let called = session.call_onto(self.operation, text, &mut done.output);
        session.report(&mut done.entries);
        if self.isolate || called.is_err() {
            self.session = None;
        }
        called?;
        if !self.separator.holds(&done.output[begin..], record.terminator) {
            done.output.truncate(begin);
            bail!("its result contains the separator, so it would be read as several records");
        }
        done.output.extend_from_slice(record.terminator);
        Ok(())
    }
}
