//! A request of `cipher batch`: one JSON object per line.

use std::borrow::Cow;
use std::fmt;

use anyhow::{Result, bail};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::exit::{Failure, Kind};
use crate::guest::assignments::Overrides;
use crate::records::utf8;
use crate::sandbox::contract::Operation;
use crate::terminal::escape;

/// The maximum length of the name of an algorithm, a setting, or another member, in bytes. Longer ones are refused
/// before similar names are searched for.
pub(crate) const NAME_BYTES: usize = 256;

/// The maximum number of unknown members in a request.
const MAX_OTHERS: usize = 100;

/// The known members of a request.
const MEMBERS: [&str; 5] = ["message", "algorithm", "operation", "id", "settings"];

/// The members of an answer.
const ANSWER_MEMBERS: [&str; 4] = ["result", "line", "kind", "error"];

/// A parsed request. Omitted members are `None`.
#[derive(Debug)]
pub struct Request {
    /// The text.
    pub message: String,
    /// The name of the guest.
    pub algorithm: Option<String>,
    /// The operation.
    pub operation: Option<Operation>,
    /// Settings of the guest.
    pub settings: Overrides,
}

/// Members that are copied to the answer.
#[derive(Debug, Default)]
pub struct CopiedMembers<'a> {
    /// Any JSON value, `null` included.
    pub id: Option<&'a RawValue>,
    /// Unknown members, in order.
    pub others: Vec<(Cow<'a, str>, &'a RawValue)>,
}

/// The members of a request, unchanged.
#[derive(Default)]
struct Members<'a> {
    copied: CopiedMembers<'a>,
    message: Option<&'a RawValue>,
    algorithm: Option<&'a RawValue>,
    operation: Option<&'a RawValue>,
    settings: Option<&'a RawValue>,
    passes_through: bool,
    /// Why the object is not a request, apart from syntax errors.
    problem: Option<String>,
}

/// Parses a line. If there is an error, the members before it are copied to the answer.
///
/// # Errors
///
/// When the line is not UTF-8, not JSON, or not a request. All but the first are [`Kind::BadRequest`].
pub fn parse(line: &[u8], passes_through: bool) -> (CopiedMembers<'_>, Result<Request>) {
    let mut members = Members { passes_through, ..Members::default() };
    let read = members.read(line);
    let request = read.and_then(|()| members.request());
    (members.copied, request)
}

impl<'a> Members<'a> {
    fn read(&mut self, line: &'a [u8]) -> Result<()> {
        let mut json = serde_json::Deserializer::from_str(utf8::text(line)?);
        let read = DeserializeSeed::deserialize(&mut *self, &mut json).and_then(|()| json.end());
        match (self.problem.take(), read) {
            (Some(problem), _) => bad(problem),
            (None, Ok(())) => Ok(()),
            (None, Err(error)) => match error.classify() {
                Category::Data => bad("a request must be a JSON object"),
                Category::Eof => bad("not valid JSON: the line ends too early"),
                _ => bad(format!("not valid JSON at column {}", error.column())),
            },
        }
    }

    fn add(&mut self, name: Cow<'a, str>, value: &'a RawValue) -> Result<(), String> {
        let duplicate = || Err(format!("duplicate member {}", quoted(&name)));
        let member = match name.as_ref() {
            "message" => &mut self.message,
            "algorithm" => &mut self.algorithm,
            "operation" => &mut self.operation,
            "settings" => &mut self.settings,
            "id" => &mut self.copied.id,
            _ if self.copied.others.iter().any(|(other, _)| *other == name) => return duplicate(),
            _ if !self.passes_through => {
                let hint =
                    near(&name, &MEMBERS).unwrap_or("; --pass-through copies other members to the answer".into());
                return Err(format!("unknown member {} (known: {}){hint}", quoted(&name), MEMBERS.join(", ")));
            }
            other if ANSWER_MEMBERS.contains(&other) => {
                return Err(format!("cannot copy \"{other}\" to the answer, which has its own member of that name"));
            }
            _ if self.copied.others.len() == MAX_OTHERS => {
                return Err(format!("more than {MAX_OTHERS} members to copy to the answer"));
            }
            _ => {
                self.copied.others.push((name, value));
                return Ok(());
            }
        };
        match member.replace(value) {
            Some(_) => duplicate(),
            None => Ok(()),
        }
    }

