//! The `lru-cache` driver.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::conformance;
use cloakroom_drivers::lru_cache::{LruCache, Options};
use cloakroom_storage::{Driver, DynDriver, ErrorKind, ItemKey, When};
use serde_json::{Value, json};

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

fn open(options: Value) -> cloakroom_storage::Result<LruCache> {
    LruCache::open(options.as_object().unwrap())
}

async fn set(cache: &LruCache, name: &str, value: &'static str) {
    let _ = cache.set(&key(name), value.into(), When::Always, None).await.unwrap();
}

async fn has(cache: &LruCache, name: &str) -> bool {
    cache.get(&key(name)).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lru_cache_conforms() {
    let empty = || Arc::new(LruCache::new(Options::default()).unwrap()) as DynDriver;
    let store = Mutex::new(empty());
    let restart = async || *store.lock().unwrap() = empty();
    conformance::run_with_restart(async || store.lock().unwrap().clone(), restart).await;
}

#[tokio::test]
async fn beyond_max_the_least_recently_used_goes() {
    let cache = open(json!({"max": 2})).unwrap();
    set(&cache, "a", "1").await;
    set(&cache, "b", "2").await;
    assert!(has(&cache, "a").await);
    set(&cache, "c", "3").await;
    assert!(has(&cache, "a").await && has(&cache, "c").await);
    assert!(!has(&cache, "b").await);
}

#[tokio::test]
async fn max_is_1000_by_default() {
    let cache = open(json!({})).unwrap();
    for index in 0..1001 {
        set(&cache, &index.to_string(), "value").await;
    }
    assert!(!has(&cache, "0").await);
    assert!(has(&cache, "1").await);
}

#[tokio::test]
async fn max_size_counts_keys_and_values() {
    let cache = open(json!({"max": 0, "maxSize": 20})).unwrap();
    set(&cache, "a", "123456789").await;
    set(&cache, "b", "123456789").await;
    assert!(has(&cache, "a").await);
    set(&cache, "c", "1").await;
    assert!(!has(&cache, "b").await, "b was used least recently");
    assert!(has(&cache, "a").await && has(&cache, "c").await);
    set(&cache, "a", "1").await;
    set(&cache, "d", "123456789012345").await;
    assert_eq!(format!("{cache:?}"), "LruCache { items: 3, size: 20, .. }");
}

#[tokio::test]
async fn an_item_that_is_too_large_is_an_error_and_changes_nothing() {
    let cache = open(json!({"maxEntrySize": 5})).unwrap();
    set(&cache, "a", "1234").await;
    let error = cache.set(&key("a"), "12345".into(), When::Always, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(cache.get(&key("a")).await.unwrap().unwrap().value, "1234");
}

#[tokio::test(start_paused = true)]
async fn ttl_is_in_milliseconds_and_starts_anew_on_get_when_asked() {
    for (update_age_on_get, lives) in [(false, false), (true, true)] {
        let cache = open(json!({"ttl": 1000, "updateAgeOnGet": update_age_on_get})).unwrap();
        set(&cache, "a", "1").await;
        tokio::time::advance(Duration::from_millis(600)).await;
        assert!(has(&cache, "a").await);
        tokio::time::advance(Duration::from_millis(600)).await;
        assert_eq!(has(&cache, "a").await, lives);
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    for (options, part) in [
        (json!({"max": 0}), "`max`"),
        (json!({"allowStale": true}), "`allowStale`"),
        (json!({"maxsize": 1}), "did you mean `maxSize`?"),
        (json!({"max": -1}), "option `max`: invalid value: integer `-1`"),
    ] {
        let error = open(options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
        assert!(error.to_string().contains(part), "{error}");
    }
    assert!(
        open(json!({"max": 5, "ttlAutopurge": true, "ttlResolution": 1, "noUpdateTTL": true}))
            .is_ok()
    );
}

#[tokio::test]
async fn a_size_of_zero_is_no_limit() {
    let cache = open(json!({ "maxSize": 0, "maxEntrySize": 0 })).unwrap();
    set(&cache, "a", "value").await;
    assert!(has(&cache, "a").await);
    // So it bounds nothing.
    let refused = open(json!({ "max": 0, "maxSize": 0 })).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidOptions);
}
