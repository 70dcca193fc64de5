//! Which items expire when, for the drivers that keep items in memory.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::ItemKey;

/// The moment `ttl` from now; `None` when there is none, or when it is too far off to be told.
///
/// The clock is monotonic, so that setting the wall clock ends no session. It is tokio's, so that a test can
/// pause it.
pub(crate) fn after(ttl: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(ttl?)
}

/// Whether `deadline` has come.
pub(crate) fn has_passed(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| deadline <= Instant::now())
}

/// Keys in the order of their deadlines, so that finding the expired ones costs nothing for the others.
#[derive(Debug, Default)]
pub(crate) struct Deadlines(BTreeSet<(Instant, ItemKey)>);

impl Deadlines {
    /// Moves `key` from its old deadline to its new one.
    pub(crate) fn replace(&mut self, key: &ItemKey, old: Option<Instant>, new: Option<Instant>) {
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.0.remove(&(old, key.clone()));
        }
        if let Some(new) = new {
            self.0.insert((new, key.clone()));
        }
    }

    /// Takes out the key that expired first, if one has expired by `now`.
    pub(crate) fn pop_expired(&mut self, now: Instant) -> Option<ItemKey> {
        self.0.first().filter(|(deadline, _)| *deadline <= now)?;
        self.0.pop_first().map(|(_, key)| key)
    }
}