    fn request(&self) -> Result<Request> {
        let Some(message) = self.message else { return bad("\"message\" is missing") };
        Ok(Request {
            message: string("message", message)?,
            algorithm: present(self.algorithm).map(|value| string("algorithm", value)).transpose()?,
            operation: present(self.operation).map(operation).transpose()?,
            settings: present(self.settings).map(settings).transpose()?.unwrap_or_default(),
        })
    }
}

/// A value other than `null`.
fn present(value: Option<&RawValue>) -> Option<&RawValue> {
    value.filter(|value| value.get() != "null")
}

fn bad<T>(problem: impl Into<String>) -> Result<T> {
    Err(Failure::new(Kind::BadRequest, problem).into())
}

fn string(member: &str, value: &RawValue) -> Result<String> {
    match (serde_json::from_str(value.get()), value.get().starts_with('"')) {
        (Ok(text), _) => Ok(text),
        // The syntax was checked, so this is half of a character outside the basic plane.
        (Err(_), true) => bad(format!("\"{member}\" contains a lone surrogate, which is not a character")),
        (Err(_), false) => bad(format!("\"{member}\" must be a string, not {}", type_of(value))),
    }
}

fn type_of(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

fn operation(value: &RawValue) -> Result<Operation> {
    let name = string("operation", value)?;
    match Operation::from_name(&name) {
        Some(operation) => Ok(operation),
        None => {
            let hint = near(&name, &["encrypt", "decrypt"]).unwrap_or_default();
            bad(format!("\"operation\" must be \"encrypt\" or \"decrypt\", not {}{hint}", quoted(&name)))
        }
    }
}

fn settings(value: &RawValue) -> Result<Overrides> {
    struct Pairs<'a>(Vec<(String, &'a RawValue)>);

    impl<'de: 'a, 'a> serde::Deserialize<'de> for Pairs<'a> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct InOrder;
            impl<'de> Visitor<'de> for InOrder {
                type Value = Vec<(String, &'de RawValue)>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                    std::iter::from_fn(|| map.next_entry().transpose()).collect()
                }
            }
            deserializer.deserialize_map(InOrder).map(Self)
        }
    }

    if !value.get().starts_with('{') {
        return bad(format!("\"settings\" must be an object, not {}", type_of(value)));
    }
    let Ok(Pairs(pairs)) = serde_json::from_str(value.get()) else {
        return bad("the name of a setting contains a lone surrogate, which is not a character");
    };
    let mut settings = Overrides::new();
    for (name, value) in pairs {
        let text = match type_of(value) {
            "a string" => string("settings", value)?,
            "a number" | "a boolean" => value.get().to_owned(),
            other => bail!(Failure::new(
                Kind::BadRequest,
                format!("setting {} must be a string, a number or a boolean, not {other}", quoted(&name))
            )),
        };
        if name.len() > NAME_BYTES {
            return bad(format!("the name of a setting is longer than {NAME_BYTES} bytes"));
        }
        if name.contains('\0') || text.contains('\0') {
            return bad(format!("setting {} contains a NUL character", quoted(&name)));
        }
        if settings.insert(name.clone(), text).is_some() {
            return bad(format!("duplicate setting {}", quoted(&name)));
        }
    }
    Ok(settings)
}

/// A name in quotes, shortened and escaped.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", escape::start(name))
}

/// Suggests a name in `known` that is similar to `name`, if there is one.
fn near(name: &str, known: &[&str]) -> Option<String> {
    if name.len() > NAME_BYTES {
        return None;
    }
    let name = name.to_lowercase();
    let distance = |known: &&&str| strsim::damerau_levenshtein(known, &name);
    let nearest = known.iter().min_by_key(distance).filter(|known| distance(known) <= 2)?;
    Some(format!("; did you mean \"{nearest}\"?"))
}

