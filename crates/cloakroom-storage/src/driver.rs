//! The trait that every store implements.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::future::BoxFuture;
use futures_core::stream::BoxStream;
use futures_util::stream;

use crate::{
    Advice, Capabilities, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Swept, When,
};

/// A driver whose type is known at run time only, as a configuration opens it.
pub type DynDriver = Arc<dyn Driver>;

/// A store of bytes under keys.
///
/// *Missing* and *expired* are the same to a caller: an expired item is never returned, listed, touched or
/// matched by a version, whether or not its memory or file has been freed yet.
///
/// Dropping a returned future cancels the waiting, not always the work: a write that was on its way may still
/// happen. A write is never half done.
///
/// A [`Version`](crate::Version) that was given once never matches other bytes, whatever became of the item or of the store
/// since.
///
/// # Which compare-and-swap
/// By what the store has, in this order:
/// - *A number or a tag of each writing*, which the store itself compares when it writes (a revision, a generation, a
///   counter beside the value that a script or a transaction looks at): that is the version.
/// - *The bytes alone*: a write that holds only where the old bytes are still there, or a tag that is a digest of them. The
///   version is the bytes or their digest, and [`version_per_write`](Capabilities::version_per_write) is off: bytes that were
///   replaced and came back count as never gone.
/// - *Neither*: [`compare_and_swap`](Capabilities::compare_and_swap) is off, conditions are refused, and the last writer wins.
///   To read, compare and write in three steps is neither: another write fits in between.
///
/// Errors are the failures of the store. That an item is missing, or that a condition does not hold, is an
/// answer and no error. Every implementation passes [`conformance::run`](crate::conformance::run).
#[async_trait]
pub trait Driver: Send + Sync + fmt::Debug + 'static {
    /// The name that a configuration knows the driver by.
    ///
    /// ```
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::Driver;
    /// assert_eq!(Memory::new().name(), "memory");
    /// ```
    fn name(&self) -> &'static str;

    /// The product behind the driver, as traces call it: OpenTelemetry's
    /// [`db.system.name`](https://opentelemetry.io/docs/specs/semconv/registry/attributes/db/), such as `postgresql`, where it has
    /// a name for it. Otherwise it is the driver's own.
    ///
    /// ```
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::Driver;
    /// assert_eq!(Memory::new().system(), "memory");
    /// ```
    fn system(&self) -> &'static str {
        self.name()
    }

    /// What the driver can do.
    ///
    /// ```
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::Driver;
    /// let capabilities = Memory::new().capabilities();
    /// assert!(capabilities.compare_and_swap && !capabilities.durable);
    /// ```
    fn capabilities(&self) -> Capabilities;

    /// Another key of the same item, for a note in the store itself, where `key` may be a secret that the store shall not show.
    /// It is `key`, unless the driver hides it as `HashedKeys` does.
    ///
    /// ```
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::{Driver, ItemKey};
    /// let key = ItemKey::new("sess:42")?;
    /// assert_eq!(Memory::new().alias(&key)?, key);
    /// # Ok::<(), cloakroom_storage::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`ItemKey::new`].
    fn alias(&self, key: &ItemKey) -> Result<ItemKey> {
        Ok(key.clone())
    }

    /// Where the item under `key` is as it is stored: the driver within, and the key that it has there. For what repairs, which
    /// has to see bytes that a wrapper such as `Encrypted` cannot open. `None` where this driver is the one.
    ///
    /// ```
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::{Driver, ItemKey};
    /// assert!(Memory::new().unwrapped(&ItemKey::new("sess:42")?)?.is_none());
    /// # Ok::<(), cloakroom_storage::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`ItemKey::new`].
    fn unwrapped(&self, _key: &ItemKey) -> Result<Option<(&dyn Driver, ItemKey)>> {
        Ok(None)
    }

    /// What is unsafe in how this very store is reached and kept, which only the driver can see: a connection without TLS, a
    /// folder that others may read, a server that throws out what it has no room for. Nothing, unless the driver looks; what it
    /// could not look at is a [note](crate::Severity::Note).
    ///
    /// ```
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::Driver;
    /// # async fn example() {
    /// assert_eq!(Memory::new().advice().await, []);
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example());
    /// ```
    async fn advice(&self) -> Vec<Advice> {
        Vec::new()
    }

    /// What time it is by the store's own clock, since 1970; `None` where it does not say.
    ///
    /// ```
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::Driver;
    /// # async fn example() -> cloakroom_storage::Result<()> {
    /// assert_eq!(Memory::new().time().await?, None);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    /// When the store could not be asked.
    async fn time(&self) -> Result<Option<Duration>> {
        Ok(None)
    }

    /// The item under `key`; `None` when it is missing or expired.
    ///
    /// ```
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::{Driver, ItemKey, When};
    /// # async fn example() -> cloakroom_storage::Result<()> {
    /// let store = Memory::new();
    /// let key = ItemKey::new("sess:42")?;
    /// assert_eq!(store.get(&key).await?, None);
    /// let _ = store.set(&key, "hello".into(), When::Always, None).await?;
    /// assert_eq!(store.get(&key).await?.unwrap().value, "hello");
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    /// When the store could not be asked. An outage is never reported as a missing item.
    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        Ok(self.get_with_ttl(key).await?.map(|(item, _)| item))
    }

    /// As [`get`](Driver::get), with how long the item still lives; `None` for the latter where it stays until it
    /// is removed. One round trip, as `get` takes, which may be cheaper for the store all the same.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::{Driver, ItemKey, When};
    /// # async fn example() -> cloakroom_storage::Result<()> {
    /// let store = Memory::new();
    /// let key = ItemKey::new("sess:42")?;
    /// let _ = store.set(&key, "hello".into(), When::Always, Some(Duration::from_secs(60))).await?;
    /// let (_, ttl) = store.get_with_ttl(&key).await?.unwrap();
    /// assert!(ttl.unwrap() <= Duration::from_secs(60));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`get`](Driver::get).
    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>>;

    /// Writes `value` under `key` if `when` holds, to expire after `ttl`.
    ///
    /// A `ttl` of `None` means that the item stays until it is removed, also if it had a deadline before. A
    /// ttl of zero leaves no item behind.
    ///
    /// ```
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::{Driver, ItemKey, SetOutcome, When};
    /// # async fn example() -> cloakroom_storage::Result<()> {
    /// let store = Memory::new();
    /// let key = ItemKey::new("counter")?;
    /// let SetOutcome::Written { version } = store.set(&key, "1".into(), When::Absent, None).await? else {
    ///     panic!("somebody was faster");
    /// };
    /// let _ = store.set(&key, "2".into(), When::Always, None).await?;
    /// // Nobody overwrites what was not seen.
    /// let late = store.set(&key, "2".into(), When::Version(version), None).await?;
    /// assert_eq!(late, SetOutcome::Conflict);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    /// When the store failed. The value may or may not have been written then, but whole if at all.
    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome>;

    /// Removes the item under `key` if `when` holds: [`When::Always`], or [`When::Version`] to remove only
    /// the version that the caller saw.
    ///
    /// ```
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::{Driver, ItemKey, RemoveOutcome, When};
    /// # async fn example() -> cloakroom_storage::Result<()> {
    /// let store = Memory::new();
    /// let key = ItemKey::new("sess:42")?;
    /// let _ = store.set(&key, "hello".into(), When::Always, None).await?;
    /// assert_eq!(store.remove(&key, When::Always).await?, RemoveOutcome::Removed);
    /// assert_eq!(store.remove(&key, When::Always).await?, RemoveOutcome::Missing);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    /// When the store failed, and with [`Unsupported`](crate::ErrorKind::Unsupported) for [`When::Absent`],
    /// which says nothing.
    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome>;

    /// Moves the expiry of the item under `key` to `ttl` from now, or away for `None`; answers whether there
    /// was such an item. Never changes its bytes, or revives what has expired, and a version that was read before still
    /// serves.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::{Driver, ItemKey, When};
    /// # async fn example() -> cloakroom_storage::Result<()> {
    /// let store = Memory::new();
    /// let key = ItemKey::new("sess:42")?;
    /// let _ = store.set(&key, "hello".into(), When::Always, None).await?;
    /// assert!(store.touch(&key, Some(Duration::from_secs(60))).await?);
    /// let nobody = ItemKey::new("sess:43")?;
    /// assert!(!store.touch(&nobody, Some(Duration::from_secs(60))).await?);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    /// When the store failed.
    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool>;

    /// The keys that begin with `prefix`, in no particular order.
    ///
    /// An item that is there throughout is listed once. One that comes or goes in between may be listed or not. A store that
    /// cannot list, which is one without the capability [`iteration`](Capabilities::iteration), leaves this as it is.
    ///
    /// ```
    /// # use futures_util::TryStreamExt as _;
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::{Driver, ItemKey, When};
    /// # async fn example() -> cloakroom_storage::Result<()> {
    /// let store = Memory::new();
    /// for name in ["sess:1", "sess:2", "other:1"] {
    ///     let _ = store.set(&ItemKey::new(name)?, "hello".into(), When::Always, None).await?;
    /// }
    /// let keys: Vec<ItemKey> = store.keys("sess:").try_collect().await?;
    /// assert_eq!(keys.len(), 2);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
    /// ```
    fn keys<'a>(&'a self, _prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let error = Error::new(ErrorKind::Unsupported, "this store cannot list its keys")
            .with_driver(self.name())
            .with_operation(Operation::Keys);
        Box::pin(stream::once(std::future::ready(Err(error))))
    }

    /// Frees expired items, at most `budget` of them, going on where the last call stopped. A store may leave an item
    /// for a little longer than until it expired.
    ///
    /// Safe beside every other call: an item that is written or touched while it runs stays. No other call waits
    /// for a whole sweep. A store that frees what has expired [by itself](Capabilities::native_ttl) leaves this as it is.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cloakroom_drivers::memory::Memory;
    /// # use cloakroom_storage::{Driver, ItemKey, When};
    /// # async fn example() -> cloakroom_storage::Result<()> {
    /// let store = Memory::new();
    /// let key = ItemKey::new("sess:42")?;
    /// let _ = store.set(&key, "hello".into(), When::Always, Some(Duration::from_millis(1))).await?;
    /// tokio::time::sleep(Duration::from_millis(20)).await;
    /// let swept = store.sweep(100).await?;
    /// assert_eq!((swept.removed, swept.finished), (1, true));
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
    /// ```
    ///
    /// # Errors
    /// When the store failed. The next call goes on.
    async fn sweep(&self, _budget: usize) -> Result<Swept> {
        Ok(Swept { finished: true, ..Swept::default() })
    }
}

