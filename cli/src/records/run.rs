//! A run: workers process records, then audit events go to the sink and results to the output, in input order.
//!
//! Each worker takes a block of records, processes them one by one, and collects their answers. The answers are written
//! when they are large, when the block ends, or when the next record is slow, but never before the answers to earlier
//! records. The memory of a run is bounded, whatever its guests return: 8 MiB of waiting answers, and per worker a
//! block (at most 1 MiB, or one record), 256 KiB of answers, and the answer to one record.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use crate::audit::lines::EventLines;
use crate::exit::{Failure, Kind};
use crate::limits::THREAD_STACK_BYTES;
use crate::platform::signals;
use crate::platform::stack::SignalStack;
use crate::records::answers::{Answer, Answers, Outcome};
use crate::records::blocks::{Block, Blocks, ByteSource};
use crate::records::queue::Queue;
use crate::records::split::{Record, Separator};
use crate::records::work::Work;
use crate::records::writer::Writer;
use crate::terminal::color;

/// The size at which a worker hands over its answers, in bytes.
const ANSWERS_BYTES: usize = 256 << 10;
/// The interval at which the main thread checks for slow records: a result is written after two ticks at the latest.
const TICK: Duration = Duration::from_millis(30);
/// The number of ticks without work after which the main thread sleeps.
const IDLE_TICKS: u32 = 30;

/// The processing of records by one worker.
pub(crate) trait Process: Send + 'static {
    /// Processes `record`, given its number, and adds its result and events to `answer`, which is empty.
    fn process(&mut self, number: u64, record: Record<'_>, answer: &mut Answer) -> Outcome;
}

/// The reaction of a run to failures.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// The separator of records.
    pub separator: Separator,
    /// Whether the first record that fails ends the run.
    pub fail_fast: bool,
}

struct Run<S> {
    policy: Policy,
    blocks: Mutex<Blocks<S>>,
    queue: Mutex<Queue>,
    /// Signals a change of the queue that a worker may wait for.
    changed: Condvar,
    /// Signals that the run has ended, or has work for the main thread again.
    main: Condvar,
    writer: Mutex<Writer>,
    works: Vec<Mutex<Work>>,
    over: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs all of `blocks` through `workers`, each on its own thread.
///
/// When this returns, threads may still be blocked in reading or in a guest; they end with the process.
///
/// # Errors
///
/// When the input cannot be read, events or results cannot be written, the system has no resources for any worker, or a
/// record failed.
pub(crate) fn run<S: ByteSource + Send + 'static>(
    workers: Vec<impl Process>,
    blocks: Blocks<S>,
    writer: Writer,
    policy: Policy,
) -> Result<()> {
    let run = Arc::new(Run {
        policy,
        blocks: Mutex::new(blocks),
        queue: Mutex::new(Queue::new(workers.len())),
        changed: Condvar::new(),
        main: Condvar::new(),
        writer: Mutex::new(writer),
        works: workers.iter().map(|_| Mutex::default()).collect(),
        over: AtomicBool::new(false),
    });
    let interrupted = run.clone();
    signals::finish_on_signal(move || interrupted.interrupt())?;
    run.start(workers)?;
    let outcome = run.supervise();
    let mut writer = lock(&run.writer);
    writer.finish();
    outcome.and_then(|()| writer.summary(policy.fail_fast))
}

/// Ends the run if its worker panics.
struct Guard<S: ByteSource>(Arc<Run<S>>);

impl<S: ByteSource> Drop for Guard<S> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.finish(Err(anyhow!("a thread panicked")));
        }
    }
}

