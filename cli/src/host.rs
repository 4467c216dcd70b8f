//! What a guest sees of the outside: its settings, its audit log, and a WASI that leads nowhere.

use std::sync::Arc;
use std::time::SystemTime;

use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::{Deterministic, WasiCtx, WasiCtxView, WasiView};

use crate::audit::{Content, Entry, Origin};
use crate::limits::{Limits, Meter, RESOURCES};
use crate::manifest::Grants;
use crate::settings::Setting;

mod http;
mod printed;
mod wasi;

/// The contract that every guest fulfils.
pub mod base {
    #![allow(missing_docs)]
    wasmtime::component::bindgen!({ path: "../wit", world: "encoder-decoder-service" });
}

/// The world of guests that take a message in pieces, too.
pub mod streaming {
    #![allow(missing_docs)]
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "streaming-encoder-decoder-service",
        with: { "saritnike:cipher/audit-log": super::base::saritnike::cipher::audit_log },
    });
}

/// The interface that guests export which take a message in pieces.
pub const STREAMING: &str = "saritnike:cipher/streaming@0.1.0";
/// The one interface of the contract that the host implements.
const AUDIT_LOG: &str = "saritnike:cipher/audit-log@0.1.0";

/// What a store holds: what an import needs, and no more.
pub struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
    printed: printed::Printed,
    origin: Arc<Origin>,
    /// Limits and clock.
    pub meter: Meter,
    /// The number of the record that is being worked on, counted from 1.
    pub record: u64,
    entries: Vec<Entry>,
    entry_bytes: usize,
    entries_dropped: u64,
    most_entries: usize,
    most_entry_bytes: usize,
}

impl Host {
    /// A host for the guest `origin`, which sees `settings` as its environment and has what is `granted`.
    pub fn new(origin: Arc<Origin>, settings: &[Setting], granted: Grants, limits: &Limits) -> Self {
        let printed = printed::Printed::default();
        let mut wasi = WasiCtx::builder();
        wasi.stdout(printed.clone()).stderr(printed.clone());
        wasi.allow_tcp(false).allow_udp(false);
        for setting in settings {
            wasi.env(&setting.variable, &setting.value);
        }
        if !granted.clocks {
            wasi.wall_clock(wasi::Stopped).monotonic_clock(wasi::Stopped);
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
            meter: Meter::new(limits),
            record: 1,
            entries: Vec::new(),
            entry_bytes: 0,
            entries_dropped: 0,
            most_entries: limits.audit_entries,
            most_entry_bytes: limits.audit_bytes,
        }
    }

    /// Moves the audit entries of this message, in order, to the end of `entries`; past the limits, a last one says how
    /// many were dropped.
    pub fn drain_entries(&mut self, entries: &mut Vec<Entry>) {
        // What the guest reported at its start was before it was known for which record it was started.
        self.entries.iter_mut().for_each(|entry| entry.record = self.record);
        entries.append(&mut self.entries);
        self.entry_bytes = 0;
        let dropped = std::mem::take(&mut self.entries_dropped);
        if dropped > 0 {
            entries.push(self.entry(Content::Dropped(dropped)));
        }
    }

    /// Takes what the guest printed since it was last taken, and how many bytes of it were dropped.
    pub fn take_printed(&self) -> (String, u64) {
        self.printed.take()
    }

    fn entry(&self, content: Content) -> Entry {
        Entry { time: SystemTime::now(), guest: self.origin.clone(), record: self.record, content }
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

impl base::saritnike::cipher::audit_log::Host for Host {
    fn auditrecord(&mut self, action: String, detail: String) {
        let bytes = self.entry_bytes.saturating_add(action.len()).saturating_add(detail.len());
        if self.entries.len() >= self.most_entries || bytes > self.most_entry_bytes {
            self.entries_dropped += 1;
            return;
        }
        self.entry_bytes = bytes;
        let entry = self.entry(Content::Made { action, detail });
        self.entries.push(entry);
    }
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
            base::EncoderDecoderService::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host)?;
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
