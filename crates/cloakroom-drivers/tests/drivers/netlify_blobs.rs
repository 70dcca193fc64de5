//! The `netlify-blobs` driver against Netlify's own server for development, beside JavaScript.

use std::time::{Duration, Instant};

use crate::conformance;
use crate::http_support::{AT_ONCE, HOUR, SESSION, key, open, put, read, refusal, until, written};
use crate::javascript::{Texts, both_directions};
use crate::stand_in::stand_in;
use cloakroom_drivers::netlify_blobs::{Consistency, NetlifyBlobs, Options};
use cloakroom_storage::{Driver as _, DynDriver, ErrorKind, ItemKey, RemoveOutcome, When};
use futures_util::TryStreamExt as _;
use interop_peers::{JavaScript, NodeServer, Proxy};
use serde_json::{Value, json};

const TOKEN: &str = "a-token-of-the-tests";

fn server() -> Option<NodeServer> {
    NodeServer::start("netlify-blobs", "@netlify/blobs", &[TOKEN])
}

/// As on Netlify.
fn edge(url: &str) -> Value {
    json!({
        "name": "astro-sessions", "consistency": "strong", "siteID": "site", "token": TOKEN,
        "edgeURL": url, "uncachedEdgeURL": url,
    })
}

/// As from anywhere else.
fn signed(url: &str) -> Value {
    json!({ "name": "astro-sessions", "siteID": "site", "token": TOKEN, "apiURL": url })
}

