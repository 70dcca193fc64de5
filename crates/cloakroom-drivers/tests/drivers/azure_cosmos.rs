//! The `azure-cosmos` driver against Vercel's emulator of Cosmos DB.

use std::sync::Arc;

use crate::azure_support::{
    HOUR, KEY, WRONG_KEY, away_and_back, key, lets_nobody_in, lists_page_by_page, near_in_an_hour,
    opened, opens_without_json, put, read, refuses, round_trips, sweeps_in_steps,
};
use crate::conformance;
use crate::javascript::Texts;
use bytes::Bytes;
use cloakroom_drivers::azure_cosmos::{AzureCosmos, Options};
use cloakroom_storage::{DynDriver, ItemKey, When};
use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use interop_peers::{JavaScript, NodeServer, Proxy};
use serde_json::{Value, json};

const NAME: &str = "azure-cosmos";

fn cosmosdb() -> Option<NodeServer> {
    NodeServer::start("cosmosdb", "@vercel/cosmosdb-server", &[KEY])
}

fn options(port: u16) -> Value {
    json!({ "endpoint": format!("http://127.0.0.1:{port}/"), "accountKey": KEY })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_obey_every_rule() {
    let Some(cosmosdb) = cosmosdb() else { return };
    let options = options(cosmosdb.port());
    conformance::run(|| opened(NAME, &options)).await;
}

/// JavaScript's query for its keys, `SELECT { id } from c`, is one that the emulator does not understand.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unstorages_driver_and_ours_share_a_container() {
    let Some(cosmosdb) = cosmosdb() else { return };
    let options = options(cosmosdb.port());
    // Whoever comes first makes the container.
    let Some(mut theirs) = JavaScript::open(NAME, &options) else { return };
    theirs.call("setItem", &[json!("first"), json!("value")]);
    let driver = opened(NAME, &options).await;
    crate::javascript::items_in_both_directions(&driver, &mut theirs, Texts::Any).await;
    put(&driver, "shop:ours", "value", HOUR).await;
    theirs.call("setItem", &[json!("shop:theirs"), json!("value")]);
    let mut keys: Vec<ItemKey> = driver.keys("shop:").try_collect().await.unwrap();
    keys.sort();
    assert_eq!(keys, [key("shop:ours"), key("shop:theirs")]);
}

#[tokio::test]
async fn a_document_is_as_javascript_writes_it_with_its_deadline_beside() {
    let Some(cosmosdb) = cosmosdb() else { return };
    let options = options(cosmosdb.port());
    let driver = opened(NAME, &options).await;
    put(&driver, "shop:id", "grüße", HOUR).await;
    let Some(mut theirs) = JavaScript::open(NAME, &options) else { return };
    let stored = theirs.call("stored", &[json!("shop:id")]);
    assert_eq!(stored["container"]["partitionKey"]["paths"], json!(["/_partitionKey"]));
    assert_eq!(stored["container"]["defaultTtl"], -1);
    let document = &stored["document"];
    assert_eq!(document["id"], "shop:id");
    assert_eq!(document["value"], "grüße");
    let modified = document["modified"].as_str().unwrap();
    assert!(modified.len() == 24 && modified.ends_with('Z'), "{modified}");
    let expires = document["expires"].as_u64().unwrap();
    assert!(near_in_an_hour(expires.into()), "{expires}");
    let ttl = document["ttl"].as_u64().unwrap();
    assert!((3500..=3601).contains(&ttl), "{ttl}");

    assert!(driver.touch(&key("shop:id"), None).await.unwrap());
    assert_eq!(theirs.call("stored", &[json!("shop:id")])["document"]["ttl"], -1);
    theirs.call("setItem", &[json!("shop:id"), json!("theirs")]);
    let document = &theirs.call("stored", &[json!("shop:id")])["document"];
    assert!(document.get("ttl").is_none() && document.get("expires").is_none(), "{document}");

    let bytes = Bytes::from_static(&[0, 255, 128]);
    _ = driver.set(&key("bytes"), bytes.clone(), When::Always, None).await.unwrap();
    assert_eq!(theirs.call("getItemRaw", &[json!("bytes")]), json!([0, 255, 128]));
    put(&driver, "text", "base64:AP+A", None).await;
    assert_eq!(read(&driver, "text").await.as_deref(), Some("base64:AP+A"), "a text stays one");
}

#[tokio::test]
async fn a_missing_container_is_made_by_the_first_call() {
    let Some(cosmosdb) = cosmosdb() else { return };
    let mut options = options(cosmosdb.port());
    options["databaseName"] = json!("a site");
    options["containerName"] = json!("its sessions");
    let driver = opened(NAME, &options).await;
    // Several at once: one makes it, and the others find it made.
    let puts = ["a", "b", "c", "d"].map(|name| put(&driver, name, "value", None));
    join_all(puts).await;
    assert_eq!(read(&opened(NAME, &options).await, "d").await.as_deref(), Some("value"));
}

#[tokio::test]
async fn keys_are_listed_page_by_page() {
    let Some(cosmosdb) = cosmosdb() else { return };
    lists_page_by_page(&opened(NAME, &options(cosmosdb.port())).await).await;
}

#[tokio::test]
async fn a_wrong_key_is_no_missing_item() {
    let Some(cosmosdb) = cosmosdb() else { return };
    let mut options = options(cosmosdb.port());
    options["accountKey"] = json!(WRONG_KEY);
    lets_nobody_in(NAME, &options).await;
}

#[tokio::test]
async fn expired_documents_are_swept_in_steps() {
    let Some(cosmosdb) = cosmosdb() else { return };
    sweeps_in_steps(&opened(NAME, &options(cosmosdb.port())).await).await;
}

#[tokio::test]
async fn options_without_json_open_the_same_store_and_show_no_secret() {
    let Some(cosmosdb) = cosmosdb() else { return };
    let given = options(cosmosdb.port());
    let options = Options::new(given["endpoint"].as_str().unwrap(), KEY);
    let open = |options| Arc::new(AzureCosmos::new(options).unwrap()) as DynDriver;
    opens_without_json(NAME, &given, options, open).await;
}

#[tokio::test]
async fn options_that_cannot_be_are_named() {
    let endpoint = "https://a.documents.azure.com:443/";
    refuses(
        NAME,
        &[
            (json!({}), "missing field `endpoint`"),
            (json!({ "endpoint": endpoint }), "option `accountKey` is missing"),
            (
                json!({ "endpoint": "a.documents.azure.com", "accountKey": "c2VjcmV0" }),
                "option `endpoint`: it must be a whole URL",
            ),
            (
                json!({ "endpoint": endpoint, "accountKey": "c2VjcmV0!" }),
                "option `accountKey`: the key must be base64",
            ),
            (
                json!({ "endpoint": endpoint, "accountKey": "c2VjcmV0", "databaseName": "a/b" }),
                "option `databaseName`: this is no name",
            ),
            (json!({ "endpoint": endpoint, "key": "c2VjcmV0" }), "no such option `key`"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_away_is_an_error_and_used_again_when_it_is_back() {
    let Some(cosmosdb) = cosmosdb() else { return };
    away_and_back(NAME, &options(cosmosdb.port()), &cosmosdb, false).await;
}

#[tokio::test]
async fn every_call_but_a_removal_costs_one_round_trip() {
    let Some(cosmosdb) = cosmosdb() else { return };
    let proxy = Proxy::start(cosmosdb.port());
    let driver = opened(NAME, &options(proxy.port())).await;
    // The fifth is a write on a version from before a touch.
    assert_eq!(round_trips(&driver, &proxy).await, [1, 1, 1, 1, 3, 2]);
}
