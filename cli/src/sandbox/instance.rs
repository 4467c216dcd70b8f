//! One sandboxed instance of a guest, and its calls.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Error, Result};
use wasmtime::component::{ComponentExportIndex, Func, Instance, InstancePre};
use wasmtime::{Store, UpdateDeadline, format_err};

use crate::audit::event::{Events, Origin};
use crate::audit::format::Format;
use crate::audit::lines::EventLines;
use crate::code::{address_space, artifact};
use crate::guest::Guest;
use crate::guest::secrets::Secrets;
use crate::guest::settings::Setting;
use crate::limits::{ExceededLimit, HANDLES, HOST_CALL_BYTES, Limits};
use crate::sandbox::contract::{self, Operation};
use crate::sandbox::epoch::{Calls, EpochTicker};
use crate::sandbox::error;
use crate::sandbox::events::{CallEvents, SharedEvents};
use crate::sandbox::host::{self, Environment, Host};
use crate::sandbox::lift::{self, StringCopy};
use crate::sandbox::message::{Message, StreamingIndices};

/// The operation of a call that instantiates the guest, in audit events.
const START: &str = "start";

/// A guest with linked imports and the exports of the contract. Instances are opened from it.
pub struct GuestPre {
    origin: Arc<Origin>,
    guest: Guest,
    ticker: EpochTicker,
    instance: InstancePre<Host>,
    encr: ComponentExportIndex,
    decr: ComponentExportIndex,
    /// The functions of a streaming guest, if it is one.
    streaming: Option<StreamingIndices>,
    limits: Limits,
    /// For the first instance, if its calls may be given up.
    shared: Mutex<Option<Arc<SharedEvents>>>,
}

/// One instance of a guest with its store. After a failed call it is dead: every later call fails, too.
pub struct GuestInstance {
    guest: Arc<GuestPre>,
    calls: Arc<Calls>,
    store: Store<Host>,
    instance: Instance,
    encr: Func,
    decr: Func,
    /// The number of calls that it has served.
    served: u32,
}

impl GuestPre {
    /// Loads the compiled code of `guest` and links it. None of its code runs.
    ///
    /// # Errors
    ///
    /// When it cannot be loaded, has an import that the host does not offer, or lacks an export of the contract.
    pub fn load(guest: &Guest, ticker: &EpochTicker, limits: &Limits) -> Result<Arc<Self>> {
        let name = &guest.name;
        let artifact = artifact::load(ticker.engine(), guest, limits)?;
        address_space::check(0).map_err(|error| error::of_resources(name, &error))?;
        let (linker, missing) = host::linker(ticker.engine(), &artifact.component)
            .map_err(anyhow::Error::from)
            .context("cannot define the host's functions")?;
        error::if_imports_are_missing(name, &missing)?;
        let problems = || contract::inspect(ticker.engine(), &artifact.component).problems();
        let describe = |error| error::of_linking(name, &problems(), error);
        let instance = linker.instantiate_pre(&artifact.component).map_err(describe)?;
        let function = |name| {
            let index = contract::function(&artifact.component, name);
            index.ok_or_else(|| describe(format_err!("its export '{name}' is not the contract's")))
        };
        Ok(Arc::new(Self {
            origin: Arc::new(Origin { name: name.clone(), digest: artifact.digest.to_string() }),
            guest: guest.clone(),
            ticker: ticker.clone(),
            encr: function("encr")?,
            decr: function("decr")?,
            streaming: StreamingIndices::new(&artifact.component),
            instance,
            limits: limits.clone(),
            shared: Mutex::default(),
        }))
    }

    /// The guest.
    pub fn guest(&self) -> &Guest {
        &self.guest
    }

