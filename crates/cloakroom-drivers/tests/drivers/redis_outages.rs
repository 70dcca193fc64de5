//! The `redis` driver while Redis is away, and after.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::redis_support::{bare, key, open, put, read, refusal, until, written};
use cloakroom_storage::{Driver, ErrorKind, SetOutcome, When};
use futures_util::future::join_all;
use interop_peers::{Proxy, Redis};
use serde_json::json;

/// Longer than any call should need that fails at once, on a busy machine.
const AT_ONCE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_store_can_be_opened_before_redis_is_up() {
    let Some(redis) = Redis::start() else { return };
    redis.stop();
    for connect in [false, true] {
        let driver = open(json!({ "url": redis.url(), "preConnect": connect })).await;
        assert_eq!(read(&driver, "id").await.unwrap_err().kind(), ErrorKind::Unavailable);
    }
    let driver = open(json!({ "url": redis.url() })).await;
    redis.restart();
    until("read", async || read(&driver, "id").await.is_ok()).await;
}

#[tokio::test]
async fn calls_fail_at_once_while_redis_is_away_and_changed_nothing() {
    let Some(redis) = Redis::start() else { return };
    let driver = bare(json!({ "url": redis.url() })).await;
    let version = put(&driver, "id", "value").await;
    redis.stop();
    until("the loss is noticed", async || read(&driver, "id").await.is_err()).await;

    let begin = Instant::now();
    let calls = (0..200).map(|index| {
        let when = When::Version(version.clone());
        let (id, value) = (key("id"), format!("{index}").into());
        let driver = &driver;
        async move { driver.set(&id, value, when, None).await.unwrap_err() }
    });
    for error in join_all(calls).await {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.is_retryable() && error.is_unapplied(), "{error}");
    }
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());

    redis.restart();
    let back = until("read", async || read(&driver, "id").await.is_ok()).await;
    println!("back {back:?} after Redis");
    assert_eq!(read(&driver, "id").await.unwrap().as_deref(), Some("value"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_after_a_restart_is_not_lost_to_the_old_connection() {
    let Some(redis) = Redis::start() else { return };
    let driver = open(json!({ "url": redis.url() })).await;
    let mut version = put(&driver, "id", "0").await;
    for round in 1..4 {
        // The end of the old connection is noticed by itself, so that the first call of all may be a write.
        tokio::task::block_in_place(|| redis.restart());
        let when = When::Version(version);
        let outcome = driver.set(&key("id"), round.to_string().into(), when, None).await;
        version = written(outcome.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_acknowledged_write_is_lost_while_redis_is_killed_again_and_again() {
    let Some(redis) = Redis::start_with(&["--appendfsync", "always"]) else { return };
    let driver = open(json!({ "url": redis.url() })).await;
    let (ended, acknowledged) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let (driver, ended) = (driver.clone(), ended.clone());
            let acknowledged = acknowledged.clone();
            tokio::spawn(async move {
                let mut stored = Vec::new();
                for index in 0.. {
                    if ended.load(Ordering::Relaxed) {
                        break;
                    }
                    let name = format!("{writer}-{index}");
                    let set =
                        driver.set(&key(&name), name.clone().into(), When::Absent, None).await;
                    if matches!(set, Ok(SetOutcome::Written { .. })) {
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                        stored.push(name);
                    } else {
                        tokio::task::yield_now().await;
                    }
                }
                stored
            })
        })
        .collect();
    for _ in 0..3 {
        let before = acknowledged.load(Ordering::Relaxed);
        until("writes", async || acknowledged.load(Ordering::Relaxed) > before + 50).await;
        redis.kill();
        redis.restart();
    }
    let before = acknowledged.load(Ordering::Relaxed);
    until("writes", async || acknowledged.load(Ordering::Relaxed) > before + 50).await;
    ended.store(true, Ordering::Relaxed);
    for stored in join_all(writers).await {
        for name in stored.unwrap() {
            assert_eq!(read(&driver, &name).await.unwrap(), Some(name));
        }
    }
}

#[tokio::test]
async fn a_halted_server_is_given_up_and_used_again_when_it_goes_on() {
    let Some(redis) = Redis::start() else { return };
    let options = json!({ "url": redis.url(), "commandTimeout": 300, "connectTimeout": 300 });
    let driver = bare(options).await;
    put(&driver, "id", "value").await;
    redis.pause();
    let begin = Instant::now();
    let error = read(&driver, "id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(!error.is_unapplied(), "nobody knows what became of it");
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    // One attempt to connect anew, and then every call fails at once.
    read(&driver, "id").await.unwrap_err();
    let begin = Instant::now();
    let error = read(&driver, "id").await.unwrap_err();
    assert!(error.is_unapplied(), "{error}");
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    redis.resume();
    let back = until("read", async || read(&driver, "id").await.is_ok()).await;
    println!("back {back:?} after Redis");
}

#[tokio::test]
async fn a_wire_that_swallows_everything_is_given_up() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::start(redis.port());
    let port = proxy.port();
    let driver = bare(json!({ "port": port, "commandTimeout": 300, "connectTimeout": 300 })).await;
    put(&driver, "id", "value").await;
    for hang in [true, false] {
        if hang {
            proxy.hang()
        } else {
            proxy.refuse()
        }
        until("the loss is noticed", async || read(&driver, "id").await.is_err()).await;
        proxy.heal();
        until("read", async || read(&driver, "id").await.is_ok()).await;
    }
}

#[tokio::test]
async fn a_demoted_master_is_left_when_there_is_another() {
    let (Some(old), Some(new)) = (Redis::start(), Redis::start()) else { return };
    let driver = open(json!({ "url": old.url() })).await;
    put(&driver, "id", "value").await;
    old.command(&["REPLICAOF", "127.0.0.1", &new.port().to_string()]);
    let error = driver.set(&key("id"), "x".into(), When::Always, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.is_retryable() && error.is_unapplied(), "{error}");
    assert!(error.to_string().contains("READONLY"), "{error}");
    old.command(&["REPLICAOF", "NO", "ONE"]);
    put(&driver, "id", "value").await;
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_shown() {
    let Some(redis) = Redis::start_with(&["--requirepass", "correct horse"]) else { return };
    let url = |password: &str| format!("redis://:{password}@127.0.0.1:{}", redis.port());
    let right = open(json!({ "url": url("correct%20horse") })).await;
    put(&right, "id", "value").await;
    for options in [
        json!({ "url": url("battery-staple") }),
        json!({ "url": redis.url(), "password": "battery-staple" }),
        json!({ "url": redis.url(), "username": "somebody", "password": "battery-staple" }),
        json!({ "url": redis.url() }),
    ] {
        let driver = open(options.clone()).await;
        let begin = Instant::now();
        let error = read(&driver, "id").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(!error.is_retryable() && error.is_unapplied(), "{error}");
        assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
        let mut connecting = options.as_object().unwrap().clone();
        connecting.insert("preConnect".to_owned(), true.into());
        let early = refusal(connecting.into()).await;
        for shown in [format!("{error} {error:?} {driver:?}"), format!("{early} {early:?}")] {
            assert!(!shown.contains("staple"), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_user_may_do_what_the_access_control_list_allows() {
    let Some(redis) = Redis::start() else { return };
    let rules = ["ACL", "SETUSER", "web", "on", ">secret", "~sess:*", "+@all", "-unlink"];
    redis.command(&rules);
    let login = json!({ "url": redis.url(), "username": "web", "password": "secret" });
    let with_base = |base: &str| {
        let mut options = login.as_object().unwrap().clone();
        options.insert("base".to_owned(), base.into());
        open(options.into())
    };
    let allowed = with_base("sess").await;
    put(&allowed, "id", "value").await;
    let foreign = with_base("other").await;
    let remove = allowed.remove(&key("id"), When::Always).await.map(|_| ()).unwrap_err();
    for error in [read(&foreign, "id").await.map(|_| ()).unwrap_err(), remove] {
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(!error.to_string().contains("other:id"), "{error}");
    }
}

#[cfg(feature = "redis-1")]
#[tokio::test]
async fn a_lent_client_comes_back_as_our_own_connection_does() {
    let Some(redis) = Redis::start() else { return };
    let client = redis::Client::open(redis.url()).unwrap();
    let lent = cloakroom_drivers::redis::Redis::with_client(&client).with_base("lent");
    put(&lent, "id", "value").await;
    assert_eq!(redis.command(&["GET", "lent:id"]).text(), "value");
    let connection = |wanted: &str| {
        let clients = redis.command(&["CLIENT", "LIST"]).text().to_owned();
        let ours = clients.lines().find(|line| line.contains(wanted))?.to_owned();
        ours.split(' ').next().map(str::to_owned)
    };
    let before = connection("cmd=set").expect("our connection");

    // It has become a replica: another connection may lead to its successor.
    redis.command(&["REPLICAOF", "127.0.0.1", "1"]);
    until("another connection", async || {
        let refused = lent.set(&key("id"), "late".into(), When::Always, None).await.unwrap_err();
        assert!(refused.is_retryable() && refused.is_unapplied(), "{refused}");
        connection("cmd=set").is_some_and(|now| now != before)
    })
    .await;
    redis.command(&["REPLICAOF", "NO", "ONE"]);
    until("written", async || {
        lent.set(&key("id"), "again".into(), When::Always, None).await.is_ok()
    })
    .await;

    // It was cut.
    redis.command(&["CLIENT", "KILL", "TYPE", "normal"]);
    until("read", async || {
        read(&lent, "id").await.is_ok_and(|found| found.as_deref() == Some("again"))
    })
    .await;
}
