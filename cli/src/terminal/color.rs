//! Diagnostics on stderr, in color where that is wanted.

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use log::{Level, Record};

use super::escape;

/// Whether everything that is told to the user on standard error has colours, whatever the environment and the terminal say.
pub fn set_color(always: bool) {
    if always { ColorChoice::Always } else { ColorChoice::Never }.write_global();
}

/// Tells the user what went wrong, in one line on standard error. If that fails there is nobody left to tell.
pub fn print_error(error: &str) {
    tell(AnsiColor::Red.on_default().bold(), "error:", error);
}

/// Tells the user what is going on, in one line on standard error.
pub fn print_hint(text: &str) {
    tell(Style::new().bold(), "cipher:", text);
}

/// Writes a diagnostic for `log`, in one line. (env_logger's own colours cost every call, and not only one that has some.)
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
    let (style, level) = (if_coloured(style), record.level());
    let text = record.args().to_string();
    writeln!(to, "[{style}{level:<5}{style:#} {}] {}", record.target(), escape::message(&text))
}

/// Only the first word has a colour: the text may have a guest's words in it.
fn tell(style: Style, word: &str, text: &str) {
    let style = if_coloured(style);
    let _ = writeln!(io::stderr(), "{style}{word}{style:#} {}", escape::message(text));
}

/// `style`, if standard error has colours.
fn if_coloured(style: Style) -> Style {
    if AutoStream::choice(&io::stderr()) == ColorChoice::Never { Style::new() } else { style }
}
