//! A WASI that leads nowhere: of what guests import, the part that a transform of text needs has a meaning.
//!
//! Everything else that wasmtime-wasi has is there for components whose language imports it whatever the program does, and
//! denies: no directory is opened, no address may be reached, standard input is at its end.

use std::time::Duration;

use wasmtime::Result;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::sync::io::streams::{InputStream, OutputStream};
use wasmtime_wasi::p2::bindings::sync::io::{poll, streams};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, io, random, sockets, sync};
use wasmtime_wasi::p2::{DynPollable, StreamError, StreamResult};
use wasmtime_wasi::random::WasiRandom;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiView};

use super::Host;
use crate::sandbox::limiter::Limiter;

/// An interface of WASI 0.2: its name, what the host gives for it, and how it is defined.
type Interface = (&'static str, &'static str, fn(&mut Linker<Host>) -> Result<()>);

/// What of WASI is offered.
const INTERFACES: &[Interface] = &[
    ("wasi:cli/environment", "the settings; no arguments", |l| {
        cli::environment::add_to_linker::<Host, WasiCli>(l, Host::cli)
    }),
    ("wasi:cli/exit", "ends the call with an error", |l| cli::exit::add_to_linker::<Host, WasiCli>(l, Host::cli)),
    ("wasi:cli/stdin", "empty", |l| cli::stdin::add_to_linker::<Host, WasiCli>(l, Host::cli)),
    ("wasi:cli/stdout", "goes to the log", |l| cli::stdout::add_to_linker::<Host, WasiCli>(l, Host::cli)),
    ("wasi:cli/stderr", "goes to the log", |l| cli::stderr::add_to_linker::<Host, WasiCli>(l, Host::cli)),
    ("wasi:cli/terminal-input", "there is none", |l| cli::terminal_input::add_to_linker::<Host, WasiCli>(l, Host::cli)),
    ("wasi:cli/terminal-output", "there is none", |l| {
        cli::terminal_output::add_to_linker::<Host, WasiCli>(l, Host::cli)
    }),
    ("wasi:cli/terminal-stdin", "there is none", |l| cli::terminal_stdin::add_to_linker::<Host, WasiCli>(l, Host::cli)),
    ("wasi:cli/terminal-stdout", "there is none", |l| {
        cli::terminal_stdout::add_to_linker::<Host, WasiCli>(l, Host::cli)
    }),
    ("wasi:cli/terminal-stderr", "there is none", |l| {
        cli::terminal_stderr::add_to_linker::<Host, WasiCli>(l, Host::cli)
    }),
    ("wasi:clocks/wall-clock", "fixed, unless the manifest asks for clocks", |l| {
        clocks::wall_clock::add_to_linker::<Host, WasiClocks>(l, Host::clocks)
    }),
    ("wasi:clocks/monotonic-clock", "fixed, unless the manifest asks for clocks", |l| {
        clocks::monotonic_clock::add_to_linker::<Host, WasiClocks>(l, Host::clocks)
    }),
    ("wasi:filesystem/preopens", "no directories", |l| {
        filesystem::preopens::add_to_linker::<Host, WasiFilesystem>(l, Host::filesystem)
    }),
    ("wasi:filesystem/types", "no files", |l| {
        sync::filesystem::types::add_to_linker::<Host, WasiFilesystem>(l, Host::filesystem)
    }),
    ("wasi:io/error", "for the streams above", |l| {
        io::error::add_to_linker::<Host, HasTable>(l, |host| host.ctx().table)
    }),
    ("wasi:io/poll", "waits no longer than the time limit", |l| poll::add_to_linker::<Host, HasIo>(l, Host::io)),
    ("wasi:io/streams", "for the streams above", |l| streams::add_to_linker::<Host, HasIo>(l, Host::io)),
    ("wasi:random/random", "fixed, unless the manifest asks for random", |l| {
        random::random::add_to_linker::<Host, WasiRandom>(l, |host| host.ctx().ctx.random())
    }),
    ("wasi:random/insecure", "fixed, unless the manifest asks for random", |l| {
        random::insecure::add_to_linker::<Host, WasiRandom>(l, |host| host.ctx().ctx.random())
    }),
    ("wasi:random/insecure-seed", "fixed, unless the manifest asks for random", |l| {
        random::insecure_seed::add_to_linker::<Host, WasiRandom>(l, |host| host.ctx().ctx.random())
    }),
    ("wasi:sockets/instance-network", "no network", |l| {
        sockets::instance_network::add_to_linker::<Host, WasiSockets>(l, Host::sockets)
    }),
    ("wasi:sockets/network", "no network", |l| {
        sockets::network::add_to_linker::<Host, WasiSockets>(l, &Default::default(), Host::sockets)
    }),
    ("wasi:sockets/ip-name-lookup", "no network", |l| {
        sockets::ip_name_lookup::add_to_linker::<Host, WasiSockets>(l, Host::sockets)
    }),
    ("wasi:sockets/tcp", "no network", |l| sync::sockets::tcp::add_to_linker::<Host, WasiSockets>(l, Host::sockets)),
    ("wasi:sockets/tcp-create-socket", "no network", |l| {
        sockets::tcp_create_socket::add_to_linker::<Host, WasiSockets>(l, Host::sockets)
    }),
    ("wasi:sockets/udp", "no network", |l| sync::sockets::udp::add_to_linker::<Host, WasiSockets>(l, Host::sockets)),
    ("wasi:sockets/udp-create-socket", "no network", |l| {
        sync::sockets::udp_create_socket::add_to_linker::<Host, WasiSockets>(l, Host::sockets)
    }),
];

