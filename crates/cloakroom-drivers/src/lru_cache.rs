//! `lru-cache`: in this process's memory, up to a limit.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::common::capabilities::MEMORY;
use crate::common::deadlines::{Deadline, Deadlines};
use crate::common::first_version::first_version;
use cloakroom_storage::{
    Capabilities, Driver, Error, ErrorKind, Item, ItemKey, RemoveOutcome, Result, SetOutcome,
    Swept, When, options,
};

const NAME: &str = "lru-cache";

/// Items in this process's memory; when there are too many, the least recently used go first.
///
/// An evicted session is a lost one, so choose the limits for the number of visitors.
pub struct LruCache {
    cache: Mutex<Cache>,
    options: Options,
}

/// unstorage's options, which are those of the npm package `lru-cache`.
///
/// Times are in milliseconds. A size is the length of the value plus that of the key, as unstorage counts it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Options {
    /// How many items there may be, 1000 by default. 0 means that only `maxSize` or `ttl` bounds them.
    pub max: usize,
    /// How large all items may be together; not limited by default, nor with 0.
    pub max_size: Option<usize>,
    /// How large one item may be; no larger than all of them by default, and with 0.
    ///
    /// DIFFERENCE: `lru-cache` drops a larger one silently; here it is an error.
    pub max_entry_size: Option<usize>,
    /// How long an item that is written without a ttl lives, in milliseconds. 0 means for ever.
    pub ttl: u64,
    /// Reading an item starts its ttl anew.
    pub update_age_on_get: bool,
    /// Accepted: expired items are freed by every write and by the sweep anyway.
    #[allow(dead_code)]
    ttl_autopurge: IgnoredAny,
    /// Accepted: time is always exact here.
    #[allow(dead_code)]
    ttl_resolution: IgnoredAny,
    /// Accepted: nothing here asks whether an item is there without reading it.
    #[allow(dead_code)]
    update_age_on_has: IgnoredAny,
    /// Accepted: a write without a ttl ends the item's expiry or sets it to `ttl`, as every driver does.
    #[allow(dead_code)]
    #[serde(rename = "noUpdateTTL")]
    no_update_ttl: IgnoredAny,
    /// Returning expired items would revive dead sessions, so it cannot be switched on.
    allow_stale: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            max: 1000,
            max_size: None,
            max_entry_size: None,
            ttl: 0,
            update_age_on_get: false,
            ttl_autopurge: IgnoredAny,
            ttl_resolution: IgnoredAny,
            update_age_on_has: IgnoredAny,
            no_update_ttl: IgnoredAny,
            allow_stale: false,
        }
    }
}

struct Cache {
    items: lru::LruCache<ItemKey, Stored>,
    deadlines: Deadlines,
    size: usize,
    last_version: u64,
}

struct Stored {
    value: Bytes,
    version: u64,
    ttl: Option<Duration>,
    deadline: Option<Deadline>,
}

impl LruCache {
    /// An empty cache.
    ///
    /// # Errors
    /// With [`ErrorKind::InvalidOptions`] when nothing bounds the cache, or when stale items are asked for.
    pub fn new(mut options: Options) -> Result<LruCache> {
        for size in [&mut options.max_size, &mut options.max_entry_size] {
            *size = size.filter(|size| *size > 0);
        }
        let items = match NonZeroUsize::new(options.max) {
            // Not `LruCache::new`, which would set the memory aside at once.
            Some(_) => lru::LruCache::unbounded(),
            None if options.max_size.is_some() || options.ttl > 0 => lru::LruCache::unbounded(),
            None => {
                return Err(options::invalid(
                    NAME,
                    "option `max`: 0 needs `maxSize` or `ttl` as a bound",
                ));
            }
        };
        if options.allow_stale {
            return Err(options::invalid(
                NAME,
                "option `allowStale`: an expired session must not come back",
            ));
        }
        let cache = Cache {
            items,
            deadlines: Deadlines::default(),
            size: 0,
            last_version: first_version(),
        };
        Ok(LruCache { cache: Mutex::new(cache), options })
    }

    /// A cache with options as a configuration gives them.
    ///
    /// # Errors
    /// As [`LruCache::new`].
    pub fn open(options: &Map<String, Value>) -> Result<LruCache> {
        LruCache::new(options::parse(NAME, options)?)
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        // Nothing in here panics half-way through a change.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Evicts the least recently used until the rest is within the limits.
    fn evict(&self, cache: &mut Cache) {
        let too_many = |cache: &Cache| self.options.max > 0 && cache.items.len() > self.options.max;
        let too_large = |cache: &Cache| self.options.max_size.is_some_and(|max| cache.size > max);
        while too_many(cache) || too_large(cache) {
            let Some((key, stored)) = cache.items.pop_lru() else { return };
            cache.forget(&key, &stored);
        }
    }
}

impl Cache {
    /// The item under `key` unless it has expired; then it is freed. Does not count as a use.
    fn live(&mut self, key: &ItemKey) -> Option<&mut Stored> {
        if self.items.peek(key)?.has_expired(Deadline::now()) {
            self.remove(key);
        }
        self.items.peek_mut(key)
    }

