//! The epoch ticker: a thread that advances the engine's epoch, which every loop and function of a guest checks, and
//! counts the time for which guests run.
//!
//! Most calls are over before a thread would have started, and a filter that waits for its input should not wake the
//! machine. So the ticker starts when calls have checked the epoch often, or one sleeps, and stops when no call runs.
//! While it does not run, each check of the time is a tick.
//!
//! One instruction can fill all the memory of a guest, and one conversion copy it to another component. Neither checks
//! the epoch: 1 GiB takes about a second. So the ticker gives up on a call that is [overdue](EpochTicker::on_overdue).

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use wasmtime::Engine;

/// The maximum time that one tick counts, however late it is. While a process is stopped (for example by SIGSTOP), its
/// guest cannot use the time.
const MAX_GAP: Duration = Duration::from_millis(100);
/// The number of epoch checks, in functions and loops, after which the ticker starts: about 15 us.
const FREE_CHECKS: u32 = 300;
/// The number of ticks without a call after which the ticker stops.
const IDLE_TICKS: u32 = 100;

/// The time after its deadline at which the ticker gives up on a call.
const GRACE: Duration = Duration::from_millis(30);

/// The function that gives up on a call.
type GiveUp = Box<dyn Fn() + Send + Sync>;

/// The ticker of an engine.
#[derive(Clone)]
pub struct EpochTicker {
    engine: Engine,
    state: Arc<State>,
}

struct State {
    running: AtomicBool,
    /// The number of epoch checks while the ticker did not run.
    checks: AtomicU32,
    /// The origin of the times below.
    start: Instant,
    /// The time at the last tick, in nanoseconds since `start`, minus `stopped`.
    ticked: AtomicU64,
    /// The time that does not count, in nanoseconds. Its lock is that of a tick.
    stopped: Mutex<u64>,
    stores: Mutex<Vec<Weak<Calls>>>,
    give_up: OnceLock<GiveUp>,
}

/// The calls of a store. It has a cache line of its own: stores on several processors would slow each other down by
/// writing to the same one.
#[derive(Default)]
#[repr(align(64))]
pub struct Calls {
    /// The deadline of the call under way, in nanoseconds; [`NO_CALL`], or [`GIVEN_UP`].
    deadline: AtomicU64,
}

const NO_CALL: u64 = 0;
const GIVEN_UP: u64 = u64::MAX;

/// A call under way, for as long as this lives.
pub(super) struct Call<'a>(&'a AtomicU64);

impl EpochTicker {
    /// The precision of time limits.
    pub const TICK: Duration = Duration::from_millis(10);

    /// A ticker of `engine` that is not running yet.
    pub fn new(engine: Engine) -> Self {
        let state = State {
            running: AtomicBool::new(false),
            checks: AtomicU32::new(0),
            start: Instant::now(),
            ticked: AtomicU64::new(0),
            stopped: Mutex::default(),
            stores: Mutex::default(),
            give_up: OnceLock::new(),
        };
        Self { engine, state: Arc::new(state) }
    }

    /// The engine whose epoch it advances.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Sets the function that gives up on a call that continues past its deadline without checking the epoch. It runs
    /// while the guest still runs, and should end the process. Only the first such function has an effect.
    pub(super) fn on_overdue(&self, give_up: impl Fn() + Send + Sync + 'static) {
        let _ = self.state.give_up.set(Box::new(give_up));
    }

    /// Registers another store, for as long as the result lives.
    pub fn register(&self) -> Arc<Calls> {
        let calls = Arc::default();
        let mut stores = self.state.lock_stores();
        stores.retain(|calls| calls.strong_count() > 0);
        stores.push(Arc::downgrade(&calls));
        calls
    }

    /// Whether the epoch advances. While a call is under way, a running ticker does not stop.
    pub fn is_running(&self) -> bool {
        self.state.running.load(SeqCst)
    }

    /// The time for which the process has run since the ticker was created, in nanoseconds. While the ticker runs, it
    /// is that of the last tick.
    pub fn now(&self) -> u64 {
        if self.is_running() { self.state.ticked.load(SeqCst) } else { self.state.tick() }
    }

    /// The time at which a `timeout` that starts now ends, in nanoseconds.
    pub fn deadline(&self, timeout: Duration) -> u64 {
        // The current tick is not over yet.
        let slack = if self.is_running() { nanoseconds(Self::TICK) } else { 0 };
        self.now().saturating_add(slack).saturating_add(nanoseconds(timeout))
    }

