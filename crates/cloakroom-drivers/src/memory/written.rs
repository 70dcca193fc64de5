//! An item as it was written, in one piece of memory.

use std::iter::repeat_n;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use cloakroom_storage::{ItemKey, Result};

/// Its key, its value and what never changes of it, side by side: who has compared the key has the value in the processor's
/// cache, or soon. Readers share it.
///
/// First the numbers below, then the key and the value, then what makes it a multiple of [`LINE`].
#[derive(Clone)]
pub(super) struct Written(Arc<[u8]>);

const HASH: Range<usize> = 0..8;
const VERSION: Range<usize> = 8..16;
/// At most [`ItemKey::MAX_LENGTH`].
const KEY_LENGTH: Range<usize> = 16..18;
/// Less than [`LINE`].
const PADDING: usize = 18;
const KEY: usize = 19;

/// Of a few lengths instead of many, so that what was written over is often as long as what is written next.
const LINE: usize = 64;

impl Written {
    /// In the place of `spare`, if that is as long and nobody reads it: no memory is asked for then.
    pub(super) fn new(
        hash: u64,
        key: &ItemKey,
        version: u64,
        value: &[u8],
        spare: Option<Written>,
    ) -> Written {
        let key = key.as_str().as_bytes();
        let length = KEY + key.len() + value.len();
        let padded = length.next_multiple_of(LINE);
        let spare = spare.map(|Written(bytes)| bytes);
        let spare = spare.filter(|bytes| bytes.len() == padded && Arc::strong_count(bytes) == 1);
        let mut bytes = spare.unwrap_or_else(|| repeat_n(0, padded).collect());
        // Nobody else has it.
        if let Some(bytes) = Arc::get_mut(&mut bytes) {
            bytes[HASH].copy_from_slice(&hash.to_ne_bytes());
            bytes[VERSION].copy_from_slice(&version.to_ne_bytes());
            bytes[KEY_LENGTH].copy_from_slice(&(key.len() as u16).to_ne_bytes());
            bytes[PADDING] = (padded - length) as u8;
            bytes[KEY..][..key.len()].copy_from_slice(key);
            bytes[KEY + key.len()..length].copy_from_slice(value);
        }
        Written(bytes)
    }

    /// How much memory it takes, in bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_of(&self, key: &ItemKey) -> bool {
        let key = key.as_str().as_bytes();
        self.0[KEY_LENGTH] == (key.len() as u16).to_ne_bytes() && self.0[KEY..].starts_with(key)
    }

    pub(super) fn hash(&self) -> u64 {
        self.number(HASH)
    }

    pub(super) fn version(&self) -> u64 {
        self.number(VERSION)
    }

    /// Whether the key begins like this.
    pub(super) fn has_prefix(&self, prefix: &str) -> bool {
        self.0[KEY..self.value().start].starts_with(prefix.as_bytes())
    }

    /// The key, once more.
    pub(super) fn key(&self) -> Result<ItemKey> {
        ItemKey::new(&String::from_utf8_lossy(&self.0[KEY..self.value().start]))
    }

    /// The value, without a copy of it.
    pub(super) fn into_value(self) -> Bytes {
        let place = self.value();
        Bytes::from_owner(Value { written: self, place })
    }

    /// Where the value is.
    fn value(&self) -> Range<usize> {
        let key_length = self.0[KEY_LENGTH].first_chunk().map_or(0, |it| u16::from_ne_bytes(*it));
        KEY + usize::from(key_length)..self.0.len() - usize::from(self.0[PADDING])
    }

    fn number(&self, place: Range<usize>) -> u64 {
        self.0[place].first_chunk().map_or(0, |bytes| u64::from_ne_bytes(*bytes))
    }
}

/// What a value is read from.
struct Value {
    written: Written,
    place: Range<usize>,
}

impl AsRef<[u8]> for Value {
    fn as_ref(&self) -> &[u8] {
        &self.written.0[self.place.clone()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_of_its_key_alone() {
        let written = Written::new(7, &key("ab"), 8, b"cd", None);
        assert!(written.is_of(&key("ab")));
        for other in ["a", "abc", "abcd", "ac"] {
            assert!(!written.is_of(&key(other)), "{other}");
        }
    }

    #[test]
    fn what_was_written_is_read_whatever_its_length() {
        let longest = "x".repeat(ItemKey::MAX_LENGTH);
        for (text, length) in [("a", 0), ("a", 43), ("a", 44), ("a", 45), (&*longest, 1000)] {
            let value = vec![b'v'; length];
            let written = Written::new(u64::MAX - 1, &key(text), u64::MAX, &value, None);
            assert_eq!((written.hash(), written.version()), (u64::MAX - 1, u64::MAX));
            assert_eq!(written.key().expect("valid"), key(text));
            assert_eq!(written.into_value(), value);
        }
    }

    #[test]
    fn a_spare_one_is_written_over_unless_somebody_reads_it() {
        let write =
            |value: &'static str, spare| Written::new(1, &key("a"), 2, value.as_bytes(), spare);
        let first = write("first", None);
        let place = Arc::as_ptr(&first.0);
        let second = write("second", Some(first));
        assert_eq!(Arc::as_ptr(&second.0), place);
        let read = second.clone().into_value();
        let third = write("third", Some(second));
        assert_ne!(Arc::as_ptr(&third.0), place);
        assert_eq!(read, "second");
        assert_eq!(third.into_value(), "third");
    }

    fn key(text: &str) -> ItemKey {
        ItemKey::new(text).expect("valid")
    }
}
