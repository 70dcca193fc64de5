//! The `s3` driver against S3 as moto has it, which checks every signature, and against unstorage's own driver.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crate::conformance;
use crate::javascript::{Texts, both_directions};
use cloakroom_drivers::open;
use cloakroom_drivers::s3::{Options, S3};
use cloakroom_storage::{
    Driver, DynDriver, ErrorKind, ItemKey, RemoveOutcome, SetOutcome, Version, When,
};
use futures_util::TryStreamExt as _;
use interop_peers::{JavaScript, Moto, Proxy};
use serde_json::{Map, Value, json};

const HOUR: Option<Duration> = Some(Duration::from_secs(3600));
const SHORT: Option<Duration> = Some(Duration::from_millis(200));
const MOMENTS: Option<Duration> = Some(Duration::from_secs(2));
const PATIENCE: Duration = Duration::from_secs(60);

/// The server that the tests share, each with a bucket of its own.
fn moto() -> Option<&'static Moto> {
    static MOTO: LazyLock<Option<Moto>> = LazyLock::new(Moto::start);
    MOTO.as_ref()
}

/// A new bucket's name.
fn bucket(moto: &Moto) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("bucket-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let made = curl(moto, &["--request", "PUT"], &name);
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    name
}

/// What both drivers are told.
fn options(port: u16, bucket: &str) -> Value {
    json!({
        "accessKeyId": Moto::KEY_ID,
        "secretAccessKey": Moto::SECRET,
        "endpoint": format!("http://127.0.0.1:{port}"),
        "region": Moto::REGION,
        "bucket": bucket,
    })
}

/// The same with one of them changed.
fn with(port: u16, name: &str, value: Value) -> Value {
    let mut options = options(port, Moto::BUCKET);
    options[name] = value;
    options
}

fn bare(options: &Value) -> S3 {
    S3::open(options.as_object().unwrap()).unwrap()
}

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

async fn put(store: &dyn Driver, name: &str, value: &str, ttl: Option<Duration>) -> Version {
    let value = value.to_owned().into();
    written(store.set(&key(name), value, When::Always, ttl).await.unwrap())
}

fn written(outcome: SetOutcome) -> Version {
    match outcome {
        SetOutcome::Written { version } => version,
        SetOutcome::Conflict => panic!("a conflict"),
    }
}

