//! Requests: each line names a guest, and its answer is also one line of JSON.

use std::sync::Arc;

use anyhow::{Result, bail};

use crate::exit::{self, Failure, Kind};
use crate::guest::assignments::Assignments;
use crate::guest::settings::{self, Setting};
use crate::limits::Size;
use crate::records::answers::{self, Answer, Outcome};
use crate::records::guests::{Guests, Instances};
use crate::records::request::{self, CopiedMembers, Request};
use crate::records::run::Process;
use crate::records::split::Record;
use crate::sandbox::contract::Operation;
use crate::sandbox::instance::GuestPre;

/// The defaults of requests.
#[derive(Debug, Default)]
pub(crate) struct Defaults {
    /// The name of the guest.
    pub algorithm: Option<String>,
    /// The operation.
    pub operation: Operation,
    /// Settings for that guest, or without `algorithm` for every guest that declares them. Those of a request override
    /// them.
    pub settings: Assignments,
    /// Whether every setting must be given.
    pub require_set: bool,
}

/// A request, completed with the defaults.
struct Call {
    guest: Arc<GuestPre>,
    settings: Vec<Setting>,
    operation: Operation,
    message: String,
}

/// The state of one worker that processes requests.
pub(crate) struct Requests {
    /// The available guests.
    pub guests: Arc<Guests>,
    /// The defaults of requests.
    pub defaults: Arc<Defaults>,
    /// Whether each request gets a fresh instance.
    pub isolate: bool,
    /// Whether unknown members are copied to the answer.
    pub passes_through: bool,
    /// Instances for later requests.
    pub instances: Instances,
    /// The result of a call, before it is written as JSON.
    pub result: Vec<u8>,
}

/// The maximum size of a line, in bytes, for messages of at most `message_bytes`: JSON may take six bytes for one
/// (`\u0001`), and a request has other members.
pub(crate) fn line_bytes(message_bytes: u64) -> u64 {
    message_bytes.saturating_mul(6).saturating_add(1 << 20)
}

impl Process for Requests {
    fn process(&mut self, number: u64, record: Record<'_>, answer: &mut Answer) -> Outcome {
        let line = record.text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(record.text);
        if line.trim_ascii().is_empty() {
            return Outcome::Ignored;
        }
        let max_bytes = line_bytes(self.guests.limits().message_bytes);
        let (copied, request) = if line.len() as u64 > max_bytes {
            let problem = format!("the line is longer than {} (six times --max-message)", Size(max_bytes));
            (CopiedMembers::default(), Err(Failure::new(Kind::Limit, problem).into()))
        } else {
            request::parse(line, self.passes_through)
        };
        answer.events.set_id(copied.id.map(|id| id.get()));
        self.result.clear();
        let called = request.and_then(|request| self.resolve(request)).and_then(|call| self.call(number, call, answer));
        let outcome = match called {
            Err(error) if answers::is_unavailable(&error) => return Outcome::Unavailable(error),
            called => called.and_then(|()| Ok(std::str::from_utf8(&self.result)?)),
        };
        let failed = outcome.is_err();
        write(&mut answer.output, number, &copied, outcome);
        if failed { Outcome::Failed(None) } else { Outcome::Done }
    }
}

impl Requests {
    /// Finds the guest that `request` names, and completes the request with the defaults.
    fn resolve(&self, request: Request) -> Result<Call> {
        let max_bytes = self.guests.limits().message_bytes;
        if request.message.len() as u64 > max_bytes {
            bail!(Failure::new(Kind::Limit, format!("longer than {} (--max-message)", Size(max_bytes))));
        }
        let Some(algorithm) = request.algorithm.as_ref().or(self.defaults.algorithm.as_ref()) else {
            bail!(Failure::new(Kind::BadRequest, "\"algorithm\" is missing; add it, or use --algorithm"));
        };
        let guest = self.guests.get(algorithm)?;
        let defaults = match &self.defaults.algorithm {
            Some(name) if name.eq_ignore_ascii_case(algorithm) => self.defaults.settings.clone(),
            Some(_) => Assignments::default(),
            None => self.defaults.settings.declared_by(guest.guest()),
        };
        let settings = settings::resolve(guest.guest(), &defaults.overridden_by(&request.settings))?;
        if self.defaults.require_set {
            settings::require_set(guest.guest(), &settings)?;
        }
        let operation = request.operation.unwrap_or(self.defaults.operation);
        Ok(Call { guest, settings, operation, message: request.message })
    }

    fn call(&mut self, number: u64, call: Call, answer: &mut Answer) -> Result<()> {
        let Call { guest, settings, operation, message } = call;
        let mut instance = match self.isolate {
            true => {
                settings::log_sources(guest.guest(), &settings);
                guest.open(&settings, number, &mut answer.events)?
            }
            false => self.instances.take(&self.guests, &guest, &settings, number, &mut answer.events)?,
        };
        instance.set_record(number);
        let called = instance.call_onto(operation, &message, &mut self.result);
        instance.end_call(operation, &called);
        instance.report(&mut answer.events);
        if called.is_ok() && !self.isolate {
            self.instances.keep(guest, settings, instance);
        }
        called
    }
}

/// Writes the answer to the request in line `number`.
fn write(output: &mut Vec<u8>, number: u64, copied: &CopiedMembers<'_>, outcome: Result<&str>) {
    let id = copied.id.map(|id| ("id".into(), id));
    output.push(b'{');
    for (name, value) in id.iter().chain(&copied.others) {
        string(output, name);
        output.push(b':');
        output.extend_from_slice(value.get().as_bytes());
        output.push(b',');
    }
    match outcome {
        Ok(result) => {
            output.extend_from_slice(b"\"result\":");
            string(output, result);
        }
        Err(error) => {
            let kind = exit::kind(&error).name();
            output.extend_from_slice(format!("\"line\":{number},\"kind\":\"{kind}\",\"error\":").as_bytes());
            string(output, &format!("{error:#}"));
        }
    }
    output.extend_from_slice(b"}\n");
}

fn string(output: &mut Vec<u8>, text: &str) {
    // Writing to a Vec cannot fail, and a string has a JSON form.
    let _ = serde_json::to_writer(output, text);
}
