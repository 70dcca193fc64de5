//! `x-ttl`, and `PATCH`.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::Server;

async fn ttl(server: &Server) -> Option<f64> {
    let head = server.call("HEAD", "/id", &[]).await;
    assert_eq!(head.status, 200);
    head.header("x-ttl").map(|ttl| ttl.parse().unwrap())
}

#[tokio::test]
async fn an_item_ends_when_it_was_told_to_and_tells_when() {
    let server = Server::start(&["--driver", "memory"]);
    let begin = Instant::now();
    server.put("PUT", "/id", &[("x-ttl", "0.4")], "value").await;
    server.put("PUT", "/other", &[("x-ttl", "60")], "value").await;
    while server.call("GET", "/id", &[]).await.status == 200 {
        assert!(begin.elapsed() < Duration::from_secs(20), "it outlives its ttl");
    }
    assert!(begin.elapsed() > Duration::from_millis(390));
    let told = server.call("GET", "/other", &[]).await;
    let told: f64 = told.header("x-ttl").unwrap().parse().unwrap();
    assert!(told <= 60.0 && told > 0.0, "{told}");
}

#[tokio::test]
async fn a_deadline_is_moved_given_and_taken_away() {
    let server = Server::start(&["--driver", "memory"]);
    server.put("PUT", "/id", &[], "value").await;
    assert_eq!(ttl(&server).await, None);
    assert_eq!(server.call("PATCH", "/id", &[("x-ttl", "3600.5")]).await.status, 204);
    assert!(ttl(&server).await.is_some_and(|ttl| ttl > 3500.0 && ttl <= 3600.5));
    assert_eq!(server.call("PATCH", "/id", &[]).await.status, 204);
    assert_eq!(ttl(&server).await, None);
    assert_eq!(server.call("PATCH", "/id", &[("x-ttl", "0.0001")]).await.status, 204);
    assert_eq!(server.call("GET", "/id", &[]).await.status, 404);
    assert_eq!(server.call("PATCH", "/id", &[("x-ttl", "60")]).await.status, 404);
}

#[tokio::test]
async fn a_ttl_that_is_none_takes_no_deadline_away() {
    let server = Server::start(&["--driver", "memory"]);
    server.put("PUT", "/id", &[("x-ttl", "60")], "value").await;
    for wrong in ["0", "soon", ""] {
        assert_eq!(server.call("PATCH", "/id", &[("x-ttl", wrong)]).await.status, 400, "{wrong}");
    }
    assert_eq!(server.put("PATCH", "/id", &[("x-ttl", "60")], "value").await.status, 415);
    assert!(ttl(&server).await.is_some());
    // A `PUT` takes it for none, as unstorage does.
    server.put("PUT", "/id", &[("x-ttl", "soon")], "value").await;
    assert_eq!(ttl(&server).await, None);
}

#[tokio::test]
async fn what_has_expired_leaves_the_store_though_nobody_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.json");
    let base = folder.path().join("items");
    let config = json!({ "driver": "fs-lite", "options": { "base": base }, "sweepInterval": 1 });
    std::fs::write(&file, config.to_string()).unwrap();
    let server = Server::start(&["--config", file.to_str().unwrap()]);
    server.put("PUT", "/id", &[("x-ttl", "0.1")], "value").await;
    server.put("PUT", "/kept", &[("x-ttl", "60")], "value").await;
    let begin = Instant::now();
    while base.join("id").exists() {
        assert!(begin.elapsed() < Duration::from_secs(20), "it is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(base.join("kept").exists());
}
