//! The `gcs` driver against fake-gcs-server, with the conditions added that it leaves out.

use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::conformance;
use crate::network_support::{AT_ONCE, HOUR, key, open, open_impatient, put, read, until, written};
use bytes::Bytes;
use cloakroom_drivers::gcs;
use cloakroom_storage::{Driver as _, ErrorKind, ItemKey, RemoveOutcome, SetOutcome, When};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use interop_peers::{Gcs, NodeServer, Proxy};
use serde_json::{Value, json};

const NAME: &str = "gcs";
const SHORT: Option<Duration> = Some(Duration::from_millis(100));

/// The server that the tests share, each with a base of its own.
fn gcs() -> Option<&'static Gcs> {
    static GCS: LazyLock<Option<Gcs>> = LazyLock::new(Gcs::start);
    GCS.as_ref()
}

fn options(port: u16) -> Value {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let base = format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let endpoint = format!("http://127.0.0.1:{port}");
    json!({ "bucket": Gcs::BUCKET, "base": base, "endpoint": endpoint })
}

fn with(port: u16, name: &str, value: Value) -> Value {
    let mut options = options(port);
    options[name] = value;
    options
}

fn curl(arguments: &[&str], url: &str) -> String {
    let output = Command::new("curl")
        .args(["--silent", "--include"])
        .args(arguments)
        .arg(url)
        .output()
        .expect("curl is installed");
    String::from_utf8(output.stdout).unwrap()
}

/// Where an object is.
fn url(options: &Value, name: &str) -> String {
    let base = options["base"].as_str().unwrap();
    format!("{}/storage/v1/b/sessions/o/{base}:{name}", options["endpoint"].as_str().unwrap())
}

