//! Sessions as this process saw them last, to be read while the store does not answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use crate::clock::now;
use crate::id::SessionId;
use crate::record::Record;
use crate::stored::Stored;

/// For how long a session may be read that the store was not asked for.
const LONGEST: Duration = Duration::from_secs(600);

/// How many sessions, and how many bytes of them, are kept for an outage.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Sessions as this process saw them last.
///
/// Empty until somebody declares [`OutagePolicy::ReadOnly`](crate::OutagePolicy::ReadOnly), so that nobody else pays for it.
pub(crate) struct Copies {
    wanted: AtomicBool,
    kept: Mutex<Kept>,
}

struct Kept {
    copies: LruCache<SessionId, (Stored, Instant)>,
    bytes: usize,
}

impl Default for Copies {
    fn default() -> Copies {
        let kept = Kept { copies: LruCache::unbounded(), bytes: 0 };
        Copies { wanted: AtomicBool::new(false), kept: Mutex::new(kept) }
    }
}

impl Copies {
    /// Keeps copies from now on.
    pub(crate) fn want(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn keep(&self, stored: &Stored) {
        if self.wanted.load(Ordering::Relaxed) {
            self.lock().put(stored.clone());
        }
    }

    pub(crate) fn forget(&self, id: SessionId) {
        if self.wanted.load(Ordering::Relaxed) {
            self.lock().pop(id);
        }
    }

    /// The session as it was seen last, with the entries that are alive now.
    pub(crate) fn recall(&self, id: SessionId) -> Option<Stored> {
        let mut kept = self.lock();
        let (stored, seen) = kept.copies.get(&id)?;
        if seen.elapsed() > LONGEST {
            kept.pop(id);
            return None;
        }
        let record = Arc::new(Record::clone(&stored.record).at(now()));
        Some(Stored { record, ..stored.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // A panic while it was held could only have been in the allocator.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn put(&mut self, stored: Stored) {
        let id = stored.id;
        self.pop(id);
        self.bytes += size(&stored);
        self.copies.put(id, (stored, Instant::now()));
        while self.copies.len() > MOST || self.bytes > MOST_BYTES {
            let Some((_, (oldest, _))) = self.copies.pop_lru() else { break };
            self.bytes -= size(&oldest);
        }
    }

    fn pop(&mut self, id: SessionId) {
        if let Some((stored, _)) = self.copies.pop(&id) {
            self.bytes -= size(&stored);
        }
    }
}

fn size(stored: &Stored) -> usize {
    stored.record.bytes().len()
}
