//! Which failed calls are tried again, and how often.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cloakroom_drivers::memory::Memory;
use cloakroom_storage::{
    BoxStream, Capabilities, Driver, DriverExt, Error, ErrorKind, Item, ItemKey, RemoveOutcome,
    Result, Retry, SetOutcome, Swept, When,
};

/// Fails with what it is told to, and counts.
#[derive(Debug)]
struct Failing {
    memory: Memory,
    kind: ErrorKind,
    unapplied: bool,
    failures: Mutex<usize>,
    calls: AtomicUsize,
}

impl Failing {
    fn times(failures: usize, kind: ErrorKind, unapplied: bool) -> Failing {
        Failing {
            memory: Memory::new(),
            kind,
            unapplied,
            failures: Mutex::new(failures),
            calls: AtomicUsize::new(0),
        }
    }

    fn call(&self) -> Result<()> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut failures = self.failures.lock().unwrap();
        match failures.checked_sub(1) {
            Some(left) => {
                *failures = left;
                Err(Error::new(self.kind, "as told").with_unapplied(self.unapplied))
            }
            None => Ok(()),
        }
    }

    fn calls(&self) -> usize {
        self.calls.swap(0, Ordering::Relaxed)
    }

    fn fail(&self, failures: usize) {
        *self.failures.lock().unwrap() = failures;
    }
}

#[async_trait]
impl Driver for &'static Failing {
    fn name(&self) -> &'static str {
        "failing"
    }
    fn capabilities(&self) -> Capabilities {
        self.memory.capabilities()
    }
    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        self.call()?;
        self.memory.get(key).await
    }
    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.call()?;
        self.memory.get_with_ttl(key).await
    }
    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.call()?;
        self.memory.set(key, value, when, ttl).await
    }
    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.call()?;
        self.memory.remove(key, when).await
    }
    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.call()?;
        self.memory.touch(key, ttl).await
    }
    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        self.memory.keys(prefix)
    }
    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.memory.sweep(budget).await
    }
}

/// A driver that lives as long as the test, so that the test can look at it.
fn failing(kind: ErrorKind, unapplied: bool) -> (&'static Failing, Retry<&'static Failing>) {
    let driver: &'static Failing = Box::leak(Box::new(Failing::times(0, kind, unapplied)));
    (driver, driver.with_retries(2))
}

fn key() -> ItemKey {
    ItemKey::new("key").unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_changes_nothing_twice_is_tried_again_twice() {
    let (driver, retry) = failing(ErrorKind::Unavailable, false);
    for failures in [1, 2] {
        driver.fail(failures);
        assert_eq!(retry.get(&key()).await.unwrap(), None);
        driver.fail(failures);
        assert_eq!(retry.get_with_ttl(&key()).await.unwrap(), None);
        driver.fail(failures);
        assert!(!retry.touch(&key(), None).await.unwrap());
        driver.fail(failures);
        let outcome = retry.remove(&key(), When::Always).await.unwrap();
        assert_eq!(outcome, RemoveOutcome::Missing);
        assert_eq!(driver.calls(), 4 * (failures + 1));
    }
    driver.fail(3);
    assert_eq!(retry.get(&key()).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(driver.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_was_lost_is_not_tried_again() {
    let (driver, retry) = failing(ErrorKind::Timeout, false);
    let version = cloakroom_storage::Version::from(1);
    for when in [When::Always, When::Absent, When::Version(version.clone())] {
        driver.fail(1);
        assert!(retry.set(&key(), "value".into(), when, None).await.is_err());
    }
    driver.fail(1);
    assert!(retry.remove(&key(), When::Version(version)).await.is_err());
    assert_eq!(driver.calls(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_never_left_is_tried_again() {
    let (driver, retry) = failing(ErrorKind::Unavailable, true);
    driver.fail(2);
    let outcome = retry.set(&key(), "value".into(), When::Absent, None).await.unwrap();
    assert!(matches!(outcome, SetOutcome::Written { .. }));
    assert_eq!(driver.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_no_retry_can_mend_is_not_tried_again() {
    let (driver, retry) = failing(ErrorKind::PermissionDenied, true);
    driver.fail(1);
    assert!(retry.get(&key()).await.is_err());
    assert_eq!(driver.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn while_a_store_is_away_it_gets_a_tenth_more_calls_and_no_storm() {
    const REQUESTS: usize = 10_000;
    let (driver, retry) = failing(ErrorKind::Unavailable, true);
    driver.fail(usize::MAX);
    for _ in 0..REQUESTS {
        assert!(retry.get(&key()).await.is_err());
    }
    let calls = driver.calls();
    assert!(calls > REQUESTS, "nothing was tried again");
    assert!(calls <= REQUESTS + REQUESTS / 10 + 100, "{calls} calls for {REQUESTS} requests");
}

#[tokio::test(start_paused = true)]
async fn however_many_tries_there_are_none_waits_for_hours() {
    let failing: &Failing = Box::leak(Box::new(Failing::times(60, ErrorKind::Unavailable, true)));
    let driver = Retry::new(failing, 60);
    let begin = tokio::time::Instant::now();
    driver.get(&ItemKey::new("a").unwrap()).await.unwrap();
    assert_eq!(failing.calls(), 61);
    assert!(begin.elapsed() < Duration::from_secs(120), "{:?}", begin.elapsed());
}
