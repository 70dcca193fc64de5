//! A store that fails is told as such.

use interop_peers::NodeServer;

use crate::support::Server;

#[tokio::test]
async fn a_store_that_is_away_is_no_missing_item_and_used_again_when_it_is_back() {
    // A server before another one, which can be stopped.
    let Some(store) = NodeServer::start("http-server", "unstorage", &[]) else { return };
    let base = format!("base={}", store.url());
    let server = Server::start(&["--driver", "http", "--option", &base]);
    assert_eq!(server.put("PUT", "/id", &[], "value").await.status, 200);
    assert_eq!(server.call("GET", "/id", &[]).await.text(), "value");

    store.stop();
    for (method, path) in [
        ("GET", "/id"),
        ("HEAD", "/id"),
        ("PUT", "/id"),
        ("PATCH", "/id"),
        ("DELETE", "/id"),
        ("GET", "/"),
        ("DELETE", "/"),
    ] {
        let answer = server.put(method, path, &[], "").await;
        // This store takes no empty value, and says so before anything else.
        let expected = if method == "PUT" { 501 } else { 503 };
        assert_eq!(answer.status, expected, "{method} {path}");
        if expected == 503 {
            assert_eq!(answer.header("retry-after"), Some("1"), "{method} {path}");
        }
        if method == "GET" {
            assert!(answer.error().contains("is away or slow"), "{}", answer.error());
        }
    }
    assert_eq!(server.put("PUT", "/id", &[], "value").await.status, 503);
    assert_eq!(server.call("OPTIONS", "/:", &[]).await.status, 204);

    store.restart();
    assert_eq!(server.call("GET", "/id", &[]).await.status, 404);
    assert_eq!(server.put("PUT", "/id", &[], "value").await.status, 200);
}

#[tokio::test]
async fn what_a_store_cannot_do_is_told_and_not_done() {
    let Some(store) = NodeServer::start("http-server", "unstorage", &[]) else { return };
    let base = format!("base={}", store.url());
    let server = Server::start(&["--driver", "http", "--option", &base]);
    let answer = server.call("OPTIONS", "/:", &[]).await;
    assert_eq!(answer.header("cloakroom-storage"), Some("durable, iteration, shared"));
    let tag = server.put("PUT", "/id", &[], "value").await.tag().to_owned();
    for condition in [("if-none-match", "*"), ("if-match", tag.as_str())] {
        let answer = server.put("PUT", "/id", &[condition], "other").await;
        assert_eq!(answer.status, 501);
        assert!(answer.error().contains("cannot compare and swap"), "{}", answer.error());
    }
    assert_eq!(server.call("DELETE", "/id", &[("if-match", &tag)]).await.status, 501);
    assert_eq!(server.call("GET", "/id", &[]).await.text(), "value");
}
