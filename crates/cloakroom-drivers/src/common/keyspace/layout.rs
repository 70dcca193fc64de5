//! Where unstorage's driver puts what.

use std::borrow::Cow;
use std::time::Duration;

use crate::common::base::base_of_unstorage;
use cloakroom_storage::ItemKey;

/// When an item expires, as Redis counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    Never,
    /// In milliseconds. None at all means that nothing stays.
    After(u64),
}

/// Redis refuses a deadline beyond what 64 bits of milliseconds since 1970 hold. This is half of it.
const LONGEST: u64 = 1 << 62;

impl Expiry {
    /// A part of a millisecond counts as a whole one.
    pub(crate) fn new(ttl: Option<Duration>) -> Expiry {
        let Some(ttl) = ttl else { return Expiry::Never };
        match u64::try_from(ttl.as_nanos().div_ceil(1_000_000)) {
            Ok(milliseconds) if milliseconds <= LONGEST => Expiry::After(milliseconds),
            _ => Expiry::Never,
        }
    }

    /// What `PTTL` answered: how long it still lives, or `None` for a key that is not there.
    pub(crate) fn told(milliseconds: i64) -> Option<Option<Duration>> {
        match milliseconds {
            -2 => None,
            _ => Some(u64::try_from(milliseconds).ok().map(Duration::from_millis)),
        }
    }
}

/// How an item's key becomes Redis's.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// ioredis's `keyPrefix`, unstorage's `base`, and a `:` after that.
    prefix: String,
}

impl Layout {
    pub(crate) fn new(key_prefix: &str, base: &str) -> Layout {
        let base = base_of_unstorage(base.strip_suffix(':').unwrap_or(base));
        let separator = if base.is_empty() { "" } else { ":" };
        Layout { prefix: format!("{key_prefix}{base}{separator}") }
    }

    /// The key as Redis has it.
    pub(crate) fn name<'a>(&self, key: &'a ItemKey) -> Cow<'a, str> {
        match self.prefix.as_str() {
            "" => Cow::Borrowed(key.as_str()),
            prefix => Cow::Owned([prefix, key.as_str()].concat()),
        }
    }

    /// The pattern of the keys that begin with `prefix`.
    pub(crate) fn pattern(&self, prefix: &str) -> String {
        let mut pattern = String::new();
        for letter in self.prefix.chars().chain(prefix.chars()) {
            if matches!(letter, '*' | '?' | '[' | ']' | '\\') {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        pattern.push('*');
        pattern
    }

    /// The item that a key of Redis's belongs to, if it is one.
    pub(crate) fn item(&self, key: &[u8]) -> Option<ItemKey> {
        let name = std::str::from_utf8(key).ok()?.strip_prefix(&self.prefix)?;
        // A name that unstorage would write otherwise cannot be asked for, so it is nobody's.
        ItemKey::new(name).ok().filter(|key| key.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(base: &str) -> Layout {
        Layout::new("", base)
    }

    #[test]
    fn a_base_is_normalised_as_unstorages_driver_does() {
        // Each as unstorage 1.17.6 made of the key `id`.
        for (base, key) in [
            ("", "id"),
            ("sess", "sess:id"),
            ("sess:", "sess:id"),
            ("a/b", "a:b:id"),
            ("/a/", "a:id"),
            ("a::b", "a::b:id"),
            ("a?b", "a?b:id"),
            (":", "id"),
            ("::", "id"),
        ] {
            assert_eq!(layout(base).name(&ItemKey::new("id").unwrap()), key, "{base:?}");
        }
        let prefixed = Layout::new("app-", "sess").name(&ItemKey::new("id").unwrap()).into_owned();
        assert_eq!(prefixed, "app-sess:id");
    }

    #[test]
    fn a_key_comes_back_from_redis() {
        let item = ItemKey::new("a:b c").unwrap();
        let layout = layout("sess");
        assert_eq!(layout.item(layout.name(&item).as_bytes()), Some(item));
        for foreign in [&b"other:a"[..], b"sess:", b"sess:a::b", b"sess:../x", b"sess:\xFF"] {
            assert_eq!(layout.item(foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn what_a_pattern_would_read_into_a_name_is_escaped() {
        assert_eq!(layout("s[1]").pattern("a*b?"), "s\\[1\\]:a\\*b\\?*");
        assert_eq!(layout("").pattern(""), "*");
    }

    #[test]
    fn time_is_counted_in_whole_milliseconds() {
        for (ttl, expiry) in [
            (None, Expiry::Never),
            (Some(Duration::ZERO), Expiry::After(0)),
            (Some(Duration::from_nanos(1)), Expiry::After(1)),
            (Some(Duration::from_micros(1_001)), Expiry::After(2)),
            (Some(Duration::from_secs(60)), Expiry::After(60_000)),
            (Some(Duration::MAX), Expiry::Never),
        ] {
            assert_eq!(Expiry::new(ttl), expiry, "{ttl:?}");
        }
    }
}
