//! A request of `cipher batch`: a JSON object in a line.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::anyhow;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::guest::settings::Overrides;

/// What is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request<'a> {
    /// The text.
    pub message: String,
    /// The guest, by its name.
    pub algorithm: String,
    /// Which way.
    #[serde(default)]
    pub operation: Way,
    /// What the answer is to be known by.
    #[serde(default, borrow)]
    pub id: Id<'a>,
    /// The guest's settings.
    #[serde(default)]
    pub settings: Settings,
}

/// Which way; to encrypt unless said.
#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// `encr`
    #[default]
    Encrypt,
    /// `decr`
    Decrypt,
}

/// Any JSON value, as it came; `null` is one, too.
#[derive(Default, Clone, Copy)]
pub struct Id<'a>(pub Option<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Id<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

/// Settings, each once.
#[derive(Default)]
pub struct Settings(pub Overrides);

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Unique;

        impl<'de> Visitor<'de> for Unique {
            type Value = Settings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object from settings to strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Settings, A::Error> {
                let mut settings = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    if name.contains('\0') || value.contains('\0') {
                        return Err(de::Error::custom("a setting cannot contain a NUL character"));
                    }
                    if settings.contains_key(&name) {
                        return Err(de::Error::custom(format_args!("duplicate setting `{name}`")));
                    }
                    settings.insert(name, value);
                }
                Ok(Settings(settings))
            }
        }

        deserializer.deserialize_map(Unique)
    }
}

/// The request in a line.
///
/// # Errors
///
/// What is wrong with it, with its `id` as far as there is one.
pub fn parse(line: &[u8]) -> Result<Request<'_>, (Id<'_>, anyhow::Error)> {
    #[derive(Deserialize)]
    struct Only<'a> {
        #[serde(default, borrow)]
        id: Id<'a>,
    }

    // Serde would take the fields from an array, too, by their order.
    if line.trim_ascii_start().first() == Some(&b'[') {
        return Err((Id(None), anyhow!("a request is an object, not an array")));
    }
    serde_json::from_slice(line).map_err(|error| {
        let id = serde_json::from_slice(line).map_or(Id(None), |only: Only<'_>| only.id);
        let text = error.to_string();
        // A line is all of its document, so serde's own line number says nothing.
        let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
        (id, anyhow!("{what} (column {})", error.column()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> String {
        parse(line.as_bytes()).err().unwrap().1.to_string()
    }

    #[test]
    fn a_request_needs_a_message_and_an_algorithm() {
        let request = parse(br#"{"message":"m","algorithm":"A"}"#).ok().unwrap();
        assert_eq!((request.message.as_str(), request.algorithm.as_str()), ("m", "A"));
        assert!(matches!(request.operation, Way::Encrypt));
        assert!(request.id.0.is_none());
        assert_eq!(error(r#"{"message":"m"}"#), "missing field `algorithm` (column 15)");
        assert_eq!(
            error(r#"{"message":1,"algorithm":"A"}"#),
            "invalid type: integer `1`, expected a string (column 12)"
        );
    }

    #[test]
    fn whatever_is_ambiguous_is_refused() {
        assert!(error(r#"{"message":"m","message":"n","algorithm":"A"}"#).starts_with("duplicate field `message`"));
        assert!(
            error(r#"{"message":"m","algorithm":"A","settings":{"X":"1","X":"2"}}"#).starts_with("duplicate setting")
        );
        assert!(error(r#"{"message":"m","algorithm":"A","setings":{}}"#).starts_with("unknown field `setings`"));
        assert!(error(r#"{"message":"\ud800\u0041","algorithm":"A"}"#).contains("surrogate"));
        assert!(error("{}{}").starts_with("missing field") || error("{}{}").starts_with("trailing"));
        assert!(error("").starts_with("EOF"));
    }

    #[test]
    fn an_id_comes_back_as_it_came_even_from_a_bad_request() {
        for id in ["null", "1.50", "12345678901234567890123", r#"{"b":1,"a":[]}"#, r#""\u0041""#] {
            let good = format!(r#"{{"id":{id},"message":"m","algorithm":"A"}}"#);
            assert_eq!(parse(good.as_bytes()).ok().unwrap().id.0.unwrap().get(), id);
            let bad = format!(r#"{{"id":{id},"message":"m"}}"#);
            assert_eq!(parse(bad.as_bytes()).err().unwrap().0.0.unwrap().get(), id);
        }
    }
}