    /// Counts a check of the epoch, and starts the ticker if there were many. Returns whether it runs.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub(super) fn count_check(&self) -> std::io::Result<bool> {
        if self.is_running() {
            return Ok(true);
        }
        if self.state.checks.fetch_add(1, Relaxed) < FREE_CHECKS {
            return Ok(false);
        }
        self.start()?;
        self.state.checks.store(0, Relaxed);
        Ok(true)
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
        self.state.tick();
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
            self.state.give_up_overdue();
            idle = if self.state.has_calls() { 0 } else { idle + 1 };
            if idle < IDLE_TICKS {
                continue;
            }
            self.state.running.store(false, SeqCst);
            // A call that began in between saw the ticker running, unless it started another one itself.
            if !self.state.has_calls() || self.state.running.swap(true, SeqCst) {
                return;
            }
            idle = 0;
        }
    }
}

impl State {
    /// Counts the time since the last tick, and returns the time so far, in nanoseconds.
    fn tick(&self) -> u64 {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let ticked = self.ticked.load(SeqCst);
        let gap = nanoseconds(self.start.elapsed()).saturating_sub(*stopped).saturating_sub(ticked);
        let counted = gap.min(nanoseconds(MAX_GAP));
        *stopped += gap - counted;
        self.ticked.store(ticked + counted, SeqCst);
        ticked + counted
    }

    fn lock_stores(&self) -> MutexGuard<'_, Vec<Weak<Calls>>> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_calls(&self) -> bool {
        self.lock_stores().iter().filter_map(Weak::upgrade).any(|calls| calls.deadline.load(SeqCst) != NO_CALL)
    }

    fn give_up_overdue(&self) {
        let Some(give_up) = self.give_up.get() else { return };
        let latest = self.ticked.load(SeqCst).saturating_sub(nanoseconds(GRACE));
        let overdue = |calls: &Arc<Calls>| {
            let deadline = calls.deadline.load(SeqCst);
            let is_late = deadline != NO_CALL && deadline < latest;
            is_late && calls.deadline.compare_exchange(deadline, GIVEN_UP, SeqCst, SeqCst).is_ok()
        };
        let is_overdue = self.lock_stores().iter().filter_map(Weak::upgrade).any(|calls| overdue(&calls));
        if is_overdue {
            give_up();
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Calls {
    /// Marks the start of a call that should end by `deadline`, in nanoseconds.
    pub(super) fn begin(&self, deadline: u64) -> Call<'_> {
        self.deadline.store(deadline.clamp(NO_CALL + 1, GIVEN_UP - 1), SeqCst);
        Call(&self.deadline)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if self.0.swap(NO_CALL, SeqCst) == GIVEN_UP {
            // The ticker's thread reports the end of this call, and ends the process.
            loop {
                thread::park();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::code::engine;

    #[test]
    fn counts_no_stop() {
        let ticker = EpochTicker::new(engine::loader().unwrap());
        thread::sleep(2 * MAX_GAP);
        assert_eq!(ticker.now(), nanoseconds(MAX_GAP));
        ticker.start().unwrap();
        assert!(ticker.now() < nanoseconds(2 * MAX_GAP));
    }

    #[test]
    fn starts_after_many_checks() {
        let ticker = EpochTicker::new(engine::loader().unwrap());
        let checks = (0..).take_while(|_| !ticker.count_check().unwrap()).count();
        assert_eq!((checks, ticker.is_running()), (FREE_CHECKS as usize, true));
    }

    #[test]
    fn gives_up_only_overdue_calls() {
        let ticker = EpochTicker::new(engine::loader().unwrap());
        let (sender, receiver) = mpsc::channel();
        let [in_time, overdue, over] = [(); 3].map(|()| ticker.register());
        ticker.on_overdue(move || sender.send(()).unwrap());
        drop(over.begin(0));
        let _in_time = in_time.begin(u64::MAX);
        // This call is never dropped, because that would wait for the end of the process.
        std::mem::forget(overdue.begin(0));
        ticker.start().unwrap();
        receiver.recv().unwrap();
        assert_eq!(overdue.deadline.load(SeqCst), GIVEN_UP);
        // The ticker gives up on it only once.
        assert!(receiver.recv_timeout(3 * EpochTicker::TICK).is_err());
    }
}
