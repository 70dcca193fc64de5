//! The session ID: a v4 UUID from the operating system's generator.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::LazyLock;

use cloakroom_storage::platform::RandomState;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};

/// A session's ID: 122 random bits as a v4 UUID, which is what Astro accepts in its cookie.
///
/// `Display` gives the ID itself, for a cookie. `Debug` gives a salted hash that is the same within one
/// process: an ID is a credential and has no place in a log.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(Uuid);

impl SessionId {
    /// A new random ID.
    pub(crate) fn random() -> SessionId {
        #[cfg(all(feature = "simulation", not(target_family = "wasm")))]
        if let Some(bytes) = cloakroom_storage::platform::simulated_bytes() {
            return SessionId(uuid::Builder::from_random_bytes(bytes).into_uuid());
        }
        SessionId(Uuid::new_v4())
    }

    /// Reads an ID as a client may present it.
    ///
    /// Strict as Astro is: 36 characters, hyphens in place, version 4, the RFC 9562 variant. Anything else is
    /// `None`, and so never reaches a driver. Upper case is accepted and means the same ID.
    ///
    /// DIFFERENCE: Astro looks an ID in upper case up as it stands, which most stores take for another key. An
    /// ID is a number, so here it is the same in either case.
    pub fn parse(text: &str) -> Option<SessionId> {
        // `Uuid` also reads braces, URNs and bare hexadecimal, none of which Astro accepts.
        if text.len() != 36 {
            return None;
        }
        let uuid = Uuid::try_parse(text).ok()?;
        let valid = uuid.get_version_num() == 4 && uuid.get_variant() == uuid::Variant::RFC4122;
        valid.then_some(SessionId(uuid))
    }

    /// Some of the random bits, for jitter.
    pub(crate) fn random_bits(&self) -> u64 {
        self.0.as_u64_pair().1
    }

    /// Calls `with` with the ID's 36 characters, without allocating.
    pub(crate) fn with_str<T>(&self, with: impl FnOnce(&str) -> T) -> T {
        with(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SessionId({})", SessionHash::of(self.0))
    }
}

/// What stands for a session's ID where that would be a credential: in an [`Event`](crate::Event), in a log.
///
/// A salted hash, the same within one process. `Debug` of a [`SessionId`] shows it too, except where the store is given hashes
/// of the IDs (`hashIds`): there a session that is listed has no ID, and this is a hash of what it has instead.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionHash(u64);

impl SessionHash {
    /// Of whatever a session is known by.
    pub(crate) fn of(known_by: impl Hash) -> SessionHash {
        static SALT: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        SessionHash(SALT.hash_one(known_by))
    }
}

impl From<SessionId> for SessionHash {
    fn from(id: SessionId) -> SessionHash {
        SessionHash::of(id.0)
    }
}

impl fmt::Display for SessionHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{:016x}", self.0)
    }
}

impl fmt::Debug for SessionHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SessionHash({self})")
    }
}

/// What stands for something in a handle: the first bytes of a hash of what it is called, which show nothing of that. `kind`
/// tells handles of different things apart.
pub(crate) fn handle_of(kind: &str, name: &str) -> u64 {
    let digest = Sha256::new().chain_update(kind).chain_update(name).finalize();
    digest.iter().take(8).fold(0, |handle, byte| handle << 8 | u64::from(*byte))
}

/// Reads a handle as it is shown: 16 hexadecimal digits.
pub(crate) fn parse_handle(text: &str) -> Result<u64> {
    let is_one = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(text, 16).ok().filter(|_| is_one).ok_or_else(|| {
        let message = "the text is not a session's handle: it must be 16 hexadecimal digits, as a list shows it";
        Error::new(ErrorKind::InvalidId, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_version_4_uuid_in_its_36_character_form_is_an_id() {
        let valid =
            ["0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11", "0E7D2A53-6D0F-4A52-BD0E-2F8A4F1F6B11"];
        for text in valid {
            assert!(SessionId::parse(text).is_some(), "{text}");
        }
        let invalid = [
            "",
            "deleted",
            "../../etc/passwd",
            "0e7d2a53-6d0f-1a52-9d0e-2f8a4f1f6b11",
            "0e7d2a53-6d0f-4a52-7d0e-2f8a4f1f6b11",
            "0e7d2a53-6d0f-4a52-cd0e-2f8a4f1f6b11",
            "0e7d2a536d0f4a529d0e2f8a4f1f6b11",
            "{0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11}",
            "urn:uuid:0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11",
            " 0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11",
            "\"0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b1\"",
        ];
        for text in invalid {
            assert_eq!(SessionId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_id_in_upper_case_is_the_same_id() {
        let lower = SessionId::parse("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11");
        assert_eq!(lower, SessionId::parse("0E7D2A53-6D0F-4A52-9D0E-2F8A4F1F6B11"));
    }

    #[test]
    fn debug_does_not_show_the_id() {
        let id = SessionId::random();
        assert!(!format!("{id:?}").contains(&id.to_string()[..8]));
    }

    #[test]
    fn a_random_id_is_accepted_when_it_comes_back() {
        let id = SessionId::random();
        assert_eq!(SessionId::parse(&id.to_string()), Some(id));
    }
}
