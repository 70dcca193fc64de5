//! What a request did to its session, per key.

use std::sync::Arc;

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use serde_devalue::{Flat, Index};

use crate::error::Result;

use super::{FORMAT, unreadable};

/// A value that was set: serialised at once, so that what is saved is what was set.
#[derive(Debug)]
pub(crate) struct Written {
    /// The value as a devalue text of its own, and where its slots are.
    text: Vec<u8>,
    index: Index,
    /// Milliseconds since 1970; `None` for an entry that does not expire.
    pub(crate) expires: Option<f64>,
}

impl Written {
    /// # Errors
    /// If the text is not devalue's.
    pub(crate) fn new(text: Vec<u8>, expires: Option<f64>) -> serde_devalue::Result<Written> {
        Ok(Written { index: Index::new(&text)?, text, expires })
    }

    pub(crate) fn flat(&self) -> Flat<'_> {
        Flat::new(&self.text, &self.index)
    }

    /// Astro's rule, as of a stored entry: gone when `expires` is before now.
    pub(crate) fn is_alive(&self, moment: f64) -> bool {
        self.expires.is_none_or(|expires| expires >= moment)
    }

    /// The value, decoded, of the entry with this key.
    pub(crate) fn decode<T: DeserializeOwned>(&self, key: &str) -> Result<T> {
        let flat = self.flat();
        let value = flat.root().and_then(|root| flat.decode_with(root, FORMAT));
        value.map_err(|error| unreadable(key, error))
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Set { written: Arc<Written>, place: Place },
    Delete,
}

impl Change {
    /// A value that was set where the key stood, or at the end.
    pub(crate) fn set(written: Written) -> Change {
        Change::Set { written: Arc::new(written), place: Place::Kept }
    }

    /// When the entry expires that is there afterwards, if there is one that does.
    pub(super) fn end(&self) -> Option<f64> {
        match self {
            Change::Set { written, .. } => written.expires,
            Change::Delete => None,
        }
    }

    /// The value that there is at this moment, in milliseconds since 1970.
    pub(crate) fn alive_at(&self, moment: f64) -> Option<&Written> {
        match self {
            Change::Set { written, .. } if written.is_alive(moment) => Some(written),
            Change::Set { .. } | Change::Delete => None,
        }
    }
}

/// Where in the `Map` an entry stands that was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before everything stored: it was set before the record was loaded, and Astro merges what it loads into
    /// what it has.
    First,
    /// Where the key stood, or at the end where it is new.
    Kept,
    /// At the end: the key was deleted before it was set again.
    Last,
}

/// Changes in the order in which their keys first changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    /// Shared with the copy that a write takes. `None` where nothing ever changed, as in most requests.
    by_key: Option<Arc<ByKey>>,
    latest: Revision,
}

type ByKey = IndexMap<String, (Change, Revision), DefaultHashBuilder>;

/// Counts changes, so that a commit forgets only what it wrote.
pub(crate) type Revision = u64;

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    pub(crate) fn has_sets(&self) -> bool {
        self.iter().any(|(_, change)| matches!(change, Change::Set { .. }))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Change> {
        self.by_key.as_ref()?.get(key).map(|(change, _)| change)
    }

    /// Which change the key's is.
    pub(crate) fn revision(&self, key: &str) -> Option<Revision> {
        self.by_key.as_ref()?.get(key).map(|(_, revision)| *revision)
    }

    /// A change with its key, and its place among all.
    pub(crate) fn get_full(&self, key: &str) -> Option<(usize, &str, &Change)> {
        let (place, key, (change, _)) = self.by_key.as_ref()?.get_full(key)?;
        Some((place, key, change))
    }

    /// The one change, where there is no other.
    pub(crate) fn only(&self) -> Option<(&str, &Change)> {
        let mut changes = self.iter();
        changes.next().filter(|_| changes.next().is_none())
    }

    /// How many keys changed.
    pub(crate) fn len(&self) -> usize {
        self.by_key.as_ref().map_or(0, |by_key| by_key.len())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Change)> {
        let by_key = self.by_key.iter().flat_map(|by_key| by_key.iter());
        by_key.map(|(key, (change, _))| (key.as_str(), change))
    }

    /// `loaded`: whether the entry is set after the record that these changes go on top of was loaded, or would have been
    /// by Astro.
    pub(crate) fn set(&mut self, key: &str, written: impl Into<Arc<Written>>, loaded: bool) {
        let written = written.into();
        let place = match self.get(key) {
            Some(Change::Set { place, .. }) => *place,
            Some(Change::Delete) => {
                self.by_key_mut().shift_remove(key);
                if loaded { Place::Last } else { Place::First }
            }
            None if loaded => Place::Kept,
            None => Place::First,
        };
        self.insert(key, Change::Set { written, place });
    }

    pub(crate) fn delete(&mut self, key: &str) {
        self.insert(key, Change::Delete);
    }

    /// A change to a record that is known.
    pub(crate) fn apply(&mut self, key: &str, change: Change) {
        match change {
            Change::Set { written, .. } => self.set(key, written, true),
            Change::Delete => self.delete(key),
        }
    }

    fn insert(&mut self, key: &str, change: Change) {
        self.latest += 1;
        let revision = self.latest;
        self.by_key_mut().insert(key.to_owned(), (change, revision));
    }

    fn by_key_mut(&mut self) -> &mut ByKey {
        Arc::make_mut(self.by_key.get_or_insert_default())
    }

    pub(crate) fn clear(&mut self) {
        self.by_key = None;
    }

    /// Which change was the latest.
    pub(crate) fn latest(&self) -> Revision {
        self.latest
    }

    /// Forgets what an earlier copy of these changes held, whose latest change was this one; what changed since stays.
    pub(crate) fn forget(&mut self, written: Revision) {
        if written == self.latest {
            return self.clear();
        }
        if self.by_key.is_some() {
            self.by_key_mut().retain(|_, (_, revision)| *revision > written);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Written {
        Written::new(text.into(), None).unwrap()
    }

    #[test]
    fn a_key_that_is_deleted_and_set_again_is_set_and_moves_to_the_end() {
        let mut changes = Changes::default();
        changes.set("a", written("[1]"), true);
        changes.set("b", written("[2]"), true);
        changes.delete("a");
        changes.set("a", written("[3]"), true);
        let keys: Vec<_> = changes.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["b", "a"]);
        assert!(matches!(changes.get("a"), Some(Change::Set { place: Place::Last, .. })));
    }

    #[test]
    fn forgetting_a_copy_keeps_what_changed_since() {
        let mut changes = Changes::default();
        changes.set("a", written("[1]"), true);
        changes.set("b", written("[1]"), true);
        let copy = changes.clone();
        changes.set("b", written("[2]"), true);
        changes.delete("c");
        changes.forget(copy.latest());
        let keys: Vec<_> = changes.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["b", "c"]);
    }
}
