//! A store that remembers what it was asked, can fail, and can let another request slip in between.

// Every test binary uses its own part of this.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cloakroom_session::storage::{
    self, BoxStream, Capabilities, Driver, DynDriver, Error, ErrorKind, Item, ItemKey,
    RemoveOutcome, SetOutcome, Swept, When,
};
use cloakroom_session::{Config, CookieHeaders, Session, SessionId, Sessions};
use http::HeaderValue;

type Hook = Box<dyn FnOnce() -> futures::BoxFuture + Send>;

pub mod futures {
    pub type BoxFuture = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// Wraps a driver.
#[derive(Clone)]
pub struct Recorder {
    inner: DynDriver,
    calls: Arc<Mutex<Vec<&'static str>>>,
    ttls: Arc<Mutex<Vec<Option<Duration>>>>,
    before_answer: Arc<Mutex<Option<Hook>>>,
    before_set: Arc<Mutex<Option<Hook>>>,
    before_remove: Arc<Mutex<Option<Hook>>>,
    down: Arc<AtomicBool>,
    fail_writes: Arc<AtomicBool>,
    fail_removals: Arc<AtomicBool>,
    lose_answers: Arc<AtomicBool>,
    cannot_compare: bool,
    cannot_expire: bool,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Recorder")
    }
}

impl Recorder {
    fn call(&self, name: &'static str) -> storage::Result<()> {
        self.calls.lock().unwrap().push(name);
        let refused = self.down.load(Ordering::SeqCst)
            || (self.fail_writes.load(Ordering::SeqCst) && name == "set")
            || (self.fail_removals.load(Ordering::SeqCst) && name == "remove");
        match refused {
            true => Err(Error::new(ErrorKind::Unavailable, "the store is down")),
            false => Ok(()),
        }
    }

    async fn run(hook: &Mutex<Option<Hook>>) {
        let hook = hook.lock().unwrap().take();
        if let Some(hook) = hook {
            hook().await;
        }
    }
}

