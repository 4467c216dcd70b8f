//! The thread that lets guests be interrupted: it moves the engine's epoch on, at which every loop and function of a guest
//! looks.
//!
//! Most calls are over before a thread would have started, and a filter that waits for its input should not wake the
//! machine. So the clock starts with a call that has looked at the epoch often, and stops when no call is under way.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use wasmtime::Engine;

/// How exactly time limits are kept.
const TICK: Duration = Duration::from_millis(10);
/// How long the clock goes on with no call under way.
const IDLE_TICKS: u32 = 100;

/// The clock of an engine.
#[derive(Clone)]
pub struct EpochTicker {
    engine: Engine,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    running: AtomicBool,
    sessions: Mutex<Vec<Weak<Calls>>>,
}

/// Whether a session has a call under way. It has a cache line of its own: sessions on several processors would slow each
/// other down by writing to one.
#[derive(Default)]
#[repr(align(64))]
pub struct Calls(AtomicBool);

/// A call under way, for as long as this lives.
pub struct Call<'a>(&'a AtomicBool);

impl EpochTicker {
    /// The clock of `engine`, standing still.
    pub fn new(engine: Engine) -> Self {
        Self { engine, state: Arc::default() }
    }

    /// The engine whose epoch it moves on.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The calls of another session, for as long as they are held.
    pub fn session(&self) -> Arc<Calls> {
        let calls = Arc::default();
        let mut sessions = self.state.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|session| session.strong_count() > 0);
        sessions.push(Arc::downgrade(&calls));
        calls
    }

    /// Whether the epoch moves on. While a call is under way, a running clock does not stop.
    pub fn is_running(&self) -> bool {
        self.state.running.load(SeqCst)
    }

    /// Starts the clock unless it is running.
    ///
    /// # Errors
    ///
    /// When the system has no further thread to give.
    pub fn start(&self) -> std::io::Result<()> {
        if self.state.running.swap(true, SeqCst) {
            return Ok(());
        }
        let clock = self.clone();
        let started = thread::Builder::new().name("clock".to_owned()).stack_size(64 * 1024).spawn(move || clock.run());
        started.map(drop).inspect_err(|_| self.state.running.store(false, SeqCst))
    }

    fn run(&self) {
        let mut idle = 0;
        loop {
            thread::sleep(TICK);
            self.engine.increment_epoch();
            idle = if self.state.is_called() { 0 } else { idle + 1 };
            if idle < IDLE_TICKS {
                continue;
            }
            self.state.running.store(false, SeqCst);
            // A call that began in between saw the clock running, unless it was another clock that it started itself.
            if !self.state.is_called() || self.state.running.swap(true, SeqCst) {
                return;
            }
            idle = 0;
        }
    }
}

impl State {
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
