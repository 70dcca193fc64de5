//! A key, and what it is called.

use std::fmt;
use std::str::FromStr;

use aes_gcm_siv::Aes256GcmSiv;
use base64_simd::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Result};

/// The bytes of a key.
const LENGTH: usize = 32;

/// What the name of a key is a hash of, with the key.
const NAMED_BY: &[u8] = b"cloakroom key id";

/// The bytes of a name, which are eight letters.
const NAME: usize = 6;

/// A key of 32 random bytes that values are sealed with. It is overwritten in memory when it is dropped.
///
/// Its [`id`](EncryptionKey::id) stands beside all that it has sealed, and is all that `Debug` shows.
///
/// ```
/// use cloakroom_storage::EncryptionKey;
///
/// let key: EncryptionKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse()?;
/// let same: EncryptionKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f".parse()?;
/// assert_eq!(key, same);
/// assert!("too short".parse::<EncryptionKey>().is_err());
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
#[derive(Clone)]
pub struct EncryptionKey {
    bytes: Zeroizing<[u8; LENGTH]>,
    id: String,
    /// Made once, and not for each value.
    cipher: Aes256GcmSiv,
}

impl PartialEq for EncryptionKey {
    fn eq(&self, other: &EncryptionKey) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for EncryptionKey {}

impl EncryptionKey {
    /// The key of these bytes, which have to be random.
    pub fn new(bytes: [u8; LENGTH]) -> EncryptionKey {
        EncryptionKey::from(Zeroizing::new(bytes))
    }

    /// What it is called: eight letters of base64url, of the first bytes of an HMAC under the key. They are no secret: who
    /// has them knows of two values whether they were sealed with the same key, and of the key nothing.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn cipher(&self) -> &Aes256GcmSiv {
        &self.cipher
    }
}

impl From<Zeroizing<[u8; LENGTH]>> for EncryptionKey {
    fn from(bytes: Zeroizing<[u8; LENGTH]>) -> EncryptionKey {
        // HMAC fills a key up to its block with zeros.
        let mut block = Zeroizing::new([0; 64]);
        block[..LENGTH].copy_from_slice(bytes.as_slice());
        let mac = Hmac::<Sha256>::new((&*block).into());
        let name = mac.chain_update(NAMED_BY).finalize().into_bytes();
        let id = URL_SAFE_NO_PAD.encode_to_string(&name[..NAME]);
        let cipher = Aes256GcmSiv::new((&*bytes).into());
        EncryptionKey { bytes, id, cipher }
    }
}

/// 64 hexadecimal digits, or base64 of either alphabet, with or without its `=`.
impl FromStr for EncryptionKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<EncryptionKey> {
        let text = text.trim();
        // A key of base64 has 43 or 44 letters.
        let is_hexadecimal = text.len().is_multiple_of(2)
            && text.len() != 44
            && text.bytes().all(|it| it.is_ascii_hexdigit());
        let decoded = if is_hexadecimal { hexadecimal(text) } else { base64(text) };
        let decoded = decoded.ok_or_else(|| refused("is neither base64 nor hexadecimal"))?;
        let mut bytes = Zeroizing::new([0; LENGTH]);
        if decoded.len() != LENGTH {
            return Err(refused(&format!("has {} bytes", decoded.len())));
        }
        bytes.copy_from_slice(&decoded);
        Ok(EncryptionKey::from(bytes))
    }
}

fn hexadecimal(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digits =
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok());
    // Of its length at once, so that no part is left where it grew.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
    for byte in digits {
        bytes.push(byte?);
    }
    Some(bytes)
}

fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let alphabet = if text.contains(['-', '_']) { URL_SAFE_NO_PAD } else { STANDARD_NO_PAD };
    alphabet.decode_to_vec(text.trim_end_matches('=')).ok().map(Zeroizing::new)
}

fn refused(what: &str) -> Error {
    let message = format!(
        "a key {what}: it must be 32 bytes, as 64 hexadecimal digits or 43 letters of base64"
    );
    Error::new(ErrorKind::InvalidOptions, message)
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptionKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEXADECIMAL: &str = "f8f9fafbfcfdfeff000102030405060708090a0b0c0d0e0f1011121314151617";

    fn refusal(text: &str) -> String {
        let error = text.parse::<EncryptionKey>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
        format!("{error} {error:?}")
    }

    #[test]
    fn a_key_is_the_same_however_it_is_written() {
        let key: EncryptionKey = HEXADECIMAL.parse().unwrap();
        for text in [
            HEXADECIMAL.to_uppercase().as_str(),
            "+Pn6+/z9/v8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhc=",
            "+Pn6+/z9/v8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhc",
            "-Pn6-_z9_v8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhc",
            " -Pn6-_z9_v8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhc=\n",
        ] {
            assert_eq!(text.parse::<EncryptionKey>().unwrap(), key, "{text}");
        }
    }

    #[test]
    fn a_key_that_is_none_is_refused_and_not_shown() {
        assert!(refusal(&HEXADECIMAL[2..]).contains("a key has 31 bytes: it must be 32"));
        assert!(refusal("c2VjcmV0").contains("a key has 6 bytes"));
        assert!(refusal("").contains("a key has 0 bytes"));
        assert!(refusal(&HEXADECIMAL[1..]).contains("neither"));
        for text in ["my secret!", &format!("{HEXADECIMAL}!"), "\u{e9}\u{e9}"] {
            let refusal = refusal(text);
            assert!(refusal.contains("neither base64 nor hexadecimal"), "{refusal}");
            assert!(!refusal.contains(text), "{refusal}");
        }
    }

    #[test]
    fn debug_shows_the_name_alone() {
        let key: EncryptionKey = HEXADECIMAL.parse().unwrap();
        assert_eq!(format!("{key:?}"), format!("EncryptionKey({})", key.id()));
        assert_eq!(key.id().len(), 8);
    }
}