    /// Makes `end` end the process if a call of the next instance does not end in time by itself. That instance must
    /// serve the only message of the process. `end` receives the error, and the audit events that are not reported yet.
    pub(crate) fn end_overdue(
        self: &Arc<Self>,
        operation: Operation,
        format: Format,
        end: impl Fn(Error, EventLines) + Send + Sync + 'static,
    ) {
        let (guest, shared) = (self.clone(), Arc::new(SharedEvents::default()));
        *self.shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(shared.clone());
        self.ticker.on_overdue(move || {
            let failed = Err(error::of_limit(&guest.origin.name, &ExceededLimit::Time(guest.limits.timeout)));
            let mut lines = EventLines::new(format);
            shared.with(|events| {
                events.end_call::<()>(if shared.is_open() { operation.name() } else { START }, &failed);
                lines.add(events, &guest.origin, 1);
            });
            if let Err(error) = failed {
                end(error, lines);
            }
        });
    }

    /// Instantiates the guest with `settings` as its environment for the message of `record`, counted from 1. If that
    /// fails, the audit events recorded until then are formatted into `lines`.
    ///
    /// # Errors
    ///
    /// When its start traps or exceeds a limit, or an export is not of the contract's type.
    pub fn open(self: &Arc<Self>, settings: &[Setting], record: u64, lines: &mut EventLines) -> Result<GuestInstance> {
        let value = |setting: &Setting| Some((setting.variable.clone(), setting.value.clone()?));
        let environment = settings.iter().filter_map(value).collect();
        self.instantiate((environment, Arc::new(Secrets::of(settings))), record, lines)
    }

    fn instantiate(
        self: &Arc<Self>,
        environment: (Environment, Arc<Secrets>),
        record: u64,
        lines: &mut EventLines,
    ) -> Result<GuestInstance> {
        let mut store = self.store(environment);
        store.data_mut().record = record;
        let calls = self.ticker.register();
        let creation = address_space::lock();
        let opened = run_timed(&self.ticker, &calls, &mut store, |store| {
            let instance = self.instance.instantiate(&mut *store)?;
            let mut function =
                |index| instance.get_func(&mut *store, index).ok_or_else(|| format_err!("an export is not a function"));
            Ok((instance, function(&self.encr)?, function(&self.decr)?))
        });
        drop(creation);
        match opened {
            Ok((instance, encr, decr)) => {
                store.data().events.open();
                Ok(GuestInstance { guest: self.clone(), calls, store, instance, encr, decr, served: 0 })
            }
            Err(error) => {
                let failed = Err(error::of_call(&self.guest, error, store.data_mut()));
                store.data_mut().end_call(START, &failed);
                store.data_mut().report(lines);
                failed
            }
        }
    }

    /// A store in which the limits are enforced.
    fn store(&self, environment: (Environment, Arc<Secrets>)) -> Store<Host> {
        let events = CallEvents::new(self.shared.lock().unwrap_or_else(PoisonError::into_inner).take());
        let (origin, ticker) = (self.origin.clone(), self.ticker.clone());
        let host = Host::new(origin, environment, self.guest.grants(), &self.limits, (ticker, events));
        let mut store = Store::new(self.ticker.engine(), host);
        store.limiter(|host| &mut host.limiter);
        store.set_hostcall_fuel(HOST_CALL_BYTES);
        store.set_max_component_handles(HANDLES);
        let ticker = self.ticker.clone();
        store.epoch_deadline_callback(move |context| {
            context.data().limiter.time_left()?;
            // While the epoch stands still, this is called again at the next check.
            Ok(UpdateDeadline::Continue(ticker.count_check()?.into()))
        });
        store
    }
}

/// Runs `call`, which enters the guest, against the time limit.
fn run_timed<T>(
    ticker: &EpochTicker,
    calls: &Calls,
    store: &mut Store<Host>,
    call: impl FnOnce(&mut Store<Host>) -> wasmtime::Result<T>,
) -> wasmtime::Result<T> {
    let _call = calls.begin(store.data_mut().limiter.restart());
    if !ticker.is_running() {
        store.set_epoch_deadline(0);
    }
    let returned = call(store)?;
    // The last check of the epoch may have been long ago.
    store.data().limiter.time_left()?;
    Ok(returned)
}

