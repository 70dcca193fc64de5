//! Sessions that this process has retired, to know one that comes back.
//!
//! A tombstone stands where a session was, and nobody who compares writes over it. A plain Astro site does: what it had loaded
//! before the logout it stores after it. No ID comes back by right, since new ones are random; but the one who has retired a
//! session may [restore](super::Store::restore) it, who says so.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::id::SessionId;
use crate::record::Tombstone;

/// How many are remembered, however long ago they were retired.
const MOST: usize = 4096;

/// How many places they share: a power of two.
const PLACES: usize = 4 * MOST;

pub(super) struct Retired {
    kept: Mutex<LruCache<SessionId, Tombstone>>,
    /// How many are kept of each share of all sessions, so that a look at another one takes no lock.
    places: Box<[AtomicU16]>,
}

impl Retired {
    pub(super) fn new() -> Retired {
        let places = (0..PLACES).map(|_| AtomicU16::new(0)).collect();
        Retired { kept: Mutex::new(LruCache::unbounded()), places }
    }

    /// A session is retired: the store has said so.
    pub(super) fn remember(&self, id: SessionId, tombstone: Tombstone) {
        let mut kept = self.kept();
        if kept.put(id, tombstone).is_none() {
            self.place(id).fetch_add(1, Ordering::Release);
        }
        if kept.len() > MOST
            && let Some((oldest, _)) = kept.pop_lru()
        {
            self.place(oldest).fetch_sub(1, Ordering::Release);
        }
    }

    /// A session is about to be restored.
    pub(super) fn forget(&self, id: SessionId) {
        if self.kept().pop(&id).is_some() {
            self.place(id).fetch_sub(1, Ordering::Release);
        }
    }

    /// Whether a session may be one of them, at the cost of a look into memory.
    pub(super) fn may_have(&self, id: SessionId) -> bool {
        self.place(id).load(Ordering::Acquire) > 0
    }

    /// What was written in its place.
    pub(super) fn tombstone(&self, id: SessionId) -> Option<Tombstone> {
        self.may_have(id).then(|| self.kept().peek(&id).copied()).flatten()
    }

    fn kept(&self) -> MutexGuard<'_, LruCache<SessionId, Tombstone>> {
        // A panic while it was held could only have been in the allocator.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, id: SessionId) -> &AtomicU16 {
        &self.places[id.random_bits() as usize % PLACES]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Fate, Retirement};

    fn tombstone() -> Tombstone {
        Tombstone { fate: Fate::Destroyed, by: Retirement::new() }
    }

    #[test]
    fn a_session_is_remembered_until_it_is_restored() {
        let retired = Retired::new();
        let (id, other, tombstone) = (SessionId::random(), SessionId::random(), tombstone());
        retired.remember(id, tombstone);
        retired.remember(id, tombstone);
        assert_eq!(retired.tombstone(id), Some(tombstone));
        assert_eq!(retired.tombstone(other), None);
        retired.forget(id);
        retired.forget(id);
        assert!(!retired.may_have(id));
    }

    #[test]
    fn only_so_many_are_remembered_and_the_oldest_go_first() {
        let retired = Retired::new();
        let ids: Vec<_> = (0..MOST + 100).map(|_| SessionId::random()).collect();
        for id in &ids {
            retired.remember(*id, tombstone());
        }
        let (gone, kept) = ids.split_at(100);
        assert!(gone.iter().all(|id| retired.tombstone(*id).is_none()));
        assert!(kept.iter().all(|id| retired.tombstone(*id).is_some()));
        kept.iter().for_each(|id| retired.forget(*id));
        assert!(ids.iter().all(|id| !retired.may_have(*id)), "a place was not given back");
    }
}
