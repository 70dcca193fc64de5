//! The `dynamodb` driver against DynamoDB as dynalite has it, which keeps to its limits, and as moto has it, which checks
//! every signature.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use crate::conformance;
use cloakroom_drivers::dynamodb::{DynamoDb, Options};
use cloakroom_storage::{
    Driver, DynDriver, ErrorKind, ItemKey, RemoveOutcome, SetOutcome, Version, When,
};
use futures_util::TryStreamExt as _;
use interop_peers::{Moto, NodeServer, Proxy};
use serde_json::{Value, json};

const HOUR: Option<Duration> = Some(Duration::from_secs(3600));
const SHORT: Option<Duration> = Some(Duration::from_millis(200));
const PATIENCE: Duration = Duration::from_secs(60);

/// The servers that the tests share, each with a table of its own.
fn moto() -> Option<&'static Moto> {
    static MOTO: LazyLock<Option<Moto>> = LazyLock::new(Moto::start);
    MOTO.as_ref()
}

fn dynalite() -> Option<&'static NodeServer> {
    static DYNALITE: LazyLock<Option<NodeServer>> =
        LazyLock::new(|| NodeServer::start("dynalite", "dynalite", &[]));
    DYNALITE.as_ref()
}

/// Options with a new table's name.
fn options(port: u16) -> Value {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    json!({
        "accessKeyId": Moto::KEY_ID,
        "secretAccessKey": Moto::SECRET,
        "endpoint": format!("http://127.0.0.1:{port}"),
        "region": Moto::REGION,
        "table": format!("table-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
        "createTable": true,
    })
}

/// The same with one of them changed.
fn with(options: &Value, name: &str, value: Value) -> Value {
    let mut options = options.clone();
    options[name] = value;
    options
}

async fn open(options: &Value) -> DynamoDb {
    DynamoDb::open(options.as_object().unwrap()).await.unwrap()
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

async fn listed(store: &dyn Driver, prefix: &str) -> Vec<ItemKey> {
    let mut keys: Vec<ItemKey> = store.keys(prefix).try_collect().await.unwrap();
    keys.sort();
    keys
}

/// What DynamoDB answers to an operation, as curl asks for it with a signature of its own.
fn curl(port: u16, operation: &str, body: &Value) -> Value {
    let output = Command::new("curl")
        .args(["--silent", "--aws-sigv4", &format!("aws:amz:{}:dynamodb", Moto::REGION)])
        .args(["--user", &format!("{}:{}", Moto::KEY_ID, Moto::SECRET)])
        .args(["--header", "content-type: application/x-amz-json-1.0"])
        .args(["--header", &format!("x-amz-target: DynamoDB_20120810.{operation}")])
        .args(["--data", &body.to_string(), &format!("http://127.0.0.1:{port}/")])
        .output()
        .expect("curl is installed");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let begin = Instant::now();
    while !condition().await {
        assert!(begin.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_dynalite_obeys_every_rule() {
    let Some(dynalite) = dynalite() else { return };
    let options = options(dynalite.port());
    let swept = with(&with(&options, "sweep", json!(true)), "base", json!("sess"));
    for options in [options, swept] {
        conformance::run(|| async { Arc::new(open(&options).await) as DynDriver }).await;
    }
}

#[tokio::test]
async fn what_the_store_finds_too_large_is_told_so() {
    // moto draws its line at 405,000 bytes, a little early.
    let Some(moto) = moto() else { return };
    let store = open(&options(moto.port())).await;
    let value = vec![b'x'; 406_000];
    let error = store.set(&key("id"), value.into(), When::Always, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

#[tokio::test]
async fn an_item_has_its_deadline_twice_beside_its_bytes() {
    let Some(moto) = moto() else { return };
    let options = with(&options(moto.port()), "base", json!("sess"));
    let store = open(&options).await;
    put(&store, "a:b", "value", HOUR).await;
    let table = &options["table"];
    let get = json!({ "TableName": table, "Key": { "id": { "S": "sess:a:b" } } });
    let item = curl(moto.port(), "GetItem", &get);
    let number = |name: &str| item["Item"][name]["N"].as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(item["Item"]["value"], json!({ "B": "dmFsdWU=" }));
    assert_eq!(number("deadline").div_ceil(1000), number("expires"));
    put(&store, "a:b", "value", None).await;
    let item = curl(moto.port(), "GetItem", &get);
    assert_eq!(item["Item"].as_object().unwrap().len(), 2, "{item}");
    // Whoever else writes is seen, and what else is written is told.
    let foreign = json!({ "id": { "S": "sess:foreign" }, "value": { "S": "text" } });
    curl(moto.port(), "PutItem", &json!({ "TableName": table, "Item": foreign }));
    let error = store.get(&key("foreign")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

#[tokio::test]
async fn a_new_table_frees_what_expires_by_itself() {
    let Some(moto) = moto() else { return };
    let options = options(moto.port());
    let store = open(&options).await;
    assert!(store.capabilities().native_ttl);
    let table = json!({ "TableName": options["table"] });
    let told = &curl(moto.port(), "DescribeTimeToLive", &table)["TimeToLiveDescription"];
    assert_eq!(*told, json!({ "AttributeName": "expires", "TimeToLiveStatus": "ENABLED" }));
    // It is there already.
    put(&store, "id", "value", None).await;
    assert!(open(&options).await.get(&key("id")).await.unwrap().is_some());
}

#[tokio::test]
async fn bases_share_a_table_and_see_nothing_of_each_other() {
    let Some(dynalite) = dynalite() else { return };
    let options = options(dynalite.port());
    let based = async |base: &str| open(&with(&options, "base", json!(base))).await;
    let (one, other) = (based("one").await, based("/one/two/").await);
    put(&one, "id", "1", None).await;
    put(&other, "id", "2", None).await;
    assert_eq!(one.get(&key("id")).await.unwrap().unwrap().value, "1");
    assert_eq!(listed(&other, "").await, [key("id")]);
    assert_eq!(listed(&one, "").await, [key("id"), key("two:id")]);
    assert_eq!(listed(&based("on").await, "").await, []);
}

#[tokio::test]
async fn a_list_and_a_sweep_go_on_from_page_to_page() {
    // DynamoDB ends a page at one megabyte.
    const COUNT: usize = 12;
    let Some(dynalite) = dynalite() else { return };
    let store = open(&with(&options(dynalite.port()), "sweep", json!(true))).await;
    let long = "x".repeat(300_000);
    for index in 0..COUNT {
        put(&store, &format!("lives:{index}"), &long, HOUR).await;
        put(&store, &format!("expires:{index}"), &long, SHORT).await;
    }
    until("they expire", async || listed(&store, "expires:").await.is_empty()).await;
    assert_eq!(listed(&store, "").await.len(), COUNT);
    let (mut removed, mut calls) = (0, 0);
    loop {
        let swept = store.sweep(2).await.unwrap();
        assert!(swept.removed <= 2, "{swept:?}");
        (removed, calls) = (removed + swept.removed, calls + 1);
        if swept.finished {
            break;
        }
    }
    assert_eq!(removed, COUNT);
    assert!(calls > 6, "{calls} calls");
    assert_eq!(listed(&store, "").await.len(), COUNT);
}

#[tokio::test]
async fn every_call_costs_one_round_trip() {
    let Some(moto) = moto() else { return };
    let proxy = Proxy::start(moto.port());
    let store = open(&options(proxy.port())).await;
    let id = key("id");
    let count = || {
        let trips = proxy.round_trips();
        proxy.reset();
        trips
    };
    count();
    written(store.set(&id, "one".into(), When::Absent, HOUR).await.unwrap());
    assert_eq!(count(), 1, "create");
    let item = store.get(&id).await.unwrap().unwrap();
    assert_eq!(count(), 1, "read");
    written(store.set(&id, "two".into(), When::Version(item.version), HOUR).await.unwrap());
    assert_eq!(count(), 1, "write");
    assert!(store.touch(&id, HOUR).await.unwrap());
    assert_eq!(count(), 1, "touch");
    assert_eq!(store.remove(&id, When::Always).await.unwrap(), RemoveOutcome::Removed);
    assert_eq!(count(), 1, "remove");
}

#[tokio::test]
async fn wrong_credentials_are_told_and_not_shown() {
    let Some(moto) = moto() else { return };
    let options = options(moto.port());
    open(&options).await;
    let options = with(&options, "createTable", json!(false));
    for (name, value) in [("accessKeyId", "AKIASOMEBODYELSE"), ("secretAccessKey", "staple")] {
        let store = open(&with(&options, name, json!(value))).await;
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
async fn a_missing_table_is_told_with_how_to_make_it() {
    let Some(dynalite) = dynalite() else { return };
    let store = open(&with(&options(dynalite.port()), "createTable", json!(false))).await;
    let read = store.get(&key("id")).await.map(|_| ());
    let write = store.set(&key("id"), "x".into(), When::Always, None).await.map(|_| ());
    let list = store.keys("").try_collect::<Vec<_>>().await.map(|_| ());
    for result in [read, write, list] {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains("aws dynamodb create-table"), "{error}");
    }
}

#[tokio::test]
async fn a_table_with_another_key_is_told() {
    let Some(dynalite) = dynalite() else { return };
    let options = with(&options(dynalite.port()), "createTable", json!(false));
    let table = json!({
        "TableName": options["table"],
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    curl(dynalite.port(), "CreateTable", &table);
    let store = open(&options).await;
    until("the table is there", async || {
        let error = store.get(&key("id")).await.unwrap_err().to_string();
        error.contains("is the table's key the string `id`, alone?")
    })
    .await;
}

#[tokio::test]
async fn bad_options_are_refused_by_name() {
    let options = with(&options(1), "createTable", json!(false));
    for (name, value, part) in [
        ("endpoint", json!("nowhere"), "option `endpoint`"),
        ("table", json!(""), "option `table`"),
        ("table", json!(null), "missing field `table`"),
        ("base", json!(".."), "option `base`"),
        ("region", json!(""), "option `region`"),
        ("secretAccessKey", json!(null), "belong together"),
        ("tableName", json!("x"), "did you mean `table`?"),
    ] {
        let options = with(&options, name, value);
        let error = DynamoDb::open(options.as_object().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn options_without_json_open_the_same_store_and_show_no_secret() {
    let Some(moto) = moto() else { return };
    let given = options(moto.port());
    put(&open(&given).await, "id", "value", None).await;
    let mut options = Options::new(given["table"].as_str().unwrap());
    options.endpoint = Some(moto.url());
    options.region = Some(Moto::REGION.into());
    options.access_key_id = Some(Moto::KEY_ID.into());
    options.secret_access_key = Some(Moto::SECRET.into());
    assert!(!format!("{options:?}").contains(Moto::SECRET), "{options:?}");
    let store = DynamoDb::new(options).await.unwrap();
    assert_eq!(store.get(&key("id")).await.unwrap().unwrap().value, "value");
}

#[tokio::test]
async fn a_store_that_was_away_is_used_again() {
    let Some(dynalite) = NodeServer::start("dynalite", "dynalite", &[]) else { return };
    let options = options(dynalite.port());
    let store = open(&options).await;
    put(&store, "id", "value", None).await;
    dynalite.kill();
    let begin = Instant::now();
    let error = store.set(&key("id"), "x".into(), When::Always, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.is_retryable(), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    dynalite.restart();
    // It has forgotten everything, the table too.
    open(&options).await;
    put(&store, "id", "value", None).await;
}