impl<'de> DeserializeSeed<'de> for &mut Members<'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Members<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Name<'de>>()? {
            if self.problem.is_some() {
                // The rest is read for the id, which may come later.
                match name.0.as_ref() {
                    "id" if self.copied.id.is_none() => self.copied.id = Some(map.next_value()?),
                    _ => drop(map.next_value::<IgnoredAny>()?),
                }
            } else {
                self.problem = self.add(name.0, map.next_value()?).err();
            }
        }
        Ok(())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom("an array"))
    }
}

/// The name of a member, borrowed where nothing in it is escaped.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Cow<'de, str>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> String {
        parse(line.as_bytes(), false).1.unwrap_err().to_string()
    }

    #[test]
    fn needs_only_a_message() {
        let request = parse(br#"{"message":"m","algorithm":null,"operation":null,"settings":null}"#, false).1.unwrap();
        assert_eq!((request.message.as_str(), request.algorithm, request.operation), ("m", None, None));
        assert_eq!(error(r#"{"algorithm":"A"}"#), "\"message\" is missing");
        assert_eq!(error(r#"{"message":null}"#), "\"message\" must be a string, not null");
    }

    #[test]
    fn takes_plain_values_as_settings() {
        let line = br#"{"message":"m","settings":{"A":"x","B":-1.50e2,"C":true}}"#;
        let settings = parse(line, false).1.unwrap().settings;
        let pairs: Vec<_> = settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("A", "x"), ("B", "-1.50e2"), ("C", "true")]);
        assert!(error(r#"{"message":"m","settings":{"A":null}}"#).ends_with("not null"));
        assert!(error(r#"{"message":"m","settings":{"A":[1]}}"#).ends_with("not an array"));
    }

    #[test]
    fn rejects_duplicate_members() {
        assert_eq!(error(r#"{"message":"m","message":"n"}"#), "duplicate member \"message\"");
        assert_eq!(error(r#"{"message":"m","settings":{"X":"1","X":"2"}}"#), "duplicate setting \"X\"");
        let twice = br#"{"message":"m","x":1,"x":2}"#;
        assert_eq!(parse(twice, true).1.unwrap_err().to_string(), "duplicate member \"x\"");
    }

    #[test]
    fn suggests_similar_members() {
        assert!(error(r#"{"message":"m","setings":{}}"#).ends_with("; did you mean \"settings\"?"));
        assert!(error(r#"{"message":"m","key":"k"}"#).ends_with("--pass-through copies other members to the answer"));
        assert!(error(r#"{"message":"m","operation":"Encrypt"}"#).ends_with("; did you mean \"encrypt\"?"));
    }

    #[test]
    fn keeps_id_of_broken_requests() {
        for id in ["null", "1.50", "12345678901234567890123", r#"{"b":1,"a":[]}"#, r#""\u0041""#] {
            for rest in [r#""message":"m"}"#, r#""message":1}"#, r#""message":"m",}"#, r#""key":1}"#, ""] {
                let line = format!(r#"{{"id":{id},{rest}"#);
                assert_eq!(parse(line.as_bytes(), false).0.id.unwrap().get(), id, "{line}");
            }
            let line = format!(r#"{{"key":1,"id":{id}}}"#);
            assert_eq!(parse(line.as_bytes(), false).0.id.unwrap().get(), id, "{line}");
        }
    }

    #[test]
    fn copies_other_members_in_order() {
        let (copied, request) = parse(br#"{"b":[1],"message":"m","a":null}"#, true);
        let others: Vec<_> = copied.others.iter().map(|(name, value)| (name.as_ref(), value.get())).collect();
        assert_eq!(others, [("b", "[1]"), ("a", "null")]);
        assert!(request.is_ok());
        assert!(parse(br#"{"message":"m","error":1}"#, true).1.is_err());
    }
}
