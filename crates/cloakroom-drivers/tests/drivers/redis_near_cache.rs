//! The near cache of the `redis` driver: what is read from it, and what never is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::redis_support::{bare, key, open, put, read, until, written};
use cloakroom_storage::{Driver, DynDriver, ErrorKind, SetOutcome, When};
use futures_util::future::join_all;
use interop_peers::{Proxy, Redis};
use serde_json::json;

/// A driver with a near cache, and the wire between it and its server.
async fn cached() -> Option<(Redis, Proxy, DynDriver)> {
    let redis = Redis::start()?;
    let proxy = Proxy::start(redis.port());
    let driver = open(json!({ "port": proxy.port(), "nearCache": true })).await;
    Some((redis, proxy, driver))
}

/// Reads from the server, and tells how many of the reads that follow came from the cache.
async fn reads_from_cache(proxy: &Proxy, driver: &DynDriver, reads: u64) -> u64 {
    read(driver, "id").await.unwrap();
    proxy.reset();
    for _ in 0..reads {
        read(driver, "id").await.unwrap();
        driver.get_with_ttl(&key("id")).await.unwrap();
    }
    2 * reads - proxy.round_trips()
}

#[tokio::test]
async fn reading_what_nobody_changed_costs_no_round_trip() {
    let Some((redis, proxy, driver)) = cached().await else { return };
    redis.command(&["SET", "id", "value"]);
    // Once in a second, one read goes to the server to see that the wire stands.
    let cached = reads_from_cache(&proxy, &driver, 100).await;
    assert!(cached >= 198, "{cached} of 200 reads");
    let found = driver.get_with_ttl(&key("id")).await.unwrap().unwrap();
    assert_eq!((&found.0.value[..], found.1), (&b"value"[..], None));

    let plain = bare(json!({ "port": proxy.port() })).await;
    put(&plain, "id", "value").await;
    proxy.reset();
    for _ in 0..10 {
        read(&plain, "id").await.unwrap();
    }
    assert_eq!(proxy.round_trips(), 10, "without the option, nothing is cached");
}

#[tokio::test]
async fn a_change_by_somebody_else_is_seen_within_a_moment() {
    let Some((redis, _proxy, driver)) = cached().await else { return };
    redis.command(&["SET", "id", "0"]);
    let (mut total, mut worst) = (Duration::ZERO, Duration::ZERO);
    const ROUNDS: u32 = 200;
    for round in 1..=ROUNDS {
        assert_eq!(read(&driver, "id").await.unwrap(), Some((round - 1).to_string()));
        redis.command(&["SET", "id", &round.to_string()]);
        let begin = Instant::now();
        while read(&driver, "id").await.unwrap() != Some(round.to_string()) {
            assert!(begin.elapsed() < Duration::from_secs(1), "an old value is still read");
            tokio::task::yield_now().await;
        }
        total += begin.elapsed();
        worst = worst.max(begin.elapsed());
    }
    println!("the window: {:?} on average, {worst:?} at most", total / ROUNDS);
}

#[tokio::test]
async fn removals_expiry_touches_and_flushes_by_somebody_else_are_seen_too() {
    let Some((redis, _proxy, driver)) = cached().await else { return };
    let fresh = async || {
        redis.command(&["SET", "id", "value"]);
        until("the value", async || read(&driver, "id").await.unwrap().is_some()).await;
    };
    for change in
        [&["DEL", "id"][..], &["FLUSHALL"], &["PEXPIRE", "id", "1"], &["RENAME", "id", "other"]]
    {
        fresh().await;
        redis.command(change);
        until("the change", async || read(&driver, "id").await.unwrap().is_none()).await;
    }
    fresh().await;
    redis.command(&["EXPIRE", "id", "100"]);
    let told = async || driver.get_with_ttl(&key("id")).await.unwrap().unwrap().1.is_some();
    until("the deadline", told).await;
}

