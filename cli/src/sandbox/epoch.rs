//! The epoch ticker: a thread that advances the engine's epoch, which every loop and function of a guest checks, and
//! counts the time for which guests run.
//!
//! Most calls are over before a thread would have started, and a filter that waits for its input should not wake the
//! machine. So the ticker starts with a call that has checked the epoch often, or sleeps, and stops when no call runs.
//! While it does not run, the time is read from the system's clock.

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use wasmtime::Engine;

/// The maximum time that one tick counts, however late it is. While a process is stopped (by SIGSTOP, say), its guest
/// cannot use the time.
const MAX_GAP: Duration = Duration::from_millis(100);
/// The number of ticks without a call after which the ticker stops.
const IDLE_TICKS: u32 = 100;

/// The ticker of an engine.
#[derive(Clone)]
pub struct EpochTicker {
    engine: Engine,
    state: Arc<State>,
}

struct State {
    running: AtomicBool,
    /// The origin of the times below.
    start: Instant,
    /// The time at the last tick, in nanoseconds since `start`, less `stopped`.
    ticked: AtomicU64,
    /// The time that does not count, in nanoseconds.
    stopped: AtomicU64,
    sessions: Mutex<Vec<Weak<Calls>>>,
}

/// Whether a store has a call under way. It has a cache line of its own: stores on several processors would slow each
/// other down by writing to one.
#[derive(Default)]
#[repr(align(64))]
pub struct Calls(AtomicBool);

/// A call under way, for as long as this lives.
pub struct Call<'a>(&'a AtomicBool);

impl EpochTicker {
    /// The precision of time limits.
    pub const TICK: Duration = Duration::from_millis(10);

    /// A ticker of `engine` that is not running yet.
    pub fn new(engine: Engine) -> Self {
        let state = State {
            running: AtomicBool::new(false),
            start: Instant::now(),
            ticked: AtomicU64::new(0),
            stopped: AtomicU64::new(0),
            sessions: Mutex::default(),
        };
        Self { engine, state: Arc::new(state) }
    }

    /// The engine whose epoch it advances.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Registers another store, for as long as the result lives.
    pub fn session(&self) -> Arc<Calls> {
        let calls = Arc::default();
        let mut sessions = self.state.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|session| session.strong_count() > 0);
        sessions.push(Arc::downgrade(&calls));
        calls
    }

    /// Whether the epoch advances. While a call is under way, a running ticker does not stop.
    pub fn is_running(&self) -> bool {
        self.state.running.load(SeqCst)
    }

    /// The time for which the process ran since the ticker was made: exact, or while the ticker runs as of its last
    /// tick.
    pub fn now(&self) -> Duration {
        let nanoseconds = if self.is_running() { self.state.ticked.load(SeqCst) } else { self.state.counted() };
        Duration::from_nanos(nanoseconds)
    }

    /// The time at which a `timeout` that starts now ends.
    pub fn deadline(&self, timeout: Duration) -> Duration {
        // The current tick is not over yet.
        let slack = if self.is_running() { Self::TICK } else { Duration::ZERO };
        self.now().saturating_add(slack).saturating_add(timeout)
    }

    /// Starts the ticker unless it is running.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub fn start(&self) -> std::io::Result<()> {
        if self.is_running() {
            return Ok(());
        }
        self.state.ticked.store(self.state.counted(), SeqCst);
        if self.state.running.swap(true, SeqCst) {
            return Ok(());
        }
        let ticker = self.clone();
        let started =
            thread::Builder::new().name("ticker".to_owned()).stack_size(64 * 1024).spawn(move || ticker.run());
        started.map(drop).inspect_err(|_| self.state.running.store(false, SeqCst))
    }

    fn run(&self) {
        let mut idle = 0;
        loop {
            thread::sleep(Self::TICK);
            self.state.tick();
            self.engine.increment_epoch();
            idle = if self.state.is_called() { 0 } else { idle + 1 };
            if idle < IDLE_TICKS {
                continue;
            }
            self.state.running.store(false, SeqCst);
            // A call that began in between saw the ticker running, unless it started another one itself.
            if !self.state.is_called() || self.state.running.swap(true, SeqCst) {
                return;
            }
            idle = 0;
        }
    }
}

impl State {
    /// The time by the system's clock, in nanoseconds, less what does not count.
    fn counted(&self) -> u64 {
        let elapsed = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        elapsed.saturating_sub(self.stopped.load(Relaxed))
    }

    fn tick(&self) {
        let gap = self.counted().saturating_sub(self.ticked.load(SeqCst));
        let counted = gap.min(u64::try_from(MAX_GAP.as_nanos()).unwrap_or(u64::MAX));
        self.stopped.fetch_add(gap - counted, Relaxed);
        self.ticked.fetch_add(counted, SeqCst);
    }

    fn is_called(&self) -> bool {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.iter().filter_map(Weak::upgrade).any(|calls| calls.0.load(SeqCst))
    }
}

impl Calls {
    /// Marks the start of a call.
    pub fn begin(&self) -> Call<'_> {
        self.0.store(true, SeqCst);
        Call(&self.0)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.store(false, SeqCst);
    }
}
