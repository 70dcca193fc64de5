//! The `azure-storage-blob` driver against Azurite, Microsoft's emulator.

use std::sync::Arc;

use crate::azure_support::{
    ACCOUNT_SIGNATURE, HOUR, KEY, WRONG_KEY, away_and_back, key, lets_nobody_in,
    lists_page_by_page, near_in_an_hour, opened, opens_without_json, put, read, refuses,
    round_trips, sweeps_in_steps,
};
use crate::conformance;
use crate::javascript::Texts;
use bytes::Bytes;
use cloakroom_drivers::azure_storage_blob::{AzureStorageBlob, Options};
use cloakroom_storage::{DynDriver, ErrorKind, ItemKey, RemoveOutcome, When};
use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use interop_peers::{JavaScript, NodeServer, Proxy};
use serde_json::{Value, json};

const NAME: &str = "azure-storage-blob";

/// As Microsoft's client for JavaScript made them with the emulators' key, to be good until 2099: for the container
/// `unstorage`, and for reading in it alone.
const CONTAINER_SIGNATURE: &str = "sv=2021-12-02&se=2099-01-01T00%3A00%3A00Z&sr=c&sp=racwdl&sig=shJ%2BT1miIwgb8zBahiD6h8gntBm5q1wZNGqTz2t9RRo%3D";
const READING_SIGNATURE: &str = "sv=2021-12-02&se=2099-01-01T00%3A00%3A00Z&sr=c&sp=r&sig=MrUJV%2BpZ6dG%2BXh2uD%2Bz3SlVyCeO4sJm5oXUfswoMHkA%3D";

fn azurite() -> Option<NodeServer> {
    NodeServer::start("azurite", "azurite", &["blob"])
}

fn options(port: u16) -> Value {
    with_key(port, KEY)
}

