//! What a store had at one moment: the name of each session, by its handle.

use std::cmp::Ordering;
use std::time::SystemTime;

use cloakroom_session::{StoredHandle, StoredName};

/// All that may be sessions, as they were found in one walk over the store's keys. Some 40 bytes each, and the double under hashed
/// IDs.
pub(crate) struct Snapshot {
    pub(crate) at: SystemTime,
    /// In the order of their handles.
    names: Vec<StoredName>,
}

/// What has become of a store between two moments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) created: usize,
    pub(crate) ended: usize,
}

/// Handles that begin alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefix {
    first: StoredHandle,
    last: StoredHandle,
}

impl Prefix {
    /// Of up to 16 hexadecimal digits; `None` for another text. The empty one begins all.
    pub(crate) fn parse(text: &str) -> Option<Prefix> {
        let filled = |digit: char| {
            let text: String = text.chars().chain(std::iter::repeat(digit)).take(16).collect();
            text.parse().ok()
        };
        (text.len() <= 16).then_some(Prefix { first: filled('0')?, last: filled('f')? })
    }
}

impl Snapshot {
    pub(crate) fn new(mut names: Vec<StoredName>, at: SystemTime) -> Snapshot {
        names.sort_unstable_by_key(StoredName::handle);
        // A store may name one twice that is written while it is listed.
        names.dedup_by_key(|name| name.handle());
        Snapshot { at, names }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn find(&self, handle: StoredHandle) -> Option<&StoredName> {
        let place = self.names.binary_search_by_key(&handle, StoredName::handle);
        place.ok().and_then(|place| self.names.get(place))
    }

    /// Those whose handles begin so, and come after this one.
    pub(crate) fn range(&self, prefix: Prefix, after: Option<StoredHandle>) -> &[StoredName] {
        let first = self.names.partition_point(|name| {
            name.handle() < prefix.first || after.is_some_and(|after| name.handle() <= after)
        });
        let last = self.names.partition_point(|name| name.handle() <= prefix.last);
        self.names.get(first..last).unwrap_or_default()
    }

    /// What has become of an earlier one.
    pub(crate) fn since(&self, earlier: &Snapshot) -> Changes {
        let (mut new, mut old) = (self.names.iter().peekable(), earlier.names.iter().peekable());
        let mut changes = Changes::default();
        loop {
            let order = match (new.peek(), old.peek()) {
                (None, None) => return changes,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(new), Some(old)) => new.handle().cmp(&old.handle()),
            };
            if order.is_le() {
                new.next();
            }
            if order.is_ge() {
                old.next();
            }
            changes.created += usize::from(order.is_lt());
            changes.ended += usize::from(order.is_gt());
        }
    }
}