async fn driver(options: Value) -> DynDriver {
    open("netlify-blobs", options).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn netlify_blobs_conforms() {
    let Some(server) = server() else { return };
    conformance::run(|| driver(edge(&server.url()))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn netlify_blobs_conforms_by_signed_addresses() {
    let Some(server) = server() else { return };
    conformance::run(|| driver(signed(&server.url()))).await;
}

#[tokio::test]
async fn javascript_and_rust_share_their_items() {
    let Some(server) = server() else { return };
    for options in [edge(&server.url()), signed(&server.url())] {
        let Some(mut theirs) = JavaScript::open("netlify-blobs", &options) else { return };
        both_directions(&driver(options).await, &mut theirs, Texts::Any).await;
    }
}

#[tokio::test]
async fn both_ways_lead_to_one_store_and_another_name_to_another() {
    let Some(server) = server() else { return };
    let inside = driver(edge(&server.url())).await;
    put(&inside, "id", SESSION, HOUR).await;
    let mut options = Options::new("astro-sessions");
    options.site_id = Some("site".to_owned());
    options.token = Some(TOKEN.to_owned());
    options.api_url = Some(server.url());
    options.consistency = Some(Consistency::Strong);
    assert!(!format!("{options:?}").contains(TOKEN));
    let outside = NetlifyBlobs::new(options).unwrap();
    let (item, ttl) = outside.get_with_ttl(&key("id")).await.unwrap().unwrap();
    assert_eq!(item, inside.get(&key("id")).await.unwrap().unwrap());
    assert!(ttl > Some(Duration::from_secs(3500)), "{ttl:?}");
    let mut options = edge(&server.url());
    options["name"] = json!("a name");
    assert_eq!(read(&driver(options).await, "id").await.unwrap(), None);
}

#[tokio::test]
async fn a_version_outlives_a_move_of_the_deadline() {
    let Some(server) = server() else { return };
    let driver = driver(edge(&server.url())).await;
    let version = put(&driver, "id", SESSION, HOUR).await;
    assert!(driver.touch(&key("id"), Some(Duration::from_secs(60))).await.unwrap());
    let when = When::Version(version.clone());
    written(driver.set(&key("id"), "other".into(), when, HOUR).await.unwrap());
    let late = driver.remove(&key("id"), When::Version(version)).await.unwrap();
    assert_eq!(late, RemoveOutcome::Conflict);
}

#[tokio::test]
async fn what_each_call_costs() {
    let Some(server) = server() else { return };
    let proxy = Proxy::start(server.port());
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let driver = driver(edge(&url)).await;
    let mut version = put(&driver, "id", "value", HOUR).await;
    let trips = || {
        let trips = proxy.round_trips();
        proxy.reset();
        trips
    };
    trips();
    driver.get(&key("id")).await.unwrap();
    assert_eq!(trips(), 1, "get");
    driver.get_with_ttl(&key("id")).await.unwrap();
    assert_eq!(trips(), 1, "get_with_ttl");
    let when = When::Version(version);
    version = written(driver.set(&key("id"), "more".into(), when, HOUR).await.unwrap());
    assert_eq!(trips(), 2, "set: look, write");
    written(driver.set(&key("new"), "value".into(), When::Absent, HOUR).await.unwrap());
    assert_eq!(trips(), 1, "create");
    driver.touch(&key("id"), HOUR).await.unwrap();
    assert_eq!(trips(), 2, "touch: read, write");
    let when = When::Version(version);
    version = written(driver.set(&key("id"), "most".into(), when, HOUR).await.unwrap());
    assert_eq!(trips(), 3, "set after a touch: look, read again, write");
    driver.remove(&key("id"), When::Version(version)).await.unwrap();
    assert_eq!(trips(), 3, "remove on a condition: look, write over, delete");
    driver.remove(&key("new"), When::Always).await.unwrap();
    assert_eq!(trips(), 2, "remove: look, delete");
}

#[tokio::test]
async fn a_sweep_looks_at_no_more_than_its_budget() {
    let Some(server) = server() else { return };
    let proxy = Proxy::start(server.port());
    let driver = driver(edge(&format!("http://127.0.0.1:{}", proxy.port()))).await;
    for index in 0..20 {
        let ttl = if index % 2 == 0 { HOUR } else { Some(Duration::from_millis(1)) };
        put(&driver, &format!("item-{index}"), "value", ttl).await;
    }
    let (mut removed, mut examined) = (0, 0);
    loop {
        proxy.reset();
        let swept = driver.sweep(6).await.unwrap();
        assert!(swept.examined <= 6, "{swept:?}");
        // A look each, two requests for each that has expired, and one for the list.
        assert!(proxy.round_trips() <= 1 + 3 * 6, "{}", proxy.round_trips());
        removed += swept.removed;
        examined += swept.examined;
        if swept.finished {
            break;
        }
    }
    assert_eq!((removed, examined), (10, 20));
    let left: Vec<ItemKey> = driver.keys("").try_collect().await.unwrap();
    assert_eq!(left.len(), 10);
}

#[tokio::test]
async fn a_sweep_whose_cursor_was_forgotten_begins_anew() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let forgets = Arc::new(AtomicBool::new(false));
    let forgot = forgets.clone();
    // Lists two blobs a page, which live, and knows no cursor once it forgets.
    let url = stand_in(move |asked| {
        if asked.method == "HEAD" {
            return (200, vec![("etag", "\"1\"".to_owned())], vec![]);
        }
        let has_cursor = asked.path.contains("cursor=");
        if has_cursor && forgot.load(Ordering::SeqCst) {
            return (400, vec![], vec![]);
        }
        let names = if has_cursor { ["c", "d"] } else { ["a", "b"] };
        let blobs = names.map(|name| json!({ "key": name }));
        let next = if has_cursor { json!(null) } else { json!("next") };
        (200, vec![], json!({ "blobs": blobs, "next_cursor": next }).to_string().into())
    });
    let driver = driver(edge(&url)).await;
    let swept = driver.sweep(2).await.unwrap();
    assert_eq!((swept.examined, swept.finished), (2, false));
    forgets.store(true, Ordering::SeqCst);
    driver.sweep(2).await.unwrap_err();
    forgets.store(false, Ordering::SeqCst);
    let swept = driver.sweep(100).await.unwrap();
    assert_eq!((swept.examined, swept.finished), (4, true));
}

#[tokio::test]
async fn wrong_credentials_are_told_from_an_outage() {
    let Some(server) = server() else { return };
    for mut options in [edge(&server.url()), signed(&server.url())] {
        options["token"] = json!("another");
        let driver = driver(options).await;
        let error = read(&driver, "secret-id").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert!(!error.is_retryable() && error.is_unapplied());
        let shown = format!("{error} {error:?} {driver:?}");
        assert!(!shown.contains("another") && !shown.contains("secret-id"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_fails_quickly_and_ends_by_itself() {
    let Some(server) = server() else { return };
    for options in [edge(&server.url()), signed(&server.url())] {
        let driver = driver(options).await;
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_crash() {
    let Some(server) = server() else { return };
    let driver = driver(edge(&server.url())).await;
    let version = put(&driver, "id", SESSION, HOUR).await;
    tokio::task::block_in_place(|| {
        server.kill();
        server.restart();
    });
    until("back", async || read(&driver, "id").await.is_ok()).await;
    let when = When::Version(version);
    written(driver.set(&key("id"), "other".into(), when, HOUR).await.unwrap());
}

#[tokio::test]
async fn a_key_that_is_too_long_is_refused() {
    let Some(server) = server() else { return };
    let driver = driver(edge(&server.url())).await;
    let error = read(&driver, &"x".repeat(601)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
}

#[tokio::test]
async fn options_that_are_wrong_are_named() {
    for (options, named) in [
        (json!({ "name": "a" }), "`siteID`"),
        (json!({ "name": "a", "siteID": "a", "token": "t", "edgeUrl": "" }), "`edgeURL`"),
        (json!({ "siteID": "a", "token": "t" }), "`name`"),
    ] {
        let error = refusal("netlify-blobs", options).await;
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
        assert!(error.to_string().contains(named), "{error}");
    }
}
