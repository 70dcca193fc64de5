//! Retries within a deadline, as [`open`](crate::open) puts them around a driver.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;

use crate::retry::After;
use crate::{
    Capabilities, Driver, DriverExt, DynDriver, Item, ItemKey, Limits, Operation, RemoveOutcome,
    Result, Retry, SetOutcome, Swept, Timeout, When,
};

/// What a [`Timeout`] around a [`Retry`] does, with one future on the heap for each call and not two.
#[derive(Debug)]
pub(crate) struct Limited(Timeout<Retry<DynDriver>>);

impl Limited {
    pub(crate) fn around(driver: DynDriver, limits: Limits) -> DynDriver {
        Arc::new(Limited(driver.with_retries(limits.retries).with_timeout(limits.timeout)))
    }

    async fn call<'a, T, F>(
        &'a self,
        operation: Operation,
        key: &ItemKey,
        after: After,
        call: impl Fn(&'a DynDriver) -> F + Send + Sync,
    ) -> Result<T>
    where
        T: Send,
        F: Future<Output = Result<T>> + Send,
    {
        let retry = self.0.within();
        self.0.limit(operation, key, retry.call(after, || call(retry.within()))).await
    }
}

#[async_trait]
impl Driver for Limited {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        self.call(Operation::Get, key, After::AnyRetryable, |driver| driver.get(key)).await
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.call(Operation::Get, key, After::AnyRetryable, |driver| driver.get_with_ttl(key)).await
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.call(Operation::Set, key, After::Untouched, |driver| {
            driver.set(key, value.clone(), when.clone(), ttl)
        })
        .await
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.call(Operation::Remove, key, After::removal(&when), |driver| {
            driver.remove(key, when.clone())
        })
        .await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.call(Operation::Touch, key, After::AnyRetryable, |driver| driver.touch(key, ttl)).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        self.0.keys(prefix)
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.0.sweep(budget).await
    }
}
