//! The seal of an index entry: an HMAC-SHA-256 with a key that only this user can read.
//!
//! Ownership is not enough: a tree that this user copied, unpacked, or checked out belongs to this user, but its
//! contents come from somebody else.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use hmac::{Hmac, Mac};
use rustix::fs::Mode;
use sha2::Sha256;

use super::lock::Lock;
use crate::platform::atomic_file;
use crate::platform::trust::TrustedDirectory;

/// The file with the key, in the cache directory.
pub(super) const KEY_FILE: &str = "key";
/// Creating a key takes one write of 32 bytes, so the lock is held only briefly.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// How the index entries of a cache are authenticated.
pub(super) enum Seal {
    /// By their place only, because other users could not read a key.
    None,
    /// By this user's key.
    Key(Box<Hmac<Sha256>>),
}

impl Seal {
    /// Seals with this key.
    pub(super) fn with_key(key: [u8; 32]) -> Self {
        // HMAC pads a key with zeros to the size of a block.
        let mut block = [0; 64];
        block[..key.len()].copy_from_slice(&key);
        Self::Key(Box::new(Mac::new(&block.into())))
    }

    /// Reads the key in `directory`.
    ///
    /// # Errors
    ///
    /// When there is none, or others could have read it.
    pub(super) fn read(directory: &TrustedDirectory) -> io::Result<Self> {
        let (mut file, metadata) = directory.open_file(OsStr::new(KEY_FILE))?;
        let is_secret = metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o077 == 0;
        let mut key = [0; 32];
        if !is_secret || metadata.size() != key.len() as u64 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        file.read_exact(&mut key)?;
        Ok(Self::with_key(key))
    }

    /// Reads the key in `directory`, or creates one if there is no usable key.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or the system has no random numbers.
    pub(super) fn read_or_create(directory: &TrustedDirectory) -> io::Result<Self> {
        Self::read(directory).or_else(|_| {
            // One of several processes creates it. Without locks, entries that the others have sealed become invalid.
            let _lock = Lock::acquire(directory, KEY_FILE, LOCK_PATIENCE);
            Self::read(directory).or_else(|_| Self::create(directory))
        })
    }

    fn create(directory: &TrustedDirectory) -> io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        atomic_file::write_at(directory.as_fd(), OsStr::new(KEY_FILE), &key, Mode::RUSR | Mode::WUSR)?;
        Ok(Self::with_key(key))
    }

    /// The tag of the entry `name` with this text.
    pub(super) fn tag(&self, name: &str, text: &str) -> String {
        self.mac(name, text).map_or_else(|| "-".to_owned(), |mac| hex::encode(mac.finalize().into_bytes()))
    }

    /// Whether `tag` is that of the entry `name` with this text.
    pub(super) fn is_tag(&self, name: &str, text: &str, tag: &str) -> bool {
        match self.mac(name, text) {
            None => true,
            Some(mac) => hex::decode(tag).is_ok_and(|tag| mac.verify_slice(&tag).is_ok()),
        }
    }

    fn mac(&self, name: &str, text: &str) -> Option<Hmac<Sha256>> {
        match self {
            Self::None => None,
            // A name contains no NUL, so this shows where it ends.
            Self::Key(mac) => Some(Hmac::clone(mac).chain_update(name).chain_update([0]).chain_update(text)),
        }
    }
}
