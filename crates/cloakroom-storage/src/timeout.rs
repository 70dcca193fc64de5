//! A deadline on every call.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use futures_util::stream;

use crate::{
    Advice, Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome,
    Result, SetOutcome, Swept, When, platform,
};

/// The deadline on every call of a driver that does I/O.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// How many times the deadline of another call a sweep gets: it is there so that a sweeper whose connection went dead
/// does not wait for ever.
const SWEEPING: u32 = 12;

/// Puts a deadline on every call of a driver.
///
/// A call that takes longer fails with [`ErrorKind::Timeout`]. It is not known then whether a write happened.
/// For [`keys`](Driver::keys), the deadline holds for each key by itself. A [`sweep`](Driver::sweep) may take
/// twelve times as long, since nobody waits for it.
#[derive(Clone, Debug)]
pub struct Timeout<D> {
    driver: D,
    deadline: Duration,
}

impl<D: Driver> Timeout<D> {
    /// Gives each call of `driver` this long.
    pub fn new(driver: D, deadline: Duration) -> Timeout<D> {
        Timeout { driver, deadline }
    }

    /// The driver within.
    pub fn into_inner(self) -> D {
        self.driver
    }

    /// The driver within.
    pub(crate) fn within(&self) -> &D {
        &self.driver
    }

    pub(crate) async fn limit<T>(
        &self,
        operation: Operation,
        key: &ItemKey,
        call: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        match platform::timeout(self.deadline, call).await {
            Some(result) => result,
            None => Err(self.elapsed(operation).with_key(key)),
        }
    }

    fn elapsed(&self, operation: Operation) -> Error {
        let deadline = match operation {
            Operation::Sweep => self.deadline.saturating_mul(SWEEPING),
            _ => self.deadline,
        };
        let message = format!("no answer within {deadline:?}; is the store up and near?");
        Error::new(ErrorKind::Timeout, message).with_driver(self.name()).with_operation(operation)
    }
}

#[async_trait]
impl<D: Driver> Driver for Timeout<D> {
    fn name(&self) -> &'static str {
        self.driver.name()
    }

    fn system(&self) -> &'static str {
        self.driver.system()
    }

    fn capabilities(&self) -> Capabilities {
        self.driver.capabilities()
    }

    fn alias(&self, key: &ItemKey) -> Result<ItemKey> {
        self.driver.alias(key)
    }

    fn unwrapped(&self, key: &ItemKey) -> Result<Option<(&dyn Driver, ItemKey)>> {
        self.driver.unwrapped(key)
    }

    async fn advice(&self) -> Vec<Advice> {
        let advice = platform::timeout(self.deadline, self.driver.advice()).await;
        advice.unwrap_or_default()
    }

    async fn time(&self) -> Result<Option<Duration>> {
        match platform::timeout(self.deadline, self.driver.time()).await {
            Some(result) => result,
            None => Err(self.elapsed(Operation::Get)),
        }
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        self.limit(Operation::Get, key, self.driver.get(key)).await
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.limit(Operation::Get, key, self.driver.get_with_ttl(key)).await
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.limit(Operation::Set, key, self.driver.set(key, value, when, ttl)).await
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.limit(Operation::Remove, key, self.driver.remove(key, when)).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.limit(Operation::Touch, key, self.driver.touch(key, ttl)).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let keys = Some(self.driver.keys(prefix));
        stream::unfold(keys, async move |keys| {
            let mut keys = keys?;
            match platform::timeout(self.deadline, keys.next()).await {
                Some(next) => next.map(|key| (key, Some(keys))),
                None => Some((Err(self.elapsed(Operation::Keys)), None)),
            }
        })
        .boxed()
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        let deadline = self.deadline.saturating_mul(SWEEPING);
        match platform::timeout(deadline, self.driver.sweep(budget)).await {
            Some(result) => result,
            None => Err(self.elapsed(Operation::Sweep)),
        }
    }
}
