//! Versions of stores whose own token changes more often than the bytes do.

use bytes::{BufMut as _, Bytes, BytesMut};
use sha2::{Digest as _, Sha256};

use cloakroom_storage::Version;

const DIGEST: usize = 32;

/// A version that is the store's token, such as an ETag, and a digest of the bytes.
///
/// In many stores moving a deadline is a write like any other, and gives an item another token. A caller's version must
/// outlive that. So a driver writes on the token; where the store refuses, it reads the token again, and goes on as long
/// as the bytes are [still the same](Tagged::is_of).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tagged<'a> {
    token: &'a str,
    digest: &'a [u8],
}

impl<'a> Tagged<'a> {
    /// The version of these bytes at this token.
    pub(crate) fn version(token: &str, value: &[u8]) -> Version {
        let mut bytes = BytesMut::with_capacity(DIGEST + token.len());
        bytes.put_slice(&Sha256::digest(value));
        bytes.put_slice(token.as_bytes());
        bytes.freeze().into()
    }

    /// Takes a version apart; `None` if it was not made here.
    pub(crate) fn of(version: &'a Version) -> Option<Tagged<'a>> {
        let (digest, token) =
            version.as_bytes().and_then(|bytes: &Bytes| bytes.split_at_checked(DIGEST))?;
        Some(Tagged { token: std::str::from_utf8(token).ok()?, digest })
    }

    /// The store's token.
    pub(crate) fn token(self) -> &'a str {
        self.token
    }

    /// Whether this is a version of these bytes.
    pub(crate) fn is_of(self, value: &[u8]) -> bool {
        self.digest == Sha256::digest(value).as_slice()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_gives_back_its_token_and_knows_its_bytes() {
        let version = Tagged::version("\"etag\"", b"value");
        let tagged = Tagged::of(&version).expect("it was made here");
        assert_eq!(tagged.token(), "\"etag\"");
        assert!(tagged.is_of(b"value") && !tagged.is_of(b"other"));
    }

    #[test]
    fn a_version_from_elsewhere_is_none() {
        assert_eq!(Tagged::of(&Version::from(7)), None);
        assert_eq!(Tagged::of(&Version::from(Bytes::from_static(b"short"))), None);
    }
}
