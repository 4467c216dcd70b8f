//! What a guest sees of the outside: its settings, its audit log, and a WASI that leads nowhere.

use std::sync::Arc;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceTable, WasmStr};
use wasmtime::{Engine, StoreContextMut};
use wasmtime_wasi::{Deterministic, WasiCtx, WasiCtxView, WasiView};

use crate::audit::event::{Events, Origin};
use crate::audit::format::EventLines;
use crate::guest::manifest::Grants;
use crate::guest::settings::Setting;
use crate::limits::{Limits, RESOURCES};
use crate::sandbox::limiter::Limiter;

mod http;
mod printed;
mod wasi;

/// The world of guests that take a message in pieces, too.
pub mod streaming {
    #![allow(missing_docs, reason = "generated from WIT")]
    wasmtime::component::bindgen!({ path: "../wit", world: "streaming-encoder-decoder-service" });
}

/// The interface that guests export which take a message in pieces.
pub const STREAMING: &str = "saritnike:cipher/streaming@0.1.0";
/// The one interface of the contract that the host implements.
const AUDIT_LOG: &str = "saritnike:cipher/audit-log@0.1.0";

/// What a store holds: what an import needs, and no more.
pub struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
    printed: printed::GuestOutput,
    origin: Arc<Origin>,
    /// Limits and clock.
    pub meter: Limiter,
    /// The number of the record that is being worked on, counted from 1.
    pub record: u64,
    entries: Events,
    most_entries: usize,
    most_entry_bytes: usize,
}

impl Host {
    /// A host for the guest `origin`, which sees `settings` as its environment and has what is `granted`.
    pub fn new(origin: Arc<Origin>, settings: &[Setting], granted: Grants, limits: &Limits) -> Self {
        let printed = printed::GuestOutput::default();
        let mut wasi = WasiCtx::builder();
        wasi.stdout(printed.clone()).stderr(printed.clone());
        wasi.allow_tcp(false).allow_udp(false);
        for setting in settings {
            wasi.env(&setting.variable, &setting.value);
        }
        if !granted.clocks {
            wasi.wall_clock(wasi::FixedClock).monotonic_clock(wasi::FixedClock);
        }
        if !granted.random {
            // Any fixed bytes would do; these are no less arbitrary for being few.
            let fixed = || Deterministic::new((0..=255).collect());
            wasi.secure_random(fixed()).insecure_random(fixed()).insecure_random_seed(0);
        }
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES);
        Self {
            wasi: wasi.build(),
            table,
            printed,
            origin,
            meter: Limiter::new(limits),
            record: 1,
            entries: Events::default(),
            most_entries: limits.audit_entries,
            most_entry_bytes: limits.audit_bytes,
        }
    }

    /// Takes the audit entries of this message.
    pub fn take_entries(&mut self) -> Events {
        std::mem::take(&mut self.entries)
    }

    /// Writes the audit entries of this message down in `lines`.
    pub fn report(&mut self, lines: &mut EventLines) {
        lines.add(&self.entries, &self.origin, self.record);
        self.entries.clear();
    }

    /// Takes what the guest printed since it was last taken, and how many bytes of it were dropped.
    pub fn take_printed(&self) -> (String, u64) {
        self.printed.take()
    }

    fn io(&mut self) -> wasi::Io<'_> {
        wasi::Io { table: &mut self.table, meter: &self.meter }
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// The contract's `auditrecord`. Its strings are read where they lie in the guest's memory.
fn audit_record(mut store: StoreContextMut<'_, Host>, (action, detail): (WasmStr, WasmStr)) -> wasmtime::Result<()> {
    let mut entries = store.data_mut().take_entries();
    let (most, most_bytes) = (store.data().most_entries, store.data().most_entry_bytes);
    let added = action.to_str(&store).and_then(|action| {
        entries.add(&action, &detail.to_str(&store)?, most, most_bytes);
        Ok(())
    });
    store.data_mut().entries = entries;
    added
}

/// What the host gives for the import `name`, version included; `None` if it does not offer it.
pub fn grant(name: &str) -> Option<&'static str> {
    match name {
        AUDIT_LOG => Some("the audit log"),
        _ if http::is_offered(name) => Some(http::GRANT),
        _ => wasi::grant(name),
    }
}

/// What `component` imports, as far as the host offers it, and the names of what it does not.
///
/// # Errors
///
/// When a name is defined twice, which does not happen.
pub fn linker(engine: &Engine, component: &Component) -> wasmtime::Result<(Linker<Host>, Vec<String>)> {
    let mut linker = Linker::new(engine);
    let mut missing = Vec::new();
    for (name, item) in component.component_type().imports(engine) {
        if name == AUDIT_LOG {
            linker.instance(name)?.func_wrap("auditrecord", audit_record)?;
        } else if let (true, ComponentItem::ComponentInstance(wanted)) = (http::is_offered(name), &item.ty) {
            http::add(&mut linker, engine, name, wanted)?;
        } else {
            match wasi::add(&mut linker, name) {
                Some(added) => added?,
                None => missing.push(name.to_owned()),
            }
        }
    }
    Ok((linker, missing))
}
