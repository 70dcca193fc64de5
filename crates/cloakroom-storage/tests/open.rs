//! From a configuration to a driver.
#![cfg(all(feature = "memory", feature = "fs-lite"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cloakroom_storage::{
    BoxStream, Capabilities, Driver, DriverExt, Error, ErrorKind, Item, ItemKey, RemoveOutcome,
    Result, SetOutcome, Swept, When, open, spawn_sweeper,
};
use futures_util::{StreamExt, stream};
use serde_json::{Map, json};

async fn refusal(name: &str) -> Error {
    open(name, &Map::new()).await.expect_err(name)
}

#[tokio::test]
async fn a_driver_has_several_names() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        json!({"base": folder.path(), "readOnly": false, "noClear": true, "ignore": ["*.bak"]});
    for name in ["fs-lite", "fsLite", "fs", "unstorage/drivers/fs-lite"] {
        assert_eq!(open(name, options.as_object().unwrap()).await.expect(name).name(), "fs-lite");
    }
}

#[tokio::test]
async fn an_unknown_name_is_answered_with_the_nearest_right_one() {
    let error = refusal("memroy").await;
    assert_eq!(error.kind(), ErrorKind::UnknownDriver);
    assert_eq!(error.to_string(), "there is no driver `memroy`; did you mean `memory`?");
    assert!(refusal("zzz").await.to_string().contains("there are `fs-lite`"));
}

#[tokio::test]
async fn a_driver_of_unstorage_that_is_not_here_says_why() {
    for (name, part) in [
        ("azureKeyVault", "not available in this version"),
        ("localstorage", "it lives in a browser"),
        ("github", "it is read-only"),
    ] {
        let error = refusal(name).await;
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_base_that_is_missing_or_a_file_is_named() {
    assert!(refusal("fs").await.to_string().contains("missing field `base`"));
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = open("fs", json!({"base": file.path()}).as_object().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOptions);
    assert!(error.to_string().contains("is a file, not a folder"), "{error}");
}

/// Never answers; fails to sweep.
struct Hanging(AtomicUsize);

impl fmt::Debug for Hanging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hanging")
    }
}

#[async_trait]
impl Driver for Hanging {
    fn name(&self) -> &'static str {
        "hanging"
    }
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::none();
        capabilities.expiry = true;
        capabilities
    }
    async fn get(&self, _: &ItemKey) -> Result<Option<Item>> {
        pending().await
    }
    async fn get_with_ttl(&self, _: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        pending().await
    }
    async fn set(&self, _: &ItemKey, _: Bytes, _: When, _: Option<Duration>) -> Result<SetOutcome> {
        pending().await
    }
    async fn remove(&self, _: &ItemKey, _: When) -> Result<RemoveOutcome> {
        pending().await
    }
    async fn touch(&self, _: &ItemKey, _: Option<Duration>) -> Result<bool> {
        pending().await
    }
    fn keys<'a>(&'a self, _: &str) -> BoxStream<'a, Result<ItemKey>> {
        stream::pending().boxed()
    }
    async fn sweep(&self, _: usize) -> Result<Swept> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(Error::new(ErrorKind::Unavailable, "gone"))
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_has_a_deadline() {
    let driver = Hanging(AtomicUsize::new(0)).with_timeout(Duration::from_secs(5));
    let key = ItemKey::new("key").unwrap();
    let errors = [
        driver.get(&key).await.unwrap_err(),
        driver.get_with_ttl(&key).await.unwrap_err(),
        driver.set(&key, "".into(), When::Always, None).await.unwrap_err(),
        driver.remove(&key, When::Always).await.unwrap_err(),
        driver.touch(&key, None).await.unwrap_err(),
        driver.keys("").next().await.unwrap().unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.is_retryable());
        assert!(error.to_string().starts_with("hanging: cannot "), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sweeper_survives_errors_and_ends_when_dropped() {
    let driver = Arc::new(Hanging(AtomicUsize::new(0)));
    let sweeper = spawn_sweeper(driver.clone(), Duration::from_secs(60));
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(sweeper.is_running());
    let swept = driver.0.load(Ordering::Relaxed);
    assert!((8..=12).contains(&swept), "{swept} sweeps in ten intervals");
    drop(sweeper);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(driver.0.load(Ordering::Relaxed), swept);
}
