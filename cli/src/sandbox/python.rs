//! The exception that ended a call of a guest built by componentize-py.
//!
//! The runtime of such a guest is written in Rust, and panics. Its message means nothing to an author who writes
//! Python: the exception is in the traceback before it, or in the message itself.

use crate::terminal::escape;

/// The message of the panic after a traceback.
const UNCAUGHT: &str = "Python function threw an unexpected exception";
/// The beginning of the panic when a value is not a `str` or cannot be encoded: a result, or an argument of
/// `auditrecord`. The exception follows.
const NOT_TEXT: &str = "called `Result::unwrap()` on an `Err` value: PyErr { type: ";

/// The exception that ended a call, escaped, if `printed` ends in such a panic.
pub(super) fn problem(printed: &str) -> Option<String> {
    let (before, panic) = printed.rsplit_once("\nthread '")?;
    let message = panic.lines().nth(1)?;
    if message == UNCAUGHT {
        let exception = escape::start(exception(before)?);
        return Some(format!("{exception} (RUST_LOG=info shows the traceback)"));
    }
    let (_, value) = message.strip_prefix(NOT_TEXT)?.split_once(", value: ")?;
    let (value, _) = value.rsplit_once(", traceback: ")?;
    Some(match wrong_type(value) {
        Some("None" | "NoneType") => "it returned or recorded None instead of a str".to_owned(),
        Some(other) => format!("it returned or recorded a value of type {} instead of a str", escape::start(other)),
        None => format!("it returned or recorded a value that is not text: {}", escape::start(value)),
    })
}

/// The type in a `TypeError` about a value that is not a `str`. It is in quotes, and the words after it depend on the
/// version.
fn wrong_type(error: &str) -> Option<&str> {
    let (other, _) = error.strip_prefix("TypeError(\"'")?.split_once('\'')?;
    Some(other)
}

/// The line with the exception in a traceback, which follows the innermost frame. Groups of exceptions are indented.
fn exception(traceback: &str) -> Option<&str> {
    let lines: Vec<&str> = traceback.lines().filter(|line| line.contains(char::is_alphanumeric)).collect();
    let frame = lines.iter().rposition(|line| dedent(line).starts_with("File \""))?;
    let exception = lines[frame..].iter().find(|line| !line.starts_with(' ')).or(lines.last())?;
    Some(dedent(exception))
}

fn dedent(line: &str) -> &str {
    line.trim_start_matches([' ', '|', '+', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panic(message: &str) -> String {
        format!(
            "\nthread '<unnamed>' (1) panicked at runtime/src/lib.rs:1280:25:\n{message}\n\
             note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n"
        )
    }

    fn uncaught(traceback: &str) -> Option<String> {
        problem(&(traceback.to_owned() + &panic(UNCAUGHT)))
    }

    #[test]
    fn shows_exception_of_traceback() {
        let traceback = "printed before\nTraceback (most recent call last):\n  File \"/0/app.py\", line 8, in encr\n    \
                         return {}[input]\n           ^^^^^^^^^\nKeyError: '\u{1b}'\n";
        let shown = r"KeyError: '\u{1b}' (RUST_LOG=info shows the traceback)";
        assert_eq!(uncaught(traceback).as_deref(), Some(shown));
    }

    #[test]
    fn shows_first_line_of_message() {
        let traceback = "Traceback (most recent call last):\n  File \"/0/app.py\", line 1, in a\n\
                         ValueError: inner\n\nDuring handling of the above exception, another exception occurred:\n\n\
                         Traceback (most recent call last):\n  File \"/0/app.py\", line 25, in encr\n  \
                         [Previous line repeated 997 more times]\nValueError: outer\nsecond line\n";
        assert_eq!(uncaught(traceback).as_deref(), Some("ValueError: outer (RUST_LOG=info shows the traceback)"));
    }

    #[test]
    fn shows_last_exception_of_group() {
        let traceback = "  + Exception Group Traceback (most recent call last):\n  |   File \"/0/app.py\", line 1, in encr\n  \
                         | ExceptionGroup: several (1 sub-exception)\n  +-+---------------- 1 ----------------\n    \
                         | Traceback (most recent call last):\n    |   File \"/0/app.py\", line 1, in encr\n    \
                         | TypeError: second\n    +------------------------------------\n";
        assert_eq!(uncaught(traceback).as_deref(), Some("TypeError: second (RUST_LOG=info shows the traceback)"));
    }

    #[test]
    fn names_type_that_is_no_text() {
        let shown = |error: &str| {
            let error = format!("PyErr {{ type: <class 'TypeError'>, value: {error}, traceback: None }}");
            problem(&panic(&format!("called `Result::unwrap()` on an `Err` value: {error}"))).unwrap()
        };
        // componentize-py 0.25.1, and 0.17.2.
        for none in ["'None' is not an instance of 'str'", "'NoneType' object cannot be converted to 'PyString'"] {
            assert_eq!(shown(&format!("TypeError(\"{none}\")")), "it returned or recorded None instead of a str");
        }
        let int = r#"TypeError("'int' object is not an instance of 'str'")"#;
        assert_eq!(shown(int), "it returned or recorded a value of type int instead of a str");
        // Its backslash is escaped, as in all text of a guest.
        let surrogate = |text: &str| format!("UnicodeEncodeError('utf-8', '{text}', 0, 1, 'surrogates not allowed')");
        let expected = format!("it returned or recorded a value that is not text: {}", surrogate(r"\\ud800"));
        assert_eq!(shown(&surrogate(r"\ud800")), expected);
    }

    #[test]
    fn leaves_other_failures_alone() {
        for printed in ["", "a reason\n", &panic("not today"), &panic(UNCAUGHT)] {
            assert_eq!(problem(printed), None);
        }
    }
}
