//! The `http` driver against unstorage's own server. `cloakroom serve` is tested where it is.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::conformance;
use crate::javascript::Texts;
use cloakroom_drivers::http::{Http, Options, Protocol};
use cloakroom_drivers::{open, open_with_limits};
use cloakroom_storage::{Driver as _, DynDriver, Error, ErrorKind, ItemKey, Limits, When};
use interop_peers::{JavaScript, NodeServer, Proxy};
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
    crate::javascript::both_directions(&http(&options).await, &mut theirs, Texts::SessionsOnly)
        .await;
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
        assert!(error.is_unapplied() && error.is_retryable(), "{error}");
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
async fn options_without_json_open_the_same_store_and_show_no_secret() {
    let Some(server) = server() else { return };
    let theirs = http(&options(&server.url())).await;
    _ = theirs.set(&key("id"), "value".into(), When::Always, None).await.unwrap();
    let mut options = Options::new(server.url());
    options.headers.insert("authorization".into(), format!("Bearer {TOKEN}"));
    options.protocol = Some(Protocol::Unstorage);
    assert!(!format!("{options:?}").contains(TOKEN), "{options:?}");
    let store = Http::new(options).await.unwrap();
    assert_eq!(store.get(&key("id")).await.unwrap().unwrap().value, "value");
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

/// A gateway without a server behind it: it answers one request after the other with these.
fn gateway(answers: &'static [&'static str]) -> (Value, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let options = json!({ "base": format!("http://{}", listener.local_addr().unwrap()) });
    let answering = thread::spawn(move || {
        for answer in answers {
            let (mut client, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let rest = "content-length: 0\r\nconnection: close\r\n\r\n";
            client.write_all(format!("HTTP/1.1 {answer}\r\n{rest}").as_bytes()).unwrap();
        }
    });
    (options, answering)
}

#[tokio::test]
async fn what_a_gateway_says_of_a_server_that_is_away_is_no_answer_of_the_server() {
    let (options, answering) =
        gateway(&["502 Bad Gateway", "503 Service Unavailable", "429 Too Many Requests"]);
    for _ in 0..3 {
        let error = refused(options.clone()).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.is_retryable(), "{error}");
    }
    answering.join().unwrap();
}

#[tokio::test]
async fn not_found_is_a_missing_item_only_where_the_server_itself_says_so() {
    let (options, answering) = gateway(&[
        "204 No Content\r\ncloakroom-storage: compare-and-swap, expiry",
        "404 Not Found\r\ncloakroom-storage: missing",
        "404 Not Found",
        "404 Not Found",
    ]);
    let limits = Limits { retries: 0, ..Limits::default() };
    let driver = open_with_limits("http", options.as_object().unwrap(), limits).await.unwrap();
    assert_eq!(driver.get(&key("id")).await.unwrap(), None);
    let read = driver.get(&key("id")).await.map(|_| ()).unwrap_err();
    let touched = driver.touch(&key("id"), None).await.unwrap_err();
    for error in [read, touched] {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    }
    answering.join().unwrap();
}
