//! The values of secrets, masked in everything that a guest prints or reports.
//!
//! A guest may print a secret by accident: in an error message, cut short, quoted, or escaped as its language does. It
//! can also transform a secret in ways that are not recognized: masking does not protect from a hostile guest.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::ops::Range;

use super::settings::Setting;

/// The mask, shown in place of a secret.
const MASK: &str = "***";
/// Any part of a secret with this many characters is masked. A shorter secret is masked only as a whole.
const PART_CHARS: usize = 12;
/// The shortest line of a secret of several lines that is masked on its own.
const LINE_CHARS: usize = 4;
/// The number of characters that are searched between two checks.
const CHECK_CHARS: usize = 4096;
/// The number of levels of escaping that are decoded.
const ESCAPE_LEVELS: usize = 3;

/// The secrets of one guest.
#[derive(Default)]
pub(crate) struct Secrets(Vec<Secret>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

impl Secrets {
    /// The secrets among `settings`.
    pub(crate) fn of<'a>(settings: impl IntoIterator<Item = &'a Setting>) -> Self {
        let secrets = settings.into_iter().filter(|setting| setting.secret);
        Self::new(secrets.filter_map(|setting| setting.value.as_deref()))
    }

    fn new<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let lines = |value: &'a str| {
            let lines = value.lines().map(str::trim).filter(|line| line.chars().count() >= LINE_CHARS);
            lines.filter(move |line| line.len() < value.len())
        };
        Self(
            values
                .filter(|value| !value.is_empty())
                .flat_map(|value| lines(value).chain([value]))
                .map(Secret::new)
                .collect(),
        )
    }

    /// Returns `text` with every secret masked, even if it is escaped or, for a long secret, cut short.
    pub(crate) fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.mask_while(text, || Ok::<_, Infallible>(())) {
            Ok(masked) => masked,
        }
    }

    /// Like [`mask`](Self::mask), but gives up when `check` fails. It is called every few hundred microseconds, because
    /// a long text and a secret of many lines can take seconds.
    ///
    /// # Errors
    ///
    /// The error of `check`.
    pub(crate) fn mask_while<'a, E>(
        &self,
        text: &'a str,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<Cow<'a, str>, E> {
        if self.0.is_empty() || text.is_empty() {
            return Ok(Cow::Borrowed(text));
        }
        let mut found = Vec::new();
        let mut view = Some(View::new(text));
        for _ in 0..=ESCAPE_LEVELS {
            let Some(current) = &view else { break };
            self.0.iter().try_for_each(|secret| secret.find(current, &mut found, &mut check))?;
            view = current.unescape();
        }
        Ok(if found.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(replace(text, found)) })
    }
}

/// Replaces each run of ranges that touch with the mask.
fn replace(text: &str, mut ranges: Vec<Range<usize>>) -> String {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut masked = String::with_capacity(text.len());
    let (mut end, mut is_open) = (0, false);
    for range in ranges {
        if range.start > end || !is_open {
            masked.push_str(&text[end..range.start.max(end)]);
            masked.push_str(MASK);
            is_open = true;
        }
        end = end.max(range.end);
    }
    masked + &text[end..]
}

/// One secret, or a line of one.
struct Secret {
    chars: Vec<char>,
    /// The length of the parts that are searched for.
    part: usize,
    /// Where the parts start in `chars`, in the order of the parts.
    starts: Vec<u32>,
}

impl Secret {
    fn new(value: &str) -> Self {
        let chars: Vec<char> = value.chars().map(|c| c.to_ascii_lowercase()).collect();
        let part = chars.len().min(PART_CHARS);
        let mut starts: Vec<u32> = (0..=(chars.len() - part) as u32).collect();
        starts.sort_by(|&a, &b| chars[a as usize..][..part].cmp(&chars[b as usize..][..part]));
        Self { chars, part, starts }
    }

