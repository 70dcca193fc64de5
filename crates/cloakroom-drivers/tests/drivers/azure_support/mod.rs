//! What the tests of Azure's drivers have in common.
#![allow(dead_code)] // Each test needs a part of it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cloakroom_drivers::{open, open_with_limits};
use cloakroom_storage::{DynDriver, Error, ErrorKind, ItemKey, Limits, SetOutcome, Version, When};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use interop_peers::{NodeServer, Proxy};
use serde_json::Value;

/// The key of the emulators' account, which everybody knows.
pub(crate) const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A key of nobody.
pub(crate) const WRONG_KEY: &str = "bm90IHRoZSBrZXkgb2YgYW55Ym9keSBhdCBhbGw=";

/// As Microsoft's client for JavaScript made it with the emulators' key, to be good until 2099, for blobs and tables.
pub(crate) const ACCOUNT_SIGNATURE: &str = "sv=2021-12-02&ss=bt&srt=sco&se=2099-01-01T00%3A00%3A00Z&sp=rwdlacu&sig=%2BXnRmb0pgDRVum0662hMmorRwDQ7zy6iiq%2BixUwYHjo%3D";

pub(crate) const HOUR: Option<Duration> = Some(Duration::from_secs(3600));
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

pub(crate) async fn opened(name: &str, options: &Value) -> DynDriver {
    open(name, options.as_object().unwrap()).await.unwrap()
}

pub(crate) async fn refused(name: &str, options: &Value) -> Error {
    open(name, options.as_object().unwrap()).await.map(|_| ()).unwrap_err()
}

pub(crate) async fn put(
    driver: &DynDriver,
    name: &str,
    value: &str,
    ttl: Option<Duration>,
) -> Version {
    written(driver.set(&key(name), value.to_owned().into(), When::Always, ttl).await.unwrap())
}

pub(crate) fn written(outcome: SetOutcome) -> Version {
    match outcome {
        SetOutcome::Written { version } => version,
        SetOutcome::Conflict => panic!("nothing was written"),
    }
}

pub(crate) async fn read(driver: &DynDriver, name: &str) -> Option<String> {
    let item = driver.get(&key(name)).await.unwrap()?;
    Some(String::from_utf8(item.value.to_vec()).unwrap())
}

pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// How many round trips each operation costs: read, write, create, touch, write on a version from before a touch, remove.
pub(crate) async fn round_trips(driver: &DynDriver, proxy: &Proxy) -> [u64; 6] {
    let cost = || {
        let cost = proxy.round_trips();
        proxy.reset();
        cost
    };
    let id = key("id");
    put(driver, "id", "value", HOUR).await;
    cost();
    let item = driver.get(&id).await.unwrap().unwrap();
    let read = cost();
    let when = When::Version(item.version);
    let version = written(driver.set(&id, "next".into(), when, HOUR).await.unwrap());
    let write = cost();
    written(driver.set(&key("new"), "value".into(), When::Absent, HOUR).await.unwrap());
    let create = cost();
    assert!(driver.touch(&id, HOUR).await.unwrap());
    let touch = cost();
    let when = When::Version(version);
    written(driver.set(&id, "last".into(), when, HOUR).await.unwrap());
    let late = cost();
    driver.remove(&id, When::Always).await.unwrap();
    [read, write, create, touch, late, cost()]
}

