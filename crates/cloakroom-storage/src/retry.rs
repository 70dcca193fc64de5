//! Another try where one may help and cannot harm.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;

use crate::platform::random::fraction;
use crate::{
    Advice, Capabilities, Driver, Error, Item, ItemKey, RemoveOutcome, Result, SetOutcome, Swept,
    When, platform,
};

/// How often a failed call is tried again, unless it is said otherwise.
pub const DEFAULT_RETRIES: u32 = 2;

/// The longest pause before the first retry; each later one may be four times as long.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// The longest pause before any retry, however many there were.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The share of calls that may be retries, in thousandths: while a store is away it gets a tenth more calls than
/// without retries, and not a multiple.
const SHARE: i64 = 100;

/// What a retry takes out of the budget.
const PRICE: i64 = 1000;

/// As many retries as may come at once after a quiet time.
const BURST: i64 = 100 * PRICE;

/// Tries a failed call again, where that may help and cannot harm.
///
/// Reads, [`touch`](Driver::touch) and unconditional removals are tried again after every error that is
/// [retryable](Error::is_retryable). A write is tried again only where its error says that it
/// [changed nothing](Error::is_unapplied): one whose answer was lost may have happened, and a second one would find its
/// own result in its way. [`keys`](Driver::keys) and [`sweep`](Driver::sweep) are not tried again.
///
/// Pauses grow and vary, and retries are bounded in number for each call and in their share of all calls, so that a
/// store that comes back is not met by a storm. Put a [`Timeout`](crate::Timeout) around it: the deadline is for all
/// tries of a call together.
#[derive(Debug)]
pub struct Retry<D> {
    driver: D,
    retries: u32,
    budget: AtomicI64,
}

/// Which errors a call may be tried again after.
#[derive(Clone, Copy)]
pub(crate) enum After {
    AnyRetryable,
    Unapplied,
}

impl<D: Driver> Retry<D> {
    /// Tries each call of `driver` at most this many times more.
    pub fn new(driver: D, retries: u32) -> Retry<D> {
        Retry { driver, retries, budget: AtomicI64::new(BURST) }
    }

    /// The driver within.
    pub fn into_inner(self) -> D {
        self.driver
    }

    /// The driver within.
    pub(crate) fn within(&self) -> &D {
        &self.driver
    }

    pub(crate) async fn call<T, F>(
        &self,
        after: After,
        call: impl Fn() -> F + Send + Sync,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>> + Send,
    {
        self.deposit();
        let mut pause = FIRST_PAUSE;
        for _ in 0..self.retries {
            match call().await {
                Err(error) if after.allows(&error) && self.withdraw() => {
                    tracing::debug!(driver = self.name(), %error, "trying again");
                    platform::sleep(pause.mul_f64(fraction())).await;
                    pause = (pause * 4).min(LONGEST_PAUSE);
                }
                result => return result,
            }
        }
        call().await
    }

    /// Each call earns a part of a retry.
    fn deposit(&self) {
        // Two threads at once may go a little above the limit, which harms nobody.
        if self.budget.load(Ordering::Relaxed) < BURST {
            self.budget.fetch_add(SHARE, Ordering::Relaxed);
        }
    }

    /// Takes a retry out of the budget, if there is one.
    fn withdraw(&self) -> bool {
        self.budget
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |budget| {
                (budget >= PRICE).then_some(budget - PRICE)
            })
            .is_ok()
    }
}

impl After {
    pub(crate) fn removal(when: &When) -> After {
        match when {
            When::Always => After::AnyRetryable,
            When::Absent | When::Version(_) => After::Unapplied,
        }
    }

    fn allows(self, error: &Error) -> bool {
        error.is_retryable() && (matches!(self, After::AnyRetryable) || error.is_unapplied())
    }
}

#[async_trait]
impl<D: Driver> Driver for Retry<D> {
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
        self.driver.advice().await
    }

    async fn time(&self) -> Result<Option<Duration>> {
        self.driver.time().await
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        self.call(After::AnyRetryable, || self.driver.get(key)).await
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.call(After::AnyRetryable, || self.driver.get_with_ttl(key)).await
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let set = || self.driver.set(key, value.clone(), when.clone(), ttl);
        self.call(After::Unapplied, set).await
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.call(After::removal(&when), || self.driver.remove(key, when.clone())).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.call(After::AnyRetryable, || self.driver.touch(key, ttl)).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        self.driver.keys(prefix)
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.driver.sweep(budget).await
    }
}
