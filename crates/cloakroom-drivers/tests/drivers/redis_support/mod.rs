//! What the tests of the `redis` driver have in common.
#![allow(dead_code)] // Not every test file needs all of it.

use std::time::{Duration, Instant};

use cloakroom_drivers::redis::Redis as Driven;
use cloakroom_storage::{Driver, DynDriver, Error, ItemKey, Result, SetOutcome, Version, When};
use serde_json::Value;

/// How long a test waits for what has to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The driver alone, without what `open` puts around it.
pub(crate) async fn bare(options: Value) -> Driven {
    Driven::open(options.as_object().unwrap()).await.unwrap()
}

/// The driver as a program gets it.
pub(crate) async fn open(options: Value) -> DynDriver {
    cloakroom_drivers::open("redis", options.as_object().unwrap()).await.unwrap()
}

/// Why options are refused.
pub(crate) async fn refusal(options: Value) -> Error {
    let options = options.as_object().unwrap();
    cloakroom_drivers::open("redis", options).await.map(|_| ()).expect_err("options that are wrong")
}

pub(crate) fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

/// Writes whatever is there.
pub(crate) async fn put(driver: &dyn Driver, name: &str, value: &str) -> Version {
    let value = value.to_owned().into();
    written(driver.set(&key(name), value, When::Always, None).await.unwrap())
}

pub(crate) async fn read(driver: &dyn Driver, name: &str) -> Result<Option<String>> {
    let item = driver.get(&key(name)).await?;
    Ok(item.map(|item| String::from_utf8(item.value.to_vec()).unwrap()))
}

pub(crate) fn written(outcome: SetOutcome) -> Version {
    match outcome {
        SetOutcome::Written { version } => version,
        SetOutcome::Conflict => panic!("a write was refused that should have happened"),
    }
}

/// Waits until something holds, and tells how long that took.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < PATIENCE, "{what}: not after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    begin.elapsed()
}
