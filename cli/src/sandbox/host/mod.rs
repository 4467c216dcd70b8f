//! The imports of a guest: its settings, the audit log, and the parts of WASI that are useful for transforming text.
//! The rest of WASI is [denied].
//!
//! wasmtime-wasi implements what is granted, except streams and sleep, for which it would start a runtime with a
//! thread. Each function is defined here, so that it ends a call after its time limit.

mod audit_log;
mod clocks;
mod command;
mod denied;
mod interfaces;
mod io;
mod printed;
mod random;
mod resources;

use std::sync::Arc;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentNamedList, Lift, Linker, LinkerInstance, Lower, ResourceTable};
use wasmtime::{Engine, StoreContextMut};
use wasmtime_wasi::{Deterministic, WasiCtx, WasiCtxView, WasiView};

use crate::audit::event::{Events, Origin};
use crate::audit::lines::EventLines;
use crate::guest::manifest::Grants;
use crate::guest::secrets::Secrets;
use crate::limits::{Limits, RESOURCES};
use crate::sandbox::epoch::EpochTicker;
use crate::sandbox::events::CallEvents;
use crate::sandbox::limiter::Limiter;

/// The environment variables of a guest: its settings, each with its value.
pub(super) type Environment = Arc<[(String, String)]>;

/// The data of a store, for the imports of a guest.
pub(super) struct Host {
    /// The guest's environment.
    pub environment: Environment,
    /// The secrets to mask in printed text and audit events.
    pub secrets: Arc<Secrets>,
    /// The parts of WASI that the guest is granted.
    wasi: WasiCtx,
    /// The resources that the guest holds.
    resources: ResourceTable,
    printed: printed::GuestOutput,
    origin: Arc<Origin>,
    /// Memory and time.
    pub limiter: Limiter,
    /// Whether a call failed because it used up the resources of its instance.
    pub exhausted: bool,
    /// The number of the record that is being processed, counted from 1.
    pub record: u64,
    /// The audit events of this message.
    pub events: CallEvents,
    audit_events: usize,
    audit_bytes: usize,
}

impl Host {
    /// A host for the guest `origin`.
    pub(super) fn new(
        origin: Arc<Origin>,
        (environment, secrets): (Environment, Arc<Secrets>),
        granted: Grants,
        limits: &Limits,
        (ticker, events): (EpochTicker, CallEvents),
    ) -> Self {
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(RESOURCES);
        Self {
            wasi: wasi(&environment, granted),
            environment,
            secrets,
            resources,
            printed: printed::GuestOutput::default(),
            origin,
            limiter: Limiter::new(limits, ticker),
            exhausted: false,
            record: 1,
            events,
            audit_events: limits.audit_events,
            audit_bytes: limits.audit_bytes,
        }
    }

    /// Takes the audit events of this message.
    pub(super) fn take_events(&mut self) -> Events {
        self.events.with(std::mem::take)
    }

    /// Adds the outcome of a call to the audit events of this message.
    pub(super) fn end_call<T>(&mut self, operation: &'static str, result: &anyhow::Result<T>) {
        self.events.with(|events| events.end_call(operation, result));
    }

    /// Formats the audit events of this message into `lines`.
    pub(super) fn report(&mut self, lines: &mut EventLines) {
        self.events.with(|events| {
            lines.add(events, &self.origin, self.record);
            events.clear();
        });
    }

    /// Takes the text printed since the last call of this method, and the number of bytes dropped before it.
    pub(super) fn take_printed(&mut self) -> (String, u64) {
        if self.printed.is_empty() {
            return (String::new(), 0); // as after most calls
        }
        let (printed, dropped) = self.printed.take();
        (self.secrets.mask(&printed).into_owned(), dropped)
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.resources }
    }
}

/// The parts of WASI that a guest with `environment` is granted: no arguments and no terminals; real secure randomness,
/// and fixed insecure randomness.
fn wasi(environment: &[(String, String)], granted: Grants) -> WasiCtx {
    let mut wasi = WasiCtx::builder();
    for (variable, value) in environment {
        wasi.env(variable, value);
    }
    if granted.clocks {
        wasi.wall_clock(clocks::SystemClock);
    } else {
        wasi.wall_clock(clocks::FixedClock).monotonic_clock(clocks::FixedClock);
    }
    wasi.insecure_random(Deterministic::new((0..=u8::MAX).collect())).insecure_random_seed(0);
    wasi.build()
}

/// Describes the grant for the import `name`, version included; `None` if the host does not offer the import.
pub(super) fn grant(name: &str) -> Option<&'static str> {
    interfaces::find(name).map(|interface| interface.grant)
}

/// Defines the imports of `component` that the host offers, and returns the names of those that it does not.
///
/// Only what the component imports is defined, under the version that it names: defining all of WASI costs more than a
/// call of a small guest, and a component made of several parts may import an interface in several versions.
///
/// # Errors
///
/// When wasmtime runs out of memory.
pub(super) fn linker(engine: &Engine, component: &Component) -> wasmtime::Result<(Linker<Host>, Vec<String>)> {
    let mut linker = Linker::new(engine);
    let mut missing = Vec::new();
    for (name, item) in component.component_type().imports(engine) {
        let (ComponentItem::ComponentInstance(imported), Some(interface)) = (&item.ty, interfaces::find(name)) else {
            missing.push(name.to_owned());
            continue;
        };
        let mut instance = linker.instance(name)?;
        for (export, item) in imported.exports(engine) {
            match item.ty {
                ComponentItem::ComponentFunc(_) => (interface.define)(&mut instance, name, export)?,
                ComponentItem::Resource(_) => resources::define(&mut instance, export)?,
                _ => {}
            }
        }
    }
    Ok((linker, missing))
}

/// Defines the host function `name`, which ends the call once its time is up.
fn define<P, R>(
    instance: &mut LinkerInstance<'_, Host>,
    name: &str,
    function: fn(&mut Host, P) -> wasmtime::Result<R>,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + 'static,
    R: ComponentNamedList + Lower + 'static,
{
    instance.func_wrap(name, move |mut store: StoreContextMut<'_, Host>, params: P| {
        let host = store.data_mut();
        host.limiter.time_left()?;
        function(host, params)
    })
}
