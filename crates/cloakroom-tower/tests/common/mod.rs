//! A memory store that fails on demand, and requests without a server.

// Every test binary uses its own part of this.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, header};
use bytes::Bytes;
use cloakroom_session::storage::{
    self, BoxStream, Capabilities, Driver, DynDriver, Error, ErrorKind, Item, ItemKey,
    RemoveOutcome, Result, SetOutcome, Swept, When,
};
use http_body_util::BodyExt;
use tokio::sync::watch;
use tower::ServiceExt;

#[derive(Clone, Debug)]
pub struct Faulty {
    inner: DynDriver,
    all: Arc<Mutex<Option<ErrorKind>>>,
    writes: Arc<Mutex<Option<ErrorKind>>>,
    blocked: watch::Sender<bool>,
    calls: Arc<AtomicUsize>,
}

impl Faulty {
    pub async fn new() -> Faulty {
        Faulty {
            inner: storage::open("memory", &serde_json::Map::new()).await.unwrap(),
            all: Arc::default(),
            writes: Arc::default(),
            blocked: watch::Sender::new(false),
            calls: Arc::default(),
        }
    }

    pub fn inner(&self) -> &DynDriver {
        &self.inner
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    pub fn fail(&self, kind: Option<ErrorKind>) {
        *self.all.lock().unwrap() = kind;
    }

    pub fn fail_writes(&self, kind: Option<ErrorKind>) {
        *self.writes.lock().unwrap() = kind;
    }

    pub fn block_writes(&self, blocked: bool) {
        self.blocked.send_replace(blocked);
    }

    fn check(&self, faults: &Mutex<Option<ErrorKind>>) -> Result<()> {
        match *faults.lock().unwrap() {
            Some(kind) => Err(Error::new(kind, "as the test wants it")),
            None => Ok(()),
        }
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
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.check(&self.all)?;
        self.inner.get(key).await
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.check(&self.all)?;
        self.inner.get_with_ttl(key).await
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mut blocked = self.blocked.subscribe();
        blocked.wait_for(|blocked| !blocked).await.unwrap();
        self.check(&self.all)?;
        self.check(&self.writes)?;
        self.inner.set(key, value, when, ttl).await
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.check(&self.all)?;
        self.inner.remove(key, when).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.check(&self.all)?;
        self.inner.touch(key, ttl).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        self.inner.keys(prefix)
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.inner.sweep(budget).await
    }
}

pub async fn call(app: &Router, path: &str, cookie: Option<&str>) -> Response<Body> {
    let mut request = Request::get(path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

pub async fn text(response: Response<Body>) -> String {
    let bytes: Bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What a browser would send back.
pub fn cookie(response: &Response<Body>) -> Option<String> {
    let cookie = response.headers().get(header::SET_COOKIE)?.to_str().unwrap();
    Some(cookie.split(';').next().unwrap().to_owned())
}

pub fn id_of(cookie: &str) -> &str {
    cookie.split_once('=').unwrap().1
}