/// The answer's head and body, as curl gets it with a signature of its own.
fn curl(moto: &Moto, arguments: &[&str], path: &str) -> String {
    let service = format!("aws:amz:{}:s3", Moto::REGION);
    let user = format!("{}:{}", Moto::KEY_ID, Moto::SECRET);
    let output = Command::new("curl")
        .args(["--silent", "--include", "--aws-sigv4", &service, "--user", &user])
        .args(["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"])
        .args(arguments)
        .arg(format!("{}/{path}", moto.url()))
        .output()
        .expect("curl is installed");
    String::from_utf8(output.stdout).unwrap()
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let begin = Instant::now();
    while !condition().await {
        assert!(begin.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_obeys_every_rule() {
    let Some(moto) = moto() else { return };
    let options = options(moto.port(), &bucket(moto));
    conformance::run(|| async { Arc::new(bare(&options)) as DynDriver }).await;
}

#[tokio::test]
async fn javascript_and_rust_share_a_bucket() {
    let Some(moto) = moto() else { return };
    let options = options(moto.port(), &bucket(moto));
    let Some(mut theirs) = JavaScript::open("s3", &options) else { return };
    let ours = open("s3", options.as_object().unwrap()).await.unwrap();
    both_directions(&ours, &mut theirs, Texts::Any).await;
}

#[tokio::test]
async fn without_a_buckets_name_the_endpoint_is_the_bucket_for_both() {
    let Some(moto) = moto() else { return };
    let mut options = with(moto.port(), "bucket", json!(""));
    options["endpoint"] = json!(format!("{}/{}", moto.url(), bucket(moto)));
    let Some(mut theirs) = JavaScript::open("s3", &options) else { return };
    let ours = bare(&options);
    put(&ours, "from:rust", "value", HOUR).await;
    assert_eq!(theirs.call("getItem", &[json!("from:rust")]), json!("value"));
    theirs.call("setItem", &[json!("from:javascript"), json!("value")]);
    assert!(ours.get(&key("from:javascript")).await.unwrap().is_some());
    let listed: Vec<ItemKey> = ours.keys("from:").try_collect().await.unwrap();
    assert_eq!(listed, [key("from:javascript"), key("from:rust")]);
}

#[tokio::test]
async fn an_item_is_an_object_and_its_deadline_is_metadata() {
    let Some(moto) = moto() else { return };
    let bucket = bucket(moto);
    let store = bare(&options(moto.port(), &bucket));
    put(&store, "shop:cart", "value", HOUR).await;
    let object = curl(moto, &[], &format!("{bucket}/shop/cart"));
    assert!(object.starts_with("HTTP/1.1 200") && object.ends_with("\r\n\r\nvalue"), "{object}");
    let expires = |object: &str| {
        let line =
            object.lines().find_map(|line| line.strip_prefix("x-amz-meta-cloakroom-expires: "));
        line.map(|text| text.parse::<u64>().unwrap())
    };
    let first = expires(&object).expect("a deadline");
    assert!(store.touch(&key("shop:cart"), HOUR.map(|ttl| ttl * 2)).await.unwrap());
    let second = expires(&curl(moto, &[], &format!("{bucket}/shop/cart"))).expect("a deadline");
    assert!((3_500_000..3_700_000).contains(&(second - first)), "{first} {second}");
    put(&store, "shop:cart", "value", None).await;
    assert_eq!(expires(&curl(moto, &[], &format!("{bucket}/shop/cart"))), None);
}

#[tokio::test]
async fn objects_of_others_are_no_items() {
    let Some(moto) = moto() else { return };
    let bucket = bucket(moto);
    let store = bare(&options(moto.port(), &bucket));
    put(&store, "a", "value", None).await;
    let upload = ["--request", "PUT", "--header", "content-type: text/plain", "--data", "foreign"];
    for path in ["with:colon", "folder/"] {
        let answer = curl(moto, &upload, &format!("{bucket}/{path}"));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let listed: Vec<ItemKey> = store.keys("").try_collect().await.unwrap();
    assert_eq!(listed, [key("a")]);
    while !store.sweep(10).await.unwrap().finished {}
    let object = curl(moto, &[], &format!("{bucket}/with:colon"));
    assert!(object.ends_with("foreign"), "{object}");
}

#[tokio::test]
async fn a_list_and_a_sweep_go_on_from_page_to_page() {
    const COUNT: usize = 1100;
    let Some(moto) = moto() else { return };
    let store = bare(&options(moto.port(), &bucket(moto)));
    let names: Vec<String> = (0..COUNT).map(|index| format!("{index:04} grüße+&<")).collect();
    for name in &names {
        put(&store, name, "value", HOUR).await;
    }
    put(&store, "9999", "value", SHORT).await;
    until("it expires", async || store.get(&key("9999")).await.unwrap().is_none()).await;
    let mut listed: Vec<ItemKey> = store.keys("").try_collect().await.unwrap();
    listed.sort();
    assert!(listed.iter().map(ItemKey::as_str).eq(names.iter().map(String::as_str)));
    let (mut removed, mut examined, mut calls) = (0, 0, 0);
    loop {
        let swept = store.sweep(300).await.unwrap();
        (removed, examined, calls) =
            (removed + swept.removed, examined + swept.examined, calls + 1);
        if swept.finished {
            break;
        }
    }
    assert_eq!((removed, examined, calls), (1, COUNT + 1, 2));
}

#[tokio::test]
async fn a_bucket_with_a_lifecycle_is_not_swept() {
    let with_rule = bare(&with(1, "lifecycle", json!(true)));
    assert!(with_rule.capabilities().native_ttl);
    assert!(!bare(&options(1, "bucket")).capabilities().native_ttl);
}

#[tokio::test]
async fn a_version_may_outlive_its_items_deadline() {
    let Some(moto) = moto() else { return };
    let store = bare(&options(moto.port(), &bucket(moto)));
    let version = put(&store, "moved", "value", MOMENTS).await;
    assert!(store.touch(&key("moved"), HOUR).await.unwrap());
    let lost = put(&store, "lost", "value", SHORT).await;
    until("it expires", async || store.get(&key("lost")).await.unwrap().is_none()).await;
    let set = async |name, version| {
        store.set(&key(name), "next".into(), When::Version(version), HOUR).await.unwrap()
    };
    written(set("moved", version).await);
    assert_eq!(set("lost", lost).await, SetOutcome::Conflict);
}

#[tokio::test]
async fn a_version_ends_with_a_deadline_that_was_brought_forward_though_the_etag_stays() {
    let Some(moto) = moto() else { return };
    let store = bare(&options(moto.port(), &bucket(moto)));
    for (name, shorter) in [("touched", SHORT), ("ended", Some(Duration::ZERO))] {
        let version = put(&store, name, "value", HOUR).await;
        assert!(store.touch(&key(name), shorter).await.unwrap());
        until("it expires", async || store.get(&key(name)).await.unwrap().is_none()).await;
        let when = When::Version(version);
        let late = store.set(&key(name), "revived".into(), when.clone(), HOUR).await.unwrap();
        assert_eq!(late, SetOutcome::Conflict);
        assert_eq!(store.remove(&key(name), when).await.unwrap(), RemoveOutcome::Missing);
        assert!(store.get(&key(name)).await.unwrap().is_none());
    }
    // The same where the same bytes were written with less time.
    let version = put(&store, "again", "value", HOUR).await;
    put(&store, "again", "value", SHORT).await;
    until("it expires", async || store.get(&key("again")).await.unwrap().is_none()).await;
    let when = When::Version(version);
    let late = store.set(&key("again"), "revived".into(), when, HOUR).await.unwrap();
    assert_eq!(late, SetOutcome::Conflict);
}

#[tokio::test]
async fn the_very_bytes_that_have_expired_are_made_anew_and_a_sweep_leaves_them() {
    let Some(moto) = moto() else { return };
    let bucket = bucket(moto);
    let store = bare(&options(moto.port(), &bucket));
    put(&store, "id", "{}", SHORT).await;
    put(&store, "other", "{}", SHORT).await;
    until("they expire", async || {
        let other = store.get(&key("other")).await.unwrap();
        store.get(&key("id")).await.unwrap().is_none() && other.is_none()
    })
    .await;
    written(store.set(&key("id"), "{}".into(), When::Absent, HOUR).await.unwrap());
    let taken = store.set(&key("id"), "{}".into(), When::Absent, HOUR).await.unwrap();
    assert_eq!(taken, SetOutcome::Conflict);
    let swept = store.sweep(10).await.unwrap();
    assert_eq!((swept.removed, swept.examined), (1, 2));
    assert_eq!(store.get(&key("id")).await.unwrap().unwrap().value, "{}");
    assert!(curl(moto, &[], &format!("{bucket}/other")).starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn round_trips_are_as_promised() {
    let Some(moto) = moto() else { return };
    let proxy = Proxy::start(moto.port());
    let store = bare(&options(proxy.port(), &bucket(moto)));
    let id = key("id");
    let count = || {
        let trips = proxy.round_trips();
        proxy.reset();
        trips
    };
    written(store.set(&id, "one".into(), When::Absent, HOUR).await.unwrap());
    assert_eq!(count(), 1, "create");
    let item = store.get(&id).await.unwrap().unwrap();
    assert_eq!(count(), 1, "read");
    written(store.set(&id, "two".into(), When::Version(item.version), HOUR).await.unwrap());
    assert_eq!(count(), 2, "write: look, write");
    assert!(store.touch(&id, HOUR).await.unwrap());
    assert_eq!(count(), 2, "touch");
    assert_eq!(store.remove(&id, When::Always).await.unwrap(), RemoveOutcome::Removed);
    assert_eq!(count(), 2, "remove");
}

#[tokio::test]
async fn wrong_credentials_are_told_and_not_shown() {
    let Some(moto) = moto() else { return };
    for (name, value) in [("accessKeyId", "AKIASOMEBODYELSE"), ("secretAccessKey", "staple")] {
        let store = bare(&with(moto.port(), name, json!(value)));
        let read = store.get(&key("id")).await.unwrap_err();
        let write = store.set(&key("id"), "x".into(), When::Always, None).await.unwrap_err();
        for error in [read, write] {
            assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
            assert!(!error.is_retryable() && error.is_unapplied(), "{error}");
            let shown = format!("{error} {error:?} {store:?}");
            assert!(!shown.contains(value) && !shown.contains(Moto::SECRET), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_missing_bucket_is_no_missing_item() {
    let Some(moto) = moto() else { return };
    let store = bare(&with(moto.port(), "bucket", json!("nowhere")));
    let read = store.get(&key("id")).await.map(|_| ());
    let write = store.set(&key("id"), "x".into(), When::Always, None).await.map(|_| ());
    let update = store.set(&key("id"), "x".into(), When::Absent, None).await.map(|_| ());
    let list = store.keys("").try_collect::<Vec<_>>().await.map(|_| ());
    let sweep = store.sweep(10).await.map(|_| ());
    for result in [read, write, update, list, sweep] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains("no such bucket"), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_s3_is_no_empty_store() {
    let Some(server) = interop_peers::NodeServer::start("http-server", "unstorage", &[]) else {
        return;
    };
    let store = bare(&options(server.port(), "bucket"));
    let error = store.get(&key("id")).await.unwrap_err();
    assert!(error.to_string().contains("is this the address of such a store?"), "{error}");
}

#[tokio::test]
async fn bad_options_are_refused_by_name() {
    for (name, value, part) in [
        ("endpoint", json!("nowhere"), "option `endpoint`"),
        ("endpoint", json!("http://a:b@example"), "option `endpoint`"),
        ("bucket", json!("a/b"), "option `bucket`"),
        ("region", json!(""), "option `region`"),
        ("secretAccessKey", json!(null), "belong together"),
        ("accessKeyId", json!(null), "belong together"),
        ("accessKeyId", json!(""), "belong together"),
        ("bucketName", json!("x"), "did you mean `bucket`?"),
    ] {
        let error = S3::open(with(1, name, value).as_object().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = S3::open(&Map::new()).unwrap_err().to_string();
    assert!(error.contains("option `bucket` is missing"), "{error}");
    let unstorages = with(1, "bulkDelete", json!(false));
    assert!(S3::open(unstorages.as_object().unwrap()).is_ok());
}

#[tokio::test]
async fn options_without_json_open_the_same_store_and_show_no_secret() {
    let Some(moto) = moto() else { return };
    let bucket = bucket(moto);
    put(&bare(&options(moto.port(), &bucket)), "id", "value", None).await;
    let mut options = Options::new(bucket);
    options.endpoint = Some(moto.url());
    options.region = Some(Moto::REGION.into());
    options.access_key_id = Some(Moto::KEY_ID.into());
    options.secret_access_key = Some(Moto::SECRET.into());
    assert!(!format!("{options:?}").contains(Moto::SECRET), "{options:?}");
    let store = S3::new(options).unwrap();
    assert_eq!(store.get(&key("id")).await.unwrap().unwrap().value, "value");
}

#[tokio::test]
async fn a_store_that_was_away_is_used_again() {
    let Some(moto) = Moto::start() else { return };
    let store = bare(&options(moto.port(), Moto::BUCKET));
    put(&store, "id", "value", None).await;
    moto.kill();
    let begin = Instant::now();
    let error = store.set(&key("id"), "x".into(), When::Always, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.is_retryable(), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    moto.restart();
    until("it is back", async || store.get(&key("id")).await.is_ok()).await;
    put(&store, "id", "value", None).await;
}

/// Runs the part of a test in a process with this environment.
fn in_environment(part: &str, variables: &[(&str, &str)]) {
    let mut test = crate::part_command(module_path!(), part);
    crate::run_part(test.env_remove("AWS_PROFILE").envs(variables.iter().copied()));
}

#[tokio::test]
async fn credentials_are_found_where_amazons_clients_find_them() {
    let Some(moto) = moto() else { return };
    let url = moto.url();
    let own = [("S3_ENDPOINT", &*url), ("AWS_REGION", Moto::REGION)];
    let keys = [("AWS_ACCESS_KEY_ID", Moto::KEY_ID), ("AWS_SECRET_ACCESS_KEY", Moto::SECRET)];
    in_environment("part_that_has_only_an_environment", &[&own[..], &keys[..]].concat());

    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("credentials");
    let text = format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        Moto::KEY_ID,
        Moto::SECRET
    );
    std::fs::write(&profile, text).unwrap();
    let file = [("AWS_SHARED_CREDENTIALS_FILE", profile.to_str().unwrap())];
    in_environment("part_that_has_only_an_environment", &[&own[..], &file[..]].concat());
}

#[tokio::test]
#[ignore = "a part of `credentials_are_found_where_amazons_clients_find_them`"]
async fn part_that_has_only_an_environment() {
    let endpoint = std::env::var("S3_ENDPOINT").unwrap();
    let mut options = Options::new(Moto::BUCKET);
    options.endpoint = Some(endpoint);
    let store = S3::new(options).unwrap();
    put(&store, "id", "value", None).await;
    assert_eq!(store.get(&key("id")).await.unwrap().unwrap().value, "value");
}
