//! The manifest of a guest: the TOML file next to its component.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Read as _};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use toml::Spanned;

use crate::exit::{Failure, Kind};
use crate::terminal::escape;

/// The maximum size of a manifest, in bytes.
const MAX_MANIFEST_BYTES: u64 = 64 * 1024;
/// The maximum length of a name or a version, in characters.
pub(crate) const MAX_NAME_CHARS: usize = 128;

/// The declarations of a guest, and everything that the host may grant it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// The canonical spelling of the algorithm; ignoring case, it is the name of the file.
    pub name: String,
    /// One line for `cipher list`.
    pub description: String,
    /// The version of the guest, such as `1.2.0`.
    #[serde(default)]
    pub version: Option<String>,
    /// The settings that the guest reads from its environment, by variable.
    #[serde(default)]
    pub settings: BTreeMap<String, Declaration>,
    /// Whether the guest gets the time. If not, its clocks stand still, so that the same call gives the same result.
    #[serde(default)]
    pub clocks: bool,
    /// Declares that results differ from call to call.
    #[serde(default)]
    pub random: bool,
    /// Declares that `decr` refuses text that was altered.
    #[serde(default)]
    pub authenticated: bool,
    /// The SHA-256 of the component, in hexadecimal; any other component is refused.
    #[serde(default)]
    pub sha256: Option<Spanned<String>>,
    /// Texts with the results that the guest must return for them; `cipher check` tries them.
    #[serde(default)]
    pub known_answers: Vec<KnownAnswer>,
}

/// The grants of a guest besides its settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Grants {
    /// The time.
    pub clocks: bool,
    /// Whether the guest declares that its results are random.
    pub random: bool,
}

/// The declaration of one setting.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The value if neither an option nor the environment gives one. Without a default, the variable is not set.
    #[serde(default)]
    pub default: Option<String>,
    /// A value for the conformance suite, and for readers.
    #[serde(default)]
    pub example: Option<String>,
    /// Whether the value is never shown.
    #[serde(default)]
    pub secret: bool,
    /// One line for `cipher list`.
    pub help: String,
    /// Values that the guest must refuse; `cipher check` tries them.
    #[serde(default)]
    pub invalid: Vec<String>,
}

/// A plaintext with its ciphertext.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownAnswer {
    /// The input of `encr`, and the result of `decr`.
    pub plaintext: String,
    /// The result of `encr`, and the input of `decr`. For a random guest, only `decr` is tried.
    pub ciphertext: String,
    /// Settings other than the defaults.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads and checks the manifest at `path`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not a valid manifest.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse_file(&read_text(path)?, path)
    }

    /// Parses and checks `text`, which `read_text` read from `path`.
    ///
    /// # Errors
    ///
    /// When it is not a valid manifest.
    pub fn parse_file(text: &str, path: &Path) -> Result<Self> {
        Self::parse(text)
            .with_context(|| Failure::new(Kind::Manifest, format!("'{}' is not a valid manifest", path.display())))
    }

    /// Parses and checks a manifest.
    ///
    /// # Errors
    ///
    /// When `text` is not TOML of this shape, or its fields contradict each other.
    pub fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.bytes().take(start).filter(|&byte| byte == b'\n').count() + 1;
            let message = error.message().lines().next().unwrap_or("syntax error");
            Failure::new(Kind::Manifest, format!("line {line}: {message}"))
        })?;
        manifest.validate().map_err(|problem| Failure::new(Kind::Manifest, problem))?;
        Ok(manifest)
    }

    /// The SHA-256 of the component that the manifest pins.
    pub fn pin(&self) -> Option<&str> {
        self.sha256.as_ref().map(|digest| digest.get_ref().as_str())
    }

    /// Returns `text`, the text of this manifest, with `digest` as the pin.
    pub fn pinned(&self, text: &str, digest: &str) -> String {
        match &self.sha256 {
            Some(old) => format!("{}\"{digest}\"{}", &text[..old.span().start], &text[old.span().end..]),
            // A top-level key is valid at the start of any TOML.
            None => format!("sha256 = \"{digest}\"\n{text}"),
        }
    }

    /// Checks what TOML and the types of the fields cannot express.
    fn validate(&self) -> Result<(), String> {
        if !is_name(&self.name) {
            return Err(format!(
                "name: '{}' must be letters, digits, '-', '_' and '.', and must not end in '.wasm'",
                escape::start(&self.name)
            ));
        }
        if let Some(version) = self.version.as_ref().filter(|version| !is_version(version)) {
            return Err(format!("version: '{}' must be like 1.2.0 or 1.2.0-rc.1", escape::start(version)));
        }
        for (variable, declared) in &self.settings {
            if variable.is_empty() || variable.contains(['=', '\0']) {
                let variable = escape::start(variable);
                return Err(format!("settings: '{variable}' cannot be the name of an environment variable"));
            }
            let file = format!("{variable}_FILE");
            if declared.secret && self.settings.contains_key(&file) {
                return Err(format!(
                    "settings: {file} cannot be a setting: it names the file of the secret {variable}"
                ));
            }
            declared.validate().map_err(|problem| format!("settings: {variable} {problem}"))?;
        }
        let is_digest = |text: &&str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match self.pin() {
            Some(pin) if !is_digest(&pin) => {
                Err(format!("sha256: '{}' is not 64 hexadecimal digits", escape::start(pin)))
            }
            _ => Ok(()),
        }
    }
}

