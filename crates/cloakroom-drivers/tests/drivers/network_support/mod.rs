//! What the tests of the stores beyond unstorage's have in common.
#![allow(dead_code)] // Each test needs a part of it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use cloakroom_storage::{Driver, DynDriver, Error, ItemKey, Limits, SetOutcome, Version, When};
use serde_json::Value;

pub(crate) const HOUR: Option<Duration> = Some(Duration::from_secs(3600));
/// Longer than any call should need that fails at once, on a busy machine.
pub(crate) const AT_ONCE: Duration = Duration::from_millis(500);
/// Longer than anything takes that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

/// The driver as a configuration opens it, with deadlines and retries.
pub(crate) async fn open(driver: &str, options: &Value) -> DynDriver {
    cloakroom_drivers::open(driver, options.as_object().unwrap()).await.unwrap()
}

/// The driver with a short deadline and without retries.
pub(crate) async fn open_impatient(driver: &str, options: &Value) -> DynDriver {
    let limits = Limits { timeout: Duration::from_millis(500), retries: 0 };
    let options = options.as_object().unwrap();
    cloakroom_drivers::open_with_limits(driver, options, limits).await.unwrap()
}

pub(crate) fn written(outcome: SetOutcome) -> Version {
    match outcome {
        SetOutcome::Written { version } => version,
        SetOutcome::Conflict => panic!("a write was refused that should have happened"),
    }
}

pub(crate) async fn put(driver: &dyn Driver, name: &str, value: &'static str) -> Version {
    written(driver.set(&key(name), value.into(), When::Always, HOUR).await.unwrap())
}

pub(crate) async fn read(driver: &dyn Driver, name: &str) -> Result<Option<Bytes>, Error> {
    Ok(driver.get(&key(name)).await?.map(|item| item.value))
}

/// Looks now and then until the condition holds.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !condition().await {
        assert!(begin.elapsed() < PATIENCE, "waited too long: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
