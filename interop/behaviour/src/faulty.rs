//! A memory store that counts its calls, fails on demand, and keeps writers waiting.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cloakroom_storage::{
    BoxStream, Capabilities, Driver, DynDriver, Error, ErrorKind, Item, ItemKey, RemoveOutcome,
    Result, SetOutcome, Swept, When,
};
use tokio::sync::watch;

/// A memory store that counts its calls, fails on demand, and keeps writers waiting. All clones are the same store.
#[derive(Clone, Debug)]
pub struct Faulty {
    inner: DynDriver,
    all: Arc<Mutex<Option<ErrorKind>>>,
    writes: Arc<Mutex<Option<ErrorKind>>>,
    blocked: watch::Sender<bool>,
    waiting: watch::Sender<usize>,
    calls: Arc<AtomicUsize>,
}

impl Faulty {
    /// An empty store that works.
    pub async fn new() -> Faulty {
        Faulty {
            inner: cloakroom_drivers::open("memory", &serde_json::Map::new()).await.unwrap(),
            all: Arc::default(),
            writes: Arc::default(),
            blocked: watch::Sender::new(false),
            waiting: watch::Sender::new(0),
            calls: Arc::default(),
        }
    }

    /// The store behind it, whose calls are not counted and never fail.
    pub fn inner(&self) -> &DynDriver {
        &self.inner
    }

    /// How many calls there were so far.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Lets every call fail, or none.
    pub fn fail(&self, kind: Option<ErrorKind>) {
        *self.all.lock().unwrap() = kind;
    }

    /// Lets every write fail, or none.
    pub fn fail_writes(&self, kind: Option<ErrorKind>) {
        *self.writes.lock().unwrap() = kind;
    }

    /// Keeps writers waiting, or lets them go on.
    pub fn block_writes(&self, blocked: bool) {
        self.blocked.send_replace(blocked);
    }

    /// Waits until a writer waits.
    pub async fn write_waits(&self) {
        self.waiting.subscribe().wait_for(|waiting| *waiting > 0).await.unwrap();
    }

    fn count(&self) -> Result<()> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        check(&self.all)
    }
}

fn check(faults: &Mutex<Option<ErrorKind>>) -> Result<()> {
    match *faults.lock().unwrap() {
        Some(kind) => Err(Error::new(kind, "as the test wants it")),
        None => Ok(()),
    }
}

#[async_trait]
impl Driver for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        self.count()?;
        self.inner.get(key).await
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.count()?;
        self.inner.get_with_ttl(key).await
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        // What is written in the place of a session that was retired is a removal to these tests.
        let retires = value.ends_with(b"e-999");
        if !retires {
            self.waiting.send_modify(|waiting| *waiting += 1);
            self.blocked.subscribe().wait_for(|blocked| !blocked).await.unwrap();
            self.waiting.send_modify(|waiting| *waiting -= 1);
        }
        self.count()?;
        if !retires {
            check(&self.writes)?;
        }
        self.inner.set(key, value, when, ttl).await
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.count()?;
        self.inner.remove(key, when).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.count()?;
        self.inner.touch(key, ttl).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        self.inner.keys(prefix)
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.inner.sweep(budget).await
    }
}