impl Declaration {
    fn validate(&self) -> Result<(), &'static str> {
        let values = || self.default.iter().chain(&self.example);
        if values().chain(&self.invalid).any(|value| value.contains('\0')) {
            return Err("has a value with a NUL character");
        }
        if values().any(|value| self.invalid.contains(value)) {
            return Err("has a default or example that it also declares invalid");
        }
        if self.secret && self.default.as_ref().is_some_and(|default| !default.is_empty()) {
            return Err("is a secret, so it cannot have a default; use 'example' for a value that is not secret");
        }
        Ok(())
    }
}

/// Whether `name` can be the name of an algorithm: it must not look like a path, nor hide in a directory listing.
pub fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty()
        && name.chars().count() <= MAX_NAME_CHARS
        && !name.starts_with(['.', '-'])
        && !name.ends_with(".wasm")
        && name.chars().all(allowed)
}

fn is_version(version: &str) -> bool {
    version.len() <= MAX_NAME_CHARS && semver::Version::parse(version).is_ok()
}

/// Reads the text of the manifest at `path`, without a byte order mark.
///
/// # Errors
///
/// When the file cannot be read, is too large, or is not UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    let read = || {
        let mut text = String::new();
        crate::platform::file::open(path)?.take(MAX_MANIFEST_BYTES + 1).read_to_string(&mut text)?;
        match text.len() as u64 {
            0..=MAX_MANIFEST_BYTES => Ok(text),
            _ => Err(Error::new(ErrorKind::FileTooLarge, "it is larger than 64 KiB")),
        }
    };
    let text = read()
        .with_context(|| Failure::new(Kind::Manifest, format!("cannot read the manifest '{}'", path.display())))?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAESAR: &str = r#"
        name = "Caesar"
        description = "Shifts letters"
        [settings.SHIFT_AMOUNT]
        default = "3"
        help = "How far"
        [[known-answers]]
        plaintext = "a"
        ciphertext = "d"
    "#;

    fn error(text: &str) -> String {
        format!("{:#}", Manifest::parse(text).unwrap_err())
    }

    #[test]
    fn reads_complete_manifest() {
        let manifest = Manifest::parse(CAESAR).unwrap();
        assert_eq!(manifest.name, "Caesar");
        assert_eq!(manifest.settings["SHIFT_AMOUNT"].default.as_deref(), Some("3"));
        assert_eq!(manifest.known_answers[0].ciphertext, "d");
    }

    #[test]
    fn names_line_of_mistake() {
        assert_eq!(
            error("name = 'A'\ndescription = 'x'\nsetings = 1"),
            "line 3: unknown field `setings`, expected one of `name`, `description`, `version`, `settings`, `clocks`, `random`, `authenticated`, `sha256`, `known-answers`"
        );
        assert!(error("name = 'A'\n").contains("missing field `description`"));
        assert!(
            error("name = 3\ndescription = ''").starts_with("line 1: invalid type: integer `3`, expected a string")
        );
    }

    #[test]
    fn refuses_unusable_names() {
        for name in ["", "a/b", "a.wasm", ".hidden", "-x", "a b", "a\\u0007"] {
            assert!(error(&format!("name = \"{name}\"\ndescription = ''")).starts_with("name: "), "{name}");
        }
        assert!(error(&CAESAR.replace("SHIFT_AMOUNT", "'A=B'")).starts_with("settings: "));
    }

    #[test]
    fn refuses_contradictions() {
        let with = |fields: &str| error(&CAESAR.replace("default = \"3\"", fields));
        let secret = "settings: SHIFT_AMOUNT is a secret, so it cannot have a default";
        assert!(with("default = \"3\"\nsecret = true").starts_with(secret));
        assert!(with("example = \"3\"\ninvalid = [\"3\"]").contains("also declares invalid"));
        let file = CAESAR.replace("default = \"3\"", "secret = true\nexample = \"4\"");
        assert!(Manifest::parse(&file).unwrap().settings["SHIFT_AMOUNT"].default.is_none());
        let both = format!("{file}\n[settings.SHIFT_AMOUNT_FILE]\nhelp = ''");
        assert!(error(&both).starts_with("settings: SHIFT_AMOUNT_FILE cannot be a setting"));
        assert!(error(&format!("version = 'new'\n{CAESAR}")).starts_with("version: 'new'"));
    }

    #[test]
    fn replaces_pin_in_place() {
        let digest = "a".repeat(64);
        for text in [CAESAR.to_owned(), format!("random = true # odd\nsha256='{}' # old\n{CAESAR}", "0".repeat(64))] {
            let pinned = Manifest::parse(&text).unwrap().pinned(&text, &digest);
            let manifest = Manifest::parse(&pinned).unwrap();
            assert_eq!(manifest.pin(), Some(digest.as_str()));
            assert_eq!(manifest.pinned(&pinned, &digest), pinned);
        }
    }
}
