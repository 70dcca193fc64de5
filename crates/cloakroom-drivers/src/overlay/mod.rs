//! `overlay`: a store above others, which stay as they are.
//!
//! # Layout
//! unstorage's: all is written to the first layer, and read from the first layer that has it. A removed item that a lower
//! layer has is `__OVERLAY_REMOVED__` in the first.
//!
//! DIFFERENCE: unstorage leaves that word behind for every item that it removes. Here one that no lower layer has is gone
//! without a trace; sessions come and go, and the store would grow for ever.
//!
//! # Items that expire
//! When an item of the first layer expires, the one below it would come back: an old session, after its end. So an item
//! that covers another one gets a mark when it gets a deadline, `KEY$expires$` in the first layer, for good: of this key
//! the lower layers count no more. It costs two calls when such an item is written for the first time, and one when an item
//! is read from below. JavaScript lists no key that ends so, and does not heed it: there, what is below comes back, as it
//! always does.
//!
//! The first such write brings a copy of the item below up, then makes the mark, and then replaces the copy. After each of
//! these the same item is there that was there before, or the new one with its deadline: wherever the write ends, by a
//! failure or because nobody waits for it, it is whole or has changed nothing.
//!
//! # Conditions
//! They are the first layer's, where it can compare and swap, so no update that is made through an overlay is lost. A change
//! that somebody makes to a lower layer itself is noticed when it is read, and not between that and the write. A version of
//! an item below serves also after a [`touch`](Driver::touch) has brought a copy of it up.

mod version;
mod words;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::future::{join_all, try_join_all};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::registry::open_unlimited;
use cloakroom_storage::{
    Advice, Capabilities, Driver, DynDriver, Error, ErrorKind, Item, ItemKey, Operation,
    RemoveOutcome, Result, SetOutcome, Swept, When, options,
};

use words::{MARK, REMOVED, is_named_after, mark_of};
pub use words::{counts_no_more, is_word};

const NAME: &str = "overlay";

/// How many items are looked at together when keys are listed.
const AT_ONCE: usize = 16;

/// Items in a first layer, above those of others that are never written to.
///
/// ```
/// use std::sync::Arc;
/// use cloakroom_drivers::memory::Memory;
/// use cloakroom_drivers::overlay::Overlay;
/// use cloakroom_storage::{Driver, ItemKey, When};
///
/// # async fn example() -> cloakroom_storage::Result<()> {
/// let below = Arc::new(Memory::new());
/// let key = ItemKey::new("greeting")?;
/// below.set(&key, "hello".into(), When::Always, None).await?;
///
/// let overlay = Overlay::new(Arc::new(Memory::new()), [below.clone() as _]);
/// assert_eq!(overlay.get(&key).await?.unwrap().value, "hello");
/// overlay.remove(&key, When::Always).await?;
/// assert_eq!(overlay.get(&key).await?, None);
/// assert!(below.get(&key).await?.is_some());
/// # Ok(())
/// # }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// ```
#[derive(Debug)]
pub struct Overlay {
    first: DynDriver,
    lower: Vec<DynDriver>,
}

/// What a configuration says. Not public: as in unstorage, a program has the drivers themselves, which [`Overlay::new`]
/// takes; only a configuration has what opens them.
#[derive(Deserialize)]
struct Options {
    /// The stores, the one that is written to first.
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    /// The driver's name.
    driver: String,
    /// Its own options.
    #[serde(default)]
    options: Map<String, Value>,
}

/// An item, and where it is.
struct Seen {
    layer: usize,
    item: Item,
    ttl: Option<Duration>,
}

impl Overlay {
    /// A store whose items are written to `first`, and read from `lower` where it has none, in this order.
    pub fn new(first: DynDriver, lower: impl IntoIterator<Item = DynDriver>) -> Overlay {
        Overlay { first, lower: lower.into_iter().collect() }
    }

    /// A store as a configuration gives it: the option `layers` is a list of `{ driver, options }`, the first layer first,
    /// each opened by its name with its options.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when there is no layer, and when one cannot be opened.
    pub async fn open(given: &Map<String, Value>) -> Result<Overlay> {
        let Options { layers } = options::parse(NAME, given)?;
        let mut opened = Vec::with_capacity(layers.len());
        for (index, Layer { driver, options }) in layers.iter().enumerate() {
            let layer = open_unlimited(driver, options).await.map_err(|error| {
                let message = format!("option `layers`: number {index}: {error}");
                Error::new(error.kind(), message).with_driver(NAME).with_source(error)
            })?;
            opened.push(layer);
        }
        let mut opened = opened.into_iter();
        match opened.next() {
            Some(first) => Ok(Overlay::new(first, opened)),
            None => Err(options::invalid(NAME, "option `layers`: there must be one at least")),
        }
    }

