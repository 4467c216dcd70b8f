//! The only place where wasmtime is configured.

use std::sync::LazyLock;

use anyhow::{Context as _, Result, anyhow};
use wasmparser::WasmFeatures;
use wasmtime::{Config, Enabled, Engine, ModuleVersionStrategy, PoolingAllocationConfig};

use crate::code::{address_space, link};
use crate::exit::{Failure, Kind};
use crate::limits::Size;

/// A macro, because `concat!` does not take constants.
macro_rules! wasmtime_version {
    () => {
        "48.0.8"
    };
}

/// The exact version of wasmtime in this binary. A test compares it with `Cargo.lock`.
const WASMTIME_VERSION: &str = wasmtime_version!();

/// The version of this program, with that of wasmtime.
pub(crate) const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (wasmtime ", wasmtime_version!(), ")");

/// An engine that runs artifacts, without a compiler.
///
/// # Errors
///
/// When the system or processor cannot run what this program was built for.
pub fn loader() -> Result<Engine> {
    if let Some(limit) = address_space::small_limit() {
        log::info!(
            "guests run with explicit bounds checks, because the address space is limited to {} (ulimit -v)",
            Size(limit)
        );
    }
    let mut config = config()?;
    // Setting up a compiler reads tables and probes the processor, and most calls need none.
    config.enable_compiler(false);
    start(&config)
}

/// An engine like [`loader`] for at most `instances` instances at a time that each live for one record.
///
/// After a record, the written part of an instance's memory is reset and serves the next one. Mapping fresh memory and
/// faulting it in for each record would cost more.
///
/// # Errors
///
/// As for [`loader`], and when the address space is limited, or the system refuses it.
pub(crate) fn pool(instances: usize) -> Result<Engine> {
    let instances = u32::try_from(instances)?;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances);
    pool.total_core_instances(instances.saturating_mul(POOLED.core_instances));
    pool.total_memories(instances.saturating_mul(POOLED.memories)).max_memories_per_module(POOLED.memories);
    pool.total_tables(instances.saturating_mul(POOLED.tables)).max_tables_per_module(POOLED.tables);
    pool.max_memories_per_component(POOLED.memories).max_tables_per_component(POOLED.tables);
    pool.max_core_instances_per_component(POOLED.core_instances);
    pool.table_elements(POOLED.table_elements);
    pool.max_component_instance_size(POOLED.instance_bytes).max_core_instance_size(POOLED.instance_bytes);
    pool.linear_memory_keep_resident(POOLED.resident_bytes).table_keep_resident(POOLED.resident_bytes);
    // Where the kernel reports which pages were written to (Linux 6.7), only those are reset.
    pool.pagemap_scan(Enabled::Auto);
    let mut config = config()?;
    config.enable_compiler(false);
    config.allocation_strategy(pool);
    let started = match address_space::limit() {
        Some(limit) => Err(anyhow!("the address space is limited to {} (ulimit -v)", Size(limit))),
        None => start(&config),
    };
    started.inspect_err(|error| log::info!("instances are not pooled: {error:#}"))
}

fn start(config: &Config) -> Result<Engine> {
    let problem = || Failure::new(Kind::System, "cannot start the WebAssembly engine");
    Engine::new(config).map_err(anyhow::Error::from).with_context(problem)
}

/// The limits of one instance in a [`pool`], many times what the largest known guests need. They bound address space;
/// memory is used only as the guest needs it.
struct PoolLimits {
    core_instances: u32,
    memories: u32,
    tables: u32,
    table_elements: usize,
    /// For wasmtime's own data about an instance.
    instance_bytes: usize,
    /// The part of each memory and table that stays resident for the next instance.
    resident_bytes: usize,
}

const POOLED: PoolLimits = PoolLimits {
    core_instances: 1000,
    memories: 8,
    tables: 16,
    table_elements: 1 << 18,
    instance_bytes: 16 << 20,
    resident_bytes: 64 << 20,
};

/// An engine that compiles for [`loader`] on this machine.
///
/// # Errors
///
/// As for [`loader`].
pub fn compiler() -> Result<Engine> {
    // Wasmtime compiles on rayon's threads, and rayon panics if it cannot start any.
    static HAS_THREADS: LazyLock<bool> = LazyLock::new(|| rayon::ThreadPoolBuilder::new().build_global().is_ok());
    let mut config = config()?;
    config.parallel_compilation(*HAS_THREADS);
    start(&config)
}

