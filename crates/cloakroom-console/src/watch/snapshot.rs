//! What a store had at one moment: the name of each session, by its handle.

use std::cmp::Ordering;
use std::time::SystemTime;

use cloakroom_session::{StoredHandle, StoredName};

/// All that may be sessions, as they were found in one walk over the store's keys: 32 bytes each, and under hashed IDs some 100 more.
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

#[cfg(test)]
mod tests {
    use cloakroom_session::testing::TestSite;
    use futures_util::TryStreamExt as _;

    use super::*;

    /// The names of so many sessions, in the order of their handles.
    async fn names(count: usize) -> Vec<StoredName> {
        let site = TestSite::new();
        for number in 0..count {
            site.session_with(|session| session.set("number", &number)).await.unwrap();
        }
        let all = site.sessions().all();
        let mut names: Vec<_> = all.names().unwrap().try_collect().await.unwrap();
        names.sort_by_key(StoredName::handle);
        names
    }

    fn taken(names: &[StoredName]) -> Snapshot {
        Snapshot::new(names.to_vec(), SystemTime::now())
    }

    #[tokio::test]
    async fn what_has_begun_and_ended_is_what_the_one_has_and_the_other_has_not() {
        let names = names(10).await;
        let (earlier, later) = (taken(&names[..7]), taken(&names[4..]));
        assert_eq!(later.since(&earlier), Changes { created: 3, ended: 4 });
        assert_eq!(later.since(&later), Changes::default());
        assert_eq!(taken(&[]).since(&later), Changes { created: 0, ended: 6 });
        assert_eq!(later.since(&taken(&[])), Changes { created: 6, ended: 0 });
    }

    #[tokio::test]
    async fn one_that_is_named_twice_is_one() {
        let names = names(2).await;
        let twice = taken(&[&names[..], &names[..]].concat());
        assert_eq!(twice.len(), 2);
        assert_eq!(twice.find(names[1].handle()), Some(&names[1]));
        assert_eq!(taken(&names[..1]).find(names[1].handle()), None);
    }

    #[tokio::test]
    async fn a_beginning_finds_all_that_begin_so() {
        let names = names(40).await;
        let all = taken(&names);
        assert_eq!(all.range(Prefix::parse("").unwrap(), None), names);
        let beginning = &names[20].handle().to_string()[..1];
        let expected = names.iter().filter(|name| name.handle().to_string().starts_with(beginning));
        let expected: Vec<_> = expected.cloned().collect();
        let prefix = Prefix::parse(beginning).unwrap();
        assert_eq!(all.range(prefix, None), expected);
        assert_eq!(all.range(prefix, Some(expected[0].handle())), &expected[1..]);
        assert!(all.range(prefix, Some(names[39].handle())).is_empty());
    }

    #[test]
    fn a_beginning_has_hexadecimal_digits() {
        for text in ["", "0", "8f3A", "0123456789abcdef"] {
            assert!(Prefix::parse(text).is_some(), "{text}");
        }
        for text in ["g", "0123456789abcdef0", "é", "-1", "+1"] {
            assert!(Prefix::parse(text).is_none(), "{text}");
        }
    }
}