    fn remove(&mut self, key: &ItemKey) {
        if let Some(stored) = self.items.pop(key) {
            self.forget(key, &stored);
        }
    }

    fn forget(&mut self, key: &ItemKey, stored: &Stored) {
        self.size -= size(key, &stored.value);
        self.deadlines.replace(key, stored.deadline, None);
    }

    fn move_deadline(&mut self, key: &ItemKey, ttl: Option<Duration>) {
        let Some(stored) = self.items.peek_mut(key) else { return };
        let new = Deadline::now().after(ttl);
        let old = std::mem::replace(&mut stored.deadline, new);
        stored.ttl = ttl;
        self.deadlines.replace(key, old, new);
    }

    fn free_expired(&mut self, budget: usize) -> usize {
        let now = Deadline::now();
        let mut freed = 0;
        while freed < budget
            && let Some((_, key)) = self.deadlines.pop_expired(now)
        {
            self.remove(&key);
            freed += 1;
        }
        freed
    }
}

impl Stored {
    fn has_expired(&self, now: Deadline) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

fn size(key: &ItemKey, value: &[u8]) -> usize {
    key.as_str().len() + value.len()
}

#[async_trait]
impl Driver for LruCache {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        MEMORY
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let mut cache = self.lock();
        let Some(stored) = cache.live(key) else { return Ok(None) };
        let item = Item::new(stored.value.clone(), stored.version);
        let (ttl, deadline) = (stored.ttl, stored.deadline);
        cache.items.promote(key);
        if self.options.update_age_on_get && ttl.is_some() {
            cache.move_deadline(key, ttl);
            return Ok(Some((item, ttl)));
        }
        Ok(Some((item, deadline.map(|deadline| deadline.since(Deadline::now())))))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let size = size(key, &value);
        if let Some(max) =
            [self.options.max_entry_size, self.options.max_size].into_iter().flatten().min()
            && size > max
        {
            let message = format!(
                "{size} bytes are more than `maxEntrySize` or `maxSize` allows, which is {max}"
            );
            return Err(Error::new(ErrorKind::TooLarge, message)
                .with_driver(NAME)
                .with_operation(cloakroom_storage::Operation::Set)
                .with_key(key));
        }
        let ttl = ttl.or((self.options.ttl > 0).then(|| Duration::from_millis(self.options.ttl)));
        let mut cache = self.lock();
        let version = cache.live(key).map(|stored| stored.version);
        let holds = match when {
            When::Always => true,
            When::Absent => version.is_none(),
            When::Version(wanted) => version.is_some() && version == wanted.as_number(),
        };
        if !holds {
            return Ok(SetOutcome::Conflict);
        }
        cache.remove(key);
        cache.free_expired(2);
        cache.last_version += 1;
        let version = cache.last_version;
        let deadline = Deadline::now().after(ttl);
        cache.deadlines.replace(key, None, deadline);
        cache.size += size;
        let stored = Stored { value: Bytes::copy_from_slice(&value), version, ttl, deadline };
        cache.items.put(key.clone(), stored);
        self.evict(&mut cache);
        Ok(SetOutcome::Written { version: version.into() })
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        let mut cache = self.lock();
        let version = cache.live(key).map(|stored| stored.version);
        match (version, when) {
            (_, When::Absent) => Err(Error::remove_absent(NAME, key)),
            (None, _) => Ok(RemoveOutcome::Missing),
            (Some(version), When::Version(wanted)) if wanted.as_number() != Some(version) => {
                Ok(RemoveOutcome::Conflict)
            }
            (Some(_), _) => {
                cache.remove(key);
                Ok(RemoveOutcome::Removed)
            }
        }
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let mut cache = self.lock();
        if cache.live(key).is_none() {
            return Ok(false);
        }
        cache.move_deadline(key, ttl);
        Ok(true)
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let cache = self.lock();
        let now = Deadline::now();
        let live = cache.items.iter().filter(|(_, stored)| !stored.has_expired(now));
        let keys = live
            .filter(|(key, _)| key.as_str().starts_with(prefix))
            .map(|(key, _)| Ok(key.clone()));
        stream::iter(keys.collect::<Vec<_>>()).boxed()
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        let removed = self.lock().free_expired(budget);
        Ok(Swept { removed, examined: removed, finished: removed < budget })
    }
}

impl fmt::Debug for LruCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cache = self.lock();
        f.debug_struct("LruCache")
            .field("items", &cache.items.len())
            .field("size", &cache.size)
            .finish_non_exhaustive()
    }
}