    /// The item that callers see.
    async fn find(&self, key: &ItemKey) -> Result<Option<Seen>> {
        match self.first.get_with_ttl(key).await? {
            Some((item, _)) if item.value == REMOVED => Ok(None),
            Some((item, ttl)) => Ok(Some(Seen { layer: 0, item, ttl })),
            None => self.find_below(key).await,
        }
    }

    /// The item that callers see where the first layer has none.
    async fn find_below(&self, key: &ItemKey) -> Result<Option<Seen>> {
        let seen = self.below(key).await?;
        // The mark is looked for only where it matters.
        Ok(if seen.is_some() && self.is_marked(key).await? { None } else { seen })
    }

    /// The item of the lower layers.
    async fn below(&self, key: &ItemKey) -> Result<Option<Seen>> {
        for (layer, driver) in (1..).zip(&self.lower) {
            if let Some((item, ttl)) = driver.get_with_ttl(key).await? {
                return Ok((item.value != REMOVED).then_some(Seen { layer, item, ttl }));
            }
        }
        Ok(None)
    }

    async fn is_marked(&self, key: &ItemKey) -> Result<bool> {
        counts_no_more(&*self.first, key).await
    }

    /// What a deadline in the first layer would bring back from below.
    async fn uncovered(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<Option<Seen>> {
        match ttl.is_some() && self.first.capabilities().expiry {
            true => self.find_below(key).await,
            false => Ok(None),
        }
    }

    async fn mark(&self, key: &ItemKey) -> Result<()> {
        self.first.set(&mark_of(key)?, REMOVED, When::Always, None).await.map(drop)
    }

    /// What a condition means in the first layer; `None` if it does not hold.
    async fn condition(&self, key: &ItemKey, when: When) -> Result<Option<When>> {
        let version = match when {
            When::Always => return Ok(Some(When::Always)),
            When::Absent => None,
            When::Version(version) => match version::layer_of(&version) {
                Some((0, version)) => return Ok(Some(When::Version(version))),
                Some(lower) => Some(lower),
                None => return Ok(None),
            },
        };
        let first = self.first.get(key).await?;
        let below = match (&first, &version) {
            (None, _) => self.find_below(key).await?,
            (Some(_), Some(_)) => self.below(key).await?,
            (Some(_), None) => None,
        };
        // The item below, if the version is its own.
        let named = version.map(|named| {
            below.as_ref().filter(|seen| named == (seen.layer, seen.item.version.clone()))
        });
        Ok(match (first, named) {
            (None, None) => below.is_none().then_some(When::Absent),
            (Some(item), None) => (item.value == REMOVED).then_some(When::Version(item.version)),
            (None, Some(named)) => named.map(|_| When::Absent),
            (Some(item), Some(named)) => named
                .filter(|seen| seen.item.value == item.value)
                .map(|_| When::Version(item.version)),
        })
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let Some(below) = self.uncovered(key, ttl).await? else {
            return self.first.set(key, value, when, ttl).await;
        };
        let Some(when) = self.raise(key, below, when).await? else {
            return Ok(SetOutcome::Conflict);
        };
        self.mark(key).await?;
        self.first.set(key, value, when, ttl).await
    }

    /// Brings a copy of the item below up where the first layer has none, so that nothing is missing once the lower layers
    /// count no more. The condition that holds then; `None` if another was faster.
    async fn raise(&self, key: &ItemKey, below: Seen, when: When) -> Result<Option<When>> {
        if self.first.get(key).await?.is_some() {
            return Ok(Some(when));
        }
        let copying = match self.first.capabilities().compare_and_swap {
            true => When::Absent,
            false => When::Always,
        };
        let copied = self.first.set(key, below.item.value, copying, below.ttl).await?;
        Ok(match (copied, when) {
            (SetOutcome::Written { version }, When::Absent) => Some(When::Version(version)),
            (SetOutcome::Conflict, When::Absent) => None,
            (_, when) => Some(when),
        })
    }

    /// What a removal is that the first layer refused.
    async fn refused(&self, key: &ItemKey) -> Result<RemoveOutcome> {
        Ok(match self.find(key).await? {
            Some(_) => RemoveOutcome::Conflict,
            None => RemoveOutcome::Missing,
        })
    }

    /// Whether the first layer decides alone: it will refuse.
    fn is_unable(&self, when: &When) -> bool {
        let capabilities = self.first.capabilities();
        capabilities.read_only || (*when != When::Always && !capabilities.compare_and_swap)
    }

    /// The key, if there is an item of it in this layer.
    async fn listed(&self, key: ItemKey, layer: usize) -> Result<Option<ItemKey>> {
        if layer > 0 && !is_named_after(key.as_str()) && self.is_marked(&key).await? {
            return Ok(None);
        }
        let driver = match layer.checked_sub(1).and_then(|index| self.lower.get(index)) {
            Some(lower) => lower,
            None => &self.first,
        };
        Ok(driver.get(&key).await?.filter(|item| item.value != REMOVED).map(|_| key))
    }

    /// All keys with the first layer that has them, those that are marked as removed among them.
    async fn every_key(&self, prefix: &str) -> Result<HashMap<ItemKey, usize>> {
        let mut found = HashMap::new();
        let mut marked = HashSet::new();
        for (layer, driver) in [&self.first].into_iter().chain(&self.lower).enumerate() {
            let mut keys = driver.keys(prefix);
            while let Some(key) = keys.try_next().await? {
                match key.as_str().strip_suffix(MARK) {
                    Some(key) if layer == 0 => drop(marked.insert(key.to_owned())),
                    Some(_) => {}
                    None if layer > 0 && marked.contains(key.as_str()) => {}
                    None => drop(found.entry(key).or_insert(layer)),
                }
            }
        }
        Ok(found)
    }
}

#[async_trait]
impl Driver for Overlay {
    fn name(&self) -> &'static str {
        NAME
    }

