//! Sessions as this process saw them last, to be read while the store does not answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cloakroom_storage::platform::Instant;
use lru::LruCache;

use crate::clock::Clock;
use crate::id::SessionId;
use crate::record::{self, Record, Stored};

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
    clock: Clock,
}

struct Kept {
    /// The one that was seen last is the newest.
    copies: LruCache<SessionId, LastSeen>,
    bytes: usize,
    /// Counts what was written and what ended, for shares of all sessions.
    turns: [u64; 256],
}

struct LastSeen {
    stored: Stored,
    seen: Instant,
    /// When the store lets it go; `None` for never.
    ends: Option<Instant>,
}

/// A moment before the store is asked: a copy is kept only if nothing was written and nothing ended since, which the
/// store's answer may not know of yet.
#[derive(Clone, Copy)]
pub(crate) struct Mark(Option<u64>);

/// A session that is being removed. There is no copy of it, however the removal ends.
pub(crate) struct Ending<'a> {
    copies: &'a Copies,
    id: SessionId,
}

impl Copies {
    pub(crate) fn new(clock: Clock) -> Copies {
        let kept = Kept { copies: LruCache::unbounded(), bytes: 0, turns: [0; 256] };
        Copies { wanted: AtomicBool::new(false), kept: Mutex::new(kept), clock }
    }

    /// Keeps copies from now on.
    pub(crate) fn want(&self) {
        // Asked for by every request below such a layer: only the first one writes.
        if !self.wanted.load(Ordering::Relaxed) {
            self.wanted.store(true, Ordering::Release);
        }
    }

    /// To be taken before the store is asked for the session, or given it.
    pub(crate) fn mark(&self, id: SessionId) -> Mark {
        Mark(self.kept().map(|mut kept| *kept.turn(id)))
    }

    /// Keeps what was read, or nothing where that may not be the newest.
    pub(crate) fn keep_read(&self, stored: &Stored, mark: Mark) {
        if let (Mark(Some(turn)), Some(mut kept)) = (mark, self.kept()) {
            kept.pop(stored.id);
            if *kept.turn(stored.id) == turn {
                kept.put(stored.clone(), self.clock.now());
            }
        }
    }

    /// As [`keep_read`](Copies::keep_read) of what was written, so that no read that began before it counts.
    pub(crate) fn keep_written(&self, stored: &Stored, mark: Mark) {
        self.keep_read(stored, mark);
        if let Some(mut kept) = self.kept() {
            *kept.turn(stored.id) += 1;
        }
    }

    /// Notes that the store keeps the session for longer.
    pub(crate) fn prolong(&self, id: SessionId, ttl: Option<Duration>) {
        if let Some(mut kept) = self.kept()
            && let Some(copy) = kept.copies.peek_mut(&id)
        {
            copy.ends = end(ttl);
            copy.stored.ends = ttl.map(|ttl| record::end(self.clock.now(), ttl));
        }
    }

    pub(crate) fn forget(&self, id: SessionId) {
        if let Some(mut kept) = self.kept() {
            *kept.turn(id) += 1;
            kept.pop(id);
        }
    }

    /// Forgets the session now, and what was read of it until the guard is dropped.
    pub(crate) fn end(&self, id: SessionId) -> Ending<'_> {
        self.forget(id);
        Ending { copies: self, id }
    }

    /// The session as it was seen last, with the entries that are alive now.
    pub(crate) fn recall(&self, id: SessionId) -> Option<Stored> {
        let mut kept = self.kept()?;
        let copy = kept.copies.peek(&id)?;
        if copy.seen.elapsed() > LONGEST || copy.ends.is_some_and(|end| end <= Instant::now()) {
            kept.pop(id);
            return None;
        }
        let record = Arc::new(Record::clone(&copy.stored.record).at(self.clock.now()));
        Some(Stored { record, ..copy.stored.clone() })
    }

    /// What is kept, if anything is.
    fn kept(&self) -> Option<MutexGuard<'_, Kept>> {
        // A panic while it was held could only have been in the allocator.
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.wanted.load(Ordering::Acquire).then(lock)
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.copies.forget(self.id);
    }
}

impl Kept {
    fn turn(&mut self, id: SessionId) -> &mut u64 {
        let share = (id.random_bits() % self.turns.len() as u64) as usize;
        &mut self.turns[share]
    }

    fn put(&mut self, stored: Stored, now: f64) {
        self.bytes += size(&stored);
        let ends = end(stored.left(now));
        self.copies.put(stored.id, LastSeen { stored, seen: Instant::now(), ends });
        while let Some((_, oldest)) = self.copies.peek_lru()
            && (self.copies.len() > MOST
                || self.bytes > MOST_BYTES
                || oldest.seen.elapsed() > LONGEST)
        {
            let id = oldest.stored.id;
            self.pop(id);
        }
    }

    fn pop(&mut self, id: SessionId) {
        if let Some(copy) = self.copies.pop(&id) {
            self.bytes -= size(&copy.stored);
        }
    }
}

fn end(ttl: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(ttl?)
}

fn size(stored: &Stored) -> usize {
    stored.record.size()
}
