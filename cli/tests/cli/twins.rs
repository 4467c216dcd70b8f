//! Runs a component twice, plain and linked, and compares the two runs.

use std::fmt::Write as _;
use std::time::Duration;

use cipher::link::{self, LinkedComponent};
use wasmtime::component::{Component, Linker, ResourceTable, Type, Val};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The interval of the epoch, by which components are interrupted.
const TICK: Duration = Duration::from_millis(50);

/// The factor by which a twin may run longer than a component that ended.
const PATIENCE: u32 = 30;

/// The maximum number of bytes of a log that are compared: enough for any guest that ends.
const LOG_BYTES_MAX: usize = 1 << 20;

struct State {
    log: String,
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Starts to advance the epoch of `engine`.
pub(crate) fn tick(engine: &Engine) {
    let engine = engine.clone();
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(TICK);
            engine.increment_epoch();
        }
    });
}

/// Runs `component` and its linked twin for about `time` each. Returns the log of both, or `None` if it cannot be
/// linked.
///
/// # Panics
///
/// When the two differ.
pub(crate) fn compare(engine: &Engine, component: &[u8], texts: &[&str], time: Duration) -> Option<String> {
    let Ok(LinkedComponent { bytes, .. }) = link::link(component) else { return None };
    let plain = run(engine, component, texts, time);
    if plain.contains("failed: wasm trap: interrupt") {
        // If the time was up, the two stopped at different places.
        return Some(run(engine, &bytes, texts, time));
    }
    // On a busy machine, the second run may take longer.
    let linked = run(engine, &bytes, texts, time * PATIENCE);
    assert_eq!(plain, linked);
    Some(linked)
}

/// Instantiates `component` and calls each exported function with each of `texts`, or its length. Returns the calls,
/// their results, and what the component logged, up to the first failure.
fn run(engine: &Engine, component: &[u8], texts: &[&str], time: Duration) -> String {
    let component = match Component::new(engine, component) {
        Ok(component) => component,
        Err(error) => return format!("invalid: {error:#}"),
    };
    // Linking leaves out what the sandbox denies.
    let wasi = WasiCtx::builder().env("VIGENERE_KEYWORD", "LEMON").allow_tcp(false).allow_udp(false).build();
    let mut store = Store::new(engine, State { log: String::new(), wasi, table: ResourceTable::new() });
    store.set_epoch_deadline(time.div_duration_f64(TICK) as u64);
    if let Err(error) = call_all(&mut store, &component, texts) {
        let cause = error.root_cause().to_string();
        let _ = write!(store.data_mut().log, "failed: {cause}");
    }
    std::mem::take(&mut store.data_mut().log)
}

fn call_all(store: &mut Store<State>, component: &Component, texts: &[&str]) -> wasmtime::Result<()> {
    let engine = store.engine().clone();
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    linker.root().func_wrap("log", |store, (text,): (String,)| note(store, &text))?;
    linker
        .instance("saritnike:cipher/audit-log@0.1.0")?
        .func_wrap("auditrecord", |store, (action, detail): (String, String)| {
            note(store, &format!("{action}: {detail}"))
        })?;
    let instance = linker.instantiate(&mut *store, component)?;
    let names: Vec<_> = component.component_type().exports(&engine).map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let Some(function) = instance.get_func(&mut *store, &name) else { continue };
        let ty = function.ty(&*store);
        for text in texts {
            let arguments = ty.params().map(|(_, ty)| argument(&ty, text)).collect::<Option<Vec<_>>>();
            let Some(arguments) = arguments else { continue };
            let mut results = vec![Val::Bool(false); ty.results().len()];
            function.call(&mut *store, &arguments, &mut results)?;
            let _ = writeln!(store.data_mut().log, "{name}: {results:?}");
        }
    }
    Ok(())
}

fn argument(ty: &Type, text: &str) -> Option<Val> {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    match ty {
        Type::String => Some(Val::String(text.to_owned())),
        Type::S32 => Some(Val::S32(length.into())),
        Type::U32 => Some(Val::U32(length.into())),
        _ => None,
    }
}

fn note(mut store: StoreContextMut<State>, text: &str) -> wasmtime::Result<()> {
    let log = &mut store.data_mut().log;
    if log.len() < LOG_BYTES_MAX {
        let _ = writeln!(log, "logged {text:?}");
    }
    Ok(())
}
