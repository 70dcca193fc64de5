//! What the tests of the drivers that speak HTTP have in common.
#![allow(dead_code)] // Not every test file needs all of it.

use std::time::{Duration, Instant};

use cloakroom_storage::{
    Driver, DynDriver, Error, ItemKey, Limits, Result, SetOutcome, Version, When,
};
use serde_json::Value;

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longer than any call should need that fails at once, on a busy machine.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(1);

pub(crate) const HOUR: Option<Duration> = Some(Duration::from_secs(3600));

/// What Astro stores.
pub(crate) const SESSION: &str = r#"[["Map",1,2],"cart",{"data":3},[4],"scarf"]"#;

/// The driver as a program gets it.
pub(crate) async fn open(name: &str, options: Value) -> DynDriver {
    cloakroom_drivers::open(name, options.as_object().unwrap()).await.unwrap()
}

/// As [`open`], for calls of which it does not matter how long they take: a long value takes a while in a build without
/// optimisation, through a server in JavaScript.
pub(crate) async fn open_patient(name: &str, options: Value) -> DynDriver {
    let limits = Limits { timeout: Duration::from_secs(60), ..Limits::default() };
    cloakroom_drivers::open_with_limits(name, options.as_object().unwrap(), limits).await.unwrap()
}

/// Why options are refused.
pub(crate) async fn refusal(name: &str, options: Value) -> Error {
    let options = options.as_object().unwrap();
    cloakroom_drivers::open(name, options).await.map(|_| ()).expect_err("options that are wrong")
}

pub(crate) fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

/// Writes whatever is there.
pub(crate) async fn put(
    driver: &DynDriver,
    name: &str,
    value: &str,
    ttl: Option<Duration>,
) -> Version {
    let value = value.to_owned().into();
    written(driver.set(&key(name), value, When::Always, ttl).await.unwrap())
}

pub(crate) async fn read(driver: &DynDriver, name: &str) -> Result<Option<String>> {
    let item = driver.get(&key(name)).await?;
    Ok(item.map(|item| String::from_utf8(item.value.to_vec()).unwrap()))
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
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