impl GuestInstance {
    /// Calls `encr` or `decr` on `text`.
    ///
    /// # Errors
    ///
    /// When the guest traps, exits, exceeds a limit, or returns something other than text.
    pub fn call(&mut self, operation: Operation, text: &str) -> Result<String> {
        let mut result = Vec::new();
        self.call_onto(operation, text, &mut result)?;
        Ok(String::from_utf8(result)?)
    }

    /// Calls `encr` or `decr` on `text` and adds the result to `output`, which is left unchanged if the call fails.
    ///
    /// If memory or resources run out in an instance that has served other calls, those may be the cause. So this call
    /// is retried once, on a fresh instance that replaces this one; the first attempt leaves no audit events.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    pub fn call_onto(&mut self, operation: Operation, text: &str, output: &mut Vec<u8>) -> Result<()> {
        let is_reused = self.served > 0;
        self.served = self.served.saturating_add(1);
        let called = self.attempt(operation, text, output);
        let host = self.store.data_mut();
        if called.is_ok() || !is_reused || !host.exhausted {
            return called;
        }
        let (environment, record) = ((host.environment.clone(), host.secrets.clone()), host.record);
        log::debug!(
            "record {record} exhausted an instance of {} and is retried on a fresh one",
            self.guest.origin.name
        );
        *self = self.guest.instantiate(environment, record, &mut EventLines::default())?;
        self.served = 1;
        self.attempt(operation, text, output)
    }

    fn attempt(&mut self, operation: Operation, text: &str, output: &mut Vec<u8>) -> Result<()> {
        let function = match operation {
            Operation::Encrypt => self.encr,
            Operation::Decrypt => self.decr,
        };
        self.run_onto(output, |store| function.typed::<(&str,), (StringCopy,)>(&*store)?.call(store, (text,)))
    }

    /// Opens a message in chunks, if the guest is streaming.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    pub fn message(&mut self, operation: Operation) -> Result<Option<Message<'_>>> {
        let guest = self.guest.clone();
        guest.streaming.as_ref().map(|indices| Message::open(self, indices, operation)).transpose()
    }

    /// Sets the record, counted from 1, that the coming audit events belong to.
    pub fn set_record(&mut self, number: u64) {
        self.store.data_mut().record = number;
    }

    /// Takes the audit events that the guest has recorded since they were last taken.
    pub fn take_events(&mut self) -> Events {
        self.store.data_mut().take_events()
    }

    /// Adds the outcome of a call to its audit events.
    pub fn end_call<T>(&mut self, operation: Operation, result: &Result<T>) {
        self.store.data_mut().end_call(operation.name(), result);
    }

    /// Takes those events and formats them into `lines`.
    pub fn report(&mut self, lines: &mut EventLines) {
        self.store.data_mut().report(lines);
    }

    /// The memory that the guest has taken, tables included, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.store.data().limiter.used()
    }

    /// The number of calls that it has served.
    pub(crate) fn served(&self) -> u32 {
        self.served
    }

    /// Runs `call`, which enters the guest, against the time limit. What the guest printed goes to the log.
    pub(super) fn run<T>(
        &mut self,
        call: impl FnOnce(&Instance, &mut Store<Host>) -> wasmtime::Result<T>,
    ) -> Result<T> {
        let Self { guest, calls, store, instance, .. } = self;
        let result = run_timed(&guest.ticker, calls, store, |store| call(instance, store));
        let (guest, host) = (&guest.guest, store.data_mut());
        match result {
            Ok(value) => {
                error::log_printed(&guest.name, host);
                Ok(value)
            }
            Err(error) => Err(error::of_call(guest, error, host)),
        }
    }

    /// Like [`run`](Self::run) for a call that returns a string, which is added to `output` unless the call fails.
    pub(super) fn run_onto(
        &mut self,
        output: &mut Vec<u8>,
        call: impl FnOnce(&mut Store<Host>) -> wasmtime::Result<(StringCopy,)>,
    ) -> Result<()> {
        let (end, limit) = (output.len(), self.guest.limits.message_bytes);
        let called = self.run(|_, store| lift::onto(output, limit, || call(store)));
        if called.is_err() {
            output.truncate(end);
        }
        called.map(drop)
    }
}