/// The store is stopped: errors at once. It comes back, with what it had if it keeps that, and is used again. It hangs, and
/// is given up.
pub(crate) async fn away_and_back(
    name: &'static str,
    options: &Value,
    server: &NodeServer,
    keeps: bool,
) {
    let limits = Limits { timeout: Duration::from_secs(4), retries: 1 };
    let driver = open_with_limits(name, options.as_object().unwrap(), limits).await.unwrap();
    let version = put(&driver, "id", "value", HOUR).await;

    tokio::task::block_in_place(|| server.stop());
    let begin = Instant::now();
    let calls = [
        driver.get(&key("id")).await.map(|_| ()),
        driver.set(&key("id"), "x".into(), When::Version(version), HOUR).await.map(|_| ()),
        driver.touch(&key("id"), HOUR).await.map(|_| ()),
        driver.remove(&key("id"), When::Always).await.map(|_| ()),
        driver.sweep(10).await.map(|_| ()),
    ];
    for error in calls.map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.is_unapplied() && error.is_retryable(), "{error}");
    }
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());

    tokio::task::block_in_place(|| server.restart());
    assert_eq!(driver.get(&key("other")).await.unwrap(), None);
    if keeps {
        assert_eq!(read(&driver, "id").await.as_deref(), Some("value"));
    }
    put(&driver, "id", "value", HOUR).await;
    assert_eq!(read(&driver, "id").await.as_deref(), Some("value"));

    let limits = Limits { timeout: Duration::from_millis(300), retries: 1 };
    let driver = open_with_limits(name, options.as_object().unwrap(), limits).await.unwrap();
    server.pause();
    let error = driver.get(&key("id")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    server.resume();
    until("it goes on", async || driver.get(&key("id")).await.is_ok()).await;
}

/// Options that no store comes of, each with a part of what is said.
pub(crate) async fn refuses(name: &str, cases: &[(Value, &str)]) {
    for (options, part) in cases {
        let error = refused(name, options).await;
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(!format!("{error} {error:?}").contains("c2VjcmV0"), "{error:?}");
    }
}

/// The store lets nobody in who has such options.
pub(crate) async fn lets_nobody_in(name: &str, options: &Value) {
    let driver = opened(name, options).await;
    let calls = [
        driver.get(&key("id")).await.map(|_| ()),
        driver.set(&key("id"), "x".into(), When::Absent, HOUR).await.map(|_| ()),
        driver.touch(&key("id"), HOUR).await.map(|_| ()),
        driver.remove(&key("id"), When::Always).await.map(|_| ()),
    ];
    for error in calls.map(Result::unwrap_err) {
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(error.is_unapplied() && !error.is_retryable(), "{error}");
        assert!(!format!("{error} {error:?} {driver:?}").contains(&WRONG_KEY[..8]), "{error:?}");
    }
}

/// A driver's own options, which show no secret, open the store that these of a configuration do.
pub(crate) async fn opens_without_json<O: std::fmt::Debug>(
    name: &str,
    given: &Value,
    options: O,
    open: impl FnOnce(O) -> DynDriver,
) {
    put(&opened(name, given).await, "id", "value", HOUR).await;
    assert!(!format!("{options:?}").contains(&KEY[..8]), "{options:?}");
    assert_eq!(read(&open(options), "id").await.as_deref(), Some("value"));
}

/// More items than a page of a thousand has.
pub(crate) async fn lists_page_by_page(driver: &DynDriver) {
    put(driver, "b:other", "value", HOUR).await;
    let expected: Vec<String> = (0..1203).map(|index| format!("a:{index:04}")).collect();
    stream::iter(&expected)
        .for_each_concurrent(16, async |name| _ = put(driver, name, "value", HOUR).await)
        .await;
    let mut keys: Vec<ItemKey> = driver.keys("a:").try_collect().await.unwrap();
    keys.sort();
    assert_eq!(keys.iter().map(ItemKey::as_str).collect::<Vec<_>>(), expected);
}

/// More expired items than one sweep frees, and more items than it looks at.
pub(crate) async fn sweeps_in_steps(driver: &DynDriver) {
    for index in 0..12 {
        put(driver, &format!("gone-{index}"), "value", Some(Duration::from_millis(1))).await;
        put(driver, &format!("live-{index}"), "value", HOUR).await;
    }
    let mut removed = Vec::new();
    until("everything is swept", async || {
        let swept = driver.sweep(5).await.unwrap();
        removed.push(swept.removed);
        removed.iter().sum::<usize>() == 12 && swept.finished
    })
    .await;
    assert!(removed.iter().all(|&removed| removed <= 5), "{removed:?}");
    assert_eq!(driver.sweep(5).await.unwrap().removed, 0);
    for index in 0..12 {
        assert!(read(driver, &format!("live-{index}")).await.is_some());
    }
}

/// Whether these milliseconds since 1970 are those of about an hour from now.
pub(crate) fn near_in_an_hour(milliseconds: u128) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    (3_500_000..=3_600_001).contains(&milliseconds.saturating_sub(now))
}