    /// Adds the ranges of the text in which `view` shows a part of the secret, until `check` fails.
    fn find<E>(
        &self,
        view: &View,
        found: &mut Vec<Range<usize>>,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        for (at, window) in view.folded.windows(self.part).enumerate() {
            if at.is_multiple_of(CHECK_CHARS) {
                check()?;
            }
            let order = |&start: &u32| self.chars[start as usize..][..self.part].cmp(window);
            if self.starts.binary_search_by(order).is_ok() {
                found.push(view.ranges[at].start..view.ranges[at + self.part - 1].end);
            }
        }
        Ok(())
    }
}

/// A text, as it is or with its escapes decoded.
struct View {
    chars: Vec<char>,
    /// The same in lower case, because guests may change the case of their settings.
    folded: Vec<char>,
    /// The bytes of the text that each character stands for.
    ranges: Vec<Range<usize>>,
}

impl View {
    fn new(text: &str) -> Self {
        text.char_indices().map(|(at, c)| (c, at..at + c.len_utf8())).collect()
    }

    /// Decodes one level of escapes; `None` if there are none.
    fn unescape(&self) -> Option<Self> {
        self.chars.iter().find(|c| matches!(c, '\\' | '%'))?;
        let mut at = 0;
        let next = std::iter::from_fn(|| {
            let c = *self.chars.get(at)?;
            let (c, length) = escape(&self.chars[at..]).unwrap_or((c, 1));
            let range = self.ranges[at].start..self.ranges[at + length - 1].end;
            at += length;
            Some((c, range))
        });
        Some(next.collect())
    }
}

impl FromIterator<(char, Range<usize>)> for View {
    fn from_iter<T: IntoIterator<Item = (char, Range<usize>)>>(items: T) -> Self {
        let (chars, ranges): (Vec<char>, Vec<Range<usize>>) = items.into_iter().unzip();
        Self { folded: chars.iter().map(|c| c.to_ascii_lowercase()).collect(), chars, ranges }
    }
}

/// The character that the escape at the start of `chars` stands for, and the length of the escape: those of Rust,
/// Python, JavaScript, C and JSON, and of URLs.
fn escape(chars: &[char]) -> Option<(char, usize)> {
    let character = |start: usize, digits: usize| {
        let value = number(chars.get(start..start + digits)?, 16)?;
        char::from_u32(value).map(|c| (c, start + digits))
    };
    match chars {
        ['%', ..] | ['\\', 'x' | '0'..='7', ..] => {
            utf8(chars).or_else(|| byte(chars).map(|(byte, length)| (byte.into(), length)))
        }
        ['\\', 'u', '{', digits @ ..] => {
            let length = digits.iter().take(7).position(|&c| c == '}')?;
            character(3, length).map(|(c, length)| (c, length + 1))
        }
        ['\\', 'u', ..] => character(2, 4).or_else(|| surrogates(chars)),
        ['\\', 'U', ..] => character(2, 8),
        ['\\', c, ..] => {
            let c = match c {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'a' => '\u{7}',
                'b' => '\u{8}',
                'v' => '\u{b}',
                'f' => '\u{c}',
                'e' => '\u{1b}',
                '\\' | '\'' | '"' | '/' | '`' | ' ' | '$' => *c,
                _ => return None,
            };
            Some((c, 2))
        }
        _ => None,
    }
}

/// The character whose UTF-8 the escapes of bytes at the start of `chars` stand for.
fn utf8(chars: &[char]) -> Option<(char, usize)> {
    let (mut bytes, mut end) = ([0; 4], 0);
    for count in 1..=bytes.len() {
        let (byte, length) = byte(&chars[end..])?;
        bytes[count - 1] = byte;
        end += length;
        if let Ok(text) = std::str::from_utf8(&bytes[..count]) {
            return text.chars().next().map(|c| (c, end));
        }
    }
    None
}

