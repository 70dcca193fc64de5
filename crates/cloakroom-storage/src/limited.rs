//! Retries within a deadline, as every driver gets them that does I/O.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;

use crate::retry::After;
use crate::{
    Advice, Capabilities, DEFAULT_RETRIES, DEFAULT_TIMEOUT, Driver, DriverExt, DynDriver, Item,
    ItemKey, Operation, RemoveOutcome, Result, Retry, SetOutcome, Swept, Timeout, When,
};

/// What a call of a driver that does I/O may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long, all tries together: see [`Timeout`].
    pub timeout: Duration,
    /// How many more tries: see [`Retry`].
    pub retries: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { timeout: DEFAULT_TIMEOUT, retries: DEFAULT_RETRIES }
    }
}

impl Limits {
    /// Puts these limits around every call of a driver.
    pub fn around(self, driver: DynDriver) -> DynDriver {
        Arc::new(Limited(driver.with_retries(self.retries).with_timeout(self.timeout)))
    }
}

/// What a [`Timeout`] around a [`Retry`] does, with one future on the heap for each call and not two.
#[derive(Debug)]
struct Limited(Timeout<Retry<DynDriver>>);

impl Limited {
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

    fn system(&self) -> &'static str {
        self.0.system()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn advice(&self) -> Vec<Advice> {
        self.0.advice().await
    }

    async fn time(&self) -> Result<Option<Duration>> {
        self.0.time().await
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
        self.call(Operation::Set, key, After::Unapplied, |driver| {
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::{StreamExt, stream};

    use super::*;
    use crate::{Error, ErrorKind};

    /// Fails so many times, and then never answers.
    #[derive(Debug)]
    struct Failing {
        failures: u32,
        calls: Arc<AtomicU32>,
    }

    impl Failing {
        async fn answer<T>(&self) -> Result<T> {
            if self.calls.fetch_add(1, Ordering::Relaxed) < self.failures {
                return Err(Error::new(ErrorKind::Unavailable, "away").with_retryable(true));
            }
            std::future::pending().await
        }
    }

    #[async_trait]
    impl Driver for Failing {
        fn name(&self) -> &'static str {
            "failing"
        }

        fn capabilities(&self) -> Capabilities {
            Capabilities::none()
        }

        async fn get(&self, _: &ItemKey) -> Result<Option<Item>> {
            self.answer().await
        }

        async fn get_with_ttl(&self, _: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
            self.answer().await
        }

        async fn set(
            &self,
            _: &ItemKey,
            _: Bytes,
            _: When,
            _: Option<Duration>,
        ) -> Result<SetOutcome> {
            self.answer().await
        }

        async fn remove(&self, _: &ItemKey, _: When) -> Result<RemoveOutcome> {
            self.answer().await
        }

        async fn touch(&self, _: &ItemKey, _: Option<Duration>) -> Result<bool> {
            self.answer().await
        }

        fn keys<'a>(&'a self, _: &str) -> BoxStream<'a, Result<ItemKey>> {
            stream::empty().boxed()
        }

        async fn sweep(&self, _: usize) -> Result<Swept> {
            self.answer().await
        }
    }

    /// What a call fails with, and how often the driver was asked.
    async fn outcome<T>(
        failures: u32,
        call: impl AsyncFnOnce(&DynDriver, &ItemKey) -> Result<T>,
    ) -> (ErrorKind, u32) {
        let calls = Arc::new(AtomicU32::new(0));
        let driver = Arc::new(Failing { failures, calls: calls.clone() });
        let limited = Limits::default().around(driver);
        let key = ItemKey::new("key").expect("valid");
        let error = call(&limited, &key).await.err().expect("it never answers");
        (error.kind(), calls.load(Ordering::Relaxed))
    }

    #[tokio::test(start_paused = true)]
    async fn each_call_is_tried_again_as_it_may_be_and_for_so_long_only() {
        for (failures, kind, tries) in
            [(u32::MAX, ErrorKind::Unavailable, 3), (1, ErrorKind::Timeout, 2)]
        {
            let expected = (kind, tries);
            assert_eq!(outcome(failures, async |d, key| d.get(key).await).await, expected);
            assert_eq!(outcome(failures, async |d, key| d.get_with_ttl(key).await).await, expected);
            assert_eq!(outcome(failures, async |d, key| d.touch(key, None).await).await, expected);
            let remove = async |d: &DynDriver, key: &ItemKey| d.remove(key, When::Always).await;
            assert_eq!(outcome(failures, remove).await, expected);
        }
        // Not what may have happened.
        let once = (ErrorKind::Unavailable, 1);
        let set =
            async |d: &DynDriver, key: &ItemKey| d.set(key, Bytes::new(), When::Always, None).await;
        assert_eq!(outcome(1, set).await, once);
        let remove =
            async |d: &DynDriver, key: &ItemKey| d.remove(key, When::Version(7.into())).await;
        assert_eq!(outcome(1, remove).await, once);
    }
}