/// What the service tells of an object.
fn description(options: &Value, name: &str) -> Value {
    let answer = curl(&[], &url(options, name));
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer");
    serde_json::from_str(body).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_obeys_every_rule() {
    let Some(gcs) = gcs() else { return };
    let options = options(gcs.port());
    conformance::run(|| open(NAME, &options)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn downloads_that_tell_no_metadata_cost_a_second_request_and_no_rule() {
    let Some(gcs) = Gcs::start_with(&["", "terse"]) else { return };
    let proxy = Proxy::start(gcs.port());
    let options = options(proxy.port());
    conformance::run(|| open(NAME, &options)).await;
    let store = open(NAME, &options).await;
    put(&store, "id", "value").await;
    proxy.reset();
    assert_eq!(read(&store, "id").await.unwrap().unwrap(), "value");
    assert_eq!(proxy.round_trips(), 2);
}

#[tokio::test]
async fn an_item_is_an_object_and_its_deadline_is_metadata() {
    let Some(gcs) = gcs() else { return };
    let options = options(gcs.port());
    let store = open(NAME, &options).await;
    put(&store, "shop:cart", "value").await;
    let object = curl(&[], &format!("{}?alt=media", url(&options, "shop:cart")));
    assert!(object.starts_with("HTTP/1.1 200") && object.ends_with("\r\n\r\nvalue"), "{object}");
    let before = description(&options, "shop:cart");
    let expires = |object: &Value| -> u128 {
        object["metadata"]["cloakroom-expires"].as_str().unwrap().parse().unwrap()
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    assert!((3_500_000..=3_600_000).contains(&(expires(&before) - now)), "{before}");

    assert!(store.touch(&key("shop:cart"), None).await.unwrap());
    let after = description(&options, "shop:cart");
    assert_eq!(expires(&after), 1 << 53);
    assert_eq!(after["generation"], before["generation"]);
    assert_ne!(after["metageneration"], before["metageneration"]);
}

#[tokio::test]
async fn any_bytes_and_any_name_come_back() {
    let Some(gcs) = gcs() else { return };
    let store = open(NAME, &options(gcs.port())).await;
    for (name, value) in [
        ("bytes", Bytes::from_static(&[0, 255, 128, 13, 10, 45, 45])),
        ("grüße 🧥 +&#%20", Bytes::from_static(b"\r\n--boundary--\r\n")),
        ("large", Bytes::from(vec![b'-'; 3_000_000])),
    ] {
        written(store.set(&key(name), value.clone(), When::Absent, HOUR).await.unwrap());
        assert_eq!(read(&store, name).await.unwrap(), Some(value), "{name}");
        assert!(store.touch(&key(name), HOUR).await.unwrap());
    }
    let names: Vec<ItemKey> = store.keys("gr").try_collect().await.unwrap();
    assert_eq!(names, [key("grüße 🧥 +&#%20")]);
    let longest = "a".repeat(ItemKey::MAX_LENGTH);
    let error = store.get(&key(&longest)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidKey, "{error}");
}

#[tokio::test]
async fn objects_of_others_live_for_ever_and_only_some_are_items() {
    let Some(gcs) = gcs() else { return };
    let options = options(gcs.port());
    let store = open(NAME, &options).await;
    let base = options["base"].as_str().unwrap();
    let upload = format!("{}/upload/storage/v1/b/sessions/o?uploadType=multipart", gcs.url());
    for name in ["theirs", "folder/theirs"] {
        let body = format!(
            "--b\r\ncontent-type: application/json\r\n\r\n{{\"name\":\"{base}:{name}\"}}\r\n--b\r\n\r\nvalue\r\n--b--"
        );
        let kind = "content-type: multipart/related; boundary=b";
        let answer = curl(&["--header", kind, "--data-binary", &body], &upload);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let keys: Vec<ItemKey> = store.keys("").try_collect().await.unwrap();
    assert_eq!(keys, [key("theirs")]);
    let (item, ttl) = store.get_with_ttl(&key("theirs")).await.unwrap().unwrap();
    assert_eq!((item.value.as_ref(), ttl), (&b"value"[..], None));
    let swept = store.sweep(10).await.unwrap();
    assert_eq!((swept.removed, swept.examined, swept.finished), (0, 2, true));
    let when = When::Version(item.version);
    written(store.set(&key("theirs"), "ours".into(), when, HOUR).await.unwrap());
}

#[tokio::test]
async fn a_list_and_a_sweep_go_on_from_page_to_page() {
    let Some(gcs) = gcs() else { return };
    let store = open(NAME, &options(gcs.port())).await;
    let names: Vec<String> = (0..1003).map(|index| format!("live:{index:04}")).collect();
    let set = async |name: String, ttl| {
        written(store.set(&key(&name), "value".into(), When::Always, ttl).await.unwrap());
    };
    stream::iter(names.clone()).for_each_concurrent(16, |name| set(name, HOUR)).await;
    for index in 0..7 {
        set(format!("gone:{index}"), SHORT).await;
        set(format!("over:{index}"), SHORT).await;
    }
    let list = async |prefix| -> Vec<ItemKey> { store.keys(prefix).try_collect().await.unwrap() };
    until("they expire", async || list("over:").await.is_empty()).await;
    assert!(list("").await.iter().map(ItemKey::as_str).eq(names.iter().map(String::as_str)));

    let mut swept = Vec::new();
    while swept.last().is_none_or(|(_, _, finished)| !finished) {
        let step = store.sweep(5).await.unwrap();
        swept.push((step.removed, step.examined, step.finished));
    }
    // Twice the first page, without what went the first time; then what was left of it, and the last page.
    let removed: usize = swept.iter().map(|(removed, ..)| removed).sum();
    assert_eq!(removed, 14, "{swept:?}");
    assert!(swept.iter().all(|(removed, examined, _)| *removed <= 5 && *examined <= 1000));
    assert_eq!(list("").await.len(), names.len());
}

#[tokio::test]
async fn a_deadline_that_was_brought_forward_ends_a_version_with_it() {
    let Some(gcs) = gcs() else { return };
    let store = open(NAME, &options(gcs.port())).await;
    let version = put(&store, "id", "value").await;
    assert!(store.touch(&key("id"), SHORT).await.unwrap());
    until("it expires", async || read(&store, "id").await.unwrap().is_none()).await;
    let when = When::Version(version);
    let outcome = store.set(&key("id"), "next".into(), when, HOUR).await.unwrap();
    assert_eq!(outcome, SetOutcome::Conflict);
    assert_eq!(read(&store, "id").await.unwrap(), None);
}

#[tokio::test]
async fn reads_and_writes_cost_one_round_trip_touches_and_removals_two() {
    let Some(gcs) = gcs() else { return };
    let proxy = Proxy::start(gcs.port());
    let store = open(NAME, &options(proxy.port())).await;
    let id = key("id");
    let cost = || {
        let trips = proxy.round_trips();
        proxy.reset();
        trips
    };
    written(store.set(&id, "one".into(), When::Absent, HOUR).await.unwrap());
    assert_eq!(cost(), 1, "create");
    let item = store.get(&id).await.unwrap().unwrap();
    assert_eq!(cost(), 1, "read");
    let when = When::Version(item.version);
    let version = written(store.set(&id, "two".into(), when, HOUR).await.unwrap());
    assert_eq!(cost(), 1, "write");
    assert!(store.touch(&id, HOUR).await.unwrap());
    assert_eq!(cost(), 2, "touch");
    let when = When::Version(version);
    written(store.set(&id, "three".into(), when, HOUR).await.unwrap());
    assert_eq!(cost(), 3, "write on a version from before a touch");
    assert_eq!(store.remove(&id, When::Always).await.unwrap(), RemoveOutcome::Removed);
    assert_eq!(cost(), 2, "remove");
    store.sweep(10).await.unwrap();
    assert_eq!(cost(), 1, "sweep");
}

#[tokio::test]
async fn a_missing_bucket_is_no_missing_item() {
    let Some(gcs) = gcs() else { return };
    let store = open(NAME, &with(gcs.port(), "bucket", json!("nowhere"))).await;
    let set = async |when| store.set(&key("id"), "x".into(), when, None).await.map(|_| ());
    for result in [
        store.get(&key("id")).await.map(|_| ()),
        set(When::Always).await,
        set(When::Absent).await,
        store.touch(&key("id"), HOUR).await.map(|_| ()),
        store.remove(&key("id"), When::Always).await.map(|_| ()),
        store.keys("").try_collect::<Vec<_>>().await.map(|_| ()),
        store.sweep(10).await.map(|_| ()),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains("no such bucket"), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_cloud_storage_keeps_nothing() {
    let Some(server) = NodeServer::start("http-server", "unstorage", &[]) else { return };
    let store = open(NAME, &options(server.port())).await;
    let error = store.set(&key("id"), "x".into(), When::Always, None).await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
}

/// An account of somebody else's who shows the token in a file to the service that gives Google's for it.
fn account(token_url: &str, token: &str) -> Value {
    json!({
        "type": "external_account",
        "audience": "tests",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": token_url,
        "credential_source": { "file": token, "format": { "type": "text" } },
    })
}

#[tokio::test]
async fn credentials_are_given_in_json_or_in_a_file_and_the_token_serves_many_requests() {
    let Some(gcs) = Gcs::start_with(&[Gcs::TOKEN]) else { return };
    let proxy = Proxy::start(gcs.port());
    let folder = tempfile::tempdir().unwrap();
    let (token, file) = (folder.path().join("token"), folder.path().join("account.json"));
    std::fs::write(&token, "a token of elsewhere").unwrap();
    let url = format!("http://127.0.0.1:{}/token", proxy.port());
    let account = account(&url, token.to_str().unwrap()).to_string();
    std::fs::write(&file, &account).unwrap();
    for credentials in [account.as_str(), file.to_str().unwrap()] {
        let store = open(NAME, &with(proxy.port(), "credentials", json!(credentials))).await;
        proxy.reset();
        put(&store, "a b:ü%2F", "value").await;
        assert_eq!(read(&store, "a b:ü%2F").await.unwrap().unwrap(), "value");
        assert_eq!(proxy.round_trips(), 3);
        let shown = format!("{store:?}");
        assert!(!shown.contains("external_account") && !shown.contains(Gcs::TOKEN), "{shown}");
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_told_so() {
    let Some(gcs) = Gcs::start_with(&[Gcs::TOKEN]) else { return };
    let nowhere = tempfile::tempdir().unwrap().path().join("account.json");
    let token = account(&format!("{}/token", gcs.url()), "/nowhere").to_string();
    for credentials in [
        json!(null),
        json!(nowhere),
        json!(r#"{"type":"service_account","client_email":"a","private_key":"c2VjcmV0"}"#),
        json!(r#"{"private_key":"c2VjcmV0"}"#),
        json!(token),
    ] {
        let store = open(NAME, &with(gcs.port(), "credentials", credentials)).await;
        let read = store.get(&key("id")).await.map(|_| ());
        let write = store.set(&key("id"), "x".into(), When::Always, None).await.map(|_| ());
        for result in [read, write] {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
            assert!(!error.is_retryable() && error.is_unapplied(), "{error}");
            let shown = format!("{error} {error:?} {store:?}");
            assert!(!shown.contains("c2VjcmV0"), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_service_of_tokens_that_is_away_may_be_back() {
    let Some(gcs) = gcs() else { return };
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "a token of elsewhere").unwrap();
    // Nobody listens there.
    let account = account("http://127.0.0.1:1/token", token.to_str().unwrap()).to_string();
    let store = open_impatient(NAME, &with(gcs.port(), "credentials", json!(account))).await;
    let error = store.get(&key("id")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.is_retryable() && error.is_unapplied(), "{error}");
}

#[tokio::test]
async fn options_that_cannot_be_are_named() {
    for (name, value, part) in [
        ("endpoint", json!("nowhere"), "option `endpoint`"),
        ("endpoint", json!("http://a:c2VjcmV0@example"), "option `endpoint`"),
        ("bucket", json!(""), "option `bucket`"),
        ("bucket", json!("a/b"), "option `bucket`"),
        ("bucket", json!(null), "missing field `bucket`"),
        ("base", json!(".."), "option `base`"),
        ("credentials", json!("{c2VjcmV0"), "option `credentials` is no JSON"),
        ("bucketName", json!("x"), "did you mean `bucket`?"),
    ] {
        let options = with(1, name, value);
        let opened = cloakroom_drivers::open(NAME, options.as_object().unwrap()).await;
        let error = opened.map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains(part), "{error}");
        assert!(!format!("{error:?}").contains("c2VjcmV0"), "{error:?}");
    }
}

#[tokio::test]
async fn options_without_json_open_the_same_store_and_show_no_secret() {
    let Some(server) = gcs() else { return };
    let given = options(server.port());
    put(&open(NAME, &given).await, "id", "value").await;
    let mut options = gcs::Options::new(Gcs::BUCKET);
    options.base = given["base"].as_str().unwrap().into();
    options.endpoint = Some(server.url());
    let store = gcs::Gcs::new(options.clone()).unwrap();
    assert_eq!(store.get(&key("id")).await.unwrap().unwrap().value, "value");
    options.credentials = Some("{c2VjcmV0".into());
    assert!(!format!("{options:?}").contains("c2VjcmV0"), "{options:?}");
    let error = gcs::Gcs::new(options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_was_away_is_used_again() {
    let Some(gcs) = Gcs::start() else { return };
    let options = options(gcs.port());
    let store = open_impatient(NAME, &options).await;
    let version = put(&store, "id", "value").await;
    tokio::task::block_in_place(|| gcs.stop());
    let begin = Instant::now();
    let when = When::Version(version.clone());
    // A connection that was kept may be found lost only now, when it cannot be said what became of the request.
    let lost = store.get(&key("id")).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Unavailable, "{lost}");
    for result in [
        store.get(&key("id")).await.map(|_| ()),
        store.set(&key("id"), "x".into(), when, HOUR).await.map(|_| ()),
        store.touch(&key("id"), HOUR).await.map(|_| ()),
        store.remove(&key("id"), When::Always).await.map(|_| ()),
        store.sweep(10).await.map(|_| ()),
    ] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.is_unapplied() && error.is_retryable(), "{error}");
    }
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    tokio::task::block_in_place(|| gcs.restart());
    assert_eq!(read(&store, "id").await.unwrap().unwrap(), "value");
    let when = When::Version(version);
    written(store.set(&key("id"), "next".into(), when, HOUR).await.unwrap());

    gcs.pause();
    let error = store.get(&key("id")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    gcs.resume();
    until("it goes on", async || store.get(&key("id")).await.is_ok()).await;
}

/// Runs the part of a test in a process with this environment.
fn in_environment(part: &str, variables: &[(&str, &str)]) {
    let mut test = crate::part_command(module_path!(), part);
    crate::run_part(test.envs(variables.iter().copied()));
}

#[tokio::test]
async fn an_emulator_is_found_where_googles_clients_find_it() {
    let Some(gcs) = gcs() else { return };
    let host = gcs.url();
    let host = host.strip_prefix("http://").unwrap();
    for host in [host, &gcs.url()] {
        in_environment("part_that_has_only_an_emulator", &[("STORAGE_EMULATOR_HOST", host)]);
    }
}

#[tokio::test]
#[ignore = "a part of `an_emulator_is_found_where_googles_clients_find_it`"]
async fn part_that_has_only_an_emulator() {
    let options = json!({ "bucket": Gcs::BUCKET });
    let store = open(NAME, &options).await;
    put(&store, "id", "value").await;
    assert_eq!(read(&store, "id").await.unwrap().unwrap(), "value");
}
