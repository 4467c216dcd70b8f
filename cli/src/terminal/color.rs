//! Messages on stderr, in color if requested. Each is one line, and one write if it fits into a pipe's buffer.

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use log::{Level, Record};
use rustix::stdio;

use super::{escape, progress};
use crate::platform::write::{self, PIPE_BUF};

/// Stderr for messages and the log: whole lines, which clear a progress bar first.
#[derive(Debug)]
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let _lock = io::stderr().lock();
        if progress::is_shown() {
            write::write_lines(stdio::stderr(), &[progress::CLEAR_LINE, lines].concat())?;
        } else {
            write::write_lines(stdio::stderr(), lines)?;
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sets whether messages have color, regardless of the environment and the terminal.
pub(crate) fn set_color(always: bool) {
    if always { ColorChoice::Always } else { ColorChoice::Never }.write_global();
}

/// Prints an error. A failure to print is ignored, because there is no way to report it.
pub fn print_error(error: &str) {
    print_message(AnsiColor::Red.on_default().bold(), "error:", error);
}

/// Prints a hint.
pub(crate) fn print_hint(text: &str) {
    print_message(Style::new().bold(), "cipher:", text);
}

/// Formats a log record. (env_logger's own colors would slow down every call, even one that logs nothing.)
///
/// # Errors
///
/// When it cannot be written.
pub fn write_diagnostic(to: &mut impl Write, record: &Record<'_>) -> io::Result<()> {
    let style = match record.level() {
        Level::Error => AnsiColor::Red.on_default().bold(),
        Level::Warn => AnsiColor::Yellow.on_default(),
        _ => Style::new(),
    };
    let (style, level) = (in_color(style), record.level());
    let prefix = format!("[{style}{level:<5}{style:#} {}] ", record.target());
    to.write_all(folded(&prefix, &escape::message(&record.args().to_string())).as_bytes())
}

/// Only the first word has a color, because the rest may contain text of a guest.
fn print_message(style: Style, word: &str, text: &str) {
    let style = in_color(style);
    let prefix = format!("{style}{word}{style:#} ");
    let _ = Stderr.write_all(folded(&prefix, &escape::message(text)).as_bytes());
}

/// Puts `prefix` before `text`, and again before each part if the text is too long for an atomic write to a pipe.
fn folded(prefix: &str, text: &str) -> String {
    const CONTINUED: &str = "… ";
    let room = PIPE_BUF.saturating_sub(prefix.len() + CONTINUED.len() + progress::CLEAR_LINE.len() + 1).max(64);
    let (mut lines, mut rest) = (String::with_capacity(prefix.len() + text.len() + 1), text);
    loop {
        let end = rest.floor_char_boundary(room);
        lines.extend([prefix, if rest.len() < text.len() { CONTINUED } else { "" }, &rest[..end], "\n"]);
        rest = &rest[end..];
        if rest.is_empty() {
            return lines;
        }
    }
}

/// `style`, if stderr has colors.
fn in_color(style: Style) -> Style {
    if has_color() { style } else { Style::new() }
}

/// Whether stderr has colors.
pub(crate) fn has_color() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_only_more_than_one_write() {
        assert_eq!(folded("error: ", ""), "error: \n");
        assert_eq!(folded("error: ", "short"), "error: short\n");
        let long = "é".repeat(PIPE_BUF);
        let lines = folded("error: ", &long);
        assert!(lines.lines().count() == 3 && lines.lines().all(|line| line.len() < PIPE_BUF), "{lines}");
        assert_eq!(lines.replace("error: … ", "error: ").replace("error: ", "").replace('\n', ""), long);
    }
}
