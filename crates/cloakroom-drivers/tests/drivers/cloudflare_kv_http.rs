//! The `cloudflare-kv-http` driver against workerd's own store behind a shim of the API, beside JavaScript.

use std::time::{Duration, Instant};

use crate::conformance;
use crate::http_support::{AT_ONCE, HOUR, SESSION, key, open, put, read, refusal, until};
use crate::javascript::{Texts, both_directions};
use cloakroom_drivers::cloudflare_kv_http::{CloudflareKvHttp, Options};
use cloakroom_storage::{Driver as _, DynDriver, ErrorKind, RemoveOutcome, When};
use interop_peers::{JavaScript, NodeServer, Proxy};
use serde_json::{Value, json};

const TOKEN: &str = "a-token-of-the-tests";
const MINUTE: Duration = Duration::from_secs(60);

fn server() -> Option<NodeServer> {
    NodeServer::start("cloudflare-kv", "miniflare", &["account", "namespace", TOKEN])
}

fn options(url: &str) -> Value {
    json!({ "apiURL": url, "accountId": "account", "namespaceId": "namespace", "apiToken": TOKEN })
}

async fn driver(options: Value) -> DynDriver {
    open("cloudflare-kv-http", options).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cloudflare_kv_http_conforms() {
    let Some(server) = server() else { return };
    conformance::run(|| driver(options(&server.url()))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cloudflare_kv_http_conforms_with_a_base() {
    let Some(server) = server() else { return };
    let mut options = options(&server.url());
    options["base"] = json!("a/b");
    conformance::run(|| driver(options.clone())).await;
}

#[tokio::test]
async fn javascript_and_rust_share_their_items() {
    let Some(server) = server() else { return };
    for base in ["", "sess"] {
        let mut options = options(&server.url());
        options["base"] = json!(base);
        let Some(mut theirs) = JavaScript::open("cloudflare-kv-http", &options) else { return };
        both_directions(&driver(options).await, &mut theirs, Texts::Any).await;
    }
}

#[tokio::test]
async fn a_program_sets_the_options_as_fields() {
    let Some(server) = server() else { return };
    let mut typed = Options::new("account", "namespace");
    typed.api_url = Some(server.url());
    typed.api_token = Some(TOKEN.to_owned());
    assert!(!format!("{typed:?}").contains(TOKEN));
    let ours: DynDriver = std::sync::Arc::new(CloudflareKvHttp::new(typed).unwrap());
    put(&ours, "id", SESSION, HOUR).await;
    let driver = driver(options(&server.url())).await;
    assert_eq!(read(&driver, "id").await.unwrap().as_deref(), Some(SESSION));
}

#[tokio::test]
async fn what_each_call_costs() {
    let Some(server) = server() else { return };
    let proxy = Proxy::start(server.port());
    let driver = driver(options(&format!("http://127.0.0.1:{}", proxy.port()))).await;
    let trips = || {
        let trips = proxy.round_trips();
        proxy.reset();
        trips
    };
    for ttl in [None, HOUR, Some(Duration::from_secs(30))] {
        trips();
        put(&driver, "id", SESSION, ttl).await;
        assert_eq!(trips(), 1, "set {ttl:?}");
    }
    driver.get(&key("id")).await.unwrap();
    assert_eq!(trips(), 2, "get near the end: the value, the metadata");
    driver.touch(&key("id"), HOUR).await.unwrap();
    assert_eq!(trips(), 3, "touch near the end: read, write");
    driver.get_with_ttl(&key("id")).await.unwrap();
    assert_eq!(trips(), 1, "get");
    driver.touch(&key("id"), HOUR).await.unwrap();
    assert_eq!(trips(), 2, "touch: read, write");
    driver.remove(&key("id"), When::Always).await.unwrap();
    assert_eq!(trips(), 2, "remove: look, delete");
}

#[tokio::test]
async fn an_item_expires_at_its_own_moment_though_the_store_keeps_it_for_a_minute() {
    let Some(server) = server() else { return };
    let options = options(&server.url());
    let Some(mut theirs) = JavaScript::open("cloudflare-kv-http", &options) else { return };
    let driver = driver(options).await;
    put(&driver, "id", SESSION, Some(Duration::from_secs(1))).await;
    until("missing", async || read(&driver, "id").await.unwrap().is_none()).await;
    assert_eq!(theirs.call("hasItem", &[json!("id")]), json!(true), "the store has none");
}

#[tokio::test]
async fn an_item_tells_its_own_deadline_whether_the_store_takes_it_or_not() {
    let Some(server) = server() else { return };
    let driver = driver(options(&server.url())).await;
    for ttl in [MINUTE / 2, MINUTE - Duration::from_secs(1), MINUTE, MINUTE * 2, MINUTE * 3] {
        put(&driver, "id", SESSION, Some(ttl)).await;
        let (_, told) = driver.get_with_ttl(&key("id")).await.unwrap().unwrap();
        let told = told.unwrap();
        // A deadline may be rounded up by a second, and the machine be slow.
        let least = ttl.saturating_sub(Duration::from_secs(25));
        assert!(told <= ttl + Duration::from_secs(1) && told >= least, "{told:?} of {ttl:?}");
    }
}

#[tokio::test]
async fn what_javascript_gave_a_deadline_has_the_same_one_here() {
    let Some(server) = server() else { return };
    let options = options(&server.url());
    let Some(mut theirs) = JavaScript::open("cloudflare-kv-http", &options) else { return };
    let driver = driver(options).await;
    put(&driver, "id", "short", Some(Duration::from_secs(5))).await;
    theirs.call("setItem", &[json!("id"), json!(SESSION), json!({ "ttl": 70 })]);
    let (item, told) = driver.get_with_ttl(&key("id")).await.unwrap().unwrap();
    assert_eq!(item.value, SESSION);
    assert!(told.unwrap() > MINUTE && told.unwrap() <= Duration::from_secs(71), "{told:?}");
}

#[tokio::test]
async fn wrong_credentials_and_another_namespace_are_no_missing_items() {
    let Some(server) = server() else { return };
    let mut wrong = options(&server.url());
    wrong["apiToken"] = json!("another");
    let driver = driver(wrong).await;
    let error = read(&driver, "secret-id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(!error.is_retryable() && error.is_unapplied());
    let shown = format!("{error} {error:?} {driver:?}");
    assert!(!shown.contains("another") && !shown.contains("secret-id"), "{shown}");

    let mut elsewhere = options(&server.url());
    elsewhere["namespaceId"] = json!("elsewhere");
    let error = read(&open("cloudflare-kv-http", elsewhere).await, "id").await.unwrap_err();
    assert!(error.to_string().contains("10013"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_fails_quickly_and_ends_by_itself() {
    let Some(server) = server() else { return };
    let driver = driver(options(&server.url())).await;
    put(&driver, "id", SESSION, HOUR).await;
    tokio::task::block_in_place(|| server.stop());
    let begin = Instant::now();
    let error = read(&driver, "id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.is_retryable() && begin.elapsed() < AT_ONCE, "{error} {:?}", begin.elapsed());
    tokio::task::block_in_place(|| server.restart());
    until("back", async || read(&driver, "id").await.is_ok()).await;
    assert_eq!(read(&driver, "id").await.unwrap().as_deref(), Some(SESSION));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_crash() {
    let Some(server) = server() else { return };
    let driver = driver(options(&server.url())).await;
    put(&driver, "id", SESSION, HOUR).await;
    tokio::task::block_in_place(|| {
        server.kill();
        server.restart();
    });
    until("back", async || read(&driver, "id").await.is_ok()).await;
    assert_eq!(read(&driver, "id").await.unwrap().as_deref(), Some(SESSION));
}

#[tokio::test]
async fn a_key_that_is_too_long_is_refused() {
    let Some(server) = server() else { return };
    let driver = driver(options(&server.url())).await;
    let error = read(&driver, &"x".repeat(513)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
    put(&driver, &"x".repeat(512), SESSION, None).await;
    let outcome = driver.remove(&key(&"x".repeat(512)), When::Always).await.unwrap();
    assert_eq!(outcome, RemoveOutcome::Removed);
}

#[tokio::test]
async fn options_that_are_wrong_are_named() {
    for (given, named) in [
        (json!({ "namespaceId": "n", "apiToken": "t" }), "`accountId`"),
        (json!({ "accountId": "a", "apiToken": "t" }), "`namespaceId`"),
        (json!({ "accountId": "a", "namespaceId": "n" }), "`apiToken`"),
        (json!({ "accountId": "a", "namespaceId": "n", "email": "e" }), "`apiKey`"),
        (
            json!({ "accountId": "a", "namespaceId": "n", "apiToken": "t", "apiURL": "x" }),
            "`apiURL`",
        ),
        (json!({ "accountId": "a", "namespaceId": "n", "apiToken": "t", "minttl": 1 }), "`minTTL`"),
    ] {
        let error = refusal("cloudflare-kv-http", given).await;
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
        assert!(error.to_string().contains(named), "{error}");
    }
}