#[tokio::test]
async fn an_item_is_gone_when_its_time_is_over_without_word_from_the_server() {
    // The server frees nothing by itself, and so has nothing to tell.
    let Some(redis) = Redis::start_with(&["--enable-debug-command", "local"]) else { return };
    assert_eq!(redis.command(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]).text(), "OK");
    let driver = open(json!({ "url": redis.url(), "nearCache": true })).await;
    let begin = Instant::now();
    let ttl = Duration::from_millis(300);
    written(driver.set(&key("id"), "value".into(), When::Always, Some(ttl)).await.unwrap());
    until("it is gone", async || read(&driver, "id").await.unwrap().is_none()).await;
    assert!(begin.elapsed() >= ttl - Duration::from_millis(10), "{:?}", begin.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ones_own_writes_are_read_at_once_and_are_in_the_store() {
    let Some((redis, _proxy, driver)) = cached().await else { return };
    let mut version = put(&driver, "id", "0").await;
    for round in 1..1000 {
        assert!(read(&driver, "id").await.unwrap().is_some());
        let (value, when) = (round.to_string(), When::Version(version));
        version = written(driver.set(&key("id"), value.clone().into(), when, None).await.unwrap());
        assert_eq!(read(&driver, "id").await.unwrap(), Some(value.clone()));
        assert_eq!(redis.command(&["GET", "id"]).text(), value);
    }
    let hour = Some(Duration::from_secs(3600));
    assert!(driver.touch(&key("id"), hour).await.unwrap());
    assert!(driver.get_with_ttl(&key("id")).await.unwrap().unwrap().1.is_some());
    driver.remove(&key("id"), When::Version(version)).await.unwrap();
    assert_eq!(read(&driver, "id").await.unwrap(), None);
}

#[tokio::test]
async fn after_a_conflict_the_newest_is_read() {
    let Some((redis, _proxy, driver)) = cached().await else { return };
    for round in 0..100 {
        redis.command(&["SET", "id", &format!("old-{round}")]);
        until("the old", async || {
            read(&driver, "id").await.unwrap() == Some(format!("old-{round}"))
        })
        .await;
        let seen = driver.get(&key("id")).await.unwrap().unwrap();
        let newest = format!("new-{round}");
        redis.command(&["SET", "id", &newest]);
        let set = driver.set(&key("id"), "mine".into(), When::Version(seen.version), None).await;
        assert_eq!(set.unwrap(), SetOutcome::Conflict);
        assert_eq!(read(&driver, "id").await.unwrap(), Some(newest));
    }
}

#[tokio::test]
async fn nothing_is_read_from_the_cache_of_a_lost_connection() {
    let Some((redis, proxy, driver)) = cached().await else { return };
    redis.command(&["SET", "id", "old"]);
    read(&driver, "id").await.unwrap();
    proxy.refuse();
    // Also while the wire is cut, another changes what is stored.
    redis.command(&["SET", "id", "new"]);
    until("the loss", async || read(&driver, "id").await.is_err()).await;
    let error = read(&driver, "id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    proxy.heal();
    until("the server", async || read(&driver, "id").await.is_ok()).await;
    assert_eq!(read(&driver, "id").await.unwrap().as_deref(), Some("new"));
}

#[tokio::test]
async fn a_wire_that_goes_silent_is_noticed_within_seconds() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::start(redis.port());
    let options = json!({ "port": proxy.port(), "nearCache": true, "commandTimeout": 300, "connectTimeout": 300 });
    let driver = bare(options).await;
    redis.command(&["SET", "id", "old"]);
    read(&driver, "id").await.unwrap();
    proxy.hang();
    redis.command(&["SET", "id", "new"]);
    let stale = until("the silence", async || read(&driver, "id").await.is_err()).await;
    println!("an old value was read for {stale:?} after the wire went silent");
    assert!(stale < Duration::from_secs(3), "{stale:?}");
    proxy.heal();
    until("the server", async || read(&driver, "id").await.is_ok()).await;
    assert_eq!(read(&driver, "id").await.unwrap().as_deref(), Some("new"));
}

#[tokio::test]
async fn a_restarted_server_leaves_no_old_value_behind() {
    let Some((redis, _proxy, driver)) = cached().await else { return };
    for round in 0..3 {
        let name = format!("value-{round}");
        redis.command(&["SET", "id", &name]);
        until("the value", async || {
            read(&driver, "id").await.ok().flatten().as_ref() == Some(&name)
        })
        .await;
        redis.restart();
    }
}

#[tokio::test]
async fn no_more_is_cached_than_was_said() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::start(redis.port());
    let limits = json!({ "max": 10, "maxSize": 100_000 });
    let driver = open(json!({ "port": proxy.port(), "nearCache": limits })).await;
    put(&driver, "large", &"x".repeat(100_001)).await;
    for index in 0..20 {
        put(&driver, &format!("small-{index}"), "x").await;
        read(&driver, &format!("small-{index}")).await.unwrap();
    }
    let trips = async |name: &str| {
        proxy.reset();
        read(&driver, name).await.unwrap();
        proxy.round_trips()
    };
    read(&driver, "large").await.unwrap();
    assert_eq!(trips("large").await, 1);
    assert_eq!(trips("small-0").await, 1, "the least recently used");
    read(&driver, "small-0").await.unwrap();
    assert_eq!(trips("small-0").await, 0);
}

#[tokio::test]
async fn a_server_that_does_not_tell_of_changes_is_refused() {
    let Some(redis) = Redis::start() else { return };
    redis.command(&["ACL", "SETUSER", "web", "on", ">x", "~*", "+@all", "-client|tracking"]);
    let login =
        json!({ "url": redis.url(), "username": "web", "password": "x", "nearCache": true });
    let error = read(&open(login).await, "id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.to_string().contains("client|tracking"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_reader_ever_goes_back_in_time_while_others_write() {
    let Some((redis, proxy, driver)) = cached().await else { return };
    redis.command(&["SET", "id", "0"]);
    let (end, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let readers: Vec<_> = (0..4)
        .map(|_| {
            let (driver, end, reads) = (driver.clone(), end.clone(), reads.clone());
            tokio::spawn(async move {
                let mut last = 0;
                while !end.load(Ordering::Relaxed) {
                    let number =
                        read(&driver, "id").await.unwrap().unwrap().parse::<u64>().unwrap();
                    assert!(number >= last, "{number} after {last}");
                    last = number;
                    reads.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let other = bare(json!({ "url": redis.url() })).await;
    proxy.reset();
    for number in 1..=2000 {
        put(&other, "id", &number.to_string()).await;
    }
    end.store(true, Ordering::Relaxed);
    for reader in join_all(readers).await {
        reader.unwrap();
    }
    until("the last", async || read(&driver, "id").await.unwrap().as_deref() == Some("2000")).await;
    println!("{} reads, {} round trips", reads.load(Ordering::Relaxed), proxy.round_trips());
}
