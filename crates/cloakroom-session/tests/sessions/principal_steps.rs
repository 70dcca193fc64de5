//! A principal's sessions, with one request stopped before and after each of its calls to the store while another one goes
//! through, and then let go on, or never.
//!
//! Whatever they are, no session of the principal's is alive and missing in its index, nor are there more than its limit.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cloakroom_session::adapter::Commit;
use cloakroom_session::drivers::memory::Memory;
use cloakroom_session::storage::{
    self, BoxStream, Capabilities, Driver, DynDriver, Item, ItemKey, RemoveOutcome, SetOutcome,
    Swept, When,
};
use cloakroom_session::{Config, CookieHeaders, Result, Session, SessionId, Sessions};
use futures_util::TryStreamExt as _;
use tokio::sync::watch;

/// Stops the call of this number, before it happens or before it is answered.
#[derive(Clone, Copy, Debug)]
struct Stop {
    call: usize,
    has_happened: bool,
}

#[derive(Debug)]
struct Stepper {
    inner: DynDriver,
    stop: Stop,
    calls: AtomicUsize,
    arrived: watch::Sender<bool>,
    goes_on: watch::Sender<bool>,
}

impl Stepper {
    fn new(inner: DynDriver, stop: Stop) -> Arc<Stepper> {
        let (arrived, goes_on) = (watch::channel(false).0, watch::channel(false).0);
        Arc::new(Stepper { inner, stop, calls: AtomicUsize::new(0), arrived, goes_on })
    }

    async fn step<T>(&self, call: impl Future<Output = T>) -> T {
        let is_it = self.calls.fetch_add(1, Ordering::SeqCst) == self.stop.call;
        if is_it && !self.stop.has_happened {
            self.wait().await;
        }
        let answer = call.await;
        if is_it && self.stop.has_happened {
            self.wait().await;
        }
        answer
    }

    async fn wait(&self) {
        self.arrived.send_replace(true);
        self.goes_on.subscribe().wait_for(|goes_on| *goes_on).await.unwrap();
    }
}

