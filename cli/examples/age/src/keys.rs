//! The settings: which recipients a message is encrypted to, and which identities decrypt it.

use std::str::FromStr;

use age::secrecy::SecretString;
use age::{Identity, Recipient, scrypt, x25519};

/// Recipients, such as `age1...`, separated by commas or white space.
pub const RECIPIENT: &str = "AGE_RECIPIENT";
/// Identities, `AGE-SECRET-KEY-1...`, one per line as in the file that `age-keygen` writes.
pub const IDENTITY: &str = "AGE_IDENTITY";
/// A passphrase, in place of both.
pub const PASSPHRASE: &str = "AGE_PASSPHRASE";

/// The scrypt work factor, as a power of two: what `age -p` uses, 256 MiB of memory and about a second. It is fixed,
/// because a factor chosen by timing this machine would reveal its speed.
const SCRYPT_LOG_N: u8 = 18;

/// The values of the settings; a missing or empty one is `None`.
#[derive(Default)]
pub struct Settings {
    /// [`RECIPIENT`]
    pub recipient: Option<String>,
    /// [`IDENTITY`]
    pub identity: Option<String>,
    /// [`PASSPHRASE`]
    pub passphrase: Option<String>,
}

impl Settings {
    /// The settings in the environment.
    pub fn from_environment() -> Result<Self, String> {
        let read = |name: &str| match std::env::var(name) {
            Ok(value) if value.is_empty() => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(format!("{name} is not UTF-8")),
        };
        Ok(Self { recipient: read(RECIPIENT)?, identity: read(IDENTITY)?, passphrase: read(PASSPHRASE)? })
    }

    /// The recipients to encrypt to.
    ///
    /// # Errors
    ///
    /// A sentence that starts with the name of the setting that is missing, invalid, or in conflict with another.
    pub fn recipients(&self) -> Result<Vec<Box<dyn Recipient>>, String> {
        match (&self.recipient, &self.passphrase) {
            (None, None) => Err(format!("{RECIPIENT} or {PASSPHRASE} must be set to encrypt")),
            (Some(_), Some(_)) => Err(format!("{RECIPIENT} and {PASSPHRASE} exclude each other: set one of them")),
            (None, Some(passphrase)) => {
                let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase.clone()));
                recipient.set_work_factor(SCRYPT_LOG_N);
                Ok(vec![Box::new(recipient)])
            }
            (Some(list), None) => list
                .split([',', ' ', '\t', '\r', '\n'])
                .filter(|word| !word.is_empty())
                .map(|word| match x25519::Recipient::from_str(word) {
                    Ok(recipient) => Ok(Box::new(recipient) as Box<dyn Recipient>),
                    Err(reason) => Err(format!("{RECIPIENT} has an invalid recipient: {reason}")),
                })
                .collect(),
        }
    }

    /// The identities that can decrypt, and the passphrase.
    ///
    /// # Errors
    ///
    /// As for [`recipients`](Self::recipients); never with any part of a secret.
    pub fn identities(&self) -> Result<Vec<Box<dyn Identity>>, String> {
        let mut identities: Vec<Box<dyn Identity>> = Vec::new();
        let lines = self.identity.iter().flat_map(|text| text.lines()).map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let identity = x25519::Identity::from_str(line)
                .map_err(|_| format!("{IDENTITY} must be lines of AGE-SECRET-KEY-1..., as age-keygen writes them"))?;
            identities.push(Box::new(identity));
        }
        if let Some(passphrase) = &self.passphrase {
            let mut identity = scrypt::Identity::new(SecretString::from(passphrase.clone()));
            identity.set_max_work_factor(SCRYPT_LOG_N);
            identities.push(Box::new(identity));
        }
        if identities.is_empty() {
            return Err(format!("{IDENTITY} or {PASSPHRASE} must be set to decrypt"));
        }
        Ok(identities)
    }
}