impl<S: ByteSource + Send + 'static> Run<S> {
    /// Starts a thread for each worker, or for as many as the system allows.
    fn start(self: &Arc<Self>, workers: Vec<impl Process>) -> Result<()> {
        for (index, worker) in workers.into_iter().enumerate() {
            let run = self.clone();
            let builder = thread::Builder::new().name("worker".to_owned()).stack_size(THREAD_STACK_BYTES);
            let work = move || Guard(run).0.work(index, worker);
            let started = SignalStack::allocate().and_then(|stack| builder.spawn(move || stack.with(work)));
            if let Err(error) = started {
                let mut queue = lock(&self.queue);
                queue.workers -= 1;
                if queue.workers == 0 {
                    return Err(error).with_context(|| Failure::new(Kind::System, "cannot start a worker thread"));
                }
                log::info!("continuing with fewer workers: {error}");
            }
        }
        Ok(())
    }
}

impl<S: ByteSource> Run<S> {
    fn finish(&self, outcome: Result<()>) {
        lock(&self.queue).finish(outcome);
        self.wake();
    }

    /// Wakes the threads that wait for a change of the queue.
    fn wake(&self) {
        self.changed.notify_all();
        if lock(&self.queue).is_over() {
            self.over.store(true, Relaxed);
            self.main.notify_one();
        }
    }

