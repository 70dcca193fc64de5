//! A store that remembers what it was asked, can fail, and can let another request slip in between.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cloakroom_session::adapter::Commit;
use cloakroom_session::storage::{
    self, BoxStream, Capabilities, Driver, DynDriver, Error, ErrorKind, Item, ItemKey,
    RemoveOutcome, SetOutcome, Swept, When,
};
use cloakroom_session::{Config, CookieHeaders, Session, SessionId, Sessions};
use http::HeaderValue;

pub(crate) mod log;

type Hook = Box<dyn FnOnce() -> futures::BoxFuture + Send>;

pub(crate) mod futures {
    pub(crate) type BoxFuture = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// Sessions in memory, whose entries live for so long unless they say otherwise.
pub(crate) fn with_ttl(ttl: Duration) -> Config {
    let mut config = Config::new("memory");
    config.ttl = Some(ttl);
    config
}

/// Wraps a driver.
#[derive(Clone)]
pub(crate) struct Recorder {
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
    lose_removals: Arc<AtomicBool>,
    stuck_after_removal: Arc<AtomicBool>,
    full: Arc<AtomicBool>,
    touch_takes: Arc<Mutex<Duration>>,
    stalled: Arc<tokio::sync::watch::Sender<bool>>,
    late: Arc<tokio::sync::watch::Sender<bool>>,
    cannot_compare: Arc<AtomicBool>,
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
            || (self.fail_removals.load(Ordering::SeqCst) && ["retire", "remove"].contains(&name));
        match refused {
            true => Err(Error::new(ErrorKind::Unavailable, "the store is down")),
            false => Ok(()),
        }
    }

    /// Waits while the store stands still.
    async fn stall(&self) {
        self.stalled.subscribe().wait_for(|stalled| !stalled).await.unwrap();
    }