/// What the host gives for the interface `name`, version included; `None` if it is not offered.
pub fn grant(name: &str) -> Option<&'static str> {
    find(name).map(|(_, grant, _)| *grant)
}

/// Adds the interface `name`, version included, to `linker`; `None` if it is not offered.
///
/// One by one because defining all of WASI costs more than a call of a small guest.
pub fn add(linker: &mut Linker<Host>, name: &str) -> Option<Result<()>> {
    find(name).map(|(_, _, add)| add(linker))
}

fn find(name: &str) -> Option<&'static Interface> {
    let (interface, version) = name.split_once('@')?;
    INTERFACES.iter().find(|(offered, _, _)| *offered == interface && version.starts_with("0.2."))
}

/// A clock that stands at the start of its time, for guests whose manifest asks for no clocks: the same call then gives the
/// same result.
pub struct FixedClock;

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

struct HasTable;

impl HasData for HasTable {
    type Data<'a> = &'a mut ResourceTable;
}

struct HasIo;

impl HasData for HasIo {
    type Data<'a> = Io<'a>;
}

/// `wasi:io` without wasmtime-wasi's runtime of several threads: a guest's streams are always ready, and what it waits for
/// in `poll` can only be a clock, for no longer than its time limit.
pub struct Io<'a> {
    pub table: &'a mut ResourceTable,
    pub meter: &'a Limiter,
}

impl Io<'_> {
    fn wait<T>(&mut self, wait: impl AsyncFnOnce(&mut ResourceTable) -> Result<T>) -> Result<T> {
        let left = self.meter.time_left()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let waited = runtime.block_on(async { tokio::time::timeout(left, wait(self.table)).await });
        waited.map_err(|_| self.meter.out_of_time())?
    }
}

impl poll::Host for Io<'_> {
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> Result<Vec<u32>> {
        self.wait(async |table| io::poll::Host::poll(table, pollables).await)
    }
}

impl poll::HostPollable for Io<'_> {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> Result<bool> {
        self.wait(async |table| io::poll::HostPollable::ready(table, pollable).await)
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        self.wait(async |table| io::poll::HostPollable::block(table, pollable).await)
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        poll::HostPollable::drop(self.table, pollable)
    }
}

impl streams::Host for Io<'_> {
    fn convert_stream_error(&mut self, error: StreamError) -> Result<streams::StreamError> {
        streams::Host::convert_stream_error(self.table, error)
    }
}

impl streams::HostOutputStream for Io<'_> {
    fn drop(&mut self, stream: Resource<OutputStream>) -> Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }

    fn check_write(&mut self, stream: Resource<OutputStream>) -> StreamResult<u64> {
        streams::HostOutputStream::check_write(self.table, stream)
    }

    fn write(&mut self, stream: Resource<OutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        streams::HostOutputStream::write(self.table, stream, bytes)
    }

    fn blocking_write_and_flush(&mut self, stream: Resource<OutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        self.write(stream, bytes)
    }

    fn blocking_write_zeroes_and_flush(&mut self, stream: Resource<OutputStream>, length: u64) -> StreamResult<()> {
        self.write_zeroes(stream, length)
    }

    fn subscribe(&mut self, stream: Resource<OutputStream>) -> Result<Resource<DynPollable>> {
        streams::HostOutputStream::subscribe(self.table, stream)
    }

    fn write_zeroes(&mut self, stream: Resource<OutputStream>, length: u64) -> StreamResult<()> {
        // What WASI allows in one call; without a bound, the host would gather any length in memory.
        const MOST: u64 = 4096;
        if length > MOST {
            return Err(StreamError::trap("more zeroes written at once than WASI allows"));
        }
        streams::HostOutputStream::write_zeroes(self.table, stream, length)
    }

    fn flush(&mut self, stream: Resource<OutputStream>) -> StreamResult<()> {
        streams::HostOutputStream::flush(self.table, stream)
    }

    fn blocking_flush(&mut self, stream: Resource<OutputStream>) -> StreamResult<()> {
        self.flush(stream)
    }

    fn splice(&mut self, to: Resource<OutputStream>, from: Resource<InputStream>, length: u64) -> StreamResult<u64> {
        streams::HostOutputStream::splice(self.table, to, from, length)
    }

    fn blocking_splice(
        &mut self,
        to: Resource<OutputStream>,
        from: Resource<InputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        self.splice(to, from, length)
    }
}

impl streams::HostInputStream for Io<'_> {
    fn drop(&mut self, stream: Resource<InputStream>) -> Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }

    fn read(&mut self, stream: Resource<InputStream>, length: u64) -> StreamResult<Vec<u8>> {
        streams::HostInputStream::read(self.table, stream, length)
    }

    fn blocking_read(&mut self, stream: Resource<InputStream>, length: u64) -> StreamResult<Vec<u8>> {
        self.read(stream, length)
    }

    fn skip(&mut self, stream: Resource<InputStream>, length: u64) -> StreamResult<u64> {
        streams::HostInputStream::skip(self.table, stream, length)
    }

    fn blocking_skip(&mut self, stream: Resource<InputStream>, length: u64) -> StreamResult<u64> {
        self.skip(stream, length)
    }

    fn subscribe(&mut self, stream: Resource<InputStream>) -> Result<Resource<DynPollable>> {
        streams::HostInputStream::subscribe(self.table, stream)
    }
}