/// Written out, so that the future of the driver within is handed on and is not put into another one.
impl<D: Driver + ?Sized> Driver for Arc<D> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn system(&self) -> &'static str {
        (**self).system()
    }

    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }

    fn alias(&self, key: &ItemKey) -> Result<ItemKey> {
        (**self).alias(key)
    }

    fn unwrapped(&self, key: &ItemKey) -> Result<Option<(&dyn Driver, ItemKey)>> {
        (**self).unwrapped(key)
    }

    fn advice<'driver, 'call>(&'driver self) -> BoxFuture<'call, Vec<Advice>>
    where
        'driver: 'call,
        Self: 'call,
    {
        (**self).advice()
    }

    fn time<'driver, 'call>(&'driver self) -> BoxFuture<'call, Result<Option<Duration>>>
    where
        'driver: 'call,
        Self: 'call,
    {
        (**self).time()
    }

    fn get<'driver, 'key, 'call>(
        &'driver self,
        key: &'key ItemKey,
    ) -> BoxFuture<'call, Result<Option<Item>>>
    where
        'driver: 'call,
        'key: 'call,
        Self: 'call,
    {
        (**self).get(key)
    }

    fn get_with_ttl<'driver, 'key, 'call>(
        &'driver self,
        key: &'key ItemKey,
    ) -> BoxFuture<'call, Result<Option<(Item, Option<Duration>)>>>
    where
        'driver: 'call,
        'key: 'call,
        Self: 'call,
    {
        (**self).get_with_ttl(key)
    }

    fn set<'driver, 'key, 'call>(
        &'driver self,
        key: &'key ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> BoxFuture<'call, Result<SetOutcome>>
    where
        'driver: 'call,
        'key: 'call,
        Self: 'call,
    {
        (**self).set(key, value, when, ttl)
    }

    fn remove<'driver, 'key, 'call>(
        &'driver self,
        key: &'key ItemKey,
        when: When,
    ) -> BoxFuture<'call, Result<RemoveOutcome>>
    where
        'driver: 'call,
        'key: 'call,
        Self: 'call,
    {
        (**self).remove(key, when)
    }

    fn touch<'driver, 'key, 'call>(
        &'driver self,
        key: &'key ItemKey,
        ttl: Option<Duration>,
    ) -> BoxFuture<'call, Result<bool>>
    where
        'driver: 'call,
        'key: 'call,
        Self: 'call,
    {
        (**self).touch(key, ttl)
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        (**self).keys(prefix)
    }

    fn sweep<'driver, 'call>(&'driver self, budget: usize) -> BoxFuture<'call, Result<Swept>>
    where
        'driver: 'call,
        Self: 'call,
    {
        (**self).sweep(budget)
    }
}
