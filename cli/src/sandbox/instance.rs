//! One sandboxed instance of a guest, and its calls.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use wasmtime::component::{ComponentExportIndex, Func, Instance, InstancePre, ResourceAny};
use wasmtime::{Store, UpdateDeadline, format_err};

use crate::audit::event::{Events, Origin};
use crate::audit::format::EventLines;
use crate::code::artifact;
use crate::guest::Guest;
use crate::guest::settings::Setting;
use crate::limits::Limits;
use crate::sandbox::contract::{self, Operation};
use crate::sandbox::epoch::{Calls, EpochTicker};
use crate::sandbox::error;
use crate::sandbox::host::{self, Host, streaming};
use crate::sandbox::lift::{self, StringCopy};

/// How often a guest may look at the epoch, in every function and loop, before the clock is started: about 10 us.
const FREE_CHECKS: u32 = 300;

/// A guest whose imports are linked and whose exports are the contract's; sessions are opened from it.
pub struct GuestPre {
    origin: Arc<Origin>,
    guest: Guest,
    clock: EpochTicker,
    instance: InstancePre<Host>,
    encr: ComponentExportIndex,
    decr: ComponentExportIndex,
    /// Where the exports are that take a message in pieces, if the guest has them.
    streaming: Option<streaming::StreamingEncoderDecoderServiceIndices>,
    limits: Limits,
}

/// One instance of a guest with its store. After a call that failed it is dead: every later call fails, too.
pub struct GuestInstance {
    guest: Arc<GuestPre>,
    calls: Arc<Calls>,
    store: Store<Host>,
    instance: Instance,
    encr: Func,
    decr: Func,
}

impl GuestPre {
    /// Loads the machine code of `guest` and links it. None of its code runs.
    ///
    /// # Errors
    ///
    /// When it cannot be loaded, imports what the host does not offer, or lacks what the contract asks for.
    pub fn load(guest: &Guest, clock: &EpochTicker, limits: &Limits) -> Result<Arc<Self>> {
        let name = &guest.name;
        let artifact = artifact::load(clock.engine(), guest, limits)?;
        // wasmtime-wasi takes randomness for granted, whatever the guest is given of it, and panics where there is none.
        getrandom::fill(&mut [0]).map_err(|error| anyhow!("the system has no random numbers to give: {error}"))?;
        let (linker, missing) = host::linker(clock.engine(), &artifact.component)
            .map_err(anyhow::Error::from)
            .context("cannot define the host's functions")?;
        error::if_imports_are_missing(name, &missing)?;
        let problems = || contract::fit(clock.engine(), &artifact.component).problems();
        let describe = |error| error::of_linking(name, &problems(), error);
        let instance = linker.instantiate_pre(&artifact.component).map_err(describe)?;
        let function = |name| {
            let index = contract::function(&artifact.component, name);
            index.ok_or_else(|| describe(format_err!("its export '{name}' is not the contract's")))
        };
        Ok(Arc::new(Self {
            origin: Arc::new(Origin { name: name.clone(), digest: artifact.digest.to_string() }),
            guest: guest.clone(),
            clock: clock.clone(),
            encr: function("encr")?,
            decr: function("decr")?,
            streaming: streaming::StreamingEncoderDecoderServiceIndices::new(&instance).ok(),
            instance,
            limits: limits.clone(),
        }))
    }

    /// The guest.
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    /// Instantiates the guest with `settings` as its environment for the message of `record`, counted from 1. If that fails,
    /// what the guest put on record before is written down in `lines`.
    ///
    /// # Errors
    ///
    /// When its start traps or passes a limit, or an export is not of the contract's type.
    pub fn open(self: &Arc<Self>, settings: &[Setting], record: u64, lines: &mut EventLines) -> Result<GuestInstance> {
        let mut host = Host::new(self.origin.clone(), settings, self.guest.grants(), &self.limits);
        host.record = record;
        let mut store = Store::new(self.clock.engine(), host);
        store.limiter(|host| &mut host.meter);
        // Bounds what one call of the host carries out of the guest: a result, or printed text.
        store.set_hostcall_fuel(usize::try_from(self.limits.message_bytes).unwrap_or(usize::MAX));
        let (clock, mut checks) = (self.clock.clone(), 0);
        store.epoch_deadline_callback(move |context| {
            if !clock.is_running() {
                checks += 1;
                if checks < FREE_CHECKS {
                    // The epoch stands still, so this is called again at the next check.
                    return Ok(UpdateDeadline::Continue(0));
                }
                checks = 0;
                clock.start()?;
            }
            context.data().meter.time_left()?;
            Ok(UpdateDeadline::Continue(1))
        });
        let calls = self.clock.session();
        let opened = under_way(&self.clock, &calls, &mut store, |store| {
            let instance = self.instance.instantiate(&mut *store)?;
            let mut function =
                |index| instance.get_func(&mut *store, index).ok_or_else(|| format_err!("an export is no function"));
            Ok((instance, function(&self.encr)?, function(&self.decr)?))
        });
        match opened {
            Ok((instance, encr, decr)) => Ok(GuestInstance { guest: self.clone(), calls, store, instance, encr, decr }),
            Err(error) => {
                store.data_mut().report(lines);
                Err(error::of_call(&self.origin.name, error, store.data()))
            }
        }
    }
}