fn with_key(port: u16, key: &str) -> Value {
    let account =
        format!("DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={key}");
    let endpoint = format!("BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;");
    json!({ "connectionString": format!("{account};{endpoint}") })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blobs_obey_every_rule() {
    let Some(azurite) = azurite() else { return };
    let options = options(azurite.port());
    conformance::run(|| opened(NAME, &options)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unstorages_driver_and_ours_share_a_container() {
    let Some(azurite) = azurite() else { return };
    let options = options(azurite.port());
    let driver = opened(NAME, &options).await;
    // JavaScript makes the container and does not wait for it.
    put(&driver, "first", "value", None).await;
    let Some(mut theirs) = JavaScript::open(NAME, &options) else { return };
    crate::javascript::both_directions(&driver, &mut theirs, Texts::Any).await;
}

#[tokio::test]
async fn a_blob_has_the_bytes_and_the_deadline_in_its_metadata() {
    let Some(azurite) = azurite() else { return };
    let options = options(azurite.port());
    let driver = opened(NAME, &options).await;
    put(&driver, "shop:id", "grüße", HOUR).await;
    let Some(mut theirs) = JavaScript::open(NAME, &options) else { return };
    let stored = theirs.call("stored", &[json!("shop:id")]);
    assert_eq!(stored["blobType"], "BlockBlob");
    assert_eq!(stored["contentLength"], 7);
    let expires: u128 = stored["metadata"]["expires"].as_str().unwrap().parse().unwrap();
    assert!(near_in_an_hour(expires), "{expires}");

    assert!(driver.touch(&key("shop:id"), None).await.unwrap());
    assert_eq!(theirs.call("stored", &[json!("shop:id")])["metadata"], json!({}));
    let bytes = Bytes::from_static(&[0, 255, 128]);
    _ = driver.set(&key("bytes"), bytes.clone(), When::Always, None).await.unwrap();
    assert_eq!(theirs.call("getItemRaw", &[json!("bytes")]), json!([0, 255, 128]));
    theirs.call("setItemRaw", &[json!("bytes"), json!([255, 254])]);
    assert_eq!(driver.get(&key("bytes")).await.unwrap().unwrap().value.as_ref(), [255, 254]);
}

#[tokio::test]
async fn a_missing_container_reads_as_empty_and_is_made_by_the_first_write() {
    let Some(azurite) = azurite() else { return };
    let mut options = options(azurite.port());
    options["containerName"] = json!("sessions");
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
    lists_page_by_page(&opened(NAME, &options(azurite.port())).await).await;
}

#[tokio::test]
async fn a_shared_access_signature_lets_in_where_it_permits() {
    let Some(azurite) = azurite() else { return };
    let with_key = opened(NAME, &options(azurite.port())).await;
    put(&with_key, "id", "value", HOUR).await;
    let account = format!("http://127.0.0.1:{}/devstoreaccount1", azurite.port());
    let connection = format!("BlobEndpoint={account};SharedAccessSignature={ACCOUNT_SIGNATURE}");
    for options in [
        json!({ "sasUrl": format!("{account}?{ACCOUNT_SIGNATURE}") }),
        json!({ "sasUrl": format!("{account}/unstorage?{CONTAINER_SIGNATURE}"), "containerName": "unstorage" }),
        json!({ "connectionString": connection }),
    ] {
        let driver = opened(NAME, &options).await;
        assert_eq!(read(&driver, "id").await.as_deref(), Some("value"), "{driver:?}");
        put(&driver, "other", "value", HOUR).await;
        assert!(driver.touch(&key("id"), HOUR).await.unwrap());
        let keys: Vec<ItemKey> = driver.keys("i").try_collect().await.unwrap();
        assert_eq!(keys, [key("id")]);
        assert!(!format!("{driver:?}").contains("sig="), "{driver:?}");
    }
    let options = json!({ "sasUrl": format!("{account}/unstorage?{READING_SIGNATURE}"), "containerName": "unstorage" });
    let reader = opened(NAME, &options).await;
    assert_eq!(read(&reader, "id").await.as_deref(), Some("value"));
    let refused = reader.set(&key("id"), "x".into(), When::Always, None).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied, "{refused}");
    assert!(!format!("{refused} {refused:?}").contains("sig="), "{refused:?}");
}

#[tokio::test]
async fn a_wrong_key_is_no_missing_item() {
    let Some(azurite) = azurite() else { return };
    lets_nobody_in(NAME, &with_key(azurite.port(), WRONG_KEY)).await;
}

#[tokio::test]
async fn expired_blobs_are_swept_in_steps() {
    let Some(azurite) = azurite() else { return };
    sweeps_in_steps(&opened(NAME, &options(azurite.port())).await).await;
}

#[tokio::test]
async fn options_without_json_open_the_same_store_and_show_no_secret() {
    let Some(azurite) = azurite() else { return };
    let given = options(azurite.port());
    let options = Options::new(given["connectionString"].as_str().unwrap());
    let open = |options| Arc::new(AzureStorageBlob::new(options).unwrap()) as DynDriver;
    opens_without_json(NAME, &given, options, open).await;
}

#[tokio::test]
async fn options_that_cannot_be_are_named() {
    refuses(
        NAME,
        &[
            (json!({}), "there are no credentials"),
            (json!({ "accountName": "a" }), "there are no credentials"),
            (json!({ "accountKey": "c2VjcmV0" }), "option `accountName` is missing"),
            (
                json!({ "accountName": "a", "accountKey": "c2VjcmV0!" }),
                "option `accountKey`: the key must be base64",
            ),
            (json!({ "accountname": "a" }), "did you mean `accountName`?"),
            (json!({ "sasUrl": "https://a.example/c2VjcmV0" }), "option `sasUrl` has no signature"),
            (
                json!({ "sasUrl": "a.example?sig=c2VjcmV0" }),
                "option `sasUrl`: it must be a whole URL",
            ),
            (json!({ "connectionString": "AccountKey=c2VjcmV0" }), "has no `AccountName`"),
            (json!({ "connectionString": "AccountName=a" }), "has no `AccountKey`"),
            (json!({ "connectionString": "c2VjcmV0" }), "has no `AccountName`"),
        ],
    )
    .await;
    for options in [
        json!({ "connectionString": "UseDevelopmentStorage=true" }),
        json!({ "connectionString": "AccountName=a;AccountKey=c2VjcmV0;EndpointSuffix=core.windows.net;" }),
        json!({ "accountName": "a", "accountKey": "c2VjcmV0", "endpointSuffix": ".blob.core.chinacloudapi.cn" }),
        json!({ "accountName": "a", "sasKey": "?sv=1&sig=c2VjcmV0", "containerName": null }),
    ] {
        let driver = opened(NAME, &options).await;
        assert!(!format!("{driver:?}").contains("c2VjcmV0"), "{driver:?}");
    }
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
