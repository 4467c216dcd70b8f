//! Records and their separators.

/// The separator of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// LF or CRLF. The last line may have none.
    Line,
    /// NUL. The last record may have none.
    Nul,
}

/// A record and the separator that follows it, as in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// The message.
    pub text: &'a [u8],
    /// LF, CRLF, NUL, or nothing at the end of the input.
    pub terminator: &'a [u8],
}

impl Record<'_> {
    /// The length with the separator, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.text.len() + self.terminator.len()
    }
}

impl Separator {
    /// The byte that ends a record.
    pub fn byte(self) -> u8 {
        match self {
            Self::Line => b'\n',
            Self::Nul => b'\0',
        }
    }

    /// Splits `bytes`, which starts with a record, into its records. Their texts and terminators, concatenated, are
    /// `bytes`.
    pub fn records(self, bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
        let mut rest = bytes;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let end = memchr::memchr(self.byte(), rest).map_or(rest.len(), |at| at + 1);
            let (record, after) = rest.split_at(end);
            rest = after;
            let (text, terminator) = record.split_at(self.text_length(record));
            Some(Record { text, terminator })
        })
    }

    /// Whether `result`, followed by `terminator`, would be read as exactly one record again.
    pub fn holds(self, result: &[u8], terminator: &[u8]) -> bool {
        let mistaken = self == Self::Line && terminator == b"\n" && result.ends_with(b"\r");
        !mistaken && memchr::memchr(self.byte(), result).is_none()
    }

    fn text_length(self, record: &[u8]) -> usize {
        let without = |end: &[u8]| record.len() - end.len();
        match self {
            Self::Line if record.ends_with(b"\r\n") => without(b"\r\n"),
            _ if record.ends_with(&[self.byte()]) => without(&[self.byte()]),
            _ => record.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &str) -> Vec<(&str, &str)> {
        let utf8 = |bytes| std::str::from_utf8(bytes).unwrap();
        Separator::Line.records(bytes.as_bytes()).map(|r| (utf8(r.text), utf8(r.terminator))).collect()
    }

    #[test]
    fn keeps_terminators() {
        assert_eq!(lines("a\nb\r\nc"), [("a", "\n"), ("b", "\r\n"), ("c", "")]);
        assert_eq!(lines("\n\r\n"), [("", "\n"), ("", "\r\n")]);
        assert_eq!(lines(""), []);
    }

    #[test]
    fn keeps_lone_carriage_returns() {
        assert_eq!(lines("a\rb\r\r\nc\r"), [("a\rb\r", "\r\n"), ("c\r", "")]);
    }

    #[test]
    fn keeps_line_endings_between_nul() {
        let records: Vec<_> = Separator::Nul.records(b"a\nb\0c\r\n\0\0d").map(|r| (r.text, r.terminator)).collect();
        assert_eq!(records, [(&b"a\nb"[..], &b"\0"[..]), (b"c\r\n", b"\0"), (b"", b"\0"), (b"d", b"")]);
    }

    #[test]
    fn refuses_results_with_separators() {
        assert!(Separator::Line.holds(b"a\0b", b"\n"));
        assert!(!Separator::Line.holds(b"a\nb", b"\n"));
        assert!(!Separator::Line.holds(b"a\r", b"\n"));
        assert!(Separator::Line.holds(b"a\r", b"\r\n"));
        assert!(!Separator::Nul.holds(b"a\0b", b"\0"));
    }
}