/// Runs `call`, which enters the guest, against the time limit.
fn under_way<T>(
    clock: &EpochTicker,
    calls: &Calls,
    store: &mut Store<Host>,
    call: impl FnOnce(&mut Store<Host>) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    store.data_mut().meter.restart();
    let _call = calls.begin();
    if !clock.is_running() {
        store.set_epoch_deadline(0);
    }
    call(store)
}

impl GuestInstance {
    /// Calls `encr` or `decr` on `text`.
    ///
    /// # Errors
    ///
    /// When the guest traps, exits, passes a limit or returns what is no string.
    pub fn call(&mut self, operation: Operation, text: &str) -> Result<String> {
        let mut result = Vec::new();
        self.call_onto(operation, text, &mut result)?;
        Ok(String::from_utf8(result)?)
    }

    /// Calls `encr` or `decr` on `text` and adds the result to `output`, which stays as it was if the call fails.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    pub fn call_onto(&mut self, operation: Operation, text: &str, output: &mut Vec<u8>) -> Result<()> {
        let end = output.len();
        let function = match operation {
            Operation::Encrypt => self.encr,
            Operation::Decrypt => self.decr,
        };
        let called = under_way(&self.guest.clock, &self.calls, &mut self.store, |store| {
            let function = function.typed::<(&str,), (StringCopy,)>(&store)?;
            lift::onto(output, || function.call(store, (text,)))
        });
        if called.is_err() {
            output.truncate(end);
        }
        self.tell(called).map(drop)
    }

    /// Opens a message to be taken in pieces, if the guest does that.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    pub fn message(&mut self, operation: Operation) -> Result<Option<Message<'_>>> {
        let Some(indices) = &self.guest.streaming else { return Ok(None) };
        let operation = match operation {
            Operation::Encrypt => streaming::exports::saritnike::cipher::streaming::Operation::Encr,
            Operation::Decrypt => streaming::exports::saritnike::cipher::streaming::Operation::Decr,
        };
        let instance = &self.instance;
        let opened = under_way(&self.guest.clock, &self.calls, &mut self.store, |store| {
            let service = indices.load(&mut *store, instance)?;
            let message = service.saritnike_cipher_streaming().message();
            let resource = message.call_constructor(store, operation)?;
            Ok((service, resource))
        });
        let (service, resource) = self.tell(opened)?;
        Ok(Some(Message { session: self, service, resource }))
    }

    /// Says of which record, counted from 1, the coming entries are.
    pub fn set_record(&mut self, number: u64) {
        self.store.data_mut().record = number;
    }

    /// Takes the audit entries that the guest has made since they were last taken.
    pub fn take_entries(&mut self) -> Events {
        self.store.data_mut().take_entries()
    }

    /// Takes those entries and writes them down in `lines`.
    pub fn report(&mut self, lines: &mut EventLines) {
        self.store.data_mut().report(lines);
    }

    /// The memory that the guest has taken, tables included, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.store.data().meter.used()
    }

    /// Leaves the instance to the end of the process, which is quicker than taking its mappings down one by one.
    pub fn abandon(self) {
        std::mem::forget(self);
    }

    /// Passes `result` on with its error as a sentence, and what the guest printed to the log.
    fn tell<T>(&self, result: wasmtime::Result<T>) -> Result<T> {
        let name = &self.guest.origin.name;
        match result {
            Ok(value) => {
                error::log_printed(name, self.store.data());
                Ok(value)
            }
            Err(error) => Err(error::of_call(name, error, self.store.data())),
        }
    }
}

/// A message on its way through a guest, piece by piece. The time limit is for each piece.
pub struct Message<'a> {
    session: &'a mut GuestInstance,
    service: streaming::StreamingEncoderDecoderService,
    resource: ResourceAny,
}

impl Message<'_> {
    /// Hands the guest the next piece and returns the output that is ready.
    ///
    /// # Errors
    ///
    /// As for [`GuestInstance::call`].
    pub fn update(&mut self, piece: &str) -> Result<String> {
        let (service, resource) = (&self.service, self.resource);
        let result = under_way(&self.session.guest.clock, &self.session.calls, &mut self.session.store, |store| {
            service.saritnike_cipher_streaming().message().call_update(store, resource, piece)
        });
        self.session.tell(result)
    }

    /// Writes the audit events since the last report down in `lines`.
    pub fn report(&mut self, lines: &mut EventLines) {
        self.session.report(lines);
    }

    /// Ends the message and returns the rest of the output.
    ///
    /// # Errors
    ///
    /// As for [`GuestInstance::call`].
    pub fn finish(self) -> Result<String> {
        let (service, resource) = (&self.service, self.resource);
        let result = under_way(&self.session.guest.clock, &self.session.calls, &mut self.session.store, |store| {
            service.saritnike_cipher_streaming().message().call_finish(store, resource)
        });
        self.session.tell(result)
    }
}
