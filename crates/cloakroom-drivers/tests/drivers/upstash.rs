//! The `upstash` driver: what it stores over HTTP, beside JavaScript, and what it says when it cannot.

use std::time::{Duration, Instant};

use crate::conformance;
use crate::http_support::{
    AT_ONCE, HOUR, SESSION, key, open, open_patient, put, read, refusal, until, written,
};
use crate::javascript::{Texts, both_directions};
use bytes::Bytes;
use cloakroom_drivers::upstash::{Options, Upstash as Driven};
use cloakroom_storage::{Driver as _, DynDriver, ErrorKind, RemoveOutcome, SetOutcome, When};
use futures_util::TryStreamExt as _;
use interop_peers::{JavaScript, Proxy, Upstash};
use serde_json::json;

async fn driver(upstash: &Upstash) -> DynDriver {
    open("upstash", json!({ "url": upstash.url(), "token": Upstash::TOKEN })).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn upstash_conforms() {
    let Some(upstash) = Upstash::start() else { return };
    let options = json!({ "url": upstash.url(), "token": Upstash::TOKEN });
    conformance::run(|| open_patient("upstash", options.clone())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn upstash_conforms_with_a_base_and_small_pages() {
    let Some(upstash) = Upstash::start() else { return };
    let options = json!({
        "url": format!("{}/", upstash.url()), "token": Upstash::TOKEN, "base": "a[b]*:c", "scanCount": 2,
    });
    conformance::run(|| open_patient("upstash", options.clone())).await;
}

#[tokio::test]
async fn javascript_and_rust_share_their_items() {
    let Some(upstash) = Upstash::start() else { return };
    for base in ["", "sess"] {
        let options = json!({ "url": upstash.url(), "token": Upstash::TOKEN, "base": base });
        let Some(mut theirs) = JavaScript::open("upstash", &options) else { return };
        let ours = open("upstash", options).await;
        both_directions(&ours, &mut theirs, Texts::SessionsOnly).await;
    }
}

#[tokio::test]
async fn a_program_sets_the_options_as_fields() {
    let Some(upstash) = Upstash::start() else { return };
    let mut options = Options::new(upstash.url(), Upstash::TOKEN);
    options.base = "sess".to_owned();
    options.ttl = Some(60);
    assert!(!format!("{options:?}").contains(Upstash::TOKEN));
    let driver: DynDriver = std::sync::Arc::new(Driven::new(options).unwrap());
    put(&driver, "id", SESSION, None).await;
    let left = upstash.redis().command(&["TTL", "sess:id"]).integer();
    assert!((30..=60).contains(&left), "{left}");
}

#[tokio::test]
async fn keys_bytes_and_deadlines_are_those_of_the_redis_driver() {
    let Some(upstash) = Upstash::start() else { return };
    let redis = upstash.redis();
    for (base, name) in [("", "id"), ("sess", "sess:id"), ("a/b:", "a:b:id")] {
        let options = json!({ "url": upstash.url(), "token": Upstash::TOKEN, "base": base });
        let driver = open("upstash", options).await;
        put(&driver, "id", SESSION, None).await;
        assert_eq!(redis.command(&["GET", name]).text(), SESSION);
        assert_eq!(redis.command(&["PTTL", name]).integer(), -1);
        put(&driver, "id", SESSION, Some(Duration::from_millis(60_500))).await;
        let left = redis.command(&["PTTL", name]).integer();
        assert!((50_000..=60_500).contains(&left), "{left}");
        driver.remove(&key("id"), When::Always).await.unwrap();
        assert_eq!(redis.command(&["EXISTS", name]).integer(), 0);
    }
}

#[tokio::test]
async fn the_option_ttl_is_for_writes_that_carry_none() {
    let Some(upstash) = Upstash::start() else { return };
    let left = || upstash.redis().command(&["TTL", "id"]).integer();
    let options = |ttl| json!({ "url": upstash.url(), "token": Upstash::TOKEN, "ttl": ttl });
    let driver = open("upstash", options(100)).await;
    put(&driver, "id", "value", None).await;
    assert!((90..=100).contains(&left()), "{}", left());
    put(&driver, "id", "value", HOUR).await;
    assert!((3500..=3600).contains(&left()), "{}", left());
    put(&open("upstash", options(0)).await, "id", "value", None).await;
    assert_eq!(left(), -1);
}

#[tokio::test]
async fn bytes_that_are_no_text_are_stored_as_they_are_on_every_condition() {
    let Some(upstash) = Upstash::start() else { return };
    let driver = driver(&upstash).await;
    let stored = || upstash.redis().command(&["STRLEN", "id"]).integer();
    let all: Bytes = (0..=255).collect();
    let mut version =
        written(driver.set(&key("id"), all.clone(), When::Absent, HOUR).await.unwrap());
    let taken = driver.set(&key("id"), all.clone(), When::Absent, HOUR).await.unwrap();
    assert_eq!((taken, stored()), (SetOutcome::Conflict, 256));
    for value in [b"\xFF\0".repeat(5), b"\xC3\xA4\xC2".repeat(3000), all.to_vec()] {
        let (value, when) = (Bytes::from(value), When::Version(version));
        version = written(driver.set(&key("id"), value.clone(), when, HOUR).await.unwrap());
        assert_eq!(driver.get(&key("id")).await.unwrap().unwrap().value, value);
        assert_eq!(stored(), i64::try_from(value.len()).unwrap());
        assert!(upstash.redis().command(&["TTL", "id"]).integer() > 3500);
    }
    let outcome = driver.remove(&key("id"), When::Version(version)).await.unwrap();
    assert_eq!(outcome, RemoveOutcome::Removed);
}

#[tokio::test]
async fn a_text_that_looks_like_an_answer_is_a_value() {
    let Some(upstash) = Upstash::start() else { return };
    let driver = driver(&upstash).await;
    for text in ["OK", "null", "1", "", "T0s="] {
        put(&driver, "id", text, None).await;
        assert_eq!(read(&driver, "id").await.unwrap().as_deref(), Some(text));
    }
}

#[tokio::test]
async fn a_script_that_the_server_forgot_is_sent_again() {
    let Some(upstash) = Upstash::start() else { return };
    let driver = driver(&upstash).await;
    let mut version = put(&driver, "id", "0", None).await;
    for round in ["1", "2"] {
        upstash.redis().command(&["SCRIPT", "FLUSH"]);
        let when = When::Version(version);
        version = written(driver.set(&key("id"), round.into(), when, None).await.unwrap());
    }
}

#[tokio::test]
async fn each_call_is_one_request() {
    let Some(upstash) = Upstash::start() else { return };
    let proxy = Proxy::start(upstash.port());
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let driver = open("upstash", json!({ "url": url, "token": Upstash::TOKEN })).await;
    let version = put(&driver, "id", "value", HOUR).await;
    let when = When::Version(version);
    let version = written(driver.set(&key("id"), "other".into(), when, HOUR).await.unwrap());

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
    let version = written(driver.set(&key("id"), "more".into(), when, HOUR).await.unwrap());
    assert_eq!(trips(), 1, "set");
    driver.touch(&key("id"), HOUR).await.unwrap();
    assert_eq!(trips(), 1, "touch");
    driver.touch(&key("id"), None).await.unwrap();
    assert_eq!(trips(), 1, "touch without a deadline");
    driver.remove(&key("id"), When::Version(version)).await.unwrap();
    assert_eq!(trips(), 1, "remove");
    written(driver.set(&key("new"), "value".into(), When::Absent, HOUR).await.unwrap());
    assert_eq!(trips(), 1, "create");
}

#[tokio::test]
async fn a_request_names_the_last_answer_that_was_seen() {
    let Some(upstash) = Upstash::start() else { return };
    let driver = driver(&upstash).await;
    for _ in 0..2 {
        put(&driver, "id", "value", None).await;
    }
    let answer = whole_answer(upstash.port(), "/sync-token");
    assert!(answer.contains(r#"{"result":"1"}"#), "{answer}");
}

/// What a server answers, in full.
fn whole_answer(port: u16, path: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let token = Upstash::TOKEN;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn wrong_credentials_are_told_from_an_outage() {
    let Some(upstash) = Upstash::start() else { return };
    let driver = open("upstash", json!({ "url": upstash.url(), "token": "another" })).await;
    let error = read(&driver, "secret-id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(!error.is_retryable() && error.is_unapplied());
    let shown = format!("{error} {error:?} {driver:?}");
    assert!(!shown.contains("another") && !shown.contains("secret-id"), "{shown}");
}

#[tokio::test]
async fn what_is_no_text_of_redis_is_kept() {
    let Some(upstash) = Upstash::start() else { return };
    let driver = driver(&upstash).await;
    upstash.redis().command(&["RPUSH", "id", "a list"]);
    let error = read(&driver, "id").await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Corrupt, false), "{error}");
    let error = driver.get_with_ttl(&key("id")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_fails_quickly_and_ends_by_itself() {
    let Some(upstash) = Upstash::start() else { return };
    let driver = driver(&upstash).await;
    put(&driver, "id", "value", None).await;
    for server in [&**upstash, &**upstash.redis()] {
        tokio::task::block_in_place(|| server.stop());
        let begin = Instant::now();
        let error = read(&driver, "id").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.is_retryable() && begin.elapsed() < AT_ONCE, "{error} {:?}", begin.elapsed());
        tokio::task::block_in_place(|| server.restart());
        until("back", async || read(&driver, "id").await.is_ok()).await;
        assert_eq!(read(&driver, "id").await.unwrap().as_deref(), Some("value"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_crash() {
    let Some(upstash) = Upstash::start() else { return };
    let driver = driver(&upstash).await;
    put(&driver, "id", SESSION, HOUR).await;
    tokio::task::block_in_place(|| {
        for server in [&**upstash.redis(), &**upstash] {
            server.kill();
            server.restart();
        }
    });
    until("back", async || read(&driver, "id").await.is_ok()).await;
    assert_eq!(read(&driver, "id").await.unwrap().as_deref(), Some(SESSION));
}

#[tokio::test]
async fn an_address_that_is_no_such_store_says_so() {
    let Some(upstash) = Upstash::start() else { return };
    let url = format!("{}/elsewhere", upstash.url());
    let driver = open("upstash", json!({ "url": url, "token": Upstash::TOKEN })).await;
    let error = read(&driver, "id").await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Other, false), "{error}");
    let keys: Result<Vec<_>, _> = driver.keys("").try_collect().await;
    assert!(keys.unwrap_err().to_string().contains("cannot list the keys"));
}

#[tokio::test]
async fn options_that_are_wrong_are_named() {
    for (options, named) in [
        (json!({ "token": "a" }), "`url` or the variable `UPSTASH_REDIS_REST_URL`"),
        (
            json!({ "url": "https://a.example" }),
            "`token` or the variable `UPSTASH_REDIS_REST_TOKEN`",
        ),
        (json!({ "url": "redis://a.example", "token": "a" }), "option `url`"),
        (json!({ "url": "https://a.example", "token": "a\n" }), "token"),
        (json!({ "url": "https://a.example", "token": "a", "ttl": -1 }), "option `ttl`"),
        (json!({ "url": "https://a.example", "token": "a", "scancount": 1 }), "`scanCount`"),
    ] {
        let error = refusal("upstash", options).await;
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
        assert!(error.to_string().contains(named), "{error}");
    }
}
