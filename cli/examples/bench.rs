//! scratch
#![allow(missing_docs)]
use std::time::Instant;
use wasmtime::component::*;
use wasmtime::*;
struct S {
    t: ResourceTable,
    w: wasmtime_wasi::WasiCtx,
    n: usize,
}
impl wasmtime_wasi::WasiView for S {
    fn ctx(&mut self) -> wasmtime_wasi::WasiCtxView<'_> {
        wasmtime_wasi::WasiCtxView { ctx: &mut self.w, table: &mut self.t }
    }
}
fn faults() -> (u64, u64) {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<_> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[7].parse().unwrap(), f[9].parse().unwrap())
}
fn main() -> anyhow::Result<()> {
    let a: Vec<String> = std::env::args().collect();
    let mut c = Config::new();
    c.epoch_interruption(true);
    c.concurrency_support(false);
    c.wasm_backtrace_details(WasmBacktraceDetails::Disable);
    c.generate_address_map(false);
    let e = Engine::new(&c)?;
    let cw = format!("{}.cw", a[1]);
    if !std::path::Path::new(&cw).exists()
        || std::fs::metadata(&cw)?.modified()? < std::fs::metadata(&a[1])?.modified()?
    {
        std::fs::write(&cw, e.precompile_component(&std::fs::read(&a[1])?)?)?;
    }
    let comp = unsafe { Component::deserialize_file(&e, &cw)? };
    let mut l: Linker<S> = Linker::new(&e);
    wasmtime_wasi::p2::add_to_linker_sync(&mut l)?;
    l.instance("saritnike:cipher/audit-log@0.1.0")?.func_wrap(
        "auditrecord",
        |mut s: StoreContextMut<'_, S>, (_a, _d): (String, String)| {
            s.data_mut().n += 1;
            Ok(())
        },
    )?;
    let mut b = wasmtime_wasi::WasiCtxBuilder::new();
    b.inherit_stderr();
    let mut s = Store::new(&e, S { t: ResourceTable::new(), w: b.build(), n: 0 });
    s.set_epoch_deadline(1000000);
    s.set_hostcall_fuel(1 << 30);
    let f0 = faults();
    let t = Instant::now();
    let i = l.instantiate(&mut s, &comp)?;
    let ti = t.elapsed();
    let f1 = faults();
    let f = i.get_typed_func::<(&str,), (String,)>(&mut s, "encr")?;
    let t = Instant::now();
    let r = f.call(&mut s, ("Hello, World!",))?.0;
    let tc = t.elapsed();
    let f2 = faults();
    println!(
        "{r} inst {ti:?} faults {} | first call {tc:?} faults {} | 2nd call faults {}",
        f1.0 - f0.0,
        f2.0 - f1.0,
        {
            f.call(&mut s, ("Hello, World!",))?;
            faults().0 - f2.0
        }
    );
    let line = "The quick brown fox jumps over the lazy dog and then some more te";
    for len in [0, 13, 64] {
        let mut best = f64::MAX;
        let mut tot = 0.0;
        for _ in 0..20 {
            let n = 5000;
            let t = Instant::now();
            for _ in 0..n {
                f.call(&mut s, (&line[..len],))?;
            }
            let d = t.elapsed().as_secs_f64() / n as f64 * 1e6;
            tot += d / 20.0;
            best = best.min(d);
        }
        println!("len {len}: best {best:.2} us mean {tot:.2}");
    }
    for p in &a[2..] {
        let text = std::fs::read_to_string(p)?;
        let mut best = f64::MAX;
        for _ in 0..3 {
            let t = Instant::now();
            let r = f.call(&mut s, (&text,))?.0;
            best = best.min(t.elapsed().as_secs_f64());
            assert_eq!(r.len(), text.len());
        }
        println!("{p} {:.0} ms", best * 1e3);
    }
    for l in std::fs::read_to_string("/proc/self/status")?.lines() {
        if l.starts_with("VmHWM") {
            println!("{l}");
        }
    }
    println!("{}", s.data().n);
    Ok(())
}
