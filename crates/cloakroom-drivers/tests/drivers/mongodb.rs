//! The `mongodb` driver against a server that speaks MongoDB's protocol, beside unstorage's own driver.

use std::sync::Arc;
use std::time::Duration;

use crate::conformance;
use crate::javascript::{Texts, both_directions};
use crate::mongodb_support::{LONG, bare, client, key, on, put, read, until, written};
use cloakroom_drivers::mongodb::{MongoDb, Options};
use cloakroom_storage::{Driver, DynDriver, ErrorKind, RemoveOutcome, SetOutcome, When};
use futures_util::TryStreamExt as _;
use interop_peers::{JavaScript, MongoDb as Peer, Proxy};
use mongodb::bson::{Bson, Document, doc};
use mongodb::{Collection, IndexModel};
use serde_json::json;

const SHORT: Option<Duration> = Some(Duration::from_millis(300));

fn javascript(peer: &Peer) -> Option<JavaScript> {
    JavaScript::open("mongodb", &json!({ "connectionString": peer.url() }))
}

/// What is in the collection, as MongoDB's own client sees it.
async fn documents(peer: &Peer) -> Collection<Document> {
    client(peer).await.database("unstorage").collection("unstorage")
}

async fn document(collection: &Collection<Document>, name: &str) -> Document {
    collection.find_one(doc! { "key": name }).await.unwrap().unwrap()
}