    /// Waits for the end of the run. While a record is slow, writes the answers before it, and gives the records after
    /// it to other workers.
    fn supervise(&self) -> Result<()> {
        let mut idle = 0;
        let mut queue = lock(&self.queue);
        loop {
            if let Some(outcome) = queue.take_outcome() {
                return outcome;
            }
            idle = if queue.busy > 0 { 0 } else { idle + 1 };
            queue.asleep = idle > IDLE_TICKS;
            if queue.asleep {
                queue = self.main.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            queue = self.main.wait_timeout(queue, TICK).unwrap_or_else(PoisonError::into_inner).0;
            let (turn, others_wait) = (queue.turn, queue.busy < queue.workers);
            drop(queue);
            for work in &self.works {
                let (rest, answers) = lock(work).tick(turn, others_wait, self.policy.separator);
                if let Some(rest) = rest {
                    self.give_back(rest);
                }
                if let Some(answers) = answers {
                    self.deliver(answers);
                }
            }
            queue = lock(&self.queue);
        }
    }

    fn work(&self, index: usize, mut worker: impl Process) {
        let format = lock(&self.writer).format();
        let mut answer = Answer { output: Vec::new(), events: EventLines::new(format) };
        while let Some(block) = self.take_block() {
            let can_continue = self.process(index, block, &mut worker, &mut answer);
            lock(&self.queue).busy -= 1;
            if !can_continue {
                break;
            }
        }
    }

    /// Takes a block that another worker gave back, or reads one. Returns `None` when the run has ended.
    fn take_block(&self) -> Option<Block> {
        let mut queue = lock(&self.queue);
        loop {
            if queue.is_over() {
                return None;
            }
            let size = queue.pace.block_size();
            let mut found = queue.returned.pop_first().map(|(_, block)| block);
            if found.is_none() && queue.can_read() {
                queue.reading = true;
                drop(queue);
                let mut blocks = lock(&self.blocks);
                let read = blocks.next_block(size);
                queue = lock(&self.queue);
                queue.reading = false;
                found = read.unwrap_or_else(|error| {
                    queue.end_input(blocks.next_record(), Some(error));
                    None
                });
                match &found {
                    Some(block) => queue.pace.hand_out(block.bytes.len()),
                    None if queue.can_read() => queue.end_input(blocks.next_record(), None),
                    None => {}
                }
                drop(queue);
                self.wake();
                queue = lock(&self.queue);
            }
            if let Some(mut block) = found {
                if let Some(rest) = block.split_off(self.policy.separator, size.records) {
                    queue.returned.insert(rest.first, rest);
                }
                queue.busy += 1;
                if queue.asleep {
                    queue.asleep = false;
                    self.main.notify_one();
                }
                return Some(block);
            }
            if !queue.is_over() && !queue.can_read() && queue.returned.is_empty() {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Processes the records of `block`. Returns whether the worker can process more.
    fn process(&self, index: usize, block: Block, worker: &mut impl Process, answer: &mut Answer) -> bool {
        let begun = Instant::now();
        let block = Arc::new(block);
        lock(&self.works[index]).start(block.clone());
        let mut done = 0;
        for (number, record) in (block.first..).zip(self.policy.separator.records(&block.bytes)) {
            answer.output.clear();
            let mut outcome = worker.process(number, record, answer);
            if let Outcome::Unavailable(error) = &outcome {
                self.hand_over(index);
                if self.retire(error) {
                    let work = std::mem::take(&mut *lock(&self.works[index]));
                    self.give_back(work.rest(self.policy.separator));
                    return false;
                }
                answer.events.clear();
                outcome = worker.process(number, record, answer);
            }
            if let Outcome::Unavailable(error) = outcome {
                self.finish(Err(error));
                return false;
            }
            let stops = self.policy.fail_fast && matches!(outcome, Outcome::Failed(_));
            let (is_large, is_end) = {
                let mut work = lock(&self.works[index]);
                work.add(answer, outcome, record.len());
                work.answers.is_last = stops;
                done = work.done;
                (work.answers.size() >= ANSWERS_BYTES, work.is_done())
            };
            if is_large || stops {
                self.hand_over(index);
            }
            if stops || self.over.load(Relaxed) {
                return false;
            }
            if is_end {
                break;
            }
        }
        self.hand_over(index);
        lock(&self.works[index]).end();
        lock(&self.queue).pace.learn(done, begun.elapsed());
        true
    }

    /// Hands over the answers of a worker.
    fn hand_over(&self, index: usize) {
        let mut work = lock(&self.works[index]);
        if work.answers.count > 0 {
            let answers = work.answers.take();
            drop(work);
            self.deliver(answers);
        }
    }

    /// Writes `answers` if it is their turn, and then those that wait for them. Otherwise keeps them, and waits if too
    /// many are kept.
    fn deliver(&self, answers: Answers) {
        let first = answers.first;
        let mut queue = lock(&self.queue);
        if queue.is_over() {
            return;
        }
        if first != queue.turn {
            queue.wait_for_turn(answers);
            while queue.is_full(first) {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            return;
        }
        drop(queue);
        let mut next = Some(answers);
        while let Some(answers) = next {
            let (count, is_last) = (answers.count, answers.is_last);
            let written = lock(&self.writer).write(answers);
            let mut queue = lock(&self.queue);
            next = match written {
                Ok(()) if is_last => {
                    queue.finish(Ok(()));
                    None
                }
                Ok(()) => queue.pass_turn(count),
                Err(error) => {
                    queue.finish(Err(error));
                    None
                }
            };
            drop(queue);
            self.wake();
        }
    }

    /// Lets any worker process `block`.
    fn give_back(&self, block: Block) {
        lock(&self.queue).returned.insert(block.first, block);
        self.wake();
    }

    /// Removes one worker, unless it is the last one, which tries again with the resources of the others.
    fn retire(&self, error: &anyhow::Error) -> bool {
        let mut queue = lock(&self.queue);
        if queue.workers == 1 {
            drop(queue);
            thread::sleep(TICK);
            return false;
        }
        queue.workers -= 1;
        log::info!("continuing with {} workers: {error:#}", queue.workers);
        true
    }

    /// Writes the answers of finished records, and reports their number.
    fn interrupt(&self) {
        let mut writer = lock(&self.writer);
        loop {
            let mut queue = lock(&self.queue);
            let turn = queue.turn;
            let of_worker = |work: &Mutex<Work>| {
                let mut work = lock(work);
                (work.answers.first == turn && work.answers.count > 0).then(|| work.answers.take())
            };
            let next = queue.take_waiting().or_else(|| self.works.iter().find_map(of_worker));
            let Some(answers) = next.filter(|_| !queue.is_over()) else { break };
            queue.turn += answers.count;
            drop(queue);
            if writer.write(answers).is_err() {
                break;
            }
        }
        let message = format!("interrupted after {} records", writer.records);
        writer.finish();
        color::print_error(&message);
        // Nothing more is written until the process ends.
        std::mem::forget(writer);
    }
}
