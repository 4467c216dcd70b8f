//! Blocks of records through several workers, and out again in order.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, anyhow};

use crate::audit::format::EventLines;
use crate::limits::THREAD_STACK_BYTES;
use crate::records::split::Block;

/// What became of a block.
#[derive(Debug, Default)]
pub struct BlockResult {
    /// The results of its records, in order, each whole.
    pub output: Vec<u8>,
    /// The audit entries of its records, in order.
    pub entries: EventLines,
    /// What standard error is to say about which record.
    pub errors: Vec<(u64, anyhow::Error)>,
    /// How many records were worked on.
    pub count: u64,
    /// How many of them failed.
    pub failed: u64,
    /// How large the block was, in bytes.
    pub bytes: u64,
    /// Whether nothing after this block is wanted.
    pub last: bool,
}

/// Runs the blocks that `next` reads through `workers`, each on a thread of its own if there are several, and hands what
/// becomes of them to `write` in the order of the input. At most three blocks a worker are under way at a time, so that a
/// slow record holds the others up rather than letting them pile up.
///
/// When this returns, threads may still be blocked in reading; they end with the process.
///
/// # Errors
///
/// The first that `next` or `write` returns; what was read before it was written. A thread that panics is an error, too.
pub fn run(
    mut workers: Vec<impl FnMut(Block) -> BlockResult + Send + 'static>,
    mut next: impl FnMut() -> Result<Option<Block>> + Send + 'static,
    mut write: impl FnMut(BlockResult) -> Result<()>,
) -> Result<()> {
    if let [worker] = workers.as_mut_slice() {
        while let Some(block) = next()? {
            let done = worker(block);
            let last = done.last;
            write(done)?;
            if last {
                break;
            }
        }
        return Ok(());
    }
    let (senders, mut started) = workers.into_iter().map(start).collect::<Result<(Vec<_>, Vec<_>)>>()?;
    let reader = spawn("reader", move || deal(next, &senders))?;
    // The reader deals the blocks out in turn, so taking them up in turn keeps their order.
    for turn in (0..started.len()).cycle() {
        match started[turn].done.recv() {
            Ok(Ok(done)) => {
                let last = done.last;
                write(done)?;
                if last {
                    break;
                }
            }
            Ok(Err(error)) => return Err(error),
            // The input has ended, and with it the reader and then this worker; unless one of them panicked.
            Err(_) => {
                let ended = started.swap_remove(turn).thread.join().and_then(|()| reader.join());
                return ended.map_err(|_| anyhow!("a thread panicked"));
            }
        }
    }
    Ok(())
}

type Dealt = Result<Block>;

/// A worker on its thread.
struct WorkerHandle {
    done: Receiver<Result<BlockResult>>,
    thread: JoinHandle<()>,
}

fn start(mut worker: impl FnMut(Block) -> BlockResult + Send + 'static) -> Result<(SyncSender<Dealt>, WorkerHandle)> {
    let (block_in, blocks) = sync_channel::<Dealt>(1);
    let (done_in, done) = sync_channel(1);
    let thread = spawn("worker", move || {
        for block in blocks {
            if done_in.send(block.map(&mut worker)).is_err() {
                break;
            }
        }
    })?;
    Ok((block_in, WorkerHandle { done, thread }))
}

fn deal(mut next: impl FnMut() -> Result<Option<Block>>, senders: &[SyncSender<Dealt>]) {
    for sender in senders.iter().cycle() {
        let dealt = match next() {
            Ok(Some(block)) => Ok(block),
            Ok(None) => break,
            Err(error) => Err(error),
        };
        let failed = dealt.is_err();
        if sender.send(dealt).is_err() || failed {
            break;
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let builder = thread::Builder::new().name(name.to_owned()).stack_size(THREAD_STACK_BYTES);
    builder.spawn(run).with_context(|| format!("cannot start a {name} thread"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes longer for some blocks than for others.
    fn uneven(block: Block) -> BlockResult {
        thread::sleep(std::time::Duration::from_micros(u64::from(block.bytes[0]) % 7 * 100));
        BlockResult { output: block.bytes, count: block.count, ..BlockResult::default() }
    }

    fn blocks(count: u8) -> impl FnMut() -> Result<Option<Block>> + Send + 'static {
        let mut numbers = 0..count;
        move || Ok(numbers.next().map(|n| Block { first: u64::from(n) + 1, count: 1, bytes: vec![n] }))
    }

    #[test]
    fn order_is_kept_with_any_number_of_workers() {
        for jobs in [1, 2, 3, 8] {
            let mut out = Vec::new();
            run(vec![uneven; jobs], blocks(100), |done| {
                out.extend(done.output);
                Ok(())
            })
            .unwrap();
            assert_eq!(out, (0..100).collect::<Vec<u8>>());
        }
    }

    #[test]
    fn what_was_read_before_an_error_is_written_and_the_error_returned() {
        for jobs in [1, 4] {
            let mut good = blocks(10);
            let mut out = Vec::new();
            let next = move || good()?.map(Some).context("unreadable");
            let error = run(vec![uneven; jobs], next, |done| {
                out.extend(done.output);
                Ok(())
            });
            assert_eq!(error.unwrap_err().to_string(), "unreadable");
            assert_eq!(out, (0..10).collect::<Vec<u8>>());
        }
    }

    #[test]
    fn a_panic_is_not_taken_for_the_end_of_the_input() {
        let panics = |block: Block| if block.bytes[0] == 7 { panic!("for a test") } else { uneven(block) };
        let mut out = Vec::new();
        let error = run(vec![panics; 3], blocks(100), |done| {
            out.extend(done.output);
            Ok(())
        });
        assert_eq!(error.unwrap_err().to_string(), "a thread panicked");
        assert_eq!(out, (0..7).collect::<Vec<u8>>());
    }

    #[test]
    fn a_failed_write_ends_the_run_at_once() {
        let mut written = 0;
        let error = run(vec![uneven; 2], blocks(100), |_| {
            written += 1;
            anyhow::bail!("full")
        });
        assert_eq!((written, error.unwrap_err().to_string()), (1, "full".to_owned()));
    }
}
