//! `wasi:clocks`.

use std::time::{Duration, Instant, SystemTime};

use wasmtime::Result;
use wasmtime::component::{LinkerInstance, Resource};
use wasmtime_wasi::clocks::{WallClock, WasiClocksView};
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

use super::resources::Pollable;
use super::{Host, define};

/// A clock that stands still at zero, so that the same call gives the same result.
pub(super) struct FixedClock;

impl HostWallClock for FixedClock {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl HostMonotonicClock for FixedClock {
    fn resolution(&self) -> u64 {
        1_000_000_000
    }

    fn now(&self) -> u64 {
        0
    }
}

/// The system's clock, but never before 1970, where wasmtime-wasi's own clock panics.
pub(super) struct SystemClock;

impl HostWallClock for SystemClock {
    fn resolution(&self) -> Duration {
        WallClock.resolution()
    }

    fn now(&self) -> Duration {
        SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
    }
}

/// Defines `function` of `wasi:clocks/wall-clock`.
pub(super) fn define_wall_clock(instance: &mut LinkerInstance<'_, Host>, _: &str, function: &str) -> Result<()> {
    match function {
        "now" => define(instance, function, |host, ()| Ok((wall_clock::Host::now(&mut host.clocks())?,))),
        "resolution" => define(instance, function, |host, ()| Ok((wall_clock::Host::resolution(&mut host.clocks())?,))),
        _ => Ok(()),
    }
}

/// Defines `function` of `wasi:clocks/monotonic-clock`.
pub(super) fn define_monotonic_clock(instance: &mut LinkerInstance<'_, Host>, _: &str, function: &str) -> Result<()> {
    match function {
        "now" => define(instance, function, |host, ()| Ok((monotonic_clock::Host::now(&mut host.clocks())?,))),
        "resolution" => {
            define(instance, function, |host, ()| Ok((monotonic_clock::Host::resolution(&mut host.clocks())?,)))
        }
        "subscribe-instant" => define(instance, function, |host, (when,): (u64,)| {
            let now = monotonic_clock::Host::now(&mut host.clocks())?;
            Ok((subscribe(host, when.saturating_sub(now))?,))
        }),
        "subscribe-duration" => {
            define(instance, function, |host, (nanoseconds,): (u64,)| Ok((subscribe(host, nanoseconds)?,)))
        }
        _ => Ok(()),
    }
}

/// A sleep is real even where the clocks stand still. It is not wasmtime-wasi's, which needs a runtime with a thread.
fn subscribe(host: &mut Host, nanoseconds: u64) -> Result<Resource<Pollable>> {
    let pollable = match Instant::now().checked_add(Duration::from_nanos(nanoseconds)) {
        _ if nanoseconds == 0 => Pollable::Ready,
        Some(instant) => Pollable::At(instant),
        None => Pollable::Never,
    };
    Ok(host.resources.push(pollable)?)
}
