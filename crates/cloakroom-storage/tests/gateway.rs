//! A gateway whose store is away says "not found" of everything. That ends nobody's session.
#![cfg(all(
    feature = "azure-cosmos",
    feature = "azure-storage-blob",
    feature = "azure-storage-table",
    feature = "cloudflare-kv-http",
    feature = "dynamodb",
    feature = "gcs",
    feature = "s3"
))]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use cloakroom_storage::{ItemKey, Limits, When, open_with_limits};
use serde_json::{Value, json};

/// The address of a gateway, which answers as long as the test lasts.
fn gateway() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1)
            {
                head.push(byte[0]);
            }
            let page = "<h1>404 Not Found</h1>";
            let length = page.len();
            // Who has left hears nothing.
            _ = write!(
                client,
                "HTTP/1.1 404 Not Found\r\ncontent-type: text/html\r\ncontent-length: {length}\r\n\
                 connection: close\r\n\r\n{page}"
            );
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_gateways_404_is_no_missing_item() {
    let url = gateway();
    let secret = "c2VjcmV0";
    let cases: [(&str, Value); 7] = [
        ("azure-cosmos", json!({ "endpoint": url, "accountKey": secret })),
        (
            "azure-storage-blob",
            json!({ "connectionString": format!("AccountName=a;AccountKey={secret};BlobEndpoint={url}/a") }),
        ),
        (
            "azure-storage-table",
            json!({ "connectionString": format!("AccountName=a;AccountKey={secret};TableEndpoint={url}/a") }),
        ),
        (
            "cloudflare-kv-http",
            json!({ "apiURL": url, "accountId": "a", "namespaceId": "n", "apiToken": secret }),
        ),
        ("gcs", json!({ "bucket": "sessions", "endpoint": url })),
        (
            "s3",
            json!({
                "accessKeyId": "a", "secretAccessKey": secret, "endpoint": url, "bucket": "sessions", "region": "auto",
            }),
        ),
        (
            "dynamodb",
            json!({
                "accessKeyId": "a", "secretAccessKey": secret, "endpoint": url, "table": "sessions", "region": "auto",
            }),
        ),
    ];
    let limits = Limits { retries: 0, ..Limits::default() };
    let key = ItemKey::new("id").unwrap();
    for (name, options) in cases {
        let driver = open_with_limits(name, options.as_object().unwrap(), limits).await;
        let driver = driver.unwrap_or_else(|error| panic!("{name}: {error}"));
        let read = driver.get(&key).await.map(|item| item.is_some());
        assert!(read.is_err(), "{name}: reads {read:?}");
        let removed = driver.remove(&key, When::Always).await;
        assert!(removed.is_err(), "{name}: removes {removed:?}");
        let touched = driver.touch(&key, None).await;
        assert!(touched.is_err(), "{name}: touches {touched:?}");
    }
}
