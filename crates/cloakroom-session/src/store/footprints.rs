//! What this process has written last in each session, to know by it that somebody has overwritten it as a whole.
//!
//! Nothing is asked for it, and no reader looks: who writes has read what it writes on, and compares that with what it wrote
//! the last time. Only what nobody does counts who writes on a condition: see [`Trace`]; and that every record of ours has a
//! deadline where sessions end by themselves.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use crate::id::SessionId;
use crate::observe::Overwrite;
use crate::record::{Stored, Trace};

/// Of how many sessions it is known.
const MOST: usize = 4096;

pub(super) struct Footprints {
    /// Whether any was ever left: where none tells anything, requests have nothing here that they share.
    any: AtomicBool,
    kept: Mutex<LruCache<SessionId, Arc<Footprint>>>,
}

/// What one write has left.
pub(super) struct Footprint {
    trace: Trace,
    /// When the store had it, in milliseconds since 1970.
    at: f64,
}

impl Footprints {
    pub(super) fn new() -> Footprints {
        Footprints { any: AtomicBool::new(false), kept: Mutex::new(LruCache::unbounded()) }
    }

    /// To be asked for before something is written that is to be compared with it: an answer that was overtaken would have
    /// it compared with what was there before.
    pub(super) fn last(&self, id: SessionId) -> Option<Arc<Footprint>> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        self.kept().peek(&id).cloned()
    }

    /// `at` tells when the store had it, in milliseconds since 1970.
    pub(super) fn leave(&self, id: SessionId, trace: &Trace, at: impl FnOnce() -> f64) {
        if !self.any.load(Ordering::Acquire) {
            if trace.tells_nothing() {
                return;
            }
            self.any.store(true, Ordering::Release);
        }
        let footprint = Arc::new(Footprint { trace: trace.clone(), at: at() });
        let mut kept = self.kept();
        kept.put(id, footprint);
        if kept.len() > MOST {
            kept.pop_lru();
        }
    }

    fn kept(&self) -> MutexGuard<'_, LruCache<SessionId, Arc<Footprint>>> {
        // A panic while it was held could only have been in the allocator.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Footprint {
    /// What others have done to the record since, of which the store has just said that it was still there. `expires`:
    /// whether the store lets records go by itself. Nothing is told by a record that was read before this was left: where
    /// versions are the bytes, its reader is not overtaken by a write of the same bytes with another deadline.
    pub(super) fn overwritten(
        &self,
        since: &Stored,
        expires: bool,
    ) -> impl Iterator<Item = Overwrite> {
        let is_newer = since.record.now() >= self.at;
        // What cannot be read tells nothing.
        let lost_key = is_newer && self.trace.is_undone_in(&since.record).unwrap_or(false);
        let lost_deadline = is_newer && self.trace.has_deadline && expires && since.ends.is_none();
        let lost = [
            lost_key.then_some(Overwrite::LostKey),
            lost_deadline.then_some(Overwrite::LostDeadline),
        ];
        lost.into_iter().flatten()
    }
}
