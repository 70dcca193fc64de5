//! `memory`: in this process's memory.

mod shard;
mod written;

use std::fmt;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use hashbrown::DefaultHashBuilder;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::common::capabilities::MEMORY;
use crate::common::deadlines::Deadline;
use cloakroom_storage::{
    Capabilities, Driver, Error, Item, ItemKey, RemoveOutcome, Result, SetOutcome, Swept, When,
    options,
};
use shard::Shard;

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
    shards: Vec<Apart<Mutex<Shard>>>,
    hasher: DefaultHashBuilder,
    /// The shard where the next sweep begins.
    next_swept: AtomicUsize,
}

/// What shares no line of the processor's caches with its neighbour, of which some fetch two at once.
#[repr(align(128))]
struct Apart<T>(T);

/// unstorage's `memory` has no options.
#[derive(Deserialize)]
struct Options {}

impl Memory {
    /// An empty store.
    pub fn new() -> Memory {
        Memory {
            shards: (0..SHARDS).map(|_| Apart(Mutex::new(Shard::new()))).collect(),
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

    /// A key's hash, and the shard that it leads to.
    fn shard(&self, key: &ItemKey) -> (u64, MutexGuard<'_, Shard>) {
        let hash = self.hasher.hash_one(key.as_str());
        // By bits from which a table takes neither the place nor the tag of an item.
        (hash, self.lock((hash >> 48) as usize % SHARDS))
    }

    fn lock(&self, index: usize) -> MutexGuard<'_, Shard> {
        // Nothing in here panics half-way through a change, so a poisoned shard is as good as any.
        self.shards[index].0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The item under `key`, and what `ttl` makes of its deadline and the present.
    fn read<T>(
        &self,
        key: &ItemKey,
        ttl: impl FnOnce(Option<Deadline>, Deadline) -> T,
    ) -> Option<(Item, T)> {
        let (hash, mut shard) = self.shard(key);
        let read = shard
            .read(hash, key, |stored, now| (stored.written.clone(), ttl(stored.deadline, now)));
        drop(shard);
        let (written, ttl) = read?;
        let version = written.version();
        Some((Item::new(written.into_value(), version), ttl))
    }
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
        Ok(self.read(key, |_, _| ()).map(|(item, ())| item))
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        Ok(self.read(key, |deadline, now| deadline.map(|deadline| deadline.since(now))))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let (hash, mut shard) = self.shard(key);
        // Not before: what has ended while somebody waited for the lock is over.
        let now = Deadline::now();
        let written = shard.write(hash, key, &value, &when, now.after(ttl), now);
        shard.free_expired(FREED_PER_WRITE, now);
        Ok(match written {
            Some(version) => SetOutcome::Written { version: version.into() },
            None => SetOutcome::Conflict,
        })
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        let (hash, mut shard) = self.shard(key);
        let version = shard.read(hash, key, |stored, _| stored.written.version());
        match (version, when) {
            (_, When::Absent) => Err(Error::remove_absent("memory", key)),
            (None, _) => Ok(RemoveOutcome::Missing),
            (Some(version), When::Version(wanted)) if wanted.as_number() != Some(version) => {
                Ok(RemoveOutcome::Conflict)
            }
            (Some(_), _) => {
                shard.remove(hash, key);
                Ok(RemoveOutcome::Removed)
            }
        }
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let (hash, mut shard) = self.shard(key);
        let now = Deadline::now();
        Ok(shard.touch(hash, key, now.after(ttl), now))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let prefix = prefix.to_owned();
        // One shard at a time: nobody holds a lock while the caller thinks.
        stream::iter(0..SHARDS)
            .flat_map(move |index| {
                let shard = self.lock(index);
                let live = shard.live(Deadline::now());
                let wanted = live.filter(|stored| stored.written.has_prefix(&prefix));
                stream::iter(wanted.map(|stored| stored.written.key()).collect::<Vec<_>>())
            })
            .boxed()
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        let start = self.next_swept.load(Ordering::Relaxed);
        let now = Deadline::now();
        let (mut removed, mut examined) = (0, 0);
        for step in 0..SHARDS {
            let index = (start + step) % SHARDS;
            let freed = self.lock(index).free_expired(budget - examined, now);
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
        let items: usize = (0..SHARDS).map(|index| self.lock(index).len()).sum();
        f.debug_struct("Memory").field("items", &items).finish_non_exhaustive()
    }
}
