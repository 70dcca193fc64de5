//! Keys, normalised as unstorage normalises them.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use crate::platform::RandomState;
use crate::{Error, ErrorKind, Result};

/// A normalised key: segments joined by `:`.
///
/// Normalised as unstorage 1.17 does: cut at the first `?`, `/` and `\` become `:`, runs of `:` collapse, and
/// outer ones go. Beyond unstorage, what no store holds safely is refused: a key that is empty then, a
/// segment that is `.` or `..`, control characters, and more than [`ItemKey::MAX_LENGTH`] bytes.
///
/// A key may be a session's ID, which is a secret. So `Debug` and every [`Error`] show a [`KeyHash`] only.
///
/// ```
/// use cloakroom_storage::ItemKey;
///
/// let key = ItemKey::new("/carts//42:?verbose")?;
/// assert_eq!(key.as_str(), "carts:42");
/// assert_eq!(key.with_base("sess")?.as_str(), "sess:carts:42");
/// assert!(ItemKey::new("../etc/passwd").is_err());
/// assert!(!format!("{key:?}").contains("42:"));
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemKey(Arc<str>);

impl ItemKey {
    /// The longest key in bytes: what S3 and Azure's blobs accept.
    pub const MAX_LENGTH: usize = 1024;

    /// Normalises `raw`.
    ///
    /// # Errors
    /// With [`ErrorKind::InvalidKey`] when nothing is left of it, or when it holds a `.` or `..` segment or a
    /// control character, or is too long.
    pub fn new(raw: &str) -> Result<ItemKey> {
        if is_normal(raw) {
            return Ok(ItemKey(raw.into()));
        }
        let raw = raw.split('?').next().unwrap_or_default();
        if raw.chars().any(char::is_control) {
            return Err(invalid("it holds a control character"));
        }
        let mut normalised = String::with_capacity(raw.len());
        for segment in raw.split([':', '/', '\\']).filter(|segment| !segment.is_empty()) {
            if matches!(segment, "." | "..") {
                return Err(invalid("it has a `.` or `..` segment, which would leave its place"));
            }
            if !normalised.is_empty() {
                normalised.push(':');
            }
            normalised.push_str(segment);
        }
        if normalised.is_empty() {
            return Err(invalid("it is empty"));
        }
        if normalised.len() > ItemKey::MAX_LENGTH {
            return Err(invalid("it is longer than 1024 bytes"));
        }
        Ok(ItemKey(normalised.into()))
    }

    /// The normalised key itself. Keep it out of logs.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between the `:`.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split(':')
    }

    /// This key below `base`, as a driver's `base` option places it. An empty base changes nothing.
    ///
    /// # Errors
    /// As [`ItemKey::new`].
    pub fn with_base(&self, base: &str) -> Result<ItemKey> {
        let base = base.split('?').next().unwrap_or_default();
        if base.is_empty() {
            Ok(self.clone())
        } else {
            ItemKey::new(&format!("{base}:{self}", self = self.0))
        }
    }

    /// A stand-in for the key in logs and errors.
    pub fn hash(&self) -> KeyHash {
        static SALT: OnceLock<RandomState> = OnceLock::new();
        KeyHash(SALT.get_or_init(RandomState::new).hash_one(&self.0))
    }
}

impl fmt::Debug for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemKey({})", self.hash())
    }
}

/// A hash of a key with a salt that lives as long as the process.
///
/// Equal keys have equal hashes within one run, so that the lines of a log can be brought together, and the
/// key cannot be found from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(u64);

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:016x}", self.0)
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({self})")
    }
}

/// Whether it is a single segment of letters, digits and dashes, as a session's ID is, and so its own normal form.
fn is_normal(raw: &str) -> bool {
    // To the end in any case, which takes many bytes at once.
    let is_plain = raw
        .bytes()
        .fold(true, |is_plain, byte| is_plain & (byte.is_ascii_alphanumeric() | (byte == b'-')));
    is_plain && (1..=ItemKey::MAX_LENGTH).contains(&raw.len())
}

fn invalid(reason: &str) -> Error {
    Error::new(ErrorKind::InvalidKey, format!("this cannot be a key: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_normalised_as_unstorage_does() {
        // Each pair as unstorage 1.17.6's `normalizeKey` gives it.
        for (raw, normalised) in [
            ("foo", "foo"),
            ("0e7d2a53-6D0F-4a52-9d0e-2f8a4f1f6b11", "0e7d2a53-6D0F-4a52-9d0e-2f8a4f1f6b11"),
            ("foo-bar:", "foo-bar"),
            ("foo/bar", "foo:bar"),
            ("foo\\bar", "foo:bar"),
            ("foo//bar:::baz", "foo:bar:baz"),
            (":foo:", "foo"),
            ("/foo/", "foo"),
            ("foo?bar?baz", "foo"),
            ("foo:?a=b", "foo"),
            ("a.b", "a.b"),
            (".hidden", ".hidden"),
            ("grüße", "grüße"),
        ] {
            assert_eq!(ItemKey::new(raw).expect(raw).as_str(), normalised, "{raw}");
        }
    }

    #[test]
    fn what_no_store_holds_safely_is_refused() {
        let long = "x".repeat(ItemKey::MAX_LENGTH + 1);
        for raw in [
            "",
            ":",
            "///",
            "?",
            "..",
            ".",
            "a/../b",
            "a:..",
            "..\\..\\x",
            "nul\0",
            "line\n",
            &long,
        ] {
            let error = ItemKey::new(raw).expect_err(raw);
            assert_eq!(error.kind(), ErrorKind::InvalidKey, "{raw:?}");
        }
        assert!(ItemKey::new(&long[1..]).is_ok());
    }

    #[test]
    fn a_base_is_put_before_and_normalised_too() {
        let key = ItemKey::new("id").expect("valid");
        assert_eq!(key.with_base("").expect("valid").as_str(), "id");
        assert_eq!(key.with_base("/a//b/").expect("valid").as_str(), "a:b:id");
        assert!(key.with_base("..").is_err());
    }

    #[test]
    fn neither_debug_nor_errors_show_the_key() {
        let secret = "6f1de3d4-2c0c-4c3f-9d0e-0f6c5a1b2c3d";
        let key = ItemKey::new(secret).expect("valid");
        let error = Error::new(ErrorKind::Other, "it broke").with_key(&key);
        for shown in [format!("{key:?}"), format!("{error}"), format!("{error:?}")] {
            assert!(!shown.contains(&secret[..8]), "{shown}");
            assert!(shown.contains(&key.hash().to_string()), "{shown}");
        }
        let refused = ItemKey::new(&format!("{secret}/..")).expect_err("dot segment");
        assert!(!format!("{refused:?} {refused}").contains(&secret[..8]));
    }
}
