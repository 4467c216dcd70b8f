//! `wasi:io`: streams that are always ready, and sleep.

use std::time::{Duration, Instant};

use wasmtime::component::{ComponentType, LinkerInstance, Lower, Resource, WasmList};
use wasmtime::{Result, StoreContextMut, bail, ensure};

use super::resources::{InputStream, IoError, OutputStream, Pollable};
use super::{Host, define, printed};

/// The maximum number of zeroes in one write: what WASI allows.
const MAX_ZEROES: u64 = 4096;
/// How long a guest sleeps before the time limit is checked again.
const NAP: Duration = Duration::from_millis(50);

/// `wasi:io/streams.stream-error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[expect(dead_code, reason = "no stream fails")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

type StreamResult<T> = std::result::Result<T, StreamError>;

/// Defines `function` of `wasi:io/error`.
pub(super) fn define_error(instance: &mut LinkerInstance<'_, Host>, _: &str, function: &str) -> Result<()> {
    match function {
        "[method]error.to-debug-string" => {
            define(instance, function, |_, _: (Resource<IoError>,)| Ok((String::new(),)))
        }
        _ => Ok(()),
    }
}

/// Defines `function` of `wasi:io/poll`.
pub(super) fn define_poll(instance: &mut LinkerInstance<'_, Host>, _: &str, function: &str) -> Result<()> {
    match function {
        "poll" => {
            define(instance, function, |host, (pollables,): (Vec<Resource<Pollable>>,)| Ok((poll(host, &pollables)?,)))
        }
        "[method]pollable.block" => {
            define(instance, function, |host, (pollable,): (Resource<Pollable>,)| poll(host, &[pollable]).map(drop))
        }
        "[method]pollable.ready" => define(instance, function, |host, (pollable,): (Resource<Pollable>,)| {
            Ok((host.resources.get(&pollable)?.is_ready(Instant::now()),))
        }),
        _ => Ok(()),
    }
}

/// Defines `function` of `wasi:io/streams`.
pub(super) fn define_streams(instance: &mut LinkerInstance<'_, Host>, _: &str, function: &str) -> Result<()> {
    if let Some(method) = function.strip_prefix("[method]input-stream.") {
        return define_input(instance, function, method);
    }
    match function.strip_prefix("[method]output-stream.").unwrap_or_default() {
        "check-write" => define(instance, function, |_, _: (Resource<OutputStream>,)| {
            Ok((StreamResult::Ok(printed::KEPT_BYTES as u64),))
        }),
        "write" | "blocking-write-and-flush" => instance.func_wrap(function, write),
        "write-zeroes" | "blocking-write-zeroes-and-flush" => {
            define(instance, function, |host, (_, length): (Resource<OutputStream>, u64)| {
                ensure!(length <= MAX_ZEROES, "it wrote more than {MAX_ZEROES} zeroes at once");
                host.printed.append(&vec![0; usize::try_from(length)?]);
                Ok((StreamResult::Ok(()),))
            })
        }
        "flush" | "blocking-flush" => {
            define(instance, function, |_, _: (Resource<OutputStream>,)| Ok((StreamResult::Ok(()),)))
        }
        "splice" | "blocking-splice" => {
            define(instance, function, |_, _: (Resource<OutputStream>, Resource<InputStream>, u64)| {
                Ok((StreamResult::<u64>::Err(StreamError::Closed),))
            })
        }
        "subscribe" => define(instance, function, |host, _: (Resource<OutputStream>,)| {
            Ok((host.resources.push(Pollable::Ready)?,))
        }),
        _ => Ok(()),
    }
}

/// Stdin is at its end.
fn define_input(instance: &mut LinkerInstance<'_, Host>, function: &str, method: &str) -> Result<()> {
    match method {
        "read" | "blocking-read" => define(instance, function, |_, _: (Resource<InputStream>, u64)| {
            Ok((StreamResult::<Vec<u8>>::Err(StreamError::Closed),))
        }),
        "skip" | "blocking-skip" => define(instance, function, |_, _: (Resource<InputStream>, u64)| {
            Ok((StreamResult::<u64>::Err(StreamError::Closed),))
        }),
        "subscribe" => define(instance, function, |host, _: (Resource<InputStream>,)| {
            Ok((host.resources.push(Pollable::Ready)?,))
        }),
        _ => Ok(()),
    }
}

/// Copies printed text directly from the memory of the guest.
fn write(
    mut store: StoreContextMut<'_, Host>,
    (_, bytes): (Resource<OutputStream>, WasmList<u8>),
) -> Result<(StreamResult<()>,)> {
    store.data().limiter.time_left()?;
    let mut printed = std::mem::take(&mut store.data_mut().printed);
    printed.append(bytes.as_le_slice(&store));
    store.data_mut().printed = printed;
    Ok((Ok(()),))
}

impl Pollable {
    fn is_ready(&self, now: Instant) -> bool {
        match self {
            Self::Ready => true,
            Self::At(instant) => *instant <= now,
            Self::Never => false,
        }
    }
}

/// Sleeps until one of `pollables` is ready, and returns the indices of those that are.
fn poll(host: &mut Host, pollables: &[Resource<Pollable>]) -> Result<Vec<u32>> {
    if pollables.is_empty() {
        bail!("it called 'poll' with an empty list");
    }
    loop {
        let left = host.limiter.time_left()?;
        let now = Instant::now();
        let (mut ready, mut nap) = (Vec::new(), left.min(NAP));
        for (index, pollable) in (0..).zip(pollables) {
            match host.resources.get(pollable)? {
                pollable if pollable.is_ready(now) => ready.push(index),
                Pollable::At(instant) => nap = nap.min(instant.saturating_duration_since(now)),
                _ => {}
            }
        }
        if !ready.is_empty() {
            return Ok(ready);
        }
        host.limiter.sleep(nap);
    }
}
