//! Progress of long work: a bar on a terminal, or lines elsewhere on request.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::color::print_hint;

/// Shorter work shows nothing, unless the user asks for it.
const PATIENCE: Duration = Duration::from_millis(300);
/// The time between two lines where stderr is not a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(1);

/// Clears the line of a bar, for a message in its place.
pub(crate) const CLEAR_LINE: &[u8] = b"\r\x1b[K";

/// When progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// On a terminal, once the work takes long.
    Auto,
    /// From the beginning, also where stderr is not a terminal.
    Always,
    /// Not at all.
    Never,
}

/// The [`When`] of the whole process, a setting like that of `--color`.
static WHEN: AtomicU8 = AtomicU8::new(When::Auto as u8);
/// Whether the cursor is on the line of a bar.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// Sets when progress is shown.
pub(crate) fn set_when(when: When) {
    WHEN.store(when as u8, Relaxed);
}

/// Whether a bar is shown. A message must clear its line first.
pub(crate) fn is_shown() -> bool {
    SHOWN.load(Relaxed)
}

fn is_set_to(when: When) -> bool {
    WHEN.load(Relaxed) == when as u8
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Display {
    Nothing,
    /// A bar, once [`PATIENCE`] is over.
    BarLater,
    Bar,
    /// A line now and then.
    Lines,
}

/// The progress through an input: bytes, records, rate and, where the size is known, the time left.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    records: u64,
    display: Display,
    /// The start, or the time of the last line.
    since: Instant,
}

impl Progress {
    /// The progress of reading an input of `size` bytes, if that is known. Nothing is read yet.
    pub(crate) fn new(size: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(size, ProgressDrawTarget::hidden());
        let template = match size {
            Some(_) => "{wide_bar} {msg}{bytes}/{total_bytes} {bytes_per_sec} {eta} left",
            None => "{spinner} {msg}{bytes} {bytes_per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let display = match io::stderr().is_terminal() {
            _ if is_set_to(When::Never) => Display::Nothing,
            true => Display::BarLater,
            false if is_set_to(When::Always) => Display::Lines,
            false => Display::Nothing,
        };
        let mut progress = Self { bar, records: 0, display, since: Instant::now() };
        if is_set_to(When::Always) {
            progress.show();
        }
        progress
    }

    /// Counts bytes of the input, and the records in them, as done.
    pub(crate) fn advance(&mut self, bytes: u64, records: u64) {
        self.records += records;
        self.bar.inc(bytes);
        match self.display {
            Display::Nothing => return,
            Display::BarLater if self.since.elapsed() > PATIENCE => self.show(),
            Display::Lines if self.since.elapsed() > LINE_INTERVAL => self.print_line(),
            _ => {}
        }
        if self.display == Display::Bar && self.records > 0 {
            self.bar.set_message(self.records());
        }
    }

    fn show(&mut self) {
        if self.display == Display::BarLater {
            self.display = Display::Bar;
            SHOWN.store(true, Relaxed);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    fn print_line(&mut self) {
        let (done, total) = (HumanBytes(self.bar.position()), self.bar.length().map(HumanBytes));
        let total = total.map(|total| format!(" of {total}")).unwrap_or_default();
        print_hint(&format!("{}{done}{total}", self.records()));
        self.since = Instant::now();
    }

    fn records(&self) -> String {
        match self.records {
            0 => String::new(),
            1 => "1 record, ".to_owned(),
            many => format!("{} records, ", HumanCount(many)),
        }
    }

    /// Clears the bar, or prints the last line. Nothing is shown after that.
    pub(crate) fn finish(&mut self) {
        match std::mem::replace(&mut self.display, Display::Nothing) {
            Display::Nothing | Display::BarLater => {}
            Display::Lines => self.print_line(),
            Display::Bar => {
                self.bar.finish_and_clear();
                SHOWN.store(false, Relaxed);
            }
        }
    }

    /// Runs `write`, which may write to the terminal, while the bar is hidden.
    pub(crate) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        if self.display == Display::Bar { self.bar.suspend(write) } else { write() }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Runs `work`, with `message` and a spinner on a terminal.
pub(crate) fn spin<T>(message: String, work: impl FnOnce() -> T) -> T {
    if is_set_to(When::Never) || !io::stderr().is_terminal() {
        if is_set_to(When::Always) {
            print_hint(&message);
        }
        return work();
    }
    let spinner = ProgressBar::new_spinner().with_message(message);
    spinner.enable_steady_tick(Duration::from_millis(100));
    SHOWN.store(true, Relaxed);
    let result = work();
    spinner.finish_and_clear();
    SHOWN.store(false, Relaxed);
    result
}
