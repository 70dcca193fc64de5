//! The format of a sealed value, which `docs/at-rest.md` in the repository writes down for others.
//!
//! `sealed.1.KEYIDKEY.BODY`: the version, the name of the key, and base64url of the nonce, the ciphertext and its tag. What
//! stands before the body is authenticated with the item's key. It is text because not all that reads a store has bytes:
//! JavaScript's unstorage reads texts, and many stores have no other values.
//!
//! The cipher is AES-256-GCM-SIV (RFC 8452) with a random nonce. A nonce that came twice would show no more than that two
//! values are the same, so nobody has to count them; and it takes a quarter of the time of XChaCha20-Poly1305.

use std::fmt;

use aes_gcm_siv::Tag;
use aes_gcm_siv::aead::AeadInOut as _;
use base64_simd::{AsOut as _, URL_SAFE_NO_PAD};
use bytes::Bytes;

use super::key::EncryptionKey;
use crate::ItemKey;

/// What every sealed value begins with, and no record of a session.
const MARK: &[u8] = b"sealed.";
/// The version of the format, and what ends it.
const VERSION: &[u8] = b"1.";
/// The letters of a key's name.
const KEY_ID: usize = 8;
/// What stands before the body.
const HEADER: usize = MARK.len() + VERSION.len() + KEY_ID + 1;

pub(super) const NONCE: usize = 12;
const TAG: usize = 16;

/// Why a value does not open. It shows neither the value nor a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unopened {
    /// It is not sealed.
    Plain,
    /// It is sealed in a format of a later version.
    OtherVersion,
    /// What it is sealed with is not there.
    NoKey { needed: String, there: String },
    /// It is not what was sealed under this key.
    Changed,
}

impl fmt::Display for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unopened::Plain => f.write_str(
                "it is not sealed, and plain values are not accepted (see `accept_plain`)",
            ),
            Unopened::OtherVersion => {
                f.write_str("it is sealed in a format that this version does not know")
            }
            Unopened::NoKey { needed, there } => write!(
                f,
                "it is sealed with the key {needed}, which is not among the keys that there are ({there}); where no item \
                 opens, these are the wrong keys"
            ),
            Unopened::Changed => f.write_str(
                "it does not open: it was changed, or sealed for another item, since its key is there",
            ),
        }
    }
}

/// Whether it was meant to be a sealed value.
pub(super) fn is_sealed(value: &[u8]) -> bool {
    value.starts_with(MARK)
}

/// Whether it says that it is sealed with this key.
pub(super) fn is_sealed_with(value: &[u8], key: &EncryptionKey) -> bool {
    let rest = value.strip_prefix(MARK).and_then(|rest| rest.strip_prefix(VERSION));
    rest.and_then(|rest| rest.get(..KEY_ID)) == Some(key.id().as_bytes())
}

/// How long a value may be that is to fit into so many bytes when it is sealed.
pub(super) fn longest_plain(sealed: usize) -> usize {
    let body = sealed.saturating_sub(HEADER);
    (body / 4 * 3 + body % 4 * 3 / 4).saturating_sub(NONCE + TAG)
}

/// `None` where it is longer than any value can be.
pub(super) fn seal(
    with: &EncryptionKey,
    key: &ItemKey,
    nonce: &[u8; NONCE],
    plain: &[u8],
) -> Option<Bytes> {
    let header = [MARK, VERSION, with.id().as_bytes(), b"."].concat();
    let mut body = Vec::with_capacity(NONCE + plain.len() + TAG);
    body.extend_from_slice(nonce);
    body.extend_from_slice(plain);
    let tag = with
        .cipher()
        .encrypt_inout_detached(nonce.into(), &bound(&header, key), (&mut body[NONCE..]).into())
        .ok()?;
    body.extend_from_slice(&tag);

    let mut sealed = vec![0; HEADER + URL_SAFE_NO_PAD.encoded_length(body.len())];
    let (before, after) = sealed.split_at_mut(HEADER);
    before.copy_from_slice(&header);
    _ = URL_SAFE_NO_PAD.encode(&body, after.as_out());
    Some(sealed.into())
}

/// `find` gives the key of a name.
pub(super) fn open<'a>(
    sealed: &[u8],
    key: &ItemKey,
    find: impl FnOnce(&str) -> Result<&'a EncryptionKey, Unopened>,
) -> Result<Bytes, Unopened> {
    let rest = sealed.strip_prefix(MARK).ok_or(Unopened::Plain)?;
    let rest = rest.strip_prefix(VERSION).ok_or(Unopened::OtherVersion)?;
    let (id, rest) = rest.split_at_checked(KEY_ID).ok_or(Unopened::Changed)?;
    let body = rest.strip_prefix(b".").ok_or(Unopened::Changed)?;
    // What is no name is not shown as one.
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let id = std::str::from_utf8(id).ok().filter(|id| id.as_bytes().iter().all(is_letter));
    let with = find(id.ok_or(Unopened::Changed)?)?;

    let mut body = URL_SAFE_NO_PAD.decode_to_vec(body).map_err(|_| Unopened::Changed)?;
    let (nonce, rest) = body.split_first_chunk_mut::<NONCE>().ok_or(Unopened::Changed)?;
    let (text, tag) = rest.split_last_chunk_mut::<TAG>().ok_or(Unopened::Changed)?;
    let (nonce, tag, end) = (&*nonce, Tag::from(*tag), NONCE + text.len());
    with.cipher()
        .decrypt_inout_detached(nonce.into(), &bound(&sealed[..HEADER], key), text.into(), &tag)
        .map_err(|_| Unopened::Changed)?;
    Ok(Bytes::from(body).slice(NONCE..end))
}

