//! A gateway whose store is away says "not found" of everything, or shows a page. That ends nobody's session, and saves none.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use cloakroom_drivers::open_with_limits;
use cloakroom_storage::{DynDriver, ItemKey, Limits, When};
use serde_json::{Value, json};

/// The address of a gateway, which answers so as long as the test lasts.
fn gateway(status: &'static str, kind: &'static str, page: &'static str) -> String {
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
            // What is sent along is heard to its end.
            let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
            let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
            _ = client.read_exact(&mut body);
            let length = page.len();
            let page = if text.starts_with("head") { "" } else { page };
            // Who has left hears nothing.
            _ = write!(
                client,
                "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\
                 connection: close\r\n\r\n{page}"
            );
        }
    });
    format!("http://{address}")
}

/// The drivers, each with this address for its store's.
fn cases(url: &str) -> [(&'static str, Value); 9] {
    let secret = "c2VjcmV0";
    [
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
        ("etcd", json!({ "url": url })),
        (
            "netlify-blobs",
            json!({ "name": "n", "siteID": "s", "token": secret, "edgeURL": url, "uncachedEdgeURL": url }),
        ),
    ]
}

async fn opened(name: &str, options: &Value) -> DynDriver {
    let limits = Limits { retries: 0, ..Limits::default() };
    let driver = open_with_limits(name, options.as_object().unwrap(), limits).await;
    driver.unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[tokio::test]
async fn a_gateways_404_is_no_missing_item() {
    let key = ItemKey::new("id").unwrap();
    let url = gateway("404 Not Found", "text/html", "<h1>404 Not Found</h1>");
    for (name, options) in cases(&url) {
        let driver = opened(name, &options).await;
        let read = driver.get(&key).await.map(|item| item.is_some());
        assert!(read.is_err(), "{name}: reads {read:?}");
        let removed = driver.remove(&key, When::Always).await;
        assert!(removed.is_err(), "{name}: removes {removed:?}");
        let touched = driver.touch(&key, None).await;
        assert!(touched.is_err(), "{name}: touches {touched:?}");
    }
}

#[tokio::test]
async fn a_gateways_200_is_nothing_that_was_written_removed_or_missing() {
    let key = ItemKey::new("id").unwrap();
    for (kind, page) in [("text/html", "<h1>Back soon</h1>"), ("application/json", "{}")] {
        let url = gateway("200 OK", kind, page);
        for (name, options) in cases(&url) {
            // Netlify's own answers say no more than this.
            if name == "netlify-blobs" && kind != "text/html" {
                continue;
            }
            let driver = opened(name, &options).await;
            let read = driver.get(&key).await.map(|item| item.is_some());
            assert!(!read.is_ok_and(|is_there| !is_there), "{name}: finds nothing");
            let set = driver.set(&key, "value".into(), When::Always, None).await;
            assert!(set.is_err(), "{name}: writes {set:?}");
            let absent = driver.set(&key, "value".into(), When::Absent, None).await;
            assert!(absent.is_err(), "{name}: creates {absent:?}");
            let removed = driver.remove(&key, When::Always).await;
            assert!(removed.is_err(), "{name}: removes {removed:?}");
            let touched = driver.touch(&key, None).await;
            assert!(touched.is_err(), "{name}: touches {touched:?}");
        }
    }
}
