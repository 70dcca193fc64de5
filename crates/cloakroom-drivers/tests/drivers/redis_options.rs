//! The options of the `redis` driver: unstorage's and ioredis's names, and what becomes of each.

use std::fs;

use crate::redis_support::{bare, open, put, read, refusal, until};
use cloakroom_drivers::redis::{CacheLimits, Options, Redis as Driven, TlsOptions};
use cloakroom_storage::ErrorKind;
use interop_peers::Redis;
use serde_json::{Map, Value, json};

/// The fields of the connection with this name, as the server sees it.
fn client(redis: &Redis, name: &str) -> Map<String, Value> {
    let list = redis.command(&["CLIENT", "LIST"]).text();
    let line = list.lines().find(|line| line.contains(&format!(" name={name} "))).expect(&list);
    line.split(' ')
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

#[tokio::test]
async fn every_way_to_name_a_server_is_understood() {
    let Some(redis) = Redis::start() else { return };
    let port = redis.port();
    redis.command(&["SET", "id", "here"]);
    for options in [
        json!({ "url": format!("redis://127.0.0.1:{port}") }),
        json!({ "url": format!("redis://localhost:{port}/0?family=4") }),
        json!({ "url": format!("//127.0.0.1:{port}") }),
        json!({ "url": format!("127.0.0.1:{port}") }),
        json!({ "url": "redis://127.0.0.1", "port": port }),
        json!({ "url": format!("redis://127.0.0.1:{port}"), "port": 1, "host": "nowhere.invalid" }),
        json!({ "host": "localhost", "port": port, "family": 4 }),
        json!({ "port": port.to_string() }),
        json!({ "host": "127.0.0.1", "port": port, "family": 0, "tls": false }),
    ] {
        let found = read(&open(options.clone()).await, "id").await;
        assert_eq!(found.ok().flatten().as_deref(), Some("here"), "{options}");
    }
}

#[tokio::test]
async fn a_sockets_path_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("redis.sock");
    let path = path.to_str().unwrap();
    let Some(redis) = Redis::start_with(&["--unixsocket", path]) else { return };
    redis.command(&["SET", "id", "here"]);
    for options in [json!({ "path": path }), json!({ "url": path })] {
        assert_eq!(read(&open(options).await, "id").await.unwrap().as_deref(), Some("here"));
    }
    let other = open(json!({ "url": format!("{path}?db=2") })).await;
    assert_eq!(read(&other, "id").await.unwrap(), None);
}

