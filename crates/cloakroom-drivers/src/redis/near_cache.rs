//! Items that this process has read and that nobody has changed since, as far as the server says.
//!
//! A cache belongs to one connection, which the server tells of every change to what was read over it
//! (`CLIENT TRACKING`). It ends with the connection, so that a new one begins with nothing.
//!
//! Answers and events arrive in the order in which the server sent them, but a task may be slow to store what it was
//! answered. So a reader leaves a mark before it asks, and stores its answer only if the mark is still there: any change
//! after it has taken the mark away.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use redis::Value;

use super::options::CacheLimits;
use cloakroom_storage::Item;

/// How long an item is held at most. The server tells of every change but that of a whole database for another (`SWAPDB`),
/// and a proxy may tell of none.
const LONGEST_AGE: Duration = Duration::from_secs(60);

/// What an entry takes besides its key and its value, roughly.
const OVERHEAD: usize = 200;

#[derive(Debug)]
pub(super) struct NearCache {
    limits: CacheLimits,
    entries: Mutex<Entries>,
}

#[derive(Debug)]
struct Entries {
    entries: LruCache<Vec<u8>, Entry>,
    bytes: usize,
    last_mark: u64,
}

#[derive(Debug)]
enum Entry {
    /// Somebody has asked, and will store the answer.
    Awaited(Mark),
    Held(Held),
}

/// An item, when it was asked for, and when it expires.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) item: Item,
    asked: Instant,
    deadline: Option<Instant>,
}

/// What a reader leaves before it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(u64);

impl NearCache {
    pub(super) fn new(limits: CacheLimits) -> NearCache {
        let entries = Entries { entries: LruCache::unbounded(), bytes: 0, last_mark: 0 };
        NearCache { limits, entries: Mutex::new(entries) }
    }

    /// The item under `key`, unless it is unknown, has expired, or was read too long ago.
    pub(super) fn get(&self, key: &[u8]) -> Option<Held> {
        let mut entries = self.lock();
        let Some(Entry::Held(held)) = entries.entries.get(key) else { return None };
        if held.is_over(Instant::now()) {
            entries.remove(key);
            return None;
        }
        Some(held.clone())
    }

    /// Leaves a mark for an answer that is asked for now.
    pub(super) fn mark(&self, key: &[u8]) -> Mark {
        let mut entries = self.lock();
        entries.last_mark += 1;
        let mark = Mark(entries.last_mark);
        entries.insert(key, Entry::Awaited(mark));
        entries.shrink(self.limits);
        mark
    }

    /// Stores an answer if nothing happened since its mark was left. A missing item is not remembered.
    pub(super) fn store(&self, key: &[u8], mark: Mark, held: Option<Held>) {
        let mut entries = self.lock();
        match entries.entries.peek(key) {
            Some(Entry::Awaited(left)) if *left == mark => {}
            _ => return,
        }
        match held {
            Some(held) => {
                entries.insert(key, Entry::Held(held));
                entries.shrink(self.limits);
            }
            None => entries.remove(key),
        }
    }

    /// Forgets an item, and that anybody has asked for it.
    pub(super) fn forget(&self, key: &[u8]) {
        self.lock().remove(key);
    }

