//! Killed after each single change, one after the other: behind HTTP, the store makes so many and answers no more.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cloakroom_drivers::memory::Memory;
use cloakroom_server::StorageServer;
use cloakroom_storage::{
    BoxStream, Bytes, Capabilities, Driver, DynDriver, Item, ItemKey, RemoveOutcome, Result,
    SetOutcome, When, async_trait,
};
use futures_util::future::join_all;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use interop_peers::Redis;
use serde_json::json;
use tokio::sync::Notify;

use super::Case;
use crate::migrate::support::driver;
use crate::support::Site;

/// A store that makes so many changes, and then holds whoever wants another one.
#[derive(Debug)]
struct Gate {
    store: DynDriver,
    left: AtomicUsize,
    held: Notify,
}

impl Gate {
    async fn pass(&self) {
        let left = |left: usize| left.checked_sub(1);
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err() {
            self.held.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl Driver for Gate {
    fn name(&self) -> &'static str {
        self.store.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.store.capabilities()
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.store.get_with_ttl(key).await
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.pass().await;
        self.store.set(key, value, when, ttl).await
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.pass().await;
        self.store.remove(key, when).await
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.pass().await;
        self.store.touch(key, ttl).await
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        self.store.keys(prefix)
    }
}

/// Kills the command after so many changes of a store; answers whether it had more to do.
async fn killed_after(case: &Case, store: DynDriver, changes: usize) -> bool {
    let gate = Gate { store, left: AtomicUsize::new(usize::MAX), held: Notify::new() };
    let gate = Arc::new(gate);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = StorageServer::new(gate.clone()).into_router();
    let server = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(router.clone());
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    let mut site = Site::on(json!({ "driver": "http", "options": { "base": base } }));
    let people = case.begin(&mut site, 3).await;

    case.configure(&mut site, &case.meanwhile);
    gate.left.store(changes, Ordering::SeqCst);
    let arguments = case.arguments(&site);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut child =
        site.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let id = child.id().to_string();
    let mut ended = tokio::task::spawn_blocking(move || child.wait().unwrap());
    let is_killed = tokio::select! {
        () = gate.held.notified() => {
            assert!(Command::new("kill").args(["-9", &id]).status().unwrap().success());
            assert!(!ended.await.unwrap().success());
            true
        }
        status = &mut ended => {
            assert!(status.unwrap().success(), "{} after {changes} changes", case.name);
            false
        }
    };
    gate.left.store(usize::MAX, Ordering::SeqCst);
    let why = format!("{}, killed after {changes} changes", case.name);
    case.assert_ended(&site, &people, &why).await;
    case.finish(&mut site, &people, &why).await;
    server.abort();
    is_killed
}

/// How many are killed beside each other.
const AT_ONCE: usize = 8;

/// Kills each command after no change, and after each so many more, until it has nothing left to do.
async fn kill_all(open: impl AsyncFn() -> DynDriver, stride: usize) {
    for case in Case::all() {
        let mut run = 0;
        loop {
            let runs = (run..run + AT_ONCE)
                .map(async |run| killed_after(&case, open().await, run * stride).await);
            let killed = join_all(runs).await;
            run += AT_ONCE;
            if killed.contains(&false) {
                // In the middle, and not only before it began.
                assert!(killed[1] || run > AT_ONCE, "{}", case.name);
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_change_it_is_finished_by_another_run() {
    kill_all(async || Arc::new(Memory::new()) as DynDriver, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_redis_too() {
    let Some(server) = Redis::start() else { return };
    let next = AtomicUsize::new(0);
    let open = async || {
        let base = format!("run-{}", next.fetch_add(1, Ordering::SeqCst));
        driver(&json!({ "driver": "redis", "options": { "url": server.url(), "base": base } }))
            .await
    };
    kill_all(open, 4).await;
}