#[tokio::test]
async fn a_database_is_chosen() {
    let Some(redis) = Redis::start() else { return };
    for options in [
        json!({ "url": format!("{}/5", redis.url()) }),
        json!({ "url": redis.url(), "db": 5 }),
        json!({ "url": format!("{}?db=5", redis.url()) }),
        json!({ "url": format!("{}/5", redis.url()), "db": 6 }),
    ] {
        put(&open(options).await, "id", "value").await;
        assert!(redis.command(&["INFO", "keyspace"]).text().contains("db5:keys=1"));
        redis.command(&["FLUSHALL"]);
    }
    let error = read(&open(json!({ "url": redis.url(), "db": 99 })).await, "id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
}

#[tokio::test]
async fn a_program_sets_the_options_as_fields() {
    let Some(redis) = Redis::start() else { return };
    let mut options = Options::new(format!("{}?keyPrefix=app-&preConnect=false", redis.url()));
    // What the URL says comes first.
    (options.host, options.port) = (Some("nowhere.invalid".to_owned()), Some(1));
    (options.key_prefix, options.pre_connect) = ("other-".to_owned(), true);
    options.base = "sess".to_owned();
    options.near_cache = Some(CacheLimits::default());
    options.connection_name = Some("shop".to_owned());
    let driver = Driven::new(options).await.unwrap();
    assert!(!redis.command(&["CLIENT", "LIST"]).text().contains("name=shop"));
    put(&driver, "id", "value").await;
    assert_eq!(redis.command(&["GET", "app-sess:id"]).text(), "value");
    assert!(redis.command(&["CLIENT", "LIST"]).text().contains("name=shop"));

    let wrong = Options::new("redis://user:hunter2@localhost?pasword=hunter2");
    assert!(!format!("{wrong:?}").contains("hunter2"));
    let error = Driven::new(wrong).await.unwrap_err();
    assert!(error.to_string().contains("did you mean `password`?"), "{error}");
}

#[tokio::test]
async fn a_key_prefix_comes_before_the_base() {
    let Some(redis) = Redis::start() else { return };
    let options = json!({ "url": redis.url(), "keyPrefix": "app-", "base": "sess" });
    put(&open(options).await, "id", "value").await;
    assert_eq!(redis.command(&["GET", "app-sess:id"]).text(), "value");
}

#[tokio::test]
async fn the_server_learns_the_connections_name_and_the_library() {
    let Some(redis) = Redis::start_with(&[]) else { return };
    let driver = bare(json!({ "url": redis.url(), "connectionName": "shop" })).await;
    put(&driver, "id", "value").await;
    assert_eq!(client(&redis, "shop")["resp"], "3");
    let options = json!({
        "url": redis.url(), "connectionName": "quiet", "disableClientInfo": true, "keepAlive": 1500,
        "noDelay": false,
    });
    let quiet = bare(options).await;
    put(&quiet, "id", "value").await;
    let seen = client(&redis, "quiet");
    assert!(seen.get("lib-name").is_none_or(|name| name == ""), "{seen:?}");
}

#[tokio::test]
async fn a_server_that_speaks_the_old_protocol_alone_serves_as_well() {
    let Some(redis) = Redis::start_with(&["--rename-command", "HELLO", ""]) else { return };
    let driver = bare(json!({ "url": redis.url(), "connectionName": "old" })).await;
    put(&driver, "id", "value").await;
    assert_eq!(read(&driver, "id").await.unwrap().as_deref(), Some("value"));
    assert_eq!(client(&redis, "old")["resp"], "2");
    let cached = bare(json!({ "url": redis.url(), "nearCache": true })).await;
    let error = read(&cached, "id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}

#[tokio::test]
async fn with_pre_connect_the_connection_is_there_before_the_first_call() {
    let Some(redis) = Redis::start() else { return };
    let _late = bare(json!({ "url": redis.url(), "connectionName": "late" })).await;
    let options = json!({ "url": redis.url(), "connectionName": "early", "preConnect": true });
    let _early = bare(options).await;
    let list = redis.command(&["CLIENT", "LIST"]).text();
    assert!(list.contains("name=early") && !list.contains("name=late"), "{list}");
}

#[tokio::test]
async fn what_changes_nothing_is_accepted() {
    let Some(redis) = Redis::start() else { return };
    let options = json!({
        "url": redis.url(), "lazyConnect": true, "enableReadyCheck": false, "enableOfflineQueue": false,
        "maxRetriesPerRequest": null, "autoResubscribe": false, "enableAutoPipelining": true,
        "stringNumbers": true, "retryStrategy": null, "readOnly": false, "showFriendlyErrorStack": true,
    });
    put(&open(options).await, "id", "value").await;
}

#[tokio::test]
async fn wrong_options_are_named_with_what_to_do() {
    for (options, part) in [
        (json!({ "urll": "redis://localhost" }), "did you mean `url`?"),
        (json!({ "scancount": 5 }), "did you mean `scanCount`?"),
        (json!({ "pasword": "x" }), "did you mean `password`?"),
        (json!({ "url": "redis://localhost?pasword=x" }), "did you mean `password`?"),
        (json!({ "clusterOptions": { "scaleRead": "all" }, "cluster": [1] }), "`scaleReads`"),
        (json!({ "tls": { "rejectUnauthorised": false } }), "did you mean `rejectUnauthorized`?"),
        (json!({ "url": "http://localhost" }), "option `url`"),
        (json!({ "url": "redis+unix:///run/redis.sock" }), "a socket's path"),
        (json!({ "url": 6379 }), "option `url`"),
        (json!({ "port": 70_000 }), "option `port`"),
        (json!({ "port": "x" }), "option `port`"),
        (json!({ "port": 0 }), "no server listens on 0"),
        (json!({ "url": "redis://localhost:0" }), "no server listens on 0"),
        (json!({ "cluster": [{ "port": 0 }] }), "no server listens on 0"),
        (json!({ "sentinels": [{ "port": 0 }], "name": "m" }), "no server listens on 0"),
        (json!({ "ttl": -1 }), "option `ttl`"),
        (json!({ "db": 1.5 }), "option `db`"),
        (json!({ "family": 5 }), "option `family`"),
        (json!({ "cluster": [] }), "option `cluster`"),
        (json!({ "cluster": [true] }), "option `cluster`"),
        (json!({ "cluster": [6379], "nearCache": true }), "option `nearCache`"),
        (json!({ "cluster": [1], "clusterOptions": { "scaleReads": "slave" } }), "`scaleReads`"),
        (json!({ "cluster": [1], "clusterOptions": { "natMap": { "a": 1 } } }), "`natMap`"),
        (json!({ "sentinels": [{}] }), "the option `name`"),
        (json!({ "sentinels": [], "name": "mymaster" }), "there is none"),
        (json!({ "sentinels": [{}], "name": "m", "role": "slave" }), "option `role`"),
        (json!({ "retryStrategy": "x" }), "JavaScript function"),
        (json!({ "tls": "RedisCloudFixed" }), "option `tls`"),
        (json!({ "tls": { "ca": "/does/not/exist" } }), "option `ca`"),
        (json!({ "tls": { "cert": "-----BEGIN X" } }), "`cert` and `key`"),
        (json!({ "tls": { "servername": "elsewhere" } }), "option `servername`"),
        (json!({ "nearCache": { "maximum": 5 } }), "option `nearCache`: unknown field `maximum`"),
        (json!({ "nearCache": { "max": "x" } }), "option `nearCache`: invalid type"),
        (json!({ "nearCache": 5 }), "option `nearCache`: expected `true`, or a table"),
    ] {
        let error = refusal(options.clone()).await;
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{options}: {error}");
        assert!(error.to_string().contains(part), "{options}: {error}");
    }
}

#[tokio::test]
async fn neither_errors_nor_debug_show_a_secret() {
    for options in [
        json!({ "url": "redis://user:hunter2@localhost:bad" }),
        json!({ "url": "redis://user:hunter2@localhost/x" }),
        json!({ "url": "http://user:hunter2@localhost" }),
        json!({ "password": ["hunter2"] }),
        json!({ "sentinels": [{}], "name": 5, "sentinelPassword": { "hunter2": 1 } }),
        json!({ "tls": { "key": "hunter2", "cert": "hunter2" } }),
    ] {
        let error = refusal(options.clone()).await;
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{options}: {error:?}");
    }
    let driver =
        bare(json!({ "url": "redis://user:hunter2@localhost:1", "password": "hunter2" })).await;
    let error = read(&driver, "id").await.unwrap_err();
    assert!(!format!("{driver:?} {error} {error:?}").contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn redis_conforms_over_tls() {
    let Some(redis) = Redis::start_tls() else { return };
    let text = fs::read_to_string(redis.ca_path()).unwrap();
    assert!(redis.url().starts_with("rediss://"), "{}", redis.url());
    let options = json!({ "url": redis.url(), "tls": { "ca": text } });
    crate::conformance::run(|| open(options.clone())).await;
    let (mut options, mut tls) = (Options::new(redis.url()), TlsOptions::default());
    tls.ca = vec![text.clone()];
    options.tls = Some(tls.into());
    put(&Driven::new(options).await.unwrap(), "id", "value").await;
    for options in [
        json!({ "url": redis.url(), "tls": { "ca": redis.ca_path() } }),
        json!({ "url": redis.url(), "tls": { "ca": [text] } }),
        json!({ "host": "127.0.0.1", "port": redis.port(), "tls": { "ca": redis.ca_path() } }),
        json!({ "url": redis.url(), "tls": { "rejectUnauthorized": false } }),
    ] {
        put(&open(options).await, "id", "value").await;
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let Some(redis) = Redis::start_tls() else { return };
    for options in [json!({ "url": redis.url() }), json!({ "port": redis.port(), "tls": true })] {
        let error = read(&open(options).await, "id").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains("TLS") && !error.is_retryable(), "{error:?}");
    }
    // And a server without TLS is not taken for one with it, nor the other way round.
    let Some(plain) = Redis::start() else { return };
    let options = json!({ "port": plain.port(), "tls": true, "connectTimeout": 300 });
    assert!(read(&open(options).await, "id").await.is_err());
    let driver = bare(json!({ "port": redis.port(), "connectTimeout": 300 })).await;
    until("an error", async || read(&driver, "id").await.is_err()).await;
}
