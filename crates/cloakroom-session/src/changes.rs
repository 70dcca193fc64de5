//! What a request did to its session, per key.

use std::sync::Arc;

use indexmap::IndexMap;

/// A value that was set: serialised at once, so that what is saved is what was set.
#[derive(Debug)]
pub(crate) struct Written {
    /// The value as a devalue text of its own.
    pub(crate) text: Vec<u8>,
    /// Milliseconds since 1970; `None` for an entry that does not expire.
    pub(crate) expires: Option<f64>,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Set {
        written: Arc<Written>,
        /// The key was deleted before it was set again, so it moves to the end, as in JavaScript's `Map`.
        moved: bool,
    },
    Delete,
}

/// Changes in the order in which their keys first changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Changes {
    by_key: IndexMap<String, (Change, Revision)>,
    latest: Revision,
}

/// Counts changes, so that a commit forgets only what it wrote.
pub(crate) type Revision = u64;

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    pub(crate) fn has_sets(&self) -> bool {
        self.by_key.values().any(|(change, _)| matches!(change, Change::Set { .. }))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Change> {
        self.by_key.get(key).map(|(change, _)| change)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Change)> {
        self.by_key.iter().map(|(key, (change, _))| (key.as_str(), change))
    }

    pub(crate) fn set(&mut self, key: &str, written: Written) {
        let written = Arc::new(written);
        let moved = match self.by_key.get(key) {
            Some((Change::Set { moved, .. }, _)) => *moved,
            Some((Change::Delete, _)) => {
                self.by_key.shift_remove(key);
                true
            }
            None => false,
        };
        self.insert(key, Change::Set { written, moved });
    }

    pub(crate) fn delete(&mut self, key: &str) {
        self.insert(key, Change::Delete);
    }

    fn insert(&mut self, key: &str, change: Change) {
        self.latest += 1;
        self.by_key.insert(key.to_owned(), (change, self.latest));
    }

    pub(crate) fn clear(&mut self) {
        self.by_key.clear();
    }

    /// Forgets what `written`, an earlier copy of these changes, held; what changed since stays.
    pub(crate) fn forget(&mut self, written: &Changes) {
        self.by_key.retain(|_, (_, revision)| *revision > written.latest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Written {
        Written { text: text.into(), expires: None }
    }

    #[test]
    fn a_key_that_is_deleted_and_set_again_is_set_and_moves_to_the_end() {
        let mut changes = Changes::default();
        changes.set("a", written("[1]"));
        changes.set("b", written("[2]"));
        changes.delete("a");
        changes.set("a", written("[3]"));
        let keys: Vec<_> = changes.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["b", "a"]);
        assert!(matches!(changes.get("a"), Some(Change::Set { moved: true, .. })));
    }

    #[test]
    fn forgetting_a_copy_keeps_what_changed_since() {
        let mut changes = Changes::default();
        changes.set("a", written("[1]"));
        changes.set("b", written("[1]"));
        let copy = changes.clone();
        changes.set("b", written("[2]"));
        changes.delete("c");
        changes.forget(&copy);
        let keys: Vec<_> = changes.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["b", "c"]);
    }
}
