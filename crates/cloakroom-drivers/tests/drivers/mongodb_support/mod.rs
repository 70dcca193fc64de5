//! What the tests of the `mongodb` driver have in common.
#![allow(dead_code)] // Not every test file needs all of it.

use std::time::{Duration, Instant};

use cloakroom_drivers::mongodb::{MongoDb, Options};
use cloakroom_storage::{Driver, ItemKey, Result, SetOutcome, Version, When};
use interop_peers::MongoDb as Peer;
use mongodb::Client;
use serde_json::Value;

pub(crate) const LONG: Option<Duration> = Some(Duration::from_secs(3600));
/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// The driver alone, without what `open` puts around it.
pub(crate) async fn bare(options: Value) -> MongoDb {
    MongoDb::open(options.as_object().unwrap()).await.unwrap()
}

pub(crate) async fn on(peer: &Peer) -> MongoDb {
    MongoDb::new(Options::new(peer.url())).await.unwrap()
}

pub(crate) fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

pub(crate) async fn read(driver: &dyn Driver, name: &str) -> Result<Option<String>> {
    let item = driver.get(&key(name)).await?;
    Ok(item.map(|item| String::from_utf8(item.value.to_vec()).unwrap()))
}

pub(crate) async fn put(
    driver: &dyn Driver,
    name: &str,
    value: &str,
    ttl: Option<Duration>,
) -> Version {
    let value = value.to_owned().into();
    written(driver.set(&key(name), value, When::Always, ttl).await.unwrap())
}

pub(crate) fn written(outcome: SetOutcome) -> Version {
    match outcome {
        SetOutcome::Written { version } => version,
        SetOutcome::Conflict => panic!("a write was refused that should have happened"),
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// MongoDB's own client.
pub(crate) async fn client(peer: &Peer) -> Client {
    Client::with_uri_str(peer.url()).await.unwrap()
}
