//! Large values, and many of them.

use std::collections::HashSet;
use std::convert::Infallible;

use cloakroom_storage::{ErrorKind, ItemKey, When};
use futures_util::stream;
use http_body_util::StreamBody;
use hyper::body::{Bytes, Frame};

use interop_peers::JavaScript;
use serde_json::json;

use crate::support::{Server, call, driver};

#[tokio::test]
async fn a_value_beyond_the_limit_is_refused_whether_or_not_its_length_is_declared() {
    let server = Server::start(&["--driver", "memory", "--max-size", "1KiB"]);
    assert_eq!(server.put("PUT", "/id", &[], vec![b'x'; 1024]).await.status, 200);
    let declared = server.put("PUT", "/id", &[], vec![b'y'; 1025]).await;
    let parts = (0..64).map(|_| Ok::<_, Infallible>(Frame::data(Bytes::from_static(&[b'y'; 64]))));
    let undeclared =
        call(server.port, "PUT", "/id", &[], StreamBody::new(stream::iter(parts))).await;
    for answer in [declared, undeclared] {
        assert_eq!(answer.status, 413);
        assert!(answer.error().contains("larger than 1024 bytes"), "{}", answer.error());
    }
    assert_eq!(server.call("GET", "/id", &[]).await.bytes(), vec![b'x'; 1024]);
}

#[tokio::test]
async fn a_client_that_sends_all_before_it_reads_learns_why_it_was_refused() {
    let server = Server::start(&["--driver", "memory"]);
    let options = json!({ "base": server.url() });
    let ours = driver("http", &options).await;
    let value = vec![b'x'; 20_000_000];
    let id = ItemKey::new("id").unwrap();
    let error = ours.set(&id, value.into(), When::Always, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    let Some(mut theirs) = JavaScript::open("http", &options) else { return };
    let value = "x".repeat(20_000_000);
    let error = theirs.try_call("setItem", &[json!("id"), json!(value)]).unwrap_err();
    assert!(error.contains("413"), "{error}");
}

#[tokio::test]
async fn ten_thousand_keys_are_listed_in_parts_and_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let names: HashSet<String> = (0..10_000).map(|index| format!("key-{index}")).collect();
    std::fs::create_dir(folder.path().join("shop")).unwrap();
    for name in &names {
        std::fs::write(folder.path().join("shop").join(name), "value").unwrap();
    }
    std::fs::write(folder.path().join("kept"), "value").unwrap();
    let base = format!("base={}", folder.path().display());
    let server = Server::start(&["--driver", "fs-lite", "--option", &base]);

    let answer = server.call("GET", "/shop/", &[]).await;
    assert_eq!((answer.status, answer.header("content-length")), (200, None));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let listed: Vec<String> = serde_json::from_slice(answer.bytes()).unwrap();
    assert_eq!(listed.len(), names.len());
    let listed: HashSet<String> =
        listed.iter().map(|key| key.strip_prefix("shop/").unwrap().to_owned()).collect();
    assert_eq!(listed, names);

    assert_eq!(server.call("DELETE", "/shop/", &[]).await.text(), "OK");
    assert_eq!(server.call("GET", "/", &[]).await.text(), "[\"kept\"]");
}
