//! The `azure-storage-table` driver against Azurite, Microsoft's emulator.

use std::sync::Arc;

use crate::azure_support::{
    ACCOUNT_SIGNATURE, HOUR, KEY, WRONG_KEY, away_and_back, key, lets_nobody_in, near_in_an_hour,
    opened, opens_without_json, put, read, refuses, round_trips, sweeps_in_steps,
};
use crate::conformance;
use crate::javascript::Texts;
use bytes::Bytes;
use cloakroom_drivers::azure_storage_table::{AzureStorageTable, Options};
use cloakroom_storage::{DynDriver, ItemKey, RemoveOutcome, When};
use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use interop_peers::{JavaScript, NodeServer, Proxy};
use serde_json::{Value, json};

const NAME: &str = "azure-storage-table";

fn azurite() -> Option<NodeServer> {
    NodeServer::start("azurite", "azurite", &["table"])
}

fn options(port: u16) -> Value {
    with_key(port, KEY)
}

fn with_key(port: u16, key: &str) -> Value {
    let account =
        format!("DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={key}");
    let endpoint = format!("TableEndpoint=http://127.0.0.1:{port}/devstoreaccount1;");
    // JavaScript wants the account's name twice.
    json!({ "connectionString": format!("{account};{endpoint}"), "accountName": "devstoreaccount1" })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entities_obey_every_rule() {
    let Some(azurite) = azurite() else { return };
    let options = options(azurite.port());
    conformance::run(|| opened(NAME, &options)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unstorages_driver_and_ours_share_a_table() {
    let Some(azurite) = azurite() else { return };
    let options = options(azurite.port());
    let driver = opened(NAME, &options).await;
    // JavaScript makes no table.
    put(&driver, "first", "value", None).await;
    let Some(mut theirs) = JavaScript::open(NAME, &options) else { return };
    crate::javascript::both_directions(&driver, &mut theirs, Texts::Any).await;
}

#[tokio::test]
async fn an_entity_has_the_value_as_javascript_writes_it_and_the_deadline_beside_it() {
    let Some(azurite) = azurite() else { return };
    let options = options(azurite.port());
    let driver = opened(NAME, &options).await;
    put(&driver, "shop:it's", "grüße", HOUR).await;
    let Some(mut theirs) = JavaScript::open(NAME, &options) else { return };
    let mut stored = theirs.call("stored", &[json!("shop:it's")]);
    let expires = stored["expires"].take();
    assert_eq!(expires["type"], "Int64");
    assert!(near_in_an_hour(expires["value"].as_str().unwrap().parse().unwrap()), "{expires}");
    assert_eq!(stored["partitionKey"], "unstorage");
    assert_eq!(stored["rowKey"], "shop:it's");
    assert_eq!(stored["unstorageValue"], json!({ "value": "grüße", "type": "String" }));

    theirs.call("setItem", &[json!("shop:it's"), json!("theirs")]);
    assert_eq!(theirs.call("stored", &[json!("shop:it's")]).get("expires"), None);
    let bytes = Bytes::from_static(&[0, 255, 128]);
    _ = driver.set(&key("bytes"), bytes.clone(), When::Always, None).await.unwrap();
    assert_eq!(theirs.call("getItemRaw", &[json!("bytes")]), json!([0, 255, 128]));
}

#[tokio::test]
async fn a_missing_table_reads_as_empty_and_is_made_by_the_first_write() {
    let Some(azurite) = azurite() else { return };
    let mut options = options(azurite.port());
    options["tableName"] = json!("sessions");
    options["partitionKey"] = json!("of one's own");
    let driver = opened(NAME, &options).await;
    assert_eq!(read(&driver, "id").await, None);
    assert!(!driver.touch(&key("id"), HOUR).await.unwrap());
    assert_eq!(driver.remove(&key("id"), When::Always).await.unwrap(), RemoveOutcome::Missing);
    assert!(driver.sweep(10).await.unwrap().finished);
    // Several at once: one makes it, and the others find it made.
    let puts = ["a", "b", "c", "d"].map(|name| put(&driver, name, "value", None));
    join_all(puts).await;
    assert_eq!(read(&driver, "d").await.as_deref(), Some("value"));
}

#[tokio::test]
async fn keys_are_listed_page_by_page() {
    let Some(azurite) = azurite() else { return };
    let mut options = options(azurite.port());
    options["pageSize"] = json!(3);
    let driver = opened(NAME, &options).await;
    for index in 0..10 {
        put(&driver, &format!("a:{index}"), "value", HOUR).await;
        put(&driver, &format!("b:{index}"), "value", HOUR).await;
    }
    let keys: Vec<ItemKey> = driver.keys("a:").try_collect().await.unwrap();
    assert_eq!(keys, (0..10).map(|index| key(&format!("a:{index}"))).collect::<Vec<_>>());
    assert_eq!(driver.keys("").try_collect::<Vec<_>>().await.unwrap().len(), 20);
}

#[tokio::test]
async fn a_shared_access_signature_lets_in() {
    let Some(azurite) = azurite() else { return };
    let account = format!("http://127.0.0.1:{}/devstoreaccount1", azurite.port());
    let connection = format!("TableEndpoint={account};SharedAccessSignature={ACCOUNT_SIGNATURE}");
    let driver = opened(NAME, &json!({ "connectionString": connection })).await;
    put(&driver, "id", "value", HOUR).await;
    assert_eq!(read(&driver, "id").await.as_deref(), Some("value"));
    let keys: Vec<ItemKey> = driver.keys("i").try_collect().await.unwrap();
    assert_eq!(keys, [key("id")]);
    assert!(!format!("{driver:?}").contains("sig="), "{driver:?}");
}

#[tokio::test]
async fn a_wrong_key_is_no_missing_item() {
    let Some(azurite) = azurite() else { return };
    lets_nobody_in(NAME, &with_key(azurite.port(), WRONG_KEY)).await;
}

#[tokio::test]
async fn expired_entities_are_swept_in_steps() {
    let Some(azurite) = azurite() else { return };
    sweeps_in_steps(&opened(NAME, &options(azurite.port())).await).await;
}

#[tokio::test]
async fn options_without_json_open_the_same_store_and_show_no_secret() {
    let Some(azurite) = azurite() else { return };
    let given = options(azurite.port());
    let options = Options::new(given["connectionString"].as_str().unwrap());
    let open = |options| Arc::new(AzureStorageTable::new(options).unwrap()) as DynDriver;
    opens_without_json(NAME, &given, options, open).await;
}

#[tokio::test]
async fn options_that_cannot_be_are_named() {
    refuses(
        NAME,
        &[
            (json!({}), "there are no credentials"),
            (json!({ "accountKey": "c2VjcmV0" }), "option `accountName` is missing"),
            (
                json!({ "accountName": "a", "accountKey": "c2VjcmV0!" }),
                "option `accountKey`: the key must be base64",
            ),
            (json!({ "accountName": "a", "sasUrl": "c2VjcmV0" }), "no such option `sasUrl`"),
            (
                json!({ "accountName": "a", "sasKey": "c2VjcmV0", "pageSize": 1001 }),
                "option `pageSize`: it must be from 1 to 1000",
            ),
            (
                json!({ "accountName": "a", "sasKey": "c2VjcmV0", "tableName": "a-b" }),
                "option `tableName`: a table's name",
            ),
            (json!({ "connectionString": "AccountKey=c2VjcmV0" }), "has no `AccountName`"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_away_is_an_error_and_used_again_when_it_is_back() {
    let Some(azurite) = azurite() else { return };
    away_and_back(NAME, &options(azurite.port()), &azurite, true).await;
}

#[tokio::test]
async fn reads_and_writes_cost_one_round_trip_touches_and_removals_two() {
    let Some(azurite) = azurite() else { return };
    let proxy = Proxy::start(azurite.port());
    let driver = opened(NAME, &options(proxy.port())).await;
    // The fifth is a write on a version from before a touch.
    assert_eq!(round_trips(&driver, &proxy).await, [1, 1, 1, 2, 3, 2]);
}
