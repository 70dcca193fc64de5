//! `nats`: a key-value bucket of NATS JetStream, 2.9 or later. Not one of unstorage's drivers.
//!
//! # Layout
//! The item `a:b` is the latest message on the bucket's subject for the key `a.b`, or `base.a.b`: the bytes alone, as
//! `nats kv get` shows them. What a key of NATS cannot have goes as `=` and two hexadecimal digits. The message's header
//! `Cloakroom-Expires` is the deadline, in milliseconds since 1970.
//!
//! A server of 2.11 or later removes expired messages by itself, for buckets that were made with that permission, as
//! those are that this driver makes. Elsewhere they are swept, at the cost of looking at the headers of all items.
//!
//! # Compare and swap
//! By the sequence of the message, after a look whether it is the one that was seen. Moving a deadline is a message of its
//! own, with the same bytes and with the version of the one before in the header `Cloakroom-Version`. A removal of a version
//! writes a marker on the condition of the sequence, and purges the subject up to that, so that nothing is left behind.
//!
//! Sequences begin again where a bucket is made anew, and come again where one is restored from a copy or has lost its last
//! writes: so each message has a random number, in the header `Cloakroom-Write`, and one of another program the digest of its
//! bytes instead. In a bucket that this driver makes on a server of 2.10 or later, sequences begin at the time, in
//! microseconds since 1970, so that not even a write on its way meets those of another bucket.
//!
//! Reads and writes go to the leader of the bucket, so that everybody sees what was written last.

mod bucket;
mod failure;
mod options;
mod subject;
mod version;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Map, Value};

use crate::common::capabilities::SWEPT;
use crate::common::wall_clock;
use bucket::{Bucket, Buckets, Entry};
use cloakroom_storage::{
    Capabilities, Driver, Error, Item, ItemKey, Operation, RemoveOutcome, Result, SetOutcome,
    Swept, When,
};
pub use options::{Options, Storage};
use version::Seen;

const NAME: &str = "nats";

/// How many items one call of a sweep looks at.
const EXAMINED: usize = 1000;

/// Items in NATS.
///
/// ```no_run
/// use cloakroom_drivers::nats::{Nats, Options};
///
/// # fn example() -> cloakroom_storage::Result<()> {
/// let nats = Nats::new(Options::new("nats://localhost:4222"))?;
/// # Ok(())
/// # }
/// ```
pub struct Nats {
    buckets: Buckets,
    /// With the `:` before the keys.
    base: String,
    /// The sequence that the next sweep begins at.
    swept: AtomicU64,
}

