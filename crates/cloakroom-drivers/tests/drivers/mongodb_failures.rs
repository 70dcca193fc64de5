//! The `mongodb` driver where something fails: options, passwords, servers and wires.

use std::time::{Duration, Instant};

use crate::mongodb_support::{LONG, client, key, on, put, read, until, written};
use cloakroom_drivers::mongodb::{MongoDb, Options};
use cloakroom_storage::{Driver as _, Error, ErrorKind, When};
use interop_peers::{MongoDb as Peer, Proxy};
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};

async fn refusal(options: Value) -> Error {
    MongoDb::open(options.as_object().unwrap()).await.expect_err("options that are wrong")
}

#[tokio::test]
async fn a_value_that_no_document_takes_is_too_large() {
    let Some(peer) = Peer::start() else { return };
    let rust = on(&peer).await;
    let ten_mebibytes = "x".repeat(10 << 20);
    put(&rust, "a", &ten_mebibytes, None).await;
    for (length, ttl) in [(17 << 20, None), (10 << 20, LONG)] {
        let value = "x".repeat(length).into();
        let error = rust.set(&key("b"), value, When::Always, ttl).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
        assert!(error.is_unapplied() && !error.is_retryable());
    }
    assert_eq!(read(&rust, "b").await.unwrap(), None);
}

#[tokio::test]
async fn options_that_are_wrong_are_named() {
    for (options, words) in [
        (json!({}), "connectionString"),
        (json!({ "connectionString": "mongodb://a", "database": "x" }), "`databaseName`"),
        (json!({ "connectionString": "http://a" }), "connectionString"),
        (json!({ "connectionString": "mongodb://a", "databaseName": "a/b" }), "databaseName"),
        (json!({ "connectionString": "mongodb://a", "collectionName": "" }), "collectionName"),
        (with_client(json!({ "maxPoolSizes": 5 })), "maxpoolsize"),
        (with_client(json!({ "maxPoolSize": "many" })), "maxpoolsize"),
        (with_client(json!({ "auth": { "username": "u" } })), "`clientOptions.auth`"),
    ] {
        let error = refusal(options.clone()).await;
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{options} {error}");
        assert!(error.to_string().contains(words), "{options} {error}");
    }
}

fn with_client(options: Value) -> Value {
    json!({ "connectionString": "mongodb://a", "clientOptions": options })
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_shown() {
    let Some(peer) = Peer::start_with_user("web", "horse") else { return };
    let right = on(&peer).await;
    put(&right, "id", "value", None).await;
    let nobody = peer.url().replace("web:horse@", "");
    for url in [peer.url().replace("horse", "staple"), nobody] {
        let options = Options::new(url);
        let driver = MongoDb::new(options.clone()).await.unwrap();
        let error = read(&driver, "id").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(!error.is_retryable() && error.is_unapplied(), "{error}");
        let shown = format!("{error} {error:?} {driver:?} {options:?}");
        assert!(!shown.contains("staple"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_is_given_up_soon_and_used_again_when_it_is_back() {
    let Some(peer) = Peer::start() else { return };
    peer.stop();
    let rust = on(&peer).await;
    let opened = json!({ "connectionString": peer.url() });
    let opened = cloakroom_drivers::open("mongodb", opened.as_object().unwrap()).await.unwrap();
    for round in 0..2 {
        let begin = Instant::now();
        let set = rust.set(&key("id"), "lost".into(), When::Always, None).await;
        let error = set.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.is_retryable() && error.is_unapplied(), "{error}");
        assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
        let error = read(&*opened, "id").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "all tries within the deadline: {error}");

        peer.restart();
        until("read", async || read(&rust, "id").await.is_ok()).await;
        put(&rust, "id", &round.to_string(), LONG).await;
        assert_eq!(read(&*opened, "id").await.unwrap(), Some(round.to_string()));
        peer.kill();
        until("the loss is noticed", async || read(&rust, "id").await.is_err()).await;
    }
    peer.restart();
    until("read", async || read(&rust, "id").await.is_ok()).await;
    assert_eq!(read(&rust, "id").await.unwrap().as_deref(), Some("1"), "what was acknowledged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wire_that_swallows_everything_is_given_up_at_the_deadline() {
    let Some(peer) = Peer::start() else { return };
    let proxy = Proxy::start(peer.port());
    let url = peer.url().replace(&peer.port().to_string(), &proxy.port().to_string());
    let limits = cloakroom_storage::Limits { timeout: Duration::from_millis(700), retries: 2 };
    let options = json!({ "connectionString": url });
    let options = options.as_object().unwrap();
    let driver = cloakroom_drivers::open_with_limits("mongodb", options, limits).await.unwrap();
    put(&*driver, "id", "value", None).await;
    proxy.hang();
    let begin = Instant::now();
    let error = read(&*driver, "id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(begin.elapsed() < Duration::from_secs(3), "{:?}", begin.elapsed());
    proxy.heal();
    until("read", async || read(&*driver, "id").await.is_ok()).await;
    assert_eq!(read(&*driver, "id").await.unwrap().as_deref(), Some("value"));
}

/// Makes the server fail so many of the next updates.
async fn fail_updates(peer: &Peer, times: i32, how: Document) {
    let mut data = doc! { "failCommands": ["update"] };
    data.extend(how);
    let fail =
        doc! { "configureFailPoint": "failCommand", "mode": { "times": times }, "data": data };
    admin(peer, fail).await;
}

async fn admin(peer: &Peer, command: Document) {
    client(peer).await.database("admin").run_command(command).await.unwrap();
}

#[tokio::test]
async fn a_conditional_write_outlives_a_lost_connection() {
    let Some(peer) = Peer::start() else { return };
    let rust = on(&peer).await;
    let version = put(&rust, "id", "0", LONG).await;
    fail_updates(&peer, 1, doc! { "closeConnection": true }).await;
    written(rust.set(&key("id"), "1".into(), When::Version(version), LONG).await.unwrap());
    assert_eq!(read(&rust, "id").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn a_write_that_fails_says_whether_it_may_have_happened() {
    let Some(peer) = Peer::start() else { return };
    let rust = on(&peer).await;
    put(&rust, "id", "0", LONG).await;
    for (how, kind, is_retryable, is_unapplied) in [
        (doc! { "closeConnection": true }, ErrorKind::Unavailable, true, false),
        (doc! { "errorCode": 13 }, ErrorKind::PermissionDenied, false, true),
        (doc! { "errorCode": 14_031 }, ErrorKind::StorageFull, false, true),
        (
            doc! { "writeConcernError": { "code": 64, "errmsg": "waiting timed out" } },
            ErrorKind::Unavailable,
            true,
            false,
        ),
        (doc! { "errorCode": 10_107 }, ErrorKind::Unavailable, true, false),
    ] {
        fail_updates(&peer, 2, how.clone()).await;
        let error = rust.set(&key("id"), "1".into(), When::Always, LONG).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{how} {error}");
        assert_eq!(error.is_retryable(), is_retryable, "{how} {error}");
        assert_eq!(error.is_unapplied(), is_unapplied, "{how} {error}");
        // What was not used up.
        let off = doc! { "configureFailPoint": "failCommand", "mode": "off" };
        admin(&peer, off).await;
    }
}