    /// Takes in what the server tells: the keys that were changed, or that everything was.
    pub(super) fn invalidate(&self, events: &[Value]) {
        let mut entries = self.lock();
        match events.first() {
            Some(Value::Array(keys)) => {
                for key in keys {
                    if let Value::BulkString(key) = key {
                        entries.remove(key);
                    }
                }
            }
            _ => {
                entries.entries.clear();
                entries.bytes = 0;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        // Nothing in here panics half-way through a change.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn insert(&mut self, key: &[u8], entry: Entry) {
        self.bytes += entry.size(key);
        if let Some((_, old)) = self.entries.push(key.to_vec(), entry) {
            self.bytes -= old.size(key);
        }
    }

    fn remove(&mut self, key: &[u8]) {
        if let Some(old) = self.entries.pop(key) {
            self.bytes -= old.size(key);
        }
    }

    /// Lets the least recently used go.
    fn shrink(&mut self, limits: CacheLimits) {
        while self.bytes > limits.max_size || self.entries.len() > limits.max {
            let Some((key, old)) = self.entries.pop_lru() else { return };
            self.bytes -= old.size(&key);
        }
    }
}

impl Entry {
    fn size(&self, key: &[u8]) -> usize {
        let value = match self {
            Entry::Awaited(_) => 0,
            Entry::Held(held) => held.item.value.len(),
        };
        OVERHEAD + key.len() + value
    }
}

impl Held {
    /// An item that lives for `ttl` from `asked` on, which is a little less than it really does.
    pub(super) fn new(item: Item, ttl: Option<Duration>, asked: Instant) -> Held {
        // A deadline beyond the end of time is none.
        Held { item, asked, deadline: ttl.and_then(|ttl| asked.checked_add(ttl)) }
    }

    fn is_over(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
            || now.saturating_duration_since(self.asked) >= LONGEST_AGE
    }

    /// How long it still lives.
    pub(super) fn ttl(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn held(value: impl Into<Bytes>) -> Option<Held> {
        let value = value.into();
        Some(Held::new(Item::new(value.clone(), value), None, Instant::now()))
    }

    fn cache(max: usize, max_size: usize) -> NearCache {
        NearCache::new(CacheLimits { max, max_size })
    }

    fn put(cache: &NearCache, key: &str, value: impl Into<Bytes>) {
        let mark = cache.mark(key.as_bytes());
        cache.store(key.as_bytes(), mark, held(value));
    }

    fn told(key: &str) -> [Value; 1] {
        [Value::Array(vec![Value::BulkString(key.as_bytes().to_vec())])]
    }

    #[test]
    fn an_answer_older_than_a_change_is_not_stored() {
        let cache = cache(10, 10_000);
        let mark = cache.mark(b"a");
        cache.invalidate(&told("a"));
        cache.store(b"a", mark, held("old"));
        assert!(cache.get(b"a").is_none());
    }

    #[test]
    fn an_answer_older_than_a_later_question_is_not_stored() {
        let cache = cache(10, 10_000);
        let (first, second) = (cache.mark(b"a"), cache.mark(b"a"));
        cache.store(b"a", first, held("old"));
        assert!(cache.get(b"a").is_none());
        cache.store(b"a", second, held("new"));
        assert_eq!(cache.get(b"a").unwrap().item.value, "new");
    }

    #[test]
    fn a_change_and_a_flush_take_items_away() {
        let cache = cache(10, 10_000);
        for key in ["a", "b", "c"] {
            put(&cache, key, "value");
        }
        cache.invalidate(&told("a"));
        assert!(cache.get(b"a").is_none() && cache.get(b"b").is_some());
        cache.invalidate(&[Value::Nil]);
        assert!(cache.get(b"b").is_none() && cache.get(b"c").is_none());
        assert_eq!(cache.lock().bytes, 0);
    }

    #[test]
    fn it_is_bounded_in_items_and_in_bytes() {
        let few = cache(2, 10_000);
        for key in ["a", "b", "c"] {
            put(&few, key, "value");
        }
        assert!(few.get(b"a").is_none() && few.get(b"c").is_some());

        let small = cache(1_000, 10_000);
        for index in 0..1_000 {
            put(&small, &index.to_string(), vec![0; index * 7 % 3_000]);
            assert!(small.lock().bytes <= 10_000);
        }
        put(&small, "large", vec![0; 20_000]);
        assert!(small.get(b"large").is_none());
        for index in 0..1_000 {
            small.forget(index.to_string().as_bytes());
        }
        assert_eq!(small.lock().bytes, 0);
    }

    #[test]
    fn what_was_read_a_minute_ago_is_read_again() {
        let held = held("value").unwrap();
        let read = held.asked;
        assert!(!held.is_over(read + LONGEST_AGE - Duration::from_millis(1)));
        assert!(held.is_over(read + LONGEST_AGE));
    }

    #[test]
    fn what_has_expired_is_gone() {
        let cache = cache(10, 10_000);
        let mark = cache.mark(b"a");
        let item = held("value").unwrap().item;
        cache.store(b"a", mark, Some(Held::new(item, Some(Duration::ZERO), Instant::now())));
        assert!(cache.get(b"a").is_none());
    }
}