/// What a value is bound to, beside its key.
fn bound(header: &[u8], key: &ItemKey) -> Vec<u8> {
    [header, key.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    /// What was sealed by another implementation. It opens for ever, whatever becomes of the format.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Vector {
        name: String,
        key: String,
        key_id: String,
        store_key: String,
        nonce: String,
        plain: String,
        sealed: String,
    }

    impl Vector {
        fn all() -> Vec<Vector> {
            serde_json::from_str(include_str!("../../tests/data/sealed.json")).unwrap()
        }

        fn key(&self) -> EncryptionKey {
            self.key.parse().unwrap()
        }

        fn store_key(&self) -> ItemKey {
            ItemKey::new(&self.store_key).unwrap()
        }

        fn nonce(&self) -> [u8; NONCE] {
            std::array::from_fn(|at| u8::from_str_radix(&self.nonce[2 * at..][..2], 16).unwrap())
        }
    }

    fn opened(sealed: &[u8], under: &ItemKey, with: &EncryptionKey) -> Result<Bytes, Unopened> {
        open(sealed, under, |id| {
            let missing = Unopened::NoKey { needed: id.to_owned(), there: String::new() };
            if id == with.id() { Ok(with) } else { Err(missing) }
        })
    }

    #[test]
    fn vectors_are_sealed_and_opened_as_they_were() {
        for vector in Vector::all() {
            let (key, under) = (vector.key(), vector.store_key());
            assert_eq!(key.id(), vector.key_id, "{}", vector.name);
            let sealed = seal(&key, &under, &vector.nonce(), vector.plain.as_bytes()).unwrap();
            assert_eq!(sealed, vector.sealed, "{}", vector.name);
            let plain = opened(vector.sealed.as_bytes(), &under, &key).unwrap();
            assert_eq!(plain, vector.plain, "{}", vector.name);
        }
    }

    #[test]
    fn not_a_bit_of_it_can_be_changed() {
        for vector in Vector::all() {
            let (key, under) = (vector.key(), vector.store_key());
            let sealed = vector.sealed.as_bytes();
            for at in 0..sealed.len() {
                for bit in 0..8 {
                    let mut changed = sealed.to_owned();
                    changed[at] ^= 1 << bit;
                    let refused = opened(&changed, &under, &key).expect_err(&vector.name);
                    let expected = match at {
                        ..7 => matches!(refused, Unopened::Plain),
                        7..9 => refused == Unopened::OtherVersion,
                        9..17 => matches!(refused, Unopened::NoKey { .. } | Unopened::Changed),
                        _ => refused == Unopened::Changed,
                    };
                    assert!(expected, "{at}: {refused:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_can_be_taken_off_or_put_on() {
        let vector = &Vector::all()[0];
        let (key, under) = (vector.key(), vector.store_key());
        for length in 0..vector.sealed.len() {
            assert!(opened(&vector.sealed.as_bytes()[..length], &under, &key).is_err(), "{length}");
        }
        for more in ["A", "AA", "AAA", "AAAA", "=", "==", "\n", "."] {
            let longer = format!("{}{more}", vector.sealed);
            let refused = opened(longer.as_bytes(), &under, &key);
            assert_eq!(refused, Err(Unopened::Changed), "{more:?}");
        }
    }

    #[test]
    fn under_another_key_it_does_not_open() {
        let vectors = Vector::all();
        let (one, other) = (&vectors[0], &vectors[1]);
        assert_eq!((&one.plain, &one.nonce), (&other.plain, &other.nonce));
        let moved = opened(one.sealed.as_bytes(), &other.store_key(), &one.key());
        assert_eq!(moved, Err(Unopened::Changed));
    }

    #[test]
    fn what_fits_when_it_is_sealed_is_known_before() {
        let (key, under) = (EncryptionKey::new([7; 32]), ItemKey::new("key").unwrap());
        for length in (0..200).chain([65_535, 65_536]) {
            let sealed = seal(&key, &under, &[0; NONCE], &vec![0; length]).unwrap().len();
            assert_eq!(longest_plain(sealed), length);
            assert!(longest_plain(sealed - 1) < length || length == 0);
        }
        assert_eq!(longest_plain(0), 0);
    }
}