    /// Retires a session as a store does that is in trouble.
    async fn retire(
        &self,
        key: ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> storage::Result<SetOutcome> {
        let (is_stalled, is_late) = (*self.stalled.borrow(), *self.late.borrow());
        let store = self.clone();
        let work = async move {
            store.stall().await;
            store.late.subscribe().wait_for(|late| !late).await.unwrap();
            store.inner.set(&key, value, when, ttl).await
        };
        if is_stalled {
            // It works through what it was sent, whether or not anybody waits.
            return tokio::spawn(work).await.unwrap();
        }
        if is_late {
            tokio::spawn(work);
            return Err(Error::new(ErrorKind::Unavailable, "it will be done, but nobody is told"));
        }
        let outcome = work.await;
        if self.stuck_after_removal.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        match self.lose_removals.load(Ordering::SeqCst) {
            true => Err(Error::new(ErrorKind::Timeout, "retired, but nobody was told")),
            false => outcome,
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
        capabilities.compare_and_swap &= !self.cannot_compare.load(Ordering::SeqCst);
        capabilities.expiry &= !self.cannot_expire;
        capabilities
    }

    async fn get(&self, key: &ItemKey) -> storage::Result<Option<Item>> {
        self.call("get")?;
        self.stall().await;
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
        let is_retirement = is_tombstone(&String::from_utf8_lossy(&value));
        let (name, hook) = match is_retirement {
            true => ("retire", &self.before_remove),
            false => ("set", &self.before_set),
        };
        Recorder::run(hook).await;
        self.call(name)?;
        let compares = !self.cannot_compare.load(Ordering::SeqCst);
        assert!(compares || matches!(when, When::Always), "a condition it cannot keep");
        if !is_retirement {
            self.ttls.lock().unwrap().push(ttl);
        }
        if self.full.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::StorageFull, "there is no room left"));
        }
        if is_retirement {
            return self.retire(key.clone(), value, when, ttl).await;
        }
        let outcome = self.inner.set(key, value, when, ttl).await;
        match self.lose_answers.load(Ordering::SeqCst) {
            true => Err(Error::new(ErrorKind::Timeout, "written, but nobody was told")),
            false => outcome,
        }
    }

    async fn remove(&self, key: &ItemKey, when: When) -> storage::Result<RemoveOutcome> {
        Recorder::run(&self.before_remove).await;
        self.call("remove")?;
        if *self.late.borrow() {
            return Err(Error::new(ErrorKind::Unavailable, "nobody is told"));
        }
        self.inner.remove(key, when).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> storage::Result<bool> {
        self.call("touch")?;
        let takes = *self.touch_takes.lock().unwrap();
        tokio::time::sleep(takes).await;
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
pub(crate) struct Site {
    pub(crate) sessions: Sessions,
    pub(crate) recorder: Recorder,
}

impl Site {
    pub(crate) async fn new() -> Site {
        Site::with(Config::new("memory")).await
    }

    pub(crate) async fn with(config: Config) -> Site {
        Site::build(config, false, false).await.unwrap()
    }

    /// A site whose store keeps what it is given for ever.
    pub(crate) async fn that_cannot_expire(config: Config) -> cloakroom_session::Result<Site> {
        Site::build(config, false, true).await
    }

    /// A site that waits so long for its store.
    pub(crate) async fn that_waits_for(deadline: Duration) -> Site {
        let mut site = Site::new().await;
        let driver = storage::Timeout::new(site.recorder.clone(), deadline);
        let mut config = Config::new("memory");
        config.sweep_interval = None;
        site.sessions = Sessions::with_driver(Arc::new(driver), &config).unwrap();
        site
    }

    pub(crate) async fn that_cannot_compare(config: Config) -> Site {
        Site::build(config, true, false).await.unwrap()
    }

    async fn build(
        mut config: Config,
        cannot_compare: bool,
        cannot_expire: bool,
    ) -> cloakroom_session::Result<Site> {
        let inner =
            cloakroom_session::drivers::open(&config.driver, &config.options).await.unwrap();
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
            lose_removals: Arc::default(),
            stuck_after_removal: Arc::default(),
            full: Arc::default(),
            touch_takes: Arc::default(),
            stalled: Arc::default(),
            late: Arc::default(),
            cannot_compare: Arc::new(AtomicBool::new(cannot_compare)),
            cannot_expire,
        };
        config.sweep_interval = None;
        let sessions = Sessions::with_driver(Arc::new(recorder.clone()), &config)?;
        Ok(Site { sessions, recorder })
    }

    /// A request without a cookie.
    pub(crate) fn visitor(&self) -> Session {
        self.sessions.session(CookieHeaders::default())
    }

    /// A request that presents this ID.
    pub(crate) fn request(&self, id: impl ToString) -> Session {
        self.with_cookie(&format!("astro-session={}", id.to_string()))
    }

    /// A request with this `Cookie` header.
    pub(crate) fn with_cookie(&self, header: &str) -> Session {
        self.sessions.session(HeaderValue::try_from(header).unwrap())
    }

    /// A finished request that stored these strings; returns its ID, and forgets the calls it took.
    pub(crate) async fn stored(&self, entries: &[(&str, &str)]) -> SessionId {
        let session = self.visitor();
        for (key, value) in entries {
            session.set(*key, *value).unwrap();
        }
        session.finish().await.unwrap();
        self.calls();
        session.id().unwrap()
    }

    /// Another request that ends this session.
    pub(crate) async fn log_out(&self, id: SessionId) {
        let session = self.request(id);
        session.destroy();
        session.finish().await.unwrap();
    }

    /// The calls since the last time somebody asked.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.recorder.calls.lock().unwrap())
    }

    /// The ttl of the last write.
    pub(crate) fn last_ttl(&self) -> Option<Duration> {
        *self.recorder.ttls.lock().unwrap().last().expect("something was written")
    }

    /// The store itself.
    pub(crate) fn store(&self) -> DynDriver {
        self.recorder.inner.clone()
    }

    /// The stored text, where it is a session's.
    pub(crate) async fn raw(&self, id: SessionId) -> Option<String> {
        self.text(&key(id)).await.filter(|text| !is_tombstone(text))
    }

    /// What became of a session that was retired: `moved` or `destroyed`.
    pub(crate) async fn fate(&self, id: SessionId) -> Option<&'static str> {
        let text = self.text(&key(id)).await.filter(|text| is_tombstone(text))?;
        Some(if &text[11..12] == "1" { "moved" } else { "destroyed" })
    }

    async fn text(&self, key: &ItemKey) -> Option<String> {
        let item = self.recorder.inner.get(key).await.unwrap()?;
        Some(String::from_utf8(item.value.to_vec()).unwrap())
    }

    pub(crate) async fn write_raw(&self, id: SessionId, text: &str) {
        self.put(id, text, None).await;
    }

    /// As [`write_raw`](Site::write_raw), for this long.
    pub(crate) async fn write_raw_for(&self, id: SessionId, text: &str, ttl: Duration) {
        self.put(id, text, Some(ttl)).await;
    }

    async fn put(&self, id: SessionId, text: &str, ttl: Option<Duration>) {
        let value = Bytes::copy_from_slice(text.as_bytes());
        let _ = self.recorder.inner.set(&key(id), value, When::Always, ttl).await.unwrap();
    }

    /// How many sessions the store holds.
    pub(crate) async fn records(&self) -> usize {
        let store = self.store();
        let mut keys = store.keys("");
        let mut count = 0;
        while let Some(key) = std::future::poll_fn(|context| keys.as_mut().poll_next(context)).await
        {
            let text = self.text(&key.unwrap()).await;
            count += usize::from(text.is_some_and(|text| !is_tombstone(&text)));
        }
        count
    }

    /// Waits until the store holds so many sessions: what is cleaned up is cleaned up in the background.
    pub(crate) async fn settled(&self, records: usize) {
        for _ in 0..1_000 {
            if self.records().await == records {
                return;
            }
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(self.records().await, records);
    }

    /// Runs `other` once, after the next read has found what it found and before anybody is told.
    pub(crate) fn before_answer<F>(&self, other: impl FnOnce(Site) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let site = self.clone();
        *self.recorder.before_answer.lock().unwrap() =
            Some(Box::new(move || Box::pin(other(site))));
    }

    /// Runs `other` once, just before the next write reaches the store.
    pub(crate) fn before_set<F>(&self, other: impl FnOnce(Site) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let site = self.clone();
        *self.recorder.before_set.lock().unwrap() = Some(Box::new(move || Box::pin(other(site))));
    }

    /// Runs `other` once, just before the next removal reaches the store.
    pub(crate) fn before_remove<F>(&self, other: impl FnOnce(Site) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let site = self.clone();
        *self.recorder.before_remove.lock().unwrap() =
            Some(Box::new(move || Box::pin(other(site))));
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.recorder.down.store(down, Ordering::SeqCst);
    }

    /// From now on the store can compare and swap.
    pub(crate) fn learn_to_compare(&self) {
        self.recorder.cannot_compare.store(false, Ordering::SeqCst);
    }

    pub(crate) fn set_fail_writes(&self, fail: bool) {
        self.recorder.fail_writes.store(fail, Ordering::SeqCst);
    }

    /// Makes removals happen, and says of none of them that they did.
    pub(crate) fn set_lose_removals(&self, lose: bool) {
        self.recorder.lose_removals.store(lose, Ordering::SeqCst);
    }

    /// Makes the store stand still once it is asked to retire a session, or lets it go on.
    pub(crate) fn set_stalled(&self, stalled: bool) {
        self.recorder.stalled.send_replace(stalled);
    }

    /// Lets each move of a deadline take so long.
    pub(crate) fn stall_touch_for(&self, takes: Duration) {
        *self.recorder.touch_takes.lock().unwrap() = takes;
    }

    /// Refuses every write, and no removal.
    pub(crate) fn set_full(&self, full: bool) {
        self.recorder.full.store(full, Ordering::SeqCst);
    }

    /// Retires a session, and never answers.
    pub(crate) fn set_stuck_after_removal(&self, stuck: bool) {
        self.recorder.stuck_after_removal.store(stuck, Ordering::SeqCst);
    }

    /// Says that retirements failed, and does them once this ends.
    pub(crate) fn set_late_removals(&self, late: bool) {
        self.recorder.late.send_replace(late);
    }

    pub(crate) fn set_fail_removals(&self, fail: bool) {
        self.recorder.fail_removals.store(fail, Ordering::SeqCst);
    }

    /// Writes happen, and fail.
    pub(crate) fn set_lose_answers(&self, lose: bool) {
        self.recorder.lose_answers.store(lose, Ordering::SeqCst);
    }

    /// What a later request finds under `key`.
    pub(crate) async fn read(&self, id: SessionId, key: &str) -> Option<String> {
        self.request(id).get::<String>(key).await.unwrap()
    }
}

/// Begins a call and gives it up where it waits, as a deadline or a client that goes away does.
pub(crate) async fn interrupt<T>(call: impl Future<Output = T>) {
    tokio::select! {
        biased;
        _ = call => panic!("the call was to wait for ever"),
        () = std::future::ready(()) => {}
    }
}

fn key(id: SessionId) -> ItemKey {
    ItemKey::new(&id.to_string()).unwrap()
}

/// Whether this stands in the place of a session that was retired.
fn is_tombstone(text: &str) -> bool {
    text.ends_with("e-999")
}
