//! `wasi:clocks`.

use std::time::{Duration, Instant, SystemTime};

use wasmtime::Result;
use wasmtime::component::{ComponentType, LinkerInstance, Lower, Resource};

use super::resources::Pollable;
use super::{Host, define};

/// The clocks of a guest. They stand at the start of their time unless its manifest declares `clocks`, so that the same
/// call gives the same result.
pub struct GuestClock {
    /// When the monotonic clock began, if it runs.
    start: Option<Instant>,
}

/// `wasi:clocks/wall-clock.datetime`.
#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

impl From<Duration> for Datetime {
    fn from(since_epoch: Duration) -> Self {
        Self { seconds: since_epoch.as_secs(), nanoseconds: since_epoch.subsec_nanos() }
    }
}

impl GuestClock {
    /// Clocks that run, or stand still.
    pub fn new(runs: bool) -> Self {
        Self { start: runs.then(Instant::now) }
    }

    fn wall(&self) -> Duration {
        // A system whose clock is before 1970 has no time to give.
        self.start.map_or(Duration::ZERO, |_| SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
    }

    /// The time since the start, in nanoseconds.
    fn monotonic(&self) -> u64 {
        self.start.map_or(0, |start| u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn resolution(&self) -> Duration {
        if self.start.is_some() { Duration::from_nanos(1) } else { Duration::from_secs(1) }
    }
}

/// Defines `function` of `wasi:clocks/wall-clock`.
pub fn define_wall_clock(instance: &mut LinkerInstance<'_, Host>, _: &str, function: &str) -> Result<()> {
    match function {
        "now" => define(instance, function, |host, ()| Ok((Datetime::from(host.clock.wall()),))),
        "resolution" => define(instance, function, |host, ()| Ok((Datetime::from(host.clock.resolution()),))),
        _ => Ok(()),
    }
}

/// Defines `function` of `wasi:clocks/monotonic-clock`.
pub fn define_monotonic_clock(instance: &mut LinkerInstance<'_, Host>, _: &str, function: &str) -> Result<()> {
    match function {
        "now" => define(instance, function, |host, ()| Ok((host.clock.monotonic(),))),
        "resolution" => define(instance, function, |host, ()| {
            Ok((u64::try_from(host.clock.resolution().as_nanos()).unwrap_or(u64::MAX),))
        }),
        "subscribe-instant" => define(instance, function, |host, (when,): (u64,)| {
            let nanoseconds = when.saturating_sub(host.clock.monotonic());
            Ok((subscribe(host, nanoseconds)?,))
        }),
        "subscribe-duration" => {
            define(instance, function, |host, (nanoseconds,): (u64,)| Ok((subscribe(host, nanoseconds)?,)))
        }
        _ => Ok(()),
    }
}

/// A sleep is real even where the clocks stand still.
fn subscribe(host: &mut Host, nanoseconds: u64) -> Result<Resource<Pollable>> {
    let pollable = match Instant::now().checked_add(Duration::from_nanos(nanoseconds)) {
        _ if nanoseconds == 0 => Pollable::Ready,
        Some(instant) => Pollable::At(instant),
        None => Pollable::Never,
    };
    Ok(host.resources.push(pollable)?)
}
