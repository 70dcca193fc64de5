//! `memory`: in this process's memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::deadlines::{Deadline, Deadlines};
use crate::platform::RandomState;
use crate::{
    Capabilities, Driver, Error, Item, ItemKey, RemoveOutcome, Result, SetOutcome, Swept, Version,
    When, options,
};

/// More shards than cores that serve requests, so that two requests seldom meet at one lock.
const SHARDS: usize = 32;

/// How many expired items a write frees besides, so that memory is bounded even where nobody sweeps.
const FREED_PER_WRITE: usize = 2;

/// Items in this process's memory, gone when it ends.
///
/// For development, tests and programs of one process. Time is monotonic: setting the clock ends no session.
/// An item's version is never used again, not even when the item was removed and made anew.
///
/// ```
/// use cloakroom_storage::{Driver, ItemKey, When, drivers::memory::Memory};
///
/// # async fn example() -> cloakroom_storage::Result<()> {
/// let memory = Memory::new();
/// let key = ItemKey::new("greeting")?;
/// memory.set(&key, "hello".into(), When::Always, None).await?;
/// assert_eq!(memory.get(&key).await?.unwrap().value, "hello");
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// ```
pub struct Memory {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
    /// The shard where the next sweep begins.
    next_swept: AtomicUsize,
}

#[derive(Default)]
struct Shard {
    items: HashMap<ItemKey, Stored>,
    deadlines: Deadlines,
    last_version: u64,
}

struct Stored {
    /// Not `Bytes`, which takes twice the room in the table and more when it is shared.
    value: Arc<[u8]>,
    version: u64,
    deadline: Option<Deadline>,
}

/// unstorage's `memory` has no options.
#[derive(Deserialize)]
struct Options {}

impl Memory {
    /// An empty store.
    pub fn new() -> Memory {
        Memory {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            next_swept: AtomicUsize::new(0),
        }
    }

    /// An empty store, if there are no options.
    ///
    /// # Errors
    /// With [`InvalidOptions`](crate::ErrorKind::InvalidOptions) when there is one.
    pub fn open(options: &Map<String, Value>) -> Result<Memory> {
        options::parse::<Options>("memory", options).map(|Options {}| Memory::new())
    }

    fn shard(&self, key: &ItemKey) -> MutexGuard<'_, Shard> {
        self.lock((self.hasher.hash_one(key) % SHARDS as u64) as usize)
    }

    fn lock(&self, index: usize) -> MutexGuard<'_, Shard> {
        // Nothing in here panics half-way through a change, so a poisoned shard is as good as any.
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    /// The item under `key` unless it has expired; then it is freed.
    fn live(&mut self, key: &ItemKey) -> Option<&mut Stored> {
        if self.items.get(key)?.deadline.is_some_and(Deadline::has_passed) {
            self.remove(key);
        }
        self.items.get_mut(key)
    }

    /// What `read` finds in that item, which is looked up once.
    fn read<T>(&mut self, key: &ItemKey, read: impl FnOnce(&Stored) -> T) -> Option<T> {
        let stored = self.items.get(key)?;
        if stored.deadline.is_some_and(Deadline::has_passed) {
            self.remove(key);
            return None;
        }
        Some(read(stored))
    }

    fn remove(&mut self, key: &ItemKey) {
        if let Some(stored) = self.items.remove(key) {
            self.deadlines.replace(key, stored.deadline, None);
        }
    }

    fn insert(&mut self, key: &ItemKey, value: &[u8], deadline: Option<Deadline>) -> Version {
        self.last_version += 1;
        let version = self.last_version;
        let stored = Stored { value: value.into(), version, deadline };
        match self.items.entry(key.clone()) {
            Entry::Occupied(mut old) => {
                let before = old.insert(stored);
                // The index shares the map's own copy of the key.
                self.deadlines.replace(old.key(), before.deadline, deadline);
            }
            Entry::Vacant(vacant) => {
                self.deadlines.replace(vacant.key(), None, deadline);
                vacant.insert(stored);
            }
        }
        version.into()
    }

    /// Frees at most `budget` expired items, the oldest first.
    fn free_expired(&mut self, budget: usize) -> usize {
        let now = Deadline::now();
        let mut freed = 0;
        while freed < budget
            && let Some(key) = self.deadlines.pop_expired(now)
        {
            self.items.remove(&key);
            freed += 1;
        }
        if self.items.len() * 4 < self.items.capacity() {
            self.items.shrink_to(self.items.len() * 2);
        }
        freed
    }
}

#[async_trait]
impl Driver for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn capabilities(&self) -> Capabilities {
        super::MEMORY
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        let item =
            |stored: &Stored| Item::new(Bytes::from_owner(stored.value.clone()), stored.version);
        Ok(self.shard(key).read(key, item))
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        Ok(self.shard(key).read(key, |stored| {
            let item = Item::new(Bytes::from_owner(stored.value.clone()), stored.version);
            (item, stored.deadline.map(Deadline::remaining))
        }))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let mut shard = self.shard(key);
        let version = shard.read(key, |stored| stored.version);
        let holds = match when {
            When::Always => true,
            When::Absent => version.is_none(),
            When::Version(wanted) => version.is_some() && version == wanted.as_number(),
        };
        if !holds {
            return Ok(SetOutcome::Conflict);
        }
        let version = shard.insert(key, &value, Deadline::after(ttl));
        shard.free_expired(FREED_PER_WRITE);
        Ok(SetOutcome::Written { version })
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        let mut shard = self.shard(key);
        let version = shard.read(key, |stored| stored.version);
        match (version, when) {
            (_, When::Absent) => Err(Error::remove_absent("memory", key)),
            (None, _) => Ok(RemoveOutcome::Missing),
            (Some(version), When::Version(wanted)) if wanted.as_number() != Some(version) => {
                Ok(RemoveOutcome::Conflict)
            }
            (Some(_), _) => {
                shard.remove(key);
                Ok(RemoveOutcome::Removed)
            }
        }
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let mut shard = self.shard(key);
        let Some(stored) = shard.live(key) else { return Ok(false) };
        let new = Deadline::after(ttl);
        let old = std::mem::replace(&mut stored.deadline, new);
        shard.deadlines.replace(key, old, new);
        Ok(true)
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let prefix = prefix.to_owned();
        // One shard at a time: nobody holds a lock while the caller thinks.
        stream::iter(0..SHARDS)
            .flat_map(move |index| {
                let shard = self.lock(index);
                let live = shard
                    .items
                    .iter()
                    .filter(|(_, stored)| !stored.deadline.is_some_and(Deadline::has_passed));
                let keys = live
                    .filter(|(key, _)| key.as_str().starts_with(&prefix))
                    .map(|(key, _)| Ok(key.clone()));
                stream::iter(keys.collect::<Vec<_>>())
            })
            .boxed()
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        let start = self.next_swept.load(Ordering::Relaxed);
        let mut removed = 0;
        for step in 0..SHARDS {
            let index = (start + step) % SHARDS;
            removed += self.lock(index).free_expired(budget - removed);
            if removed == budget {
                self.next_swept.store(index, Ordering::Relaxed);
                return Ok(Swept { removed, examined: removed, finished: false });
            }
        }
        Ok(Swept { removed, examined: removed, finished: true })
    }
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items: usize = (0..SHARDS).map(|index| self.lock(index).items.len()).sum();
        f.debug_struct("Memory").field("items", &items).finish_non_exhaustive()
    }
}
