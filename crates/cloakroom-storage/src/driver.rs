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
    Capabilities, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome, Result, SetOutcome,
    Swept, When,
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
/// Errors are the failures of the store. That an item is missing, or that a condition does not hold, is an
/// answer and no error. Every implementation passes [`conformance::run`](crate::conformance::run).
#[async_trait]
pub trait Driver: Send + Sync + fmt::Debug + 'static {
    /// The name that a configuration knows the driver by.
    fn name(&self) -> &'static str;

    /// What the driver can do.
    fn capabilities(&self) -> Capabilities;

    /// The item under `key`; `None` when it is missing or expired.
    ///
    /// # Errors
    /// When the store could not be asked. An outage is never reported as a missing item.
    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        Ok(self.get_with_ttl(key).await?.map(|(item, _)| item))
    }

    /// As [`get`](Driver::get), with how long the item still lives; `None` for the latter where it stays until it
    /// is removed. One round trip, as `get` takes, which may be cheaper for the store all the same.
    ///
    /// # Errors
    /// As [`get`](Driver::get).
    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>>;

    /// Writes `value` under `key` if `when` holds, to expire after `ttl`.
    ///
    /// A `ttl` of `None` means that the item stays until it is removed, also if it had a deadline before. A
    /// ttl of zero leaves no item behind.
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
    /// # Errors
    /// When the store failed, and with [`Unsupported`](crate::ErrorKind::Unsupported) for [`When::Absent`],
    /// which says nothing.
    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome>;

    /// Moves the expiry of the item under `key` to `ttl` from now, or away for `None`; answers whether there
    /// was such an item. Never changes its bytes, or revives what has expired, and a version that was read before still
    /// serves.
    ///
    /// # Errors
    /// When the store failed.
    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool>;

    /// The keys that begin with `prefix`, in no particular order.
    ///
    /// An item that is there throughout is listed once. One that comes or goes meanwhile may be listed or not. A store that
    /// cannot list, which is one without the capability [`iteration`](Capabilities::iteration), leaves this as it is.
    fn keys<'a>(&'a self, _prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let error = Error::new(ErrorKind::Unsupported, "this store cannot list its keys")
            .with_driver(self.name())
            .with_operation(Operation::Keys);
        Box::pin(stream::once(std::future::ready(Err(error))))
    }

    /// Frees expired items, at most `budget` of them, going on where the last call stopped. A store may leave an item
    /// for a little longer than until it expired.
    ///
    /// Safe beside every other call: an item that is written or touched meanwhile stays. No other call waits
    /// for a whole sweep. A store that frees what has expired [by itself](Capabilities::native_ttl) leaves this as it is.
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

    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
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
