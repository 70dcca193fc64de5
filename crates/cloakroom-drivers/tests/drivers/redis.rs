//! The `redis` driver: what it stores, and what it does to what others store.

use std::time::Duration;

use crate::conformance;
use crate::redis_support::{bare, key, open, put, read, written};
use cloakroom_storage::{Driver, ErrorKind, RemoveOutcome, SetOutcome, When};
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use interop_peers::{Proxy, Redis, Reply};
use serde_json::json;

/// As long a value as is compared by its digest.
fn long(letter: char) -> String {
    letter.to_string().repeat(100_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms() {
    let Some(redis) = Redis::start() else { return };
    let restart = async || tokio::task::block_in_place(|| redis.restart());
    conformance::run_with_restart(|| open(json!({ "url": redis.url() })), restart).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn valkey_conforms() {
    let Some(valkey) = Redis::valkey() else { return };
    conformance::run(|| open(json!({ "url": valkey.url() }))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms_with_a_base_a_prefix_and_another_database() {
    let Some(redis) = Redis::start() else { return };
    let options = json!({ "url": redis.url(), "base": "a[b]*:c", "keyPrefix": "app?", "db": 3 });
    conformance::run(|| open(options.clone())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms_with_the_near_cache() {
    let Some(redis) = Redis::start() else { return };
    // One handle: another's changes arrive a moment later, which the suite does not wait for.
    let driver = open(json!({ "url": redis.url(), "nearCache": true })).await;
    conformance::run(|| async { driver.clone() }).await;
}

#[cfg(feature = "redis-1")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms_over_a_connection_of_ones_own() {
    let Some(redis) = Redis::start() else { return };
    let client = redis::Client::open(redis.url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let driver = cloakroom_drivers::redis::Redis::with_connection(connection);
    let driver: cloakroom_storage::DynDriver = std::sync::Arc::new(driver.with_base("own"));
    put(&driver, "id", "value").await;
    assert_eq!(redis.command(&["GET", "own:id"]).text(), "value");
    conformance::run(|| async { driver.clone() }).await;
}

#[tokio::test]
async fn keys_and_bytes_are_unstorages() {
    let Some(redis) = Redis::start() else { return };
    let value = r#"[["Map",1,2],"cart",{"data":3},[4],"scarf"]"#;
    for (base, name) in [("", "id"), ("sess", "sess:id"), ("a/b:", "a:b:id")] {
        let driver = bare(json!({ "url": redis.url(), "base": base })).await;
        put(&driver, "id", value).await;
        assert_eq!(redis.command(&["GET", name]).text(), value);
        assert_eq!(redis.command(&["TYPE", name]).text(), "string");
        assert_eq!(redis.command(&["PTTL", name]).integer(), -1);
        let ttl = Some(Duration::from_millis(60_500));
        written(driver.set(&key("id"), value.into(), When::Always, ttl).await.unwrap());
        let left = redis.command(&["PTTL", name]).integer();
        assert!((50_000..=60_500).contains(&left), "{left}");
        driver.remove(&key("id"), When::Always).await.unwrap();
        assert_eq!(redis.command(&["EXISTS", name]).integer(), 0);
    }
    assert_eq!(redis.command(&["DBSIZE"]).integer(), 0);
}

#[tokio::test]
async fn the_option_ttl_is_for_writes_that_carry_none() {
    let Some(redis) = Redis::start() else { return };
    let driver = bare(json!({ "url": redis.url(), "ttl": 100 })).await;
    let left = || redis.command(&["TTL", "id"]).integer();
    let version = put(&driver, "id", "value").await;
    assert!((90..=100).contains(&left()), "{}", left());
    let hour = Some(Duration::from_secs(3600));
    let when = When::Version(version);
    let version = written(driver.set(&key("id"), "other".into(), when, hour).await.unwrap());
    assert!((3500..=3600).contains(&left()), "{}", left());
    written(driver.set(&key("id"), "more".into(), When::Version(version), None).await.unwrap());
    assert!((90..=100).contains(&left()), "{}", left());
    let endless = bare(json!({ "url": redis.url(), "ttl": 0 })).await;
    put(&endless, "id", "value").await;
    assert_eq!(left(), -1);
}

#[tokio::test]
async fn a_javascript_writer_between_load_and_commit_is_a_conflict() {
    let Some(redis) = Redis::start() else { return };
    let driver = bare(json!({ "url": redis.url() })).await;
    for (ours, theirs) in [("ours".to_owned(), "theirs".to_owned()), (long('a'), long('b'))] {
        let version = put(&driver, "id", &ours).await;
        redis.command(&["SET", "id", &theirs]);
        let when = When::Version(version.clone());
        let outcome = driver.set(&key("id"), "late".into(), when.clone(), None).await.unwrap();
        assert_eq!(outcome, SetOutcome::Conflict);
        assert_eq!(driver.remove(&key("id"), when).await.unwrap(), RemoveOutcome::Conflict);
        assert_eq!(redis.command(&["GET", "id"]).text(), theirs);

        // What it wrote can be built upon, and what it wrote as we did is no change.
        let item = driver.get(&key("id")).await.unwrap().unwrap();
        redis.command(&["SET", "id", &theirs]);
        let when = When::Version(item.version);
        written(driver.set(&key("id"), "merged".into(), when, None).await.unwrap());
    }
}

#[tokio::test]
async fn a_javascript_writers_set_takes_the_deadline_away() {
    let Some(redis) = Redis::start() else { return };
    let driver = bare(json!({ "url": redis.url() })).await;
    let minute = Some(Duration::from_secs(60));
    written(driver.set(&key("id"), "ours".into(), When::Always, minute).await.unwrap());
    redis.command(&["SET", "id", "theirs"]);
    let (_, ttl) = driver.get_with_ttl(&key("id")).await.unwrap().unwrap();
    assert_eq!(ttl, None);
}

#[tokio::test]
async fn long_values_are_compared_to_the_last_byte() {
    let Some(redis) = Redis::start() else { return };
    let driver = bare(json!({ "url": redis.url() })).await;
    for length in [4_095, 4_096, 4_097, 1_000_000] {
        let stored = "x".repeat(length);
        let version = put(&driver, "id", &stored).await;
        redis.command(&["SETRANGE", "id", &(length - 1).to_string(), "y"]);
        let when = When::Version(version);
        let outcome = driver.set(&key("id"), "z".into(), when.clone(), None).await.unwrap();
        assert_eq!(outcome, SetOutcome::Conflict, "{length}");
        redis.command(&["SETRANGE", "id", &(length - 1).to_string(), "x"]);
        written(driver.set(&key("id"), "z".into(), when, None).await.unwrap());
    }
}

#[tokio::test]
async fn a_script_that_the_server_forgot_is_sent_again() {
    let Some(redis) = Redis::start() else { return };
    let driver = bare(json!({ "url": redis.url() })).await;
    let mut version = put(&driver, "id", "0").await;
    for round in 1..5 {
        let when = When::Version(version);
        let value = round.to_string().into();
        version = written(driver.set(&key("id"), value, when, None).await.unwrap());
        redis.command(&["SCRIPT", "FLUSH"]);
    }
    let when = When::Version(version);
    assert_eq!(driver.remove(&key("id"), when).await.unwrap(), RemoveOutcome::Removed);
}

#[tokio::test]
async fn what_is_no_string_is_reported_and_kept() {
    let Some(redis) = Redis::start() else { return };
    let driver = open(json!({ "url": redis.url() })).await;
    redis.command(&["HSET", "id", "field", "value"]);
    let version = put(&driver, "other", "value").await;
    let got = driver.get(&key("id")).await.map(|_| ()).unwrap_err();
    let set = driver.set(&key("id"), "x".into(), When::Version(version), None).await.unwrap_err();
    for error in [got, set] {
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
    let created = driver.set(&key("id"), "x".into(), When::Absent, None).await.unwrap();
    assert_eq!(created, SetOutcome::Conflict);
    assert_eq!(redis.command(&["HGET", "id", "field"]).text(), "value");
}

#[tokio::test]
async fn every_call_costs_one_round_trip() {
    let Some(redis) = Redis::start() else { return };
    let proxy = Proxy::start(redis.port());
    let driver = open(json!({ "port": proxy.port() })).await;
    let id = key("id");
    let version = put(&driver, "id", "0").await;
    // The server learns the script, and what it does not know is learned of the server.
    let when = When::Version(version);
    let version = written(driver.set(&id, "1".into(), when, None).await.unwrap());
    driver.remove(&id, When::Version(version)).await.unwrap();
    let version = put(&driver, "id", "1").await;
    let hour = Some(Duration::from_secs(3600));

    let count = |name: &str| {
        assert_eq!(proxy.round_trips(), 1, "{name}");
        println!("{name}: one round trip");
        proxy.reset();
    };
    proxy.reset();
    driver.get(&id).await.unwrap();
    count("get");
    driver.get_with_ttl(&id).await.unwrap();
    count("get_with_ttl");
    let when = When::Version(version);
    let version = written(driver.set(&id, "2".into(), when, hour).await.unwrap());
    count("set on a version");
    driver.touch(&id, hour).await.unwrap();
    count("touch");
    driver.touch(&id, None).await.unwrap();
    count("touch for ever");
    driver.remove(&id, When::Version(version)).await.unwrap();
    count("remove of a version");
    written(driver.set(&id, "3".into(), When::Absent, hour).await.unwrap());
    count("set where absent");
    written(driver.set(&id, "4".into(), When::Always, hour).await.unwrap());
    count("set");
    driver.remove(&id, When::Always).await.unwrap();
    count("remove");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_calls_at_once_share_one_connection() {
    let Some(redis) = Redis::start() else { return };
    let driver = open(json!({ "url": redis.url(), "connectionName": "shared" })).await;
    let calls = (0..1000).map(|index| {
        let driver = driver.clone();
        tokio::spawn(async move {
            let (name, value) = (format!("call-{index}"), format!("{index}").repeat(100));
            put(&driver, &name, &value).await;
            assert_eq!(read(&driver, &name).await.unwrap(), Some(value));
        })
    });
    for call in join_all(calls).await {
        call.unwrap();
    }
    let clients = redis.command(&["CLIENT", "LIST"]).text();
    assert_eq!(clients.matches("name=shared").count(), 1, "{clients}");
}

#[tokio::test]
async fn a_listing_looks_at_as_many_keys_at_once_as_it_is_told_to() {
    let Some(redis) = Redis::start() else { return };
    for index in 0..500 {
        redis.command(&["SET", &format!("sess:{index}"), "x"]);
        redis.command(&["SET", &format!("other:{index}"), "x"]);
    }
    for (count, fewest) in [(json!(50), 20), (json!(null), 1)] {
        redis.command(&["CONFIG", "RESETSTAT"]);
        let options = json!({ "url": redis.url(), "base": "sess", "scanCount": count });
        let keys: Vec<_> = bare(options).await.keys("").try_collect().await.unwrap();
        assert_eq!(keys.len(), 500);
        let calls = calls(&redis, "scan");
        assert!((fewest..=fewest * 2).contains(&calls), "{calls} calls");
    }
}

/// How often the server ran a command.
fn calls(redis: &Redis, command: &str) -> usize {
    let statistics = redis.command(&["INFO", "commandstats"]).text();
    let Some((_, rest)) = statistics.split_once(&format!("cmdstat_{command}:calls=")) else {
        return 0;
    };
    rest.split(',').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_full_server_says_so_and_keeps_what_is_there() {
    let Some(redis) = Redis::start() else { return };
    let driver = open(json!({ "url": redis.url() })).await;
    let version = put(&driver, "id", "value").await;
    let item = driver.get(&key("id")).await.unwrap().unwrap();
    written(driver.set(&key("id"), "value".into(), When::Version(version), None).await.unwrap());
    redis.command(&["CONFIG", "SET", "maxmemory", "1"]);
    for when in [When::Always, When::Absent, When::Version(item.version)] {
        let error = driver.set(&key("id"), "more".into(), when, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
        assert!(error.is_unapplied() && error.to_string().contains("maxmemory"), "{error}");
    }
    assert_eq!(redis.command(&["GET", "id"]), Reply::Bytes(b"value".to_vec()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_may_do_what_the_documentation_says_is_enough() {
    let Some(redis) = Redis::start() else { return };
    let commands =
        "+get +set +unlink +exists +pttl +pexpire +persist +scan +eval +evalsha +select +ping";
    let mut user = vec!["ACL", "SETUSER", "shop", "on", ">secret", "~sess:*"];
    user.extend(commands.split(' '));
    redis.command(&user);
    let url = redis.url().replace("redis://", "redis://shop:secret@");
    conformance::run(|| open(json!({ "url": url, "base": "sess" }))).await;
}
