//! Keys as Deno KV orders them: texts one after the other, as in FoundationDB's tuples.

use bytes::{BufMut as _, Bytes, BytesMut};

use cloakroom_storage::ItemKey;

const TEXT: u8 = 2;
const END: u8 = 0;
/// Makes a zero within a text of an [`END`].
const ESCAPE: u8 = 0xff;
/// Behind every key that begins with the same bytes.
const BEHIND: u8 = 0xff;

/// The last part of the key under which an item's deadline is. unstorage lists no key that ends so.
const DEADLINE: &str = "$";

/// The keys of one item.
#[derive(Clone, PartialEq)]
pub(super) struct Name {
    /// Of its value.
    pub(super) item: Bytes,
    /// Of its deadline.
    pub(super) deadline: Bytes,
}

/// Where a driver's items are.
#[derive(Clone)]
pub(super) struct Space {
    /// What their keys begin with.
    base: Bytes,
}

impl Space {
    /// The space below this base, a key of unstorage's.
    pub(super) fn new(base: Option<&ItemKey>) -> Space {
        let mut packed = BytesMut::new();
        base.into_iter().flat_map(ItemKey::segments).for_each(|part| pack(part, &mut packed));
        Space { base: packed.freeze() }
    }

    pub(super) fn name(&self, key: &ItemKey) -> Name {
        let mut packed = BytesMut::from(&*self.base);
        key.segments().for_each(|part| pack(part, &mut packed));
        Name::of(packed.freeze())
    }

    /// From where to where the keys are that begin with this text.
    pub(super) fn range(&self, prefix: &str) -> (Bytes, Bytes) {
        let mut start = BytesMut::from(&*self.base);
        let mut parts = prefix.split(':');
        let last = parts.next_back().unwrap_or_default();
        parts.for_each(|part| pack(part, &mut start));
        // A part that may go on.
        pack(last, &mut start);
        start.truncate(start.len() - 1);
        let mut end = start.clone();
        end.put_u8(BEHIND);
        (start.freeze(), end.freeze())
    }

    /// The key of an item; `None` for one that is no item's.
    pub(super) fn key(&self, packed: &[u8]) -> Option<ItemKey> {
        let mut rest = packed.strip_prefix(&*self.base)?;
        let mut parts = Vec::new();
        while let [TEXT, text @ ..] = rest {
            // No key of an item has a zero, so that nothing is escaped.
            let end = text.iter().position(|byte| *byte == END)?;
            parts.push(std::str::from_utf8(&text[..end]).ok()?);
            rest = &text[end + 1..];
        }
        let name = parts.join(":");
        let key = ItemKey::new(&name).ok().filter(|_| rest.is_empty())?;
        (key.as_str() == name && !is_deadline(&key)).then_some(key)
    }
}

/// Whether this would be the key of another item's deadline.
pub(super) fn is_deadline(key: &ItemKey) -> bool {
    key.segments().next_back() == Some(DEADLINE)
}

impl Name {
    pub(super) fn of(item: Bytes) -> Name {
        let mut deadline = BytesMut::from(&*item);
        pack(DEADLINE, &mut deadline);
        Name { item, deadline: deadline.freeze() }
    }
}

/// The smallest key behind this one.
pub(super) fn behind(key: &Bytes) -> Bytes {
    [key, &[0][..]].concat().into()
}

fn pack(part: &str, packed: &mut BytesMut) {
    packed.put_u8(TEXT);
    for byte in part.bytes() {
        packed.put_u8(byte);
        if byte == END {
            packed.put_u8(ESCAPE);
        }
    }
    packed.put_u8(END);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> ItemKey {
        ItemKey::new(name).expect("a key")
    }

    #[test]
    fn keys_are_packed_as_deno_packs_them_and_unpacked_again() {
        let below = Space::new(Some(&key("sess")));
        let name = below.name(&key("a:ö"));
        assert_eq!(name.item, &b"\x02sess\0\x02a\0\x02\xc3\xb6\0"[..]);
        assert_eq!(name.deadline, &b"\x02sess\0\x02a\0\x02\xc3\xb6\0\x02$\0"[..]);
        assert_eq!(below.key(&name.item), Some(key("a:ö")));
        let root = Space::new(None);
        assert_eq!(root.name(&key("a")).item, &b"\x02a\0"[..]);
        assert_eq!(root.key(&name.item), Some(key("sess:a:ö")));
    }

    #[test]
    fn what_is_no_items_key_is_none() {
        let root = Space::new(None);
        for packed in [
            &b""[..],
            b"\x01a\0",
            b"\x02a",
            b"\x02a\0\x15\x01",
            b"\x02a\0\xffb\0",
            b"\x02\0",
            b"\x02a\0\x02\0",
            b"\x02a:b\0\x02/\0",
            b"\x02\xff\0",
            b"\x02a\0\x02$\0",
        ] {
            assert_eq!(root.key(packed), None, "{packed:?}");
        }
        assert_eq!(Space::new(Some(&key("sess"))).key(b"\x02a\0"), None);
    }

    #[test]
    fn a_range_has_every_key_that_begins_so() {
        let space = Space::new(Some(&key("sess")));
        let holds = |prefix: &str, name: &str| {
            let (start, end) = space.range(prefix);
            let item = space.name(&key(name)).item;
            start <= item && item < end
        };
        assert!(holds("", "a") && holds("a", "a") && holds("a", "ab:c") && holds("a:", "a:b"));
        assert!(holds("a:b", "a:bc") && holds("a:b", "a:b:c"));
        assert!(
            !holds("a:", "a") && !holds("a:", "ab") && !holds("b", "a") && !holds("a:b", "a:c")
        );
    }
}