    /// What the first layer can do; keys are listed where all layers list them.
    fn capabilities(&self) -> Capabilities {
        let iteration = self.lower.iter().all(|layer| layer.capabilities().iteration);
        let first = self.first.capabilities();
        Capabilities { iteration: first.iteration && iteration, ..first }
    }

    /// What all layers advise.
    async fn advice(&self) -> Vec<Advice> {
        let layers = [&self.first].into_iter().chain(&self.lower);
        join_all(layers.map(|layer| layer.advice())).await.concat()
    }

    /// That of the first layer, which decides what has expired.
    async fn time(&self) -> Result<Option<Duration>> {
        self.first.time().await
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        Ok(self.find(key).await?.map(|Seen { layer, item, ttl }| {
            let version = version::of_layer(layer, &item.version);
            (Item::new(item.value, version), ttl)
        }))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        if value == REMOVED {
            let message = "this very value is what a removed item leaves behind";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_driver(NAME)
                .with_operation(Operation::Set)
                .with_key(key)
                .with_unapplied(true));
        }
        if self.is_unable(&when) {
            return self.first.set(key, value, when, ttl).await;
        }
        let Some(when) = self.condition(key, when).await? else { return Ok(SetOutcome::Conflict) };
        Ok(match self.write(key, value, when, ttl).await? {
            SetOutcome::Written { version } => {
                SetOutcome::Written { version: version::of_layer(0, &version) }
            }
            SetOutcome::Conflict => SetOutcome::Conflict,
        })
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        if self.is_unable(&when) {
            return self.first.remove(key, when).await;
        }
        if when == When::Always && self.find(key).await?.is_none() {
            return Ok(RemoveOutcome::Missing);
        }
        let Some(when) = self.condition(key, when).await? else { return self.refused(key).await };
        let outcome = match self.below(key).await? {
            None => self.first.remove(key, when).await?,
            Some(_) => match self.first.set(key, REMOVED, when, None).await? {
                SetOutcome::Written { .. } => RemoveOutcome::Removed,
                SetOutcome::Conflict => RemoveOutcome::Conflict,
            },
        };
        match outcome {
            RemoveOutcome::Conflict => self.refused(key).await,
            outcome => Ok(outcome),
        }
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let capabilities = self.first.capabilities();
        if capabilities.read_only {
            return self.first.touch(key, ttl).await;
        }
        match self.find(key).await? {
            None => Ok(false),
            Some(Seen { layer: 0, .. }) => {
                if self.uncovered(key, ttl).await?.is_some() {
                    self.mark(key).await?;
                }
                self.first.touch(key, ttl).await
            }
            Some(seen) if seen.ttl == ttl || !capabilities.expiry => Ok(true),
            // The layers below stay as they are, so it is a copy that gets the deadline.
            Some(seen) => {
                let when = match capabilities.compare_and_swap {
                    true => When::Absent,
                    false => When::Always,
                };
                // In a conflict there is something newer, with a deadline of its own.
                self.write(key, seen.item.value, when, ttl).await.map(|_| true)
            }
        }
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let prefix = prefix.to_owned();
        let keys = async move {
            let found = self.every_key(&prefix).await?;
            // So many at once, and none is under way while nobody asks for the next key: it would keep a connection that who was
            // given this one may wait for.
            let batches = stream::iter(found).chunks(AT_ONCE).then(|batch| {
                try_join_all(batch.into_iter().map(|(key, layer)| self.listed(key, layer)))
            });
            Ok(batches
                .map_ok(|keys| stream::iter(keys.into_iter().flatten().map(Ok)))
                .try_flatten())
        };
        stream::once(keys).try_flatten().boxed()
    }

    /// The lower layers belong to others, who sweep them.
    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.first.sweep(budget).await
    }
}