#[async_trait]
impl Driver for Stepper {
    fn name(&self) -> &'static str {
        "stepper"
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn get_with_ttl(
        &self,
        key: &ItemKey,
    ) -> storage::Result<Option<(Item, Option<Duration>)>> {
        self.step(self.inner.get_with_ttl(key)).await
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> storage::Result<SetOutcome> {
        self.step(self.inner.set(key, value, when, ttl)).await
    }

    async fn remove(&self, key: &ItemKey, when: When) -> storage::Result<RemoveOutcome> {
        self.step(self.inner.remove(key, when)).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> storage::Result<bool> {
        self.step(self.inner.touch(key, ttl)).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, storage::Result<ItemKey>> {
        self.inner.keys(prefix)
    }

    async fn sweep(&self, budget: usize) -> storage::Result<Swept> {
        self.inner.sweep(budget).await
    }
}

const PRINCIPAL: &str = "ann";

/// How many sessions the principal may have.
const MOST: usize = 3;

fn limited() -> Config {
    let mut config = Config::new("memory");
    config.max_sessions = Some(MOST as u32);
    config.sweep_interval = None;
    config
}

fn by_path() -> Config {
    let mut config = Config::new("memory");
    config.principal = Some("user.id".to_owned());
    config.sweep_interval = None;
    config
}

/// What a request does with which session.
type Act = fn(Sessions, Before) -> Pin<Box<dyn Future<Output = Option<SessionId>> + Send>>;

/// What there is before: two signed-in sessions, and one that is nobody's.
#[derive(Clone)]
struct Before {
    first: SessionId,
    second: SessionId,
    visitor: SessionId,
}

fn request(sessions: &Sessions, id: SessionId) -> Session {
    let cookie = http::HeaderValue::from_str(&format!("astro-session={id}")).unwrap();
    sessions.session(CookieHeaders::from_iter([cookie]))
}

/// The ID that a request has handed out.
async fn finish(session: Session) -> Option<SessionId> {
    let finished: Result<_> = session.finish().await;
    finished.ok().and_then(|finished| finished.set_cookie).and_then(|_| session.id())
}

async fn sign_in(session: Session) -> Option<SessionId> {
    session.set("user", &std::collections::BTreeMap::from([("id", PRINCIPAL)])).ok()?;
    session.sign_in(PRINCIPAL).await.ok()?;
    finish(session).await
}

fn acts() -> Vec<(&'static str, Act)> {
    vec![
        ("a sign-in without a cookie", |sessions, _| {
            Box::pin(async move {
                let session = sessions.session(CookieHeaders::default());
                sign_in(session).await
            })
        }),
        ("a sign-in of a visitor", |sessions, before| {
            Box::pin(async move {
                let session = request(&sessions, before.visitor);
                sign_in(session).await
            })
        }),
        ("a sign-in of one who is signed in", |sessions, before| {
            Box::pin(async move {
                let session = request(&sessions, before.first);
                sign_in(session).await
            })
        }),
        ("a sign-in that is saved before the end", |sessions, before| {
            Box::pin(async move {
                let session = request(&sessions, before.visitor);
                session.set("user", &std::collections::BTreeMap::from([("id", PRINCIPAL)])).ok()?;
                session.sign_in(PRINCIPAL).await.ok()?;
                session.update("visits", |visits: &mut u32| *visits += 1).await.ok()?;
                finish(session).await
            })
        }),
        ("a new ID", |sessions, before| {
            Box::pin(async move {
                let session = request(&sessions, before.first);
                session.regenerate().await.ok()?;
                finish(session).await
            })
        }),
        ("a password once more", |sessions, before| {
            Box::pin(async move {
                let session = request(&sessions, before.first);
                session.reauthenticated().await.ok()?;
                session.sessions().of(PRINCIPAL).revoke_others(&session).await.ok()?;
                finish(session).await
            })
        }),
        ("a sign-out", |sessions, before| {
            Box::pin(async move {
                let session = request(&sessions, before.first);
                session.sign_out();
                finish(session).await
            })
        }),
        ("a change", |sessions, before| {
            Box::pin(async move {
                let session = request(&sessions, before.first);
                session.update("visits", |visits: &mut u32| *visits += 1).await.ok()?;
                finish(session).await
            })
        }),
        ("the end of all", |sessions, _| {
            Box::pin(async move {
                sessions.of(PRINCIPAL).revoke_all().await.ok();
                None
            })
        }),
        ("the end of the others", |sessions, before| {
            Box::pin(async move {
                let session = request(&sessions, before.second);
                sessions.of(PRINCIPAL).revoke_others(&session).await.ok();
                None
            })
        }),
        ("the end of one", |sessions, before| {
            Box::pin(async move {
                let session = request(&sessions, before.first);
                let list = sessions.of(PRINCIPAL).list().await.ok()?;
                for listed in list {
                    if listed.is_current(&session).await.ok()? {
                        sessions.of(PRINCIPAL).revoke(listed.handle()).await.ok();
                    }
                }
                None
            })
        }),
        ("a list", |sessions, _| {
            Box::pin(async move {
                sessions.of(PRINCIPAL).list().await.ok();
                None
            })
        }),
    ]
}

struct Store {
    driver: DynDriver,
    sessions: Sessions,
    config: Config,
}

impl Store {
    fn new(config: Config) -> Store {
        let driver: DynDriver = Arc::new(Memory::new());
        let sessions = Sessions::with_driver(Arc::clone(&driver), &config).unwrap();
        Store { driver, sessions, config }
    }

    async fn prepare(&self) -> Before {
        let visitor = self.sessions.session(CookieHeaders::default());
        visitor.set("cart", "hat").unwrap();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let session = self.sessions.session(CookieHeaders::default());
            ids.push(sign_in(session).await.unwrap());
        }
        Before { first: ids[0], second: ids[1], visitor: finish(visitor).await.unwrap() }
    }

    async fn keys(&self) -> Vec<String> {
        let keys: Vec<ItemKey> = self.driver.keys("").try_collect().await.unwrap();
        keys.iter().map(|key| key.as_str().to_owned()).collect()
    }

    /// The principal's sessions that are alive, by all that the store has.
    async fn alive(&self) -> BTreeSet<String> {
        let mut alive = BTreeSet::new();
        for key in self.keys().await {
            let Some(id) = SessionId::parse(&key) else { continue };
            let session = request(&self.sessions, id);
            if session.principal().await.unwrap().as_deref() == Some(PRINCIPAL) {
                alive.insert(key);
            }
        }
        alive
    }

    /// What the index has, marked or not.
    async fn entries(&self) -> Vec<serde_json::Value> {
        let mut entries = Vec::new();
        for key in self.keys().await.iter().filter(|key| key.starts_with("principal:")) {
            let item = self.driver.get(&ItemKey::new(key).unwrap()).await.unwrap().unwrap();
            let page: serde_json::Value = serde_json::from_slice(&item.value).unwrap();
            entries.extend(page["sessions"].as_array().unwrap().iter().cloned());
        }
        entries
    }

    async fn indexed(&self) -> BTreeSet<String> {
        let entries = self.entries().await;
        entries.iter().map(|entry| entry["key"].as_str().unwrap().to_owned()).collect()
    }

    /// The sign-ins that these are IDs of, marked or not.
    async fn handles(&self, keys: &BTreeSet<String>) -> BTreeSet<String> {
        let entries = self.entries().await;
        let of = entries.iter().filter(|entry| keys.contains(entry["key"].as_str().unwrap()));
        of.map(|entry| entry["handle"].as_str().unwrap().to_owned()).collect()
    }

    async fn check(&self, told: Option<SessionId>, what: &str) {
        let (alive, indexed) = (self.alive().await, self.indexed().await);
        let unlisted: Vec<_> = alive.difference(&indexed).collect();
        // A session that moves to another ID has two for a moment; whoever has seen neither cannot tell.
        assert_eq!(unlisted.len(), 0, "{what}: alive and unlisted");
        if self.config.max_sessions.is_some() {
            let handles = self.handles(&alive).await.len();
            assert!(handles <= MOST, "{what}: {handles} sessions are alive");
            let listed = self.sessions.of(PRINCIPAL).list().await.unwrap().len();
            assert!(listed <= MOST, "{what}: {listed} sessions");
        }
        if let Some(id) = told
            && self.alive().await.contains(&id.to_string())
        {
            let session = request(&self.sessions, id);
            let mut is_listed = false;
            for listed in self.sessions.of(PRINCIPAL).list().await.unwrap() {
                is_listed |= listed.is_current(&session).await.unwrap();
            }
            assert!(is_listed, "{what}: what was handed out is alive and not in the list");
        }
    }
}

/// Stops one act at one call, lets another one through, and goes on, or does not. Answers whether there was such a call.
async fn stopped(
    config: &Config,
    (one, act): (&str, Act),
    (other, meanwhile): (&str, Act),
    stop: Stop,
    goes_on: bool,
) -> bool {
    let what = format!("{one}, stopped at {stop:?} for {other}, goes on: {goes_on}");
    let store = Store::new(config.clone());
    let before = store.prepare().await;
    let stepper = Stepper::new(Arc::clone(&store.driver), stop);
    let stepped = Sessions::with_driver(Arc::clone(&stepper) as DynDriver, config).unwrap();
    let mut arrived = stepper.arrived.subscribe();
    let mut task = tokio::spawn(act(stepped, before.clone()));
    let is_there = tokio::select! {
        done = &mut task => { done.unwrap(); false }
        arrived = arrived.wait_for(|arrived| *arrived) => arrived.is_ok(),
    };
    if !is_there {
        return false;
    }
    store.check(None, &what).await;
    let told = meanwhile(store.sessions.clone(), before).await;
    store.check(told, &what).await;
    if goes_on {
        stepper.goes_on.send_replace(true);
        let told = task.await.unwrap();
        store.check(told, &what).await;
    }
    store.sessions.of(PRINCIPAL).revoke_all().await.unwrap();
    if goes_on {
        assert_eq!(store.alive().await.len(), 0, "{what}: somebody is alive after the end of all");
    }
    true
}

/// Each act that one of the words names, stopped for each that one of the others names.
async fn all_steps(config: Config, stopped_ones: &[&str], others: &[&str]) {
    let named = |words: &[&str]| -> Vec<_> {
        acts()
            .into_iter()
            .filter(|(name, _)| words.iter().any(|word| name.contains(word)))
            .collect()
    };
    for act in named(stopped_ones) {
        for meanwhile in named(others) {
            for goes_on in [true, false] {
                for has_happened in [false, true] {
                    let mut call = 0;
                    while stopped(&config, act, meanwhile, Stop { call, has_happened }, goes_on)
                        .await
                    {
                        call += 1;
                    }
                    assert!(call > 0, "{} asks nothing of the store", act.0);
                }
            }
        }
    }
}

#[tokio::test]
async fn at_each_step_nobody_is_alive_and_unlisted() {
    let mut config = Config::new("memory");
    config.sweep_interval = None;
    let others = ["the end of", "a new ID", "one who is signed in", "a list"];
    all_steps(config, &["sign-in", "a new ID", "password", "sign-out", "a change"], &others).await;
}

#[tokio::test]
async fn nor_where_it_is_an_end_that_is_stopped() {
    let mut config = Config::new("memory");
    config.sweep_interval = None;
    let others = ["a new ID", "of a visitor", "the end of all", "a list", "a change"];
    all_steps(config, &["the end of", "a list"], &others).await;
}

#[tokio::test]
async fn nor_where_the_number_is_limited() {
    let others = ["sign-in", "the end of all", "a new ID"];
    all_steps(limited(), &["sign-in", "a new ID", "the end of one"], &others).await;
}

#[tokio::test]
async fn nor_where_an_entry_of_the_sites_own_says_whose_it_is() {
    let others = ["the end of all", "a new ID"];
    all_steps(by_path(), &["of a visitor", "a new ID", "a sign-out", "password"], &others).await;
}
