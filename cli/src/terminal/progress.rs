//! How far long work is, for a person at a terminal.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work that is over sooner than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(300);

/// A bar with rate and, where the size of the input is known, the time left; nothing where standard error is no terminal.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    started: std::time::Instant,
    shown: bool,
}

impl Progress {
    /// For work on standard input, or on `file`.
    pub fn new(input: impl AsFd) -> Self {
        let size = input.as_fd().try_clone_to_owned().ok().and_then(|fd| File::from(fd).metadata().ok());
        let size = size.filter(|metadata| metadata.is_file()).map(|metadata| metadata.len());
        let bar = ProgressBar::with_draw_target(size, ProgressDrawTarget::hidden());
        let template = match size {
            Some(_) => "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
            None => "{spinner} {bytes} {bytes_per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, started: std::time::Instant::now(), shown: false }
    }

    /// Counts `bytes` of the input as done.
    pub fn advance(&mut self, bytes: u64) {
        if !self.shown && self.started.elapsed() > PATIENCE {
            self.shown = true;
            if io::stderr().is_terminal() {
                self.bar.set_draw_target(ProgressDrawTarget::stderr());
            }
        }
        self.bar.inc(bytes);
    }

    /// Runs `write`, which may write to the terminal, with the bar out of the way.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Runs `work` with `message` and a spinner beside it, if standard error is a terminal and it takes long.
pub fn spin<T>(message: String, work: impl FnOnce() -> T) -> T {
    if !io::stderr().is_terminal() {
        return work();
    }
    let spinner = ProgressBar::new_spinner().with_message(message);
    spinner.enable_steady_tick(Duration::from_millis(100));
    let result = work();
    spinner.finish_and_clear();
    result
}