/// The WebAssembly proposals that a component may use: those that the toolchains for guests emit.
///
/// All others are off: each is engine code that a hostile guest can reach and an honest one does not need. Among those
/// that are off:
///
/// | proposal | why it is off |
/// |---|---|
/// | typed function references, GC, GC types | without wasmtime's cargo feature `gc` they abort the process (RUSTSEC-2026-0570) |
/// | exceptions, legacy exceptions | need the feature `gc` |
/// | threads, shared-everything threads | a call is single-threaded; atomics would wait without a time limit |
/// | memory64 | slow bounds checks, and no guest needs 4 GiB |
/// | multi-memory | no toolchain for guests emits it (`ADAPTERS` do) |
/// | relaxed SIMD | results differ between processors |
/// | custom page sizes, wide arithmetic, memory control, compact imports, stack switching, custom descriptors | not final |
/// | component model: async, threading, error contexts, GC, maps, memory64, fixed-length lists, values, `implements`, nested and canonical names | not part of the contract, and not final |
pub const PROPOSALS: WasmFeatures = WasmFeatures::COMPONENT_MODEL
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::MUTABLE_GLOBAL)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::TAIL_CALL);

/// The proposals that the engine itself uses to copy values from the memory of one component to that of another.
const ADAPTERS: WasmFeatures = WasmFeatures::MULTI_MEMORY;

fn config() -> Result<Config> {
    // Without randomness, the hash maps of the standard library panic, and so does wasmtime-wasi.
    getrandom::fill(&mut [0]).with_context(|| Failure::new(Kind::System, "the system provides no random numbers"))?;
    let mut config = Config::new();
    config.wasm_features(WasmFeatures::all(), false);
    config.wasm_features(PROPOSALS.union(ADAPTERS), true);
    // By default an artifact records only the major version, but a patch release may change compiled code.
    config.module_version(ModuleVersionStrategy::Custom(WASMTIME_VERSION.to_owned()))?;
    // Epochs enforce the time limit. Compared with a build without limits, they cost 17% for 100 MB of Caesar, and 40%
    // for 16 MB of Vigenere, whose loops are tight. According to wasmtime's documentation, fuel costs more.
    config.epoch_interruption(true);
    // The default reads an environment variable, and the answer is part of an artifact's compatibility.
    config.wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable);
    // An error shows a trap without its frames. Their address map takes a tenth of a Python guest's artifact.
    config.generate_address_map(false);
    // Only unwinders outside wasmtime need it. It takes a tenth of an artifact, and is read at each load.
    config.native_unwind_info(false);
    // The contract has no async functions. Without this support a store is smaller, and a component that uses the async
    // ABI is rejected when it is compiled.
    config.concurrency_support(false);
    // The stack of a guest is part of its thread's (`limits::THREAD_STACK_BYTES`).
    config.max_wasm_stack(crate::limits::WASM_STACK_BYTES);
    address_space::configure(&mut config);
    Ok(config)
}

/// Identifies everything that determines the compiled code, except the component's bytes. It is part of an artifact's
/// name, so that machines and versions can share a directory. Wasmtime checks all of it again when it loads an
/// artifact.
pub(crate) fn fingerprint() -> String {
    let (own, link, features) = (env!("CARGO_PKG_VERSION"), link::VERSION, processor_features());
    let layout = if address_space::small_limit().is_some() { "-small" } else { "" };
    format!("{WASMTIME_VERSION}-{own}-{link}-{features:x}{layout}")
}

/// The processor features that Cranelift asks for (cranelift-native 0.135), one bit each.
#[cfg(target_arch = "x86_64")]
fn processor_features() -> u32 {
    use std::is_x86_feature_detected as has;
    let features = [
        has!("sse3"),
        has!("ssse3"),
        has!("sse4.1"),
        has!("sse4.2"),
        has!("popcnt"),
        has!("avx"),
        has!("avx2"),
        has!("fma"),
        has!("avxvnni"),
        has!("avx512vnni"),
        has!("bmi1"),
        has!("bmi2"),
        has!("avx512bitalg"),
        has!("avx512dq"),
        has!("avx512f"),
        has!("avx512vl"),
        has!("avx512vbmi"),
        has!("lzcnt"),
        has!("cmpxchg16b"),
    ];
    features.iter().rev().fold(0, |bits, &present| bits << 1 | u32::from(present))
}

/// The processor features that Cranelift asks for (cranelift-native 0.135), one bit each.
#[cfg(target_arch = "aarch64")]
fn processor_features() -> u32 {
    use std::arch::is_aarch64_feature_detected as has;
    [has!("lse"), has!("paca"), has!("fp16"), has!("dotprod"), has!("i8mm")]
        .iter()
        .rev()
        .fold(0, |bits, &present| bits << 1 | u32::from(present))
}

/// On other architectures Cranelift uses no feature that could be missing.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn processor_features() -> u32 {
    0
}

#[cfg(test)]
mod tests {
    #[test]
    fn version_matches_lock_file() {
        let lock = include_str!("../../../Cargo.lock");
        let entry = format!("name = \"wasmtime\"\nversion = \"{}\"", super::WASMTIME_VERSION);
        assert!(lock.contains(&entry), "Cargo.lock has another version of wasmtime");
    }
}