#[async_trait]
impl Driver for Recorder {
    fn name(&self) -> &'static str {
        "recorder"
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.inner.capabilities();
        capabilities.compare_and_swap &= !self.cannot_compare;
        capabilities.expiry &= !self.cannot_expire;
        capabilities
    }

    async fn get(&self, key: &ItemKey) -> storage::Result<Option<Item>> {
        self.call("get")?;
        let found = self.inner.get(key).await;
        Recorder::run(&self.before_answer).await;
        found
    }

    async fn get_with_ttl(
        &self,
        key: &ItemKey,
    ) -> storage::Result<Option<(Item, Option<Duration>)>> {
        self.call("get")?;
        let found = self.inner.get_with_ttl(key).await;
        Recorder::run(&self.before_answer).await;
        // A store in which nothing expires knows of no deadline.
        found.map(|found| found.map(|(item, ttl)| (item, ttl.filter(|_| !self.cannot_expire))))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> storage::Result<SetOutcome> {
        Recorder::run(&self.before_set).await;
        self.call("set")?;
        assert!(!self.cannot_compare || matches!(when, When::Always), "a condition it cannot keep");
        self.ttls.lock().unwrap().push(ttl);
        let outcome = self.inner.set(key, value, when, ttl).await;
        match self.lose_answers.load(Ordering::SeqCst) {
            true => Err(Error::new(ErrorKind::Timeout, "written, but nobody was told")),
            false => outcome,
        }
    }

    async fn remove(&self, key: &ItemKey, when: When) -> storage::Result<RemoveOutcome> {
        Recorder::run(&self.before_remove).await;
        self.call("remove")?;
        self.inner.remove(key, when).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> storage::Result<bool> {
        self.call("touch")?;
        self.inner.touch(key, ttl).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, storage::Result<ItemKey>> {
        self.inner.keys(prefix)
    }

    async fn sweep(&self, budget: usize) -> storage::Result<Swept> {
        self.inner.sweep(budget).await
    }
}

/// A site with a recorded memory store.
#[derive(Clone)]
pub struct Site {
    pub sessions: Sessions,
    pub recorder: Recorder,
}

impl Site {
    pub async fn new() -> Site {
        Site::with(Config::new("memory")).await
    }

    pub async fn with(config: Config) -> Site {
        Site::build(config, false, false).await.unwrap()
    }

    /// A site whose store keeps what it is given for ever.
    pub async fn that_cannot_expire(config: Config) -> cloakroom_session::Result<Site> {
        Site::build(config, false, true).await
    }

    pub async fn that_cannot_compare(config: Config) -> Site {
        Site::build(config, true, false).await.unwrap()
    }

    async fn build(
        mut config: Config,
        cannot_compare: bool,
        cannot_expire: bool,
    ) -> cloakroom_session::Result<Site> {
        let inner = storage::open(&config.driver, &config.options).await.unwrap();
        let recorder = Recorder {
            inner,
            calls: Arc::default(),
            ttls: Arc::default(),
            before_answer: Arc::default(),
            before_set: Arc::default(),
            before_remove: Arc::default(),
            down: Arc::default(),
            fail_writes: Arc::default(),
            fail_removals: Arc::default(),
            lose_answers: Arc::default(),
            cannot_compare,
            cannot_expire,
        };
        config.sweep_interval = None;
        let sessions = Sessions::with_driver(Arc::new(recorder.clone()), &config)?;
        Ok(Site { sessions, recorder })
    }

    /// A request without a cookie.
    pub fn visitor(&self) -> Session {
        self.sessions.session(CookieHeaders::default())
    }

    /// A request that presents this ID.
    pub fn request(&self, id: impl ToString) -> Session {
        self.with_cookie(&format!("astro-session={}", id.to_string()))
    }

    /// A request with this `Cookie` header.
    pub fn with_cookie(&self, header: &str) -> Session {
        self.sessions.session(HeaderValue::try_from(header).unwrap())
    }

    /// A finished request that stored these strings; returns its ID, and forgets the calls it took.
    pub async fn stored(&self, entries: &[(&str, &str)]) -> SessionId {
        let session = self.visitor();
        for (key, value) in entries {
            session.set(*key, *value).unwrap();
        }
        session.finish().await.unwrap();
        self.calls();
        session.id().unwrap()
    }

    /// Another request that ends this session.
    pub async fn log_out(&self, id: SessionId) {
        let session = self.request(id);
        session.destroy();
        session.finish().await.unwrap();
    }

    /// The calls since the last time somebody asked.
    pub fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.recorder.calls.lock().unwrap())
    }

    /// The ttl of the last write.
    pub fn last_ttl(&self) -> Option<Duration> {
        *self.recorder.ttls.lock().unwrap().last().expect("something was written")
    }

    pub async fn raw(&self, id: SessionId) -> Option<String> {
        let item = self.recorder.inner.get(&key(id)).await.unwrap()?;
        Some(String::from_utf8(item.value.to_vec()).unwrap())
    }

    pub async fn write_raw(&self, id: SessionId, text: &str) {
        self.put(id, text, None).await;
    }

    /// As [`write_raw`](Site::write_raw), for this long.
    pub async fn write_raw_for(&self, id: SessionId, text: &str, ttl: Duration) {
        self.put(id, text, Some(ttl)).await;
    }

    async fn put(&self, id: SessionId, text: &str, ttl: Option<Duration>) {
        let value = Bytes::copy_from_slice(text.as_bytes());
        let _ = self.recorder.inner.set(&key(id), value, When::Always, ttl).await.unwrap();
    }

    /// How many records the store holds.
    pub async fn records(&self) -> usize {
        let mut keys = self.recorder.inner.keys("");
        let mut count = 0;
        while std::future::poll_fn(|context| keys.as_mut().poll_next(context)).await.is_some() {
            count += 1;
        }
        count
    }

    /// Runs `other` once, after the next read has found what it found and before anybody is told.
    pub fn before_answer<F>(&self, other: impl FnOnce(Site) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let site = self.clone();
        *self.recorder.before_answer.lock().unwrap() =
            Some(Box::new(move || Box::pin(other(site))));
    }

    /// Runs `other` once, just before the next write reaches the store.
    pub fn before_set<F>(&self, other: impl FnOnce(Site) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let site = self.clone();
        *self.recorder.before_set.lock().unwrap() = Some(Box::new(move || Box::pin(other(site))));
    }

    /// Runs `other` once, just before the next removal reaches the store.
    pub fn before_remove<F>(&self, other: impl FnOnce(Site) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let site = self.clone();
        *self.recorder.before_remove.lock().unwrap() =
            Some(Box::new(move || Box::pin(other(site))));
    }

    pub fn set_down(&self, down: bool) {
        self.recorder.down.store(down, Ordering::SeqCst);
    }

    pub fn set_fail_writes(&self, fail: bool) {
        self.recorder.fail_writes.store(fail, Ordering::SeqCst);
    }

    pub fn set_fail_removals(&self, fail: bool) {
        self.recorder.fail_removals.store(fail, Ordering::SeqCst);
    }

    /// Writes happen, and fail.
    pub fn set_lose_answers(&self, lose: bool) {
        self.recorder.lose_answers.store(lose, Ordering::SeqCst);
    }

    /// What a later request finds under `key`.
    pub async fn read(&self, id: SessionId, key: &str) -> Option<String> {
        self.request(id).get::<String>(key).await.unwrap()
    }
}

/// Begins a call and gives it up where it waits, as a deadline or a client that goes away does.
pub async fn interrupt<T>(call: impl Future<Output = T>) {
    tokio::select! {
        biased;
        _ = call => panic!("the call was to wait for ever"),
        () = std::future::ready(()) => {}
    }
}

fn key(id: SessionId) -> ItemKey {
    ItemKey::new(&id.to_string()).unwrap()
}