/// The byte that the escape at the start of `chars` stands for.
fn byte(chars: &[char]) -> Option<(u8, usize)> {
    let byte = |start: usize, digits: usize, radix: u32| {
        let value = number(chars.get(start..start + digits)?, radix)?;
        u8::try_from(value).ok().map(|byte| (byte, start + digits))
    };
    match chars {
        ['%', ..] => byte(1, 2, 16),
        ['\\', 'x', ..] => byte(2, 2, 16),
        ['\\', '0'..='7', ..] => (1..=3).rev().find_map(|digits| byte(1, digits, 8)),
        _ => None,
    }
}

/// The number that at most 8 digits stand for.
fn number(digits: &[char], radix: u32) -> Option<u32> {
    digits.iter().try_fold(0, |value, c| Some(value * radix + c.to_digit(radix)?))
}

/// The character that two UTF-16 units in the form `\uD83E\uDD80` stand for.
fn surrogates(chars: &[char]) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits: String = chars.get(at..at + 6)?.iter().collect();
        u16::from_str_radix(digits.strip_prefix("\\u")?, 16).ok()
    };
    let units = [unit(0)?, unit(6)?];
    char::decode_utf16(units).next()?.ok().map(|c| (c, 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(secret: &str, text: &str) -> String {
        Secrets::new([secret].into_iter()).mask(text).into_owned()
    }

    #[test]
    fn leaves_other_text_alone() {
        assert_eq!(
            mask("LEMON", r"KEY is no good: \ \u \u{ \u{110000} % %4 lemo \x"),
            r"KEY is no good: \ \u \u{ \u{110000} % %4 lemo \x"
        );
        assert_eq!(mask("", "text"), "text");
    }

    #[test]
    fn masks_every_occurrence() {
        assert_eq!(mask("LEMON", "LEMON, 'LEMON' and lemonade"), "***, '***' and ***ade");
        assert_eq!(mask("é🦀\n", "got é🦀\n."), "got ***.");
    }

    #[test]
    fn masks_escaped_secret() {
        let secret = "k\"'\\\n\t\u{1b}é🦀 /";
        let json = serde_json::to_string(secret).unwrap();
        let ascii = json.replace('é', "\\u00e9").replace('🦀', "\\ud83e\\udd80");
        let python = r#"'k"\'\\\n\t\x1b\xe9\U0001f980 /'"#.to_owned();
        let url = "k%22%27%5C%0A%09%1B%C3%A9%F0%9F%A6%80%20%2F".to_owned();
        let bytes = r#"k"'\\\n\t\x1b\xc3\xa9\360\237\246\200 /"#.to_owned();
        let quoted = ["debug", "default", "unicode"].map(|how| match how {
            "debug" => secret.escape_debug().to_string(),
            "default" => secret.escape_default().to_string(),
            _ => secret.escape_unicode().to_string(),
        });
        for escaped in [json, ascii, python, url, bytes].into_iter().chain(quoted) {
            for text in
                [escaped.clone(), serde_json::to_string(&escaped).unwrap(), format!("{:?}", format!("{escaped:?}"))]
            {
                let masked = mask(secret, &format!("not {text}!"));
                assert!(masked.contains("***") && !masked.contains('k') && !masked.contains("1b"), "{text} {masked}");
            }
        }
    }

    #[test]
    fn masks_parts_of_long_secret() {
        let secret = "AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
        assert_eq!(mask(secret, &format!("not {:?}...", &secret[..20])), "not \"***\"...");
        assert_eq!(mask(secret, &secret[30..]), "***");
        assert_eq!(mask(secret, "AGE-SECRET is missing"), "AGE-SECRET is missing");
    }

    #[test]
    fn masks_lines_of_secret() {
        assert_eq!(mask("first line\nsecond\nx", "bad 'second' in x"), "bad '***' in x");
    }

    #[test]
    fn stops_when_check_fails() {
        let secrets = Secrets::new(["0123456789abcdef"].into_iter());
        let text = "x".repeat(4 * CHECK_CHARS);
        let mut checked = 0;
        let masked = secrets.mask_while(&text, || {
            checked += 1;
            if checked < 3 { Ok(()) } else { Err(()) }
        });
        assert_eq!((masked, checked), (Err(()), 3));
    }
}
