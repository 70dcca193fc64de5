//! The `http` driver against unstorage's own server. `cloakroom serve` is tested where it is.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod javascript;

use std::time::{Duration, Instant};

use cloakroom_storage::{
    DynDriver, Error, ErrorKind, ItemKey, Limits, When, conformance, open, open_with_limits,
};
use interop_peers::{JavaScript, NodeServer, Proxy};
use javascript::Texts;
use serde_json::{Value, json};

const TOKEN: &str = "a-token-of-the-tests";

fn server() -> Option<NodeServer> {
    NodeServer::start("http-server", "unstorage", &[TOKEN])
}

fn options(url: &str) -> Value {
    json!({ "base": url, "headers": { "Authorization": format!("Bearer {TOKEN}") } })
}

async fn http(options: &Value) -> DynDriver {
    open("http", options.as_object().unwrap()).await.unwrap()
}

async fn refused(options: Value) -> Error {
    open("http", options.as_object().unwrap()).await.map(|_| ()).unwrap_err()
}

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_behind_unstorages_server_obey_every_rule() {
    let Some(server) = server() else { return };
    let options = options(&server.url());
    conformance::run(|| http(&options)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unstorages_driver_and_ours_share_a_server() {
    let Some(server) = server() else { return };
    let options = options(&server.url());
    let Some(mut theirs) = JavaScript::open("http", &options) else { return };
    javascript::both_directions(&http(&options).await, &mut theirs, Texts::SessionsOnly).await;
}

#[tokio::test]
async fn every_call_but_a_removal_costs_one_round_trip() {
    let Some(server) = server() else { return };
    let proxy = Proxy::start(server.port());
    let driver = http(&options(&format!("http://127.0.0.1:{}", proxy.port()))).await;
    let count = |trips: u64, name: &str| {
        assert_eq!(proxy.round_trips(), trips, "{name}");
        proxy.reset();
    };
    proxy.reset();
    _ = driver.set(&key("id"), "value".into(), When::Always, None).await.unwrap();
    count(1, "set");
    driver.get(&key("id")).await.unwrap();
    count(1, "get");
    driver.touch(&key("id"), None).await.unwrap();
    count(1, "touch");
    // unstorage's protocol does not tell whether there was something to remove.
    driver.remove(&key("id"), When::Always).await.unwrap();
    count(2, "remove");
}

#[tokio::test]
async fn a_wrong_token_is_no_missing_item() {
    let Some(server) = server() else { return };
    let mut options = options(&server.url());
    options["headers"]["Authorization"] = json!("Bearer of another token");
    let error = http(&options).await.get(&key("id")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(!format!("{error:?}").contains("another token"));
}

#[tokio::test]
async fn a_server_that_is_away_is_an_error_and_used_again_when_it_is_back() {
    let Some(server) = server() else { return };
    let options = options(&server.url());
    let limits = Limits { timeout: Duration::from_secs(2), retries: 1 };
    let driver = open_with_limits("http", options.as_object().unwrap(), limits).await.unwrap();
    driver.get(&key("id")).await.unwrap();

    server.stop();
    let begin = Instant::now();
    let read = driver.get(&key("id")).await.unwrap_err();
    let written = driver.set(&key("id"), "value".into(), When::Always, None).await.unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    for error in [read, written, refused(options).await] {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.is_untouched() && error.is_retryable(), "{error}");
    }

    server.restart();
    assert_eq!(driver.get(&key("id")).await.unwrap(), None);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let Some(server) = server() else { return };
    let options = options(&server.url());
    let limits = Limits { timeout: Duration::from_millis(300), retries: 2 };
    let driver = open_with_limits("http", options.as_object().unwrap(), limits).await.unwrap();
    server.pause();
    let error = driver.get(&key("id")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    server.resume();
    assert_eq!(driver.get(&key("id")).await.unwrap(), None);
}

#[tokio::test]
async fn options_that_cannot_be_are_named() {
    for (options, part) in [
        (json!({}), "missing field `base`"),
        (json!({ "base": "localhost:3000" }), "option `base`: it must begin with `http://`"),
        (json!({ "base": "http://a:b@localhost" }), "credentials do not belong into a URL"),
        (json!({ "base": "http://localhost", "header": {} }), "did you mean `headers`?"),
        (json!({ "base": "http://localhost", "headers": { "a b": "c" } }), "`a b` is no header"),
        (
            json!({ "base": "http://localhost", "headers": { "a": "b\nc" } }),
            "no HTTP header can have",
        ),
    ] {
        let error = refused(options).await;
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}
