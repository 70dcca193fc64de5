//! A driver of one's own in one file: items on a shelf in memory, with room for so many.
//!
//! It depends on `cloakroom-storage` alone. `tests/shelf.rs` holds it to the conformance suite, and opens it by its name from a
//! configuration.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cloakroom_storage::{
    BoxStream, Bytes, Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation,
    RemoveOutcome, Result, SetOutcome, Version, When, async_trait, options,
};
use serde::Deserialize;
use serde_json::{Map, Value};

const NAME: &str = "shelf";

/// The options of a [`Shelf`]; in a configuration they go by their camel-cased names.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Options {
    /// How many items there is room for.
    pub max_items: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options { max_items: 10_000 }
    }
}

/// Items in this process's memory.
#[derive(Debug)]
pub struct Shelf {
    options: Options,
    items: Mutex<HashMap<ItemKey, Held>>,
}

#[derive(Debug)]
struct Held {
    value: Bytes,
    until: Option<Instant>,
}

impl Shelf {
    /// An empty shelf.
    pub fn new(options: Options) -> Shelf {
        Shelf { options, items: Mutex::default() }
    }

    /// An empty shelf, by the options of a configuration.
    ///
    /// # Errors
    /// Where an option is not known or cannot be what it is.
    pub fn open(options: &Map<String, Value>) -> Result<Shelf> {
        Ok(Shelf::new(options::parse(NAME, options)?))
    }

    /// What is on the shelf and has not expired. A shelf is small enough to be looked through each time.
    fn items(&self) -> MutexGuard<'_, HashMap<ItemKey, Held>> {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        items.retain(|_, held| held.until.is_none_or(|until| now < until));
        items
    }
}

/// The bytes themselves: a version like that matches no other bytes, whatever became of the item in the meantime.
fn version(value: &Bytes) -> Version {
    Version::from(value.clone())
}

/// A moment beyond the end of time is none.
fn deadline(ttl: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(ttl?)
}

#[async_trait]
impl Driver for Shelf {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            retains: true,
            compare_and_swap: true,
            expiry: true,
            native_ttl: true,
            iteration: true,
            empty_values: true,
            ..Capabilities::none()
        }
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        Ok(self.items().get(key).map(|held| {
            let left = held.until.map(|until| until.saturating_duration_since(Instant::now()));
            (Item::new(held.value.clone(), version(&held.value)), left)
        }))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let mut items = self.items();
        let there = items.get(key);
        let holds = match &when {
            When::Always => true,
            When::Absent => there.is_none(),
            When::Version(seen) => there.is_some_and(|held| version(&held.value) == *seen),
        };
        if !holds {
            return Ok(SetOutcome::Conflict);
        }
        if there.is_none() && items.len() == self.options.max_items {
            return Err(Error::new(ErrorKind::StorageFull, "there is no room on the shelf")
                .with_driver(NAME)
                .with_operation(Operation::Set)
                .with_key(key)
                .with_unapplied(true));
        }
        let version = version(&value);
        items.insert(key.clone(), Held { value, until: deadline(ttl) });
        Ok(SetOutcome::Written { version })
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        let mut items = self.items();
        let there = items.get(key);
        match when {
            When::Absent => Err(Error::remove_absent(NAME, key)),
            _ if there.is_none() => Ok(RemoveOutcome::Missing),
            When::Version(seen) if there.is_some_and(|held| version(&held.value) != seen) => {
                Ok(RemoveOutcome::Conflict)
            }
            When::Version(_) | When::Always => {
                items.remove(key);
                Ok(RemoveOutcome::Removed)
            }
        }
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let mut items = self.items();
        let held = items.get_mut(key);
        Ok(held.map(|held| held.until = deadline(ttl)).is_some())
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let items = self.items();
        let keys = items.keys().filter(|key| key.as_str().starts_with(prefix));
        let keys: Vec<_> = keys.cloned().map(Ok).collect();
        Box::pin(futures_util::stream::iter(keys))
    }
}
