//! From a configuration to a driver.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cloakroom_drivers::{drivers, left_out, open};
use cloakroom_storage::{
    BoxStream, Capabilities, Driver, DriverExt, Error, ErrorKind, Item, ItemKey, RemoveOutcome,
    Result, SetOutcome, Swept, When, spawn_sweeper,
};
use futures_util::{StreamExt, stream};
use serde_json::{Map, json};
use tokio::time::Instant;

const INTERVAL: Duration = Duration::from_secs(60);

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
    let all = refusal("zzz").await.to_string();
    assert!(all.contains("there are `") && all.contains("`fs-lite`, "), "{all}");
}

#[tokio::test]
async fn a_driver_of_unstorage_that_is_left_out_says_why() {
    for (name, reason) in left_out().chain([("azureKeyVault", "it is made for secrets")]) {
        let error = refusal(name).await;
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_driver_goes_by_every_name_that_unstorage_has_for_it() {
    for (camel, name) in [
        ("fsLite", "fs-lite"),
        ("fs", "fs-lite"),
        ("lruCache", "lru-cache"),
        ("vercelKV", "vercel-kv"),
        ("cloudflareKVHttp", "cloudflare-kv-http"),
        ("cloudflareR2Binding", "cloudflare-r2-binding"),
        ("denoKV", "deno-kv"),
        ("denoKVNode", "deno-kv"),
        ("azureStorageBlob", "azure-storage-blob"),
    ] {
        let called: Vec<_> = drivers().iter().filter(|info| info.is_called(camel)).collect();
        assert!(matches!(called[..], [info] if info.name == name), "{camel}: {called:?}");
    }
    for other in ["fslite", "FsLite", "fs-Lite", "vercelkv", "vercelKVx", "vercel"] {
        assert!(!drivers().iter().any(|info| info.is_called(other)), "{other}");
    }
}

#[tokio::test]
async fn a_binding_of_a_worker_names_what_reaches_its_data_from_elsewhere() {
    for (name, instead) in
        [("cloudflareKVBinding", "`cloudflare-kv-http`"), ("cloudflare-r2-binding", "`s3`")]
    {
        let error = refusal(name).await;
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(instead), "{error}");
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

/// Never answers, but sweeps: fails to, or frees what has expired.
#[derive(Default)]
struct Hanging {
    expired: Mutex<Option<usize>>,
    sweeps: Mutex<Vec<Instant>>,
}

impl Hanging {
    fn sweeps(&self) -> Vec<Instant> {
        self.sweeps.lock().unwrap().clone()
    }
}

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
    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.sweeps.lock().unwrap().push(Instant::now());
        let mut expired = self.expired.lock().unwrap();
        let expired = expired.as_mut().ok_or(Error::new(ErrorKind::Unavailable, "gone"))?;
        assert!(budget < 1000, "the store is busy with {budget} removals at once");
        let removed = budget.min(*expired);
        *expired -= removed;
        Ok(Swept { removed, examined: removed, finished: *expired == 0 })
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_has_a_deadline() {
    let driver = Hanging::default().with_timeout(Duration::from_secs(5));
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
    let driver = Arc::new(Hanging::default());
    let sweeper = spawn_sweeper(driver.clone(), INTERVAL);
    tokio::time::sleep(INTERVAL * 10).await;
    assert!(sweeper.is_running());
    let swept = driver.sweeps().len();
    assert!((8..=12).contains(&swept), "{swept} sweeps in ten intervals");
    drop(sweeper);
    tokio::time::sleep(INTERVAL * 10).await;
    assert_eq!(driver.sweeps().len(), swept);
}

#[tokio::test(start_paused = true)]
async fn a_sweeper_frees_in_small_steps_and_rests_between_them() {
    let driver = Arc::new(Hanging::default());
    *driver.expired.lock().unwrap() = Some(10_000);
    let _sweeper = spawn_sweeper(driver.clone(), INTERVAL);
    while *driver.expired.lock().unwrap() != Some(0) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let steps = driver.sweeps();
    assert!((10..=100).contains(&steps.len()), "{} steps", steps.len());
    let rests = steps.windows(2).map(|two| two[1] - two[0]);
    assert!(rests.min().unwrap() >= Duration::from_millis(10));
    // A round that finds nothing is one call.
    tokio::time::sleep(INTERVAL * 10).await;
    let idle = driver.sweeps().len() - steps.len();
    assert!((8..=12).contains(&idle), "{idle} sweeps in ten intervals");
}

#[tokio::test(start_paused = true)]
async fn the_sweepers_of_a_fleet_do_not_sweep_in_step() {
    let begin = Instant::now();
    let drivers: Vec<Arc<Hanging>> = (0..16).map(|_| Arc::default()).collect();
    let _sweepers: Vec<_> =
        drivers.iter().map(|driver| spawn_sweeper(driver.clone(), INTERVAL)).collect();
    tokio::time::sleep(INTERVAL * 4).await;
    for round in 0..3 {
        let times: Vec<_> = drivers.iter().map(|driver| driver.sweeps()[round] - begin).collect();
        let spread = *times.iter().max().unwrap() - *times.iter().min().unwrap();
        // Sixteen at random within a minute lie this near together once in many millions of times.
        assert!(spread > INTERVAL / 6, "all within {spread:?}");
    }
}
