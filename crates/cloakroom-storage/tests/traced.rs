//! A store that is traced, as a listener sees it.
#![allow(clippy::unwrap_used)]

mod spans;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cloakroom_drivers::memory::Memory;
use cloakroom_storage::{
    BoxStream, Capabilities, Driver, DynDriver, Error, ErrorKind, Item, ItemKey, Limits,
    RemoveOutcome, Result, SetOutcome, Swept, Traced, When, conformance, spawn_sweeper,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use spans::{Seen, Spans, tree};
use tracing::Level;

/// What is said of spans.
const PAGE: &str = include_str!("../../../docs/observing.md");

/// A store that is away, as it says of each call.
#[derive(Debug)]
struct Away;

fn away<T>() -> Result<T> {
    Err(Error::new(ErrorKind::Unavailable, "it is away").with_retryable(true))
}

#[async_trait]
impl Driver for Away {
    fn name(&self) -> &'static str {
        "sql"
    }

    fn system(&self) -> &'static str {
        "postgresql"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { expiry: true, iteration: true, ..Capabilities::none() }
    }

    async fn get_with_ttl(&self, _: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        away()
    }

    async fn set(&self, _: &ItemKey, _: Bytes, _: When, _: Option<Duration>) -> Result<SetOutcome> {
        away()
    }

    async fn remove(&self, _: &ItemKey, _: When) -> Result<RemoveOutcome> {
        away()
    }

    async fn touch(&self, _: &ItemKey, _: Option<Duration>) -> Result<bool> {
        away()
    }

    fn keys<'a>(&'a self, _: &str) -> BoxStream<'a, Result<ItemKey>> {
        stream::once(async { away() }).boxed()
    }

    async fn sweep(&self, _: usize) -> Result<Swept> {
        away()
    }
}

fn key() -> ItemKey {
    ItemKey::new("0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11").unwrap()
}

/// Calls each method once.
async fn call_each(store: &dyn Driver) {
    _ = store.set(&key(), "hello".into(), When::Always, None).await;
    _ = store.get(&key()).await;
    _ = store.get_with_ttl(&key()).await;
    _ = store.touch(&key(), None).await;
    _ = store.keys("").try_collect::<Vec<_>>().await;
    _ = store.remove(&key(), When::Always).await;
    _ = store.sweep(1).await;
}

fn attribute<'a>(span: &'a Seen, name: &str) -> Option<&'a str> {
    span.attributes.get(name).map(String::as_str)
}

#[tokio::test]
async fn each_call_is_a_span_with_the_attributes_of_a_database_client() {
    let spans = Spans::default();
    let _listening = spans.listen();
    call_each(&Traced::new(Memory::new())).await;
    let seen = spans.take();
    let operations = ["set", "get", "get", "touch", "list", "remove", "sweep"];
    assert_eq!(tree(&seen), operations.map(|operation| format!("cloakroom.store {operation}")));
    for (span, operation) in seen.iter().zip(operations) {
        assert_eq!((span.target, span.level), ("cloakroom::store", Level::DEBUG));
        let said: Vec<_> =
            span.attributes.iter().map(|(name, said)| (*name, said.as_str())).collect();
        let expected = [
            ("db.operation.name", operation),
            ("db.system.name", "memory"),
            ("otel.kind", "client"),
            ("otel.name", operation),
        ];
        assert_eq!(said, expected);
    }
}

#[tokio::test]
async fn a_call_that_fails_says_so_by_its_kind_alone() {
    let spans = Spans::default();
    let _listening = spans.listen();
    call_each(&Traced::new(Away)).await;
    let seen = spans.take();
    assert_eq!(seen.len(), 7);
    for span in &seen {
        assert_eq!(attribute(span, "db.system.name"), Some("postgresql"));
        assert_eq!(attribute(span, "otel.status_code"), Some("ERROR"));
        assert_eq!(attribute(span, "error.type"), Some("Unavailable"));
    }
}

#[tokio::test(start_paused = true)]
async fn all_tries_of_a_call_are_one_span() {
    let spans = Spans::default();
    let _listening = spans.listen();
    let store = Traced::new(Limits::default().around(Arc::new(Away)));
    store.get(&key()).await.unwrap_err();
    let seen = spans.take();
    assert_eq!(tree(&seen), ["cloakroom.store get"]);
    // Which is a product's also through what is around its driver.
    assert_eq!(attribute(&seen[0], "db.system.name"), Some("postgresql"));
}

#[tokio::test]
async fn no_span_shows_a_key_or_a_value() {
    let spans = Spans::default();
    let _listening = spans.listen();
    call_each(&Traced::new(Memory::new())).await;
    call_each(&Traced::new(Away)).await;
    let seen = format!("{:?}", spans.take());
    assert!(!seen.contains(key().as_str()) && !seen.contains("hello"), "{seen}");
}

#[tokio::test(start_paused = true)]
async fn a_sweep_of_the_whole_store_is_a_span_around_its_calls() {
    const INTERVAL: Duration = Duration::from_secs(60);
    let spans = Spans::default();
    let _listening = spans.listen();
    for (store, removed) in [(Arc::new(Memory::new()) as DynDriver, 3), (Arc::new(Away), 0)] {
        for number in 0..removed {
            let key = ItemKey::new(&format!("sess:{number}")).unwrap();
            let _ = store.set(&key, "hello".into(), When::Always, Some(Duration::ZERO)).await;
        }
        let sweeper = spawn_sweeper(Arc::new(Traced::new(store.clone())), INTERVAL);
        tokio::time::sleep(INTERVAL).await;
        drop(sweeper);
        let seen = spans.take();
        for span in &seen[..2] {
            assert!(PAGE.contains(&span.row()), "{}", span.row());
        }
        assert_eq!(tree(&seen)[..2], ["cloakroom.sweep", "  cloakroom.store sweep"]);
        assert_eq!((seen[0].target, seen[0].level), ("cloakroom::store", Level::DEBUG));
        let failure = store.sweep(1).await.err().map(|error| format!("{:?}", error.kind()));
        assert_eq!(attribute(&seen[0], "error.type"), failure.as_deref());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_is_traced_obeys_every_rule() {
    let spans = Spans::default();
    let _listening = spans.listen();
    let store: DynDriver = Arc::new(Traced::new(Memory::new()));
    conformance::run(|| async { store.clone() }).await;
}