impl Nats {
    /// A store in a bucket. Connects at the first call, and makes the bucket then.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is impossible.
    pub fn new(options: Options) -> Result<Nats> {
        let options = options.checked()?;
        let base = options.base()?;
        Ok(Nats { buckets: Buckets::new(options), base, swept: AtomicU64::new(0) })
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`Nats::new`], and with [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is unknown.
    pub fn open(options: &Map<String, Value>) -> Result<Nats> {
        Nats::new(cloakroom_storage::options::parse(NAME, options)?)
    }

    async fn bucket(&self) -> Result<Arc<Bucket>> {
        self.buckets.get().await
    }

    /// The subject of an item, in the bucket.
    fn key(&self, key: &ItemKey) -> String {
        subject::encode(&format!("{}{}", self.base, key.as_str()))
    }

    async fn find(&self, key: &ItemKey) -> Result<Option<Entry>> {
        Ok(self.bucket().await?.last(&self.key(key)).await?.filter(Entry::is_alive))
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: &Bytes,
        when: &When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        if ttl == Some(Duration::ZERO) {
            return self.write_nothing(key, when).await;
        }
        let (bucket, name) = (self.bucket().await?, self.key(key));
        let expires = ttl.and_then(wall_clock::after);
        let seen = match when {
            When::Version(version) => match Seen::of(version) {
                Some(seen) => Some(seen),
                None => return Ok(SetOutcome::Conflict),
            },
            When::Always | When::Absent => None,
        };
        let mut expected = match when {
            When::Always => None,
            // A new item is written on nothing.
            When::Absent | When::Version(_) => Some(0),
        };
        // Of what was seen there may be another of the same sequence by now.
        let mut is_sure = seen.is_none();
        let mut entry: Option<Entry> = None;
        loop {
            if is_sure
                && let Some(version) = bucket.publish(&name, value, expires, expected, None).await?
            {
                // Perhaps it was too late for the version, and others have seen it expired.
                if seen.is_some() && entry.as_ref().is_some_and(Entry::has_expired) {
                    bucket.remove(&name, version.sequence).await?;
                    return Ok(SetOutcome::Conflict);
                }
                return Ok(SetOutcome::Written { version: version.into() });
            }
            entry = bucket.last(&name).await?;
            let there = entry.as_ref().filter(|entry| entry.is_alive());
            if there.map(|entry| entry.version) != seen {
                return Ok(SetOutcome::Conflict);
            }
            expected = Some(entry.as_ref().map_or(0, |entry| entry.sequence));
            is_sure = true;
        }
    }

    /// A write that leaves no item behind.
    async fn write_nothing(&self, key: &ItemKey, when: &When) -> Result<SetOutcome> {
        let done = match when {
            When::Always => self.delete(key, &When::Always).await.map(|_| true),
            When::Absent => self.find(key).await.map(|entry| entry.is_none()),
            When::Version(_) => {
                self.delete(key, when).await.map(|outcome| outcome == RemoveOutcome::Removed)
            }
        };
        Ok(match done? {
            true => SetOutcome::Written { version: Seen::new(0, None, 0).into() },
            false => SetOutcome::Conflict,
        })
    }

    async fn delete(&self, key: &ItemKey, when: &When) -> Result<RemoveOutcome> {
        let (bucket, name) = (self.bucket().await?, self.key(key));
        let seen = match when {
            When::Version(version) => Seen::of(version),
            When::Always | When::Absent => None,
        };
        let mut known = None;
        loop {
            if let Some(sequence) = known {
                let is_removed = match when {
                    // Of what was just read.
                    When::Always | When::Absent => bucket.purge(&name, sequence).await?,
                    When::Version(_) => bucket.remove(&name, sequence).await?,
                };
                if is_removed {
                    return Ok(RemoveOutcome::Removed);
                }
            }
            let Some(entry) = bucket.last(&name).await?.filter(Entry::is_alive) else {
                return Ok(RemoveOutcome::Missing);
            };
            if *when != When::Always && seen != Some(entry.version) {
                return Ok(RemoveOutcome::Conflict);
            }
            known = Some(entry.sequence);
        }
    }

    async fn expire(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        if ttl == Some(Duration::ZERO) {
            return Ok(self.delete(key, &When::Always).await? == RemoveOutcome::Removed);
        }
        let (bucket, name) = (self.bucket().await?, self.key(key));
        loop {
            let Some(entry) = bucket.last(&name).await?.filter(Entry::is_alive) else {
                return Ok(false);
            };
            let expires = ttl.and_then(wall_clock::after);
            let (expected, version) = (Some(entry.sequence), Some(entry.version));
            let moved = bucket.publish(&name, &entry.value, expires, expected, version).await?;
            match moved {
                // Perhaps it was too late, and others have seen it expired.
                Some(moved) if entry.has_expired() => {
                    bucket.remove(&name, moved.sequence).await?;
                    return Ok(false);
                }
                Some(_) => return Ok(true),
                None => {}
            }
        }
    }

    async fn list(&self, prefix: &str) -> Result<BTreeSet<ItemKey>> {
        let bucket = self.bucket().await?;
        let prefix = format!("{}{prefix}", self.base);
        let list = bucket.list(&prefix, DeliverPolicy::LastPerSubject).await?;
        // A set, since an item is there twice whose deadline was moved during the walk.
        let mut keys = BTreeSet::new();
        // Beside steady writes it would have no end of its own.
        let longest = list.length().saturating_mul(2).saturating_add(EXAMINED as u64);
        let mut length = 0;
        loop {
            let (page, mut is_last) = list.page(EXAMINED).await?;
            length += page.len() as u64;
            is_last |= page.is_empty() || length > longest;
            let names = page.iter().filter(|entry| entry.is_alive());
            let names = names.filter_map(|entry| subject::decode(&entry.name));
            let names = names.filter(|name| name.starts_with(&prefix));
            keys.extend(names.filter_map(|name| self.item_key(&name)));
            if is_last {
                return Ok(keys);
            }
        }
    }

    /// The item of this name; `None` where it is no item of ours.
    fn item_key(&self, name: &str) -> Option<ItemKey> {
        let name = name.strip_prefix(&self.base)?;
        ItemKey::new(name).ok().filter(|key| key.as_str() == name)
    }

    async fn sweep_some(&self, budget: usize) -> Result<Swept> {
        let bucket = self.bucket().await?;
        let mut swept = Swept::default();
        if bucket.removes_expired {
            swept.finished = true;
            return Ok(swept);
        }
        let start_sequence = self.swept.load(Ordering::Relaxed);
        let policy = match start_sequence {
            0 => DeliverPolicy::All,
            _ => DeliverPolicy::ByStartSequence { start_sequence },
        };
        let (page, _) = bucket.list(&self.base, policy).await?.page(EXAMINED).await?;
        let mut next = 0;
        for entry in &page {
            if swept.removed == budget {
                next = entry.sequence;
                break;
            }
            next = entry.sequence + 1;
            swept.examined += 1;
            // Of the message that was seen: one that was written since stays.
            if entry.has_expired() && bucket.purge(&entry.name, entry.sequence).await? {
                swept.removed += 1;
            }
        }
        swept.finished = page.len() == swept.examined && page.len() < EXAMINED;
        self.swept.store(if swept.finished { 0 } else { next }, Ordering::Relaxed);
        Ok(swept)
    }

    /// Says what was being done, and to what. A bucket that is gone is made anew by the next call.
    fn explain(&self, error: Error, operation: Operation) -> Error {
        if failure::is_missing_bucket(&error) {
            self.buckets.forget();
        }
        error.with_driver(NAME).with_operation(operation)
    }
}

#[async_trait]
impl Driver for Nats {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            native_ttl: self.buckets.current().is_some_and(|bucket| bucket.removes_expired),
            ..SWEPT
        }
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let found = self.find(key).await;
        let found = found.map_err(|error| self.explain(error, Operation::Get).with_key(key))?;
        Ok(found.map(|entry| {
            let ttl = entry.remaining();
            (Item::new(entry.value, entry.version), ttl)
        }))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let outcome = self.write(key, &value, &when, ttl).await;
        outcome.map_err(|error| self.explain(error, Operation::Set).with_key(key))
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        let outcome = self.delete(key, &when).await;
        outcome.map_err(|error| self.explain(error, Operation::Remove).with_key(key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let is_there = self.expire(key, ttl).await;
        is_there.map_err(|error| self.explain(error, Operation::Touch).with_key(key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let prefix = prefix.to_owned();
        let keys = async move {
            let keys = self.list(&prefix).await;
            keys.map(|keys| stream::iter(keys.into_iter().map(Ok)))
                .map_err(|error| self.explain(error, Operation::Keys))
        };
        stream::once(keys).try_flatten().boxed()
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        let swept = self.sweep_some(budget).await;
        swept.map_err(|error| self.explain(error, Operation::Sweep))
    }
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").field("buckets", &self.buckets).finish_non_exhaustive()
    }
}
