use crate::decrypt::Decryption;
use crate::encrypt::Encryption;
use crate::keys::Settings;

/// A fresh pair of recipient and identity.
fn settings() -> Settings {
    let identity = age::x25519::Identity::generate();
    let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
    Settings { recipient: Some(identity.to_public().to_string()), identity: Some(secret), passphrase: None }
}

fn encrypt(settings: &Settings, chunks: &[&str]) -> Result<String, String> {
    let mut encryption = Encryption::new(settings)?;
    let mut output = String::new();
    for chunk in chunks {
        output += &encryption.update(chunk)?;
    }
    Ok(output + &encryption.finish()?)
}

fn decrypt(settings: &Settings, chunks: &[&str]) -> Result<String, String> {
    let mut decryption = Decryption::new(settings)?;
    let mut output = String::new();
    for chunk in chunks {
        output += &decryption.update(chunk)?;
    }
    Ok(output + &decryption.finish()?)
}

fn halves(text: &str, at: usize) -> [&str; 2] {
    [&text[..at], &text[at..]]
}

#[test]
fn decrypts_with_any_chunks() {
    let settings = settings();
    let text = "Größe, 日本 🎉\n".repeat(20_000);
    let secret = encrypt(&settings, &[&text]).unwrap();
    assert_eq!(decrypt(&settings, &[&secret]).unwrap(), text);
    for at in (0..200).chain([1000, secret.len() / 2, secret.len() - 1, secret.len()]) {
        assert_eq!(decrypt(&settings, &halves(&secret, at)).unwrap(), text, "cut at {at}");
    }
    let drops: Vec<&str> = secret.split_inclusive(|c: char| c == 'A').collect();
    assert_eq!(decrypt(&settings, &drops).unwrap(), text);
}

#[test]
fn keeps_empty_messages() {
    let settings = settings();
    let secret = encrypt(&settings, &[]).unwrap();
    assert_eq!(decrypt(&settings, &[&secret]).unwrap(), "");
    assert_eq!(decrypt(&settings, &["\n \n", &secret]).unwrap(), "");
}

#[test]
fn refuses_truncated_messages() {
    let settings = settings();
    let secret = encrypt(&settings, &[&"x".repeat(100_000)]).unwrap();
    for length in [0, 1, 34, 35, 36, 100, 1000, secret.len() / 2, secret.len() - 40, secret.len() - 2] {
        assert!(decrypt(&settings, &[&secret[..length]]).is_err(), "{length}");
    }
}

#[test]
fn refuses_altered_messages() {
    let settings = settings();
    let text = "attack at dawn";
    let secret = encrypt(&settings, &[text]).unwrap();
    for at in 0..secret.len() {
        let mut altered = secret.clone().into_bytes();
        altered[at] = if altered[at] == b'B' { b'C' } else { b'B' };
        let altered = String::from_utf8(altered).unwrap();
        // A character of the armor that carries no bits may change.
        if let Ok(result) = decrypt(&settings, &[&altered]) {
            assert_eq!(result, text, "{at}");
        }
    }
}

#[test]
fn refuses_other_identities() {
    let secret = encrypt(&settings(), &["text"]).unwrap();
    assert!(decrypt(&settings(), &[&secret]).unwrap_err().starts_with("AGE_IDENTITY "));
}

#[test]
fn names_missing_settings() {
    let none = Settings::default();
    assert!(encrypt(&none, &["x"]).unwrap_err().starts_with("AGE_RECIPIENT "));
    assert!(decrypt(&none, &["x"]).unwrap_err().starts_with("AGE_IDENTITY "));
}

#[test]
fn never_echoes_an_invalid_identity() {
    let canary = "AGE-SECRET-KEY-1CANARY";
    let settings = Settings { identity: Some(canary.to_owned()), ..Settings::default() };
    let reason = decrypt(&settings, &["x"]).unwrap_err();
    assert!(reason.starts_with("AGE_IDENTITY ") && !reason.contains("CANARY"), "{reason}");
}

#[test]
fn decrypts_with_the_passphrase_alone() {
    let settings = Settings { passphrase: Some("correct horse".to_owned()), ..Settings::default() };
    let secret = encrypt(&settings, &["text"]).unwrap();
    assert_eq!(decrypt(&settings, &[&secret]).unwrap(), "text");
    let wrong = Settings { passphrase: Some("battery staple".to_owned()), ..Settings::default() };
    assert!(decrypt(&wrong, &[&secret]).unwrap_err().starts_with("AGE_"));
}
