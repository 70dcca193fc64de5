//! `memory`: in this process's memory.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use hashbrown::{DefaultHashBuilder, HashMap};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::common::capabilities::MEMORY;
use crate::common::deadlines::{Deadline, Deadlines};
use crate::common::first_version::first_version;
use cloakroom_storage::{
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
/// An item's version is never used again, neither when the item was removed and made anew nor in another such store.
///
/// ```
/// use cloakroom_drivers::memory::Memory;
/// use cloakroom_storage::{Driver, ItemKey, When};
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
    hasher: DefaultHashBuilder,
    /// The shard where the next sweep begins.
    next_swept: AtomicUsize,
}

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
    /// Where the index has it, which is never after the deadline. The index follows a deadline that moved away when this
    /// has passed: moving it there with every write would cost more than the write.
    indexed: Option<Deadline>,
}

/// unstorage's `memory` has no options.
#[derive(Deserialize)]
struct Options {}

impl Memory {
    /// An empty store.
    pub fn new() -> Memory {
        Memory {
            shards: (0..SHARDS).map(|_| Mutex::new(Shard::new())).collect(),
            hasher: DefaultHashBuilder::default(),
            next_swept: AtomicUsize::new(0),
        }
    }

    /// An empty store, if there are no options.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when there is one.
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
    fn new() -> Shard {
        Shard {
            items: HashMap::default(),
            deadlines: Deadlines::default(),
            last_version: first_version(),
        }
    }

    /// What `read` finds in the item under `key`, which is looked up once, unless it has expired; then it is freed.
    fn read<T>(&mut self, key: &ItemKey, read: impl FnOnce(&Stored) -> T) -> Option<T> {
        let stored = self.items.get(key)?;
        if stored.has_expired() {
            self.remove(key);
            return None;
        }
        Some(read(stored))
    }

    fn remove(&mut self, key: &ItemKey) {
        if let Some(stored) = self.items.remove(key) {
            self.deadlines.replace(key, stored.indexed, None);
        }
    }

    /// Writes over an item that has expired as if it were not there; `None` when the condition does not hold.
    fn write(
        &mut self,
        key: &ItemKey,
        value: &[u8],
        when: When,
        deadline: Option<Deadline>,
    ) -> Option<Version> {
        let Shard { items, deadlines, last_version } = self;
        let stored = items.get_mut(key);
        let version = stored.as_ref().filter(|stored| !stored.has_expired());
        let version = version.map(|stored| stored.version);
        let holds = match when {
            When::Always => true,
            When::Absent => version.is_none(),
            When::Version(wanted) => version.is_some() && version == wanted.as_number(),
        };
        if !holds {
            return None;
        }
        *last_version += 1;
        let (value, version) = (value.into(), *last_version);
        if let Some(stored) = stored {
            (stored.value, stored.version) = (value, version);
            stored.move_deadline(deadline, key, deadlines);
        } else {
            // The index shares the map's own copy of the key.
            let key = key.clone();
            let mut stored = Stored { value, version, deadline: None, indexed: None };
            stored.move_deadline(deadline, &key, deadlines);
            items.insert(key, stored);
        }
        Some(version.into())
    }

    /// Takes at most `budget` items out of the index, those that came first: the expired are freed, and those that live
    /// longer now have a new place in it.
    fn free_expired(&mut self, budget: usize) -> Freed {
        let now = Deadline::now();
        let mut freed = Freed::default();
        while freed.examined < budget
            && let Some(key) = self.deadlines.pop_expired(now)
        {
            freed.examined += 1;
            match self.items.get_mut(&key) {
                Some(stored) if stored.deadline.is_none_or(|deadline| deadline > now) => {
                    stored.indexed = None;
                    stored.move_deadline(stored.deadline, &key, &mut self.deadlines);
                }
                _ => freed.removed += usize::from(self.items.remove(&key).is_some()),
            }
        }
        if self.items.len() * 4 < self.items.capacity() {
            self.items.shrink_to(self.items.len() * 2);
        }
        freed
    }
}

impl Stored {
    fn has_expired(&self) -> bool {
        self.deadline.is_some_and(Deadline::has_passed)
    }

    fn move_deadline(
        &mut self,
        deadline: Option<Deadline>,
        key: &ItemKey,
        deadlines: &mut Deadlines,
    ) {
        self.deadline = deadline;
        let is_sooner =
            |deadline: &Deadline| self.indexed.is_none_or(|indexed| *deadline < indexed);
        if let Some(deadline) = deadline.filter(is_sooner) {
            deadlines.replace(key, self.indexed, Some(deadline));
            self.indexed = Some(deadline);
        }
    }
}

/// What came out of the index.
#[derive(Default)]
struct Freed {
    removed: usize,
    examined: usize,
}

#[async_trait]
impl Driver for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn capabilities(&self) -> Capabilities {
        MEMORY
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
        let written = shard.write(key, &value, when, Deadline::after(ttl));
        shard.free_expired(FREED_PER_WRITE);
        Ok(match written {
            Some(version) => SetOutcome::Written { version },
            None => SetOutcome::Conflict,
        })
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
        let Shard { items, deadlines, .. } = &mut *shard;
        let stored = items.get_mut(key).filter(|stored| !stored.has_expired());
        let Some(stored) = stored else { return Ok(false) };
        stored.move_deadline(Deadline::after(ttl), key, deadlines);
        Ok(true)
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let prefix = prefix.to_owned();
        // One shard at a time: nobody holds a lock while the caller thinks.
        stream::iter(0..SHARDS)
            .flat_map(move |index| {
                let shard = self.lock(index);
                let live = shard.items.iter().filter(|(_, stored)| !stored.has_expired());
                let keys = live
                    .filter(|(key, _)| key.as_str().starts_with(&prefix))
                    .map(|(key, _)| Ok(key.clone()));
                stream::iter(keys.collect::<Vec<_>>())
            })
            .boxed()
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        let start = self.next_swept.load(Ordering::Relaxed);
        let (mut removed, mut examined) = (0, 0);
        for step in 0..SHARDS {
            let index = (start + step) % SHARDS;
            let freed = self.lock(index).free_expired(budget - examined);
            removed += freed.removed;
            examined += freed.examined;
            if examined == budget {
                self.next_swept.store(index, Ordering::Relaxed);
                return Ok(Swept { removed, examined, finished: false });
            }
        }
        Ok(Swept { removed, examined, finished: true })
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
