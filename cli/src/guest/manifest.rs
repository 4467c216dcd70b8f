//! A guest's manifest: the TOML file beside its component.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// The longest manifest that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 64 * 1024;

/// What a guest says about itself, and all that the host may give it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// The canonical spelling of the algorithm; ignoring case it is the name of the file.
    pub name: String,
    /// One line for `cipher list`.
    pub description: String,
    /// The settings that the guest reads from its environment, by variable.
    #[serde(default)]
    pub settings: BTreeMap<String, Setting>,
    /// Whether the guest is given the time. Without, its clocks stand still, so that the same call gives the same result.
    #[serde(default)]
    pub clocks: bool,
    /// Whether the guest is given randomness. Without, it gets the same bytes in every call.
    #[serde(default)]
    pub random: bool,
    /// The SHA-256 of the component, in hexadecimal; another component is refused.
    #[serde(default)]
    pub sha256: Option<String>,
    /// What the guest must answer; `cipher check` tries them.
    #[serde(default)]
    pub known_answers: Vec<KnownAnswer>,
}

/// What a guest is given beyond its settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Grants {
    /// The time.
    pub clocks: bool,
    /// Randomness.
    pub random: bool,
}

/// One variable that the guest reads.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// The value when neither a flag nor the environment gives one.
    pub default: String,
    /// One line for `cipher list`.
    pub help: String,
    /// Values that the guest must refuse; `cipher check` tries them.
    #[serde(default)]
    pub invalid: Vec<String>,
}

/// A plaintext with the ciphertext that belongs to it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KnownAnswer {
    /// What `encr` is given and `decr` must return.
    pub plaintext: String,
    /// What `encr` must return for it.
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
    /// When the file cannot be read, is not a manifest, or names something that cannot be an environment variable.
    pub fn read(path: &Path) -> Result<Self> {
        let text = read_bounded(path).with_context(|| format!("cannot read the manifest '{}'", path.display()))?;
        Self::parse(&text).with_context(|| format!("'{}' is not a valid manifest", path.display()))
    }

    /// Parses and checks a manifest.
    ///
    /// # Errors
    ///
    /// When `text` is not TOML of this shape, or names something that cannot be an environment variable.
    pub fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            anyhow::anyhow!("line {line}: {}", error.message().lines().next().unwrap_or("syntax error"))
        })?;
        if !is_name(&manifest.name) {
            bail!("name: {:?} must be letters, digits, '-', '_' and '.', with no '.wasm' at its end", manifest.name);
        }
        for (variable, setting) in &manifest.settings {
            if variable.is_empty() || variable.contains(['=', '\0']) {
                bail!("settings: {variable:?} cannot be the name of an environment variable");
            }
            if setting.invalid.iter().chain([&setting.default]).any(|value| value.contains('\0')) {
                bail!("settings: a value of {variable} contains a NUL character");
            }
        }
        let is_digest = |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if let Some(digest) = manifest.sha256.as_ref().filter(|digest| !is_digest(digest)) {
            bail!("sha256: {digest:?} is not 64 hexadecimal digits");
        }
        Ok(manifest)
    }
}

/// Whether `name` can be an algorithm's name: it must not look like a path, nor hide in a directory listing.
pub fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with(['.', '-']) && !name.ends_with(".wasm") && name.chars().all(allowed)
}

fn read_bounded(path: &Path) -> Result<String> {
    use std::io::Read as _;

    let file = crate::platform::file::open(path)?;
    let mut text = String::new();
    file.take(MAX_MANIFEST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_MANIFEST_BYTES {
        bail!("it is larger than {MAX_MANIFEST_BYTES} bytes");
    }
    Ok(text)
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
    fn a_whole_manifest_is_read() {
        let manifest = Manifest::parse(CAESAR).unwrap();
        assert_eq!(manifest.name, "Caesar");
        assert_eq!(manifest.settings["SHIFT_AMOUNT"].default, "3");
        assert_eq!(manifest.known_answers[0].ciphertext, "d");
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        assert_eq!(
            error("name = 'A'\ndescription = 'x'\nsetings = 1"),
            "line 3: unknown field `setings`, expected one of `name`, `description`, `settings`, `clocks`, `random`, `sha256`, `known-answers`"
        );
        assert!(error("name = 'A'\n").contains("missing field `description`"));
        assert!(
            error("name = 3\ndescription = ''").starts_with("line 1: invalid type: integer `3`, expected a string")
        );
    }

    #[test]
    fn names_that_could_be_paths_or_variables_that_cannot_be_set_are_refused() {
        for name in ["", "a/b", "a.wasm", ".hidden", "-x", "a b", "a\\u0007"] {
            assert!(error(&format!("name = \"{name}\"\ndescription = ''")).starts_with("name: "), "{name}");
        }
        assert!(error(&CAESAR.replace("SHIFT_AMOUNT", "'A=B'")).starts_with("settings: "));
    }
}