/// Waits until what was written with a ttl of [`SHORT`] before this call has expired.
async fn let_short_pass(driver: &dyn Driver) {
    put(driver, "clock", "tick", SHORT).await;
    until("expired", async || read(driver, "clock").await.unwrap().is_none()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_collection_obeys_every_rule() {
    let Some(peer) = Peer::start() else { return };
    conformance::run(async || Arc::new(on(&peer).await) as DynDriver).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_drivers_see_the_same_items() {
    let Some(peer) = Peer::start() else { return };
    let Some(mut javascript) = javascript(&peer) else { return };
    let ours: DynDriver = Arc::new(on(&peer).await);
    both_directions(&ours, &mut javascript, Texts::Any).await;
}

#[tokio::test]
async fn a_document_is_what_javascript_would_have_written() {
    let Some(peer) = Peer::start() else { return };
    let Some(mut javascript) = javascript(&peer) else { return };
    let (rust, collection) = (on(&peer).await, documents(&peer).await);
    javascript.call("setItem", &[json!("a"), json!("by JavaScript")]);
    let theirs = document(&collection, "a").await;
    put(&rust, "b", "by Rust", None).await;
    assert_eq!(shape(&document(&collection, "b").await), shape(&theirs));
    let created = When::Absent;
    written(rust.set(&key("c"), "$by Rust".into(), created, None).await.unwrap());
    let ours = document(&collection, "c").await;
    assert_eq!(shape(&ours), shape(&theirs));
    assert_eq!(ours.get_str("value").unwrap(), "$by Rust");

    put(&rust, "a", "by Rust", LONG).await;
    let replaced = document(&collection, "a").await;
    for field in ["_id", "createdAt"] {
        assert_eq!(replaced.get(field), theirs.get(field), "{field}");
    }
    assert!(
        replaced.get_datetime("modifiedAt").unwrap() >= theirs.get_datetime("modifiedAt").unwrap()
    );
    assert_eq!(replaced.get_str("value").unwrap(), "by Rust");
    assert!(rust.touch(&key("a"), None).await.unwrap());
    let mut touched = replaced;
    for field in ["expiresAt", "expiresValue"] {
        assert!(touched.remove(field).is_some());
    }
    assert_eq!(document(&collection, "a").await, touched, "a touch changes nothing else");
}

/// The names and the types of a document's fields.
fn shape(document: &Document) -> Vec<(&str, &str)> {
    let mut shape: Vec<_> = document
        .iter()
        .map(|(name, value)| match value {
            Bson::ObjectId(_) => (name.as_str(), "an ID"),
            Bson::String(_) => (name.as_str(), "a string"),
            Bson::DateTime(_) => (name.as_str(), "a date"),
            _ => (name.as_str(), "something else"),
        })
        .collect();
    shape.sort_unstable();
    shape
}

#[tokio::test]
async fn bytes_that_are_no_text_are_those_of_set_item_raw() {
    let Some(peer) = Peer::start() else { return };
    let Some(mut javascript) = javascript(&peer) else { return };
    let rust = on(&peer).await;
    let bytes = [0_u8, 0xff, 0x80, b'a'];
    javascript.call("setItemRaw", &[json!("theirs"), json!(bytes)]);
    let item = rust.get(&key("theirs")).await.unwrap().unwrap();
    assert_eq!(item.value, bytes.as_slice());
    let when = When::Version(item.version);
    written(rust.set(&key("theirs"), "text".into(), when, None).await.unwrap());
    written(rust.set(&key("ours"), bytes.to_vec().into(), When::Always, None).await.unwrap());
    javascript.call("setItemRaw", &[json!("theirs"), json!(bytes)]);
    let ours = javascript.call("getItem", &[json!("ours")]);
    assert_eq!(ours, javascript.call("getItem", &[json!("theirs")]));
}

#[tokio::test]
async fn a_document_without_a_text_is_missing_or_said_to_be_foreign() {
    let Some(peer) = Peer::start() else { return };
    let (rust, collection) = (on(&peer).await, documents(&peer).await);
    for empty in [doc! { "key": "a" }, doc! { "key": "b", "value": null }] {
        let name = empty.get_str("key").unwrap().to_owned();
        collection.insert_one(empty).await.unwrap();
        assert_eq!(read(&rust, &name).await.unwrap(), None);
        written(rust.set(&key(&name), "new".into(), When::Absent, None).await.unwrap());
        assert_eq!(read(&rust, &name).await.unwrap().as_deref(), Some("new"));
    }
    collection.insert_one(doc! { "key": "n", "value": 7 }).await.unwrap();
    assert_eq!(read(&rust, "n").await.unwrap_err().kind(), ErrorKind::Corrupt);
    put(&rust, "n", "new", None).await;
    assert_eq!(read(&rust, "n").await.unwrap().as_deref(), Some("new"));
}

#[tokio::test]
async fn a_sweep_leaves_what_javascript_wrote_over_and_forgets_its_deadline() {
    let Some(peer) = Peer::start() else { return };
    let Some(mut javascript) = javascript(&peer) else { return };
    let (rust, collection) = (on(&peer).await, documents(&peer).await);
    put(&rust, "written-over", "old", SHORT).await;
    put(&rust, "left-alone", "old", SHORT).await;
    put(&rust, "alive", "old", LONG).await;
    javascript.call("setItem", &[json!("written-over"), json!("new")]);
    let_short_pass(&rust).await;
    assert_eq!(
        javascript.call("hasItem", &[json!("left-alone")]),
        json!(true),
        "until it is swept"
    );

    let swept = rust.sweep(100).await.unwrap();
    assert_eq!((swept.removed, swept.examined, swept.finished), (2, 2, true));
    assert_eq!(javascript.call("hasItem", &[json!("left-alone")]), json!(false));
    assert_eq!(read(&rust, "written-over").await.unwrap().as_deref(), Some("new"));
    let written_over = document(&collection, "written-over").await;
    assert!(!written_over.contains_key("expiresAt") && !written_over.contains_key("expiresValue"));
    let alive = document(&collection, "alive").await;
    assert_eq!(alive.get_str("expiresValue").unwrap(), "old");
    assert!(matches!(alive.get("expiresAt"), Some(Bson::DateTime(_))));
}

#[tokio::test]
async fn a_sweep_keeps_to_its_budget_over_several_commands() {
    let Some(peer) = Peer::start() else { return };
    let (rust, collection) = (on(&peer).await, documents(&peer).await);
    put(&rust, "alive", "value", LONG).await;
    let past = mongodb::bson::DateTime::from_millis(1000);
    let expired = (0..600).map(|index| {
        doc! { "key": format!("e{index}"), "value": "x", "expiresAt": past, "expiresValue": "x" }
    });
    collection.insert_many(expired).await.unwrap();
    let swept = rust.sweep(550).await.unwrap();
    assert_eq!((swept.removed, swept.finished), (550, false));
    let swept = rust.sweep(550).await.unwrap();
    assert_eq!((swept.removed, swept.finished), (50, true));
    assert_eq!(collection.count_documents(doc! {}).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_indexes_are_made_once_by_the_first_of_many_writers() {
    let Some(peer) = Peer::start() else { return };
    let starts = (0..8).map(|index| {
        let url = peer.url();
        tokio::spawn(async move {
            let rust = MongoDb::new(Options::new(url)).await.unwrap();
            put(&rust, &index.to_string(), "x", LONG).await;
        })
    });
    futures_util::future::join_all(starts).await.into_iter().for_each(Result::unwrap);
    let indexes: Vec<IndexModel> =
        documents(&peer).await.list_indexes().await.unwrap().try_collect().await.unwrap();
    let mut found: Vec<_> = indexes
        .iter()
        .map(|index| {
            let options = index.options.clone().unwrap_or_default();
            let expires = options.expire_after;
            (
                index.keys.clone(),
                options.unique.unwrap_or(false),
                options.sparse.unwrap_or(false),
                expires,
            )
        })
        .collect();
    found.sort_by_key(|(keys, ..)| keys.to_string());
    let expected = [
        (doc! { "_id": 1 }, false, false, None),
        (doc! { "expiresAt": 1 }, false, true, None),
        (doc! { "key": 1 }, true, false, None),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_indexes_of_a_collection_that_was_dropped_are_made_again_by_a_sweep() {
    let Some(peer) = Peer::start() else { return };
    let rust = on(&peer).await;
    put(&rust, "before", "x", LONG).await;
    documents(&peer).await.drop().await.unwrap();
    put(&rust, "after", "x", LONG).await;
    assert!(rust.sweep(100).await.unwrap().finished);
    let keys = document(&documents(&peer).await, "after").await.get_str("key").map(str::to_owned);
    let twice =
        documents(&peer).await.insert_one(doc! { "key": keys.unwrap(), "value": "y" }).await;
    assert!(twice.is_err(), "an item is there twice");
}

#[tokio::test]
async fn documents_of_one_key_are_said_to_be_in_the_way_of_the_index() {
    let Some(peer) = Peer::start() else { return };
    let collection = documents(&peer).await;
    for value in ["one", "other"] {
        collection.insert_one(doc! { "key": "secret-id", "value": value }).await.unwrap();
    }
    let rust = on(&peer).await;
    for _ in 0..2 {
        let set = rust.set(&key("other"), "x".into(), When::Always, None).await;
        let error = set.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains("several documents of one `key`"), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        assert!(error.is_unapplied());
    }
    collection.delete_one(doc! { "value": "other" }).await.unwrap();
    put(&rust, "other", "x", None).await;
    assert_eq!(read(&rust, "secret-id").await.unwrap().as_deref(), Some("one"));
}

#[tokio::test]
async fn an_index_of_another_kind_is_said_to_be_in_the_way() {
    let Some(peer) = Peer::start() else { return };
    let plain = IndexModel::builder().keys(doc! { "key": 1 }).build();
    documents(&peer).await.create_index(plain).await.unwrap();
    let rust = on(&peer).await;
    let error = rust.set(&key("a"), "x".into(), When::Always, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
    assert!(error.to_string().contains("not unique"), "{error}");
}

#[tokio::test]
async fn without_migrate_the_index_has_to_be_there() {
    let Some(peer) = Peer::start() else { return };
    let options = json!({ "connectionString": peer.url(), "migrate": false });
    let rust = bare(options).await;
    assert_eq!(read(&rust, "a").await.unwrap(), None, "reading needs none");
    let error = rust.set(&key("a"), "x".into(), When::Absent, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
    assert!(error.to_string().contains("createIndex({ key: 1 }, { unique: true })"), "{error}");
    put(&on(&peer).await, "b", "x", None).await;
    put(&rust, "a", "x", None).await;
}

#[tokio::test]
async fn every_operation_takes_one_round_trip() {
    let Some(peer) = Peer::start() else { return };
    let proxy = Proxy::start(peer.port());
    let url = peer.url().replace(&peer.port().to_string(), &proxy.port().to_string());
    // The client's own look at the server's state would be counted too.
    let client = json!({ "heartbeatFrequencyMS": 600_000, "serverMonitoringMode": "poll" });
    let rust = bare(json!({ "connectionString": url, "clientOptions": client })).await;
    let mut version = put(&rust, "a", "0", LONG).await;
    let id = key("a");
    let mut count = async |what: &str, trips: u64, call: Call| {
        proxy.reset();
        match call {
            Call::Get => assert!(rust.get(&id).await.unwrap().is_some()),
            Call::GetWithTtl => assert!(rust.get_with_ttl(&id).await.unwrap().is_some()),
            Call::Touch => assert!(rust.touch(&id, LONG).await.unwrap()),
            Call::Set(when) => {
                let outcome = rust.set(&id, "1".into(), when, LONG).await.unwrap();
                if let SetOutcome::Written { version: newer } = outcome {
                    version = newer;
                }
            }
            Call::Remove(when, outcome) => {
                assert_eq!(rust.remove(&id, when).await.unwrap(), outcome);
            }
        }
        assert_eq!(proxy.round_trips(), trips, "{what}");
        version.clone()
    };
    let old = count("get", 1, Call::Get).await;
    count("get_with_ttl", 1, Call::GetWithTtl).await;
    count("touch", 1, Call::Touch).await;
    count("set", 1, Call::Set(When::Always)).await;
    count("a stale update", 1, Call::Set(When::Version(old.clone()))).await;
    let stale = Call::Remove(When::Version(old), RemoveOutcome::Conflict);
    let current = count("a stale removal", 2, stale).await;
    let current = count("an update", 1, Call::Set(When::Version(current))).await;
    count("a creation of what is there", 1, Call::Set(When::Absent)).await;
    let removal = Call::Remove(When::Version(current), RemoveOutcome::Removed);
    count("a removal of a version", 1, removal).await;
    count("a creation", 1, Call::Set(When::Absent)).await;
    count("a removal", 1, Call::Remove(When::Always, RemoveOutcome::Removed)).await;
}

enum Call {
    Get,
    GetWithTtl,
    Touch,
    Set(When),
    Remove(When, RemoveOutcome),
}
