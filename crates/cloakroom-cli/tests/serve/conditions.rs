//! `ETag`, `If-Match` and `If-None-Match`.

use std::sync::Arc;

use crate::support::Server;

fn over_files(folder: &std::path::Path) -> Server {
    Server::start(&["--driver", "fs-lite", "--option", &format!("base={}", folder.display())])
}

/// The servers whose versions are numbers, and bytes.
fn servers(folder: &std::path::Path) -> [Server; 2] {
    [Server::start(&["--driver", "memory"]), over_files(folder)]
}

#[tokio::test]
async fn an_item_has_one_tag_whichever_way_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for server in servers(folder.path()) {
        let put = server.put("PUT", "/id", &[], "one").await;
        for method in ["GET", "HEAD"] {
            assert_eq!(server.call(method, "/id", &[]).await.tag(), put.tag());
        }
        server.call("PATCH", "/id", &[("x-ttl", "60")]).await;
        assert_eq!(server.call("GET", "/id", &[]).await.tag(), put.tag(), "a deadline moved it");
        let other = server.put("PUT", "/id", &[], "two").await;
        assert_ne!(other.tag(), put.tag());
        assert!(other.tag().starts_with('"') && other.tag().ends_with('"'), "{}", other.tag());
    }
}

#[tokio::test]
async fn of_two_who_saw_one_version_one_gets_through() {
    let folder = tempfile::tempdir().unwrap();
    for server in servers(folder.path()) {
        let first = server.put("PUT", "/id", &[], "first").await;
        let condition = [("if-match", first.tag())];
        let second = server.put("PUT", "/id", &condition, "second").await;
        assert_eq!(second.status, 200);
        for method in ["PUT", "DELETE"] {
            let late = server.put(method, "/id", &condition, "late").await;
            assert_eq!((late.status, late.tag()), (412, second.tag()), "{method}");
        }
        assert_eq!(server.call("GET", "/id", &[]).await.text(), "second");

        let either = format!("\"other\", {}", second.tag());
        let third = server.put("PUT", "/id", &[("if-match", &either)], "third").await;
        assert_eq!(third.status, 200);
        let weak = format!("W/{}", third.tag());
        let refused = server.put("PUT", "/id", &[("if-match", &weak)], "late").await;
        assert_eq!(refused.status, 412, "a weak tag matches nothing");

        let removed = server.call("DELETE", "/id", &[("if-match", third.tag())]).await;
        assert_eq!(removed.status, 200);
        for method in ["PUT", "DELETE"] {
            let late = server.put(method, "/id", &[("if-match", third.tag())], "late").await;
            assert_eq!((late.status, late.header("etag")), (412, None), "{method}");
        }
        assert_eq!(server.call("GET", "/id", &[]).await.status, 404);
    }
}

#[tokio::test]
async fn an_item_is_created_once_and_its_removal_can_ask_whether_it_was_there() {
    let folder = tempfile::tempdir().unwrap();
    for server in servers(folder.path()) {
        let create = [("if-none-match", "*")];
        let created = server.put("PUT", "/id", &create, "one").await;
        assert_eq!(created.status, 200);
        let again = server.put("PUT", "/id", &create, "two").await;
        assert_eq!((again.status, again.tag()), (412, created.tag()));
        let there = [("if-match", "*")];
        assert_eq!(server.call("DELETE", "/id", &there).await.status, 200);
        let gone = server.call("DELETE", "/id", &there).await;
        assert_eq!((gone.status, gone.header("etag")), (412, None));
        assert_eq!(server.call("DELETE", "/id", &[]).await.status, 200);
    }
}

#[tokio::test]
async fn conditions_that_mean_nothing_here_are_refused_and_change_nothing() {
    let server = Server::start(&["--driver", "memory"]);
    let tag = server.put("PUT", "/id", &[], "kept").await.tag().to_owned();
    for (method, path, header, value) in [
        ("PUT", "/id", "if-none-match", tag.as_str()),
        ("PUT", "/id", "if-match", "*"),
        ("DELETE", "/id", "if-none-match", "*"),
        ("DELETE", "/", "if-match", &tag),
        ("PATCH", "/id", "if-match", &tag),
    ] {
        let answer = server.call(method, path, &[(header, value)]).await;
        assert_eq!(answer.status, 501, "{method} {path} {header}: {value}");
    }
    assert_eq!(server.call("GET", "/id", &[]).await.text(), "kept");
}

#[tokio::test]
async fn a_tag_from_before_a_restart_matches_nothing_where_memory_was_lost() {
    let first = Server::start(&["--driver", "memory"]);
    let tag = first.put("PUT", "/id", &[], "one").await.tag().to_owned();
    drop(first);
    let second = Server::start(&["--driver", "memory"]);
    second.put("PUT", "/id", &[], "other").await;
    let late = second.put("PUT", "/id", &[("if-match", &tag)], "late").await;
    assert_eq!(late.status, 412);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_updates_at_once_through_two_servers_leave_two_hundred() {
    const WORKERS: usize = 8;
    const EACH: usize = 25;
    let folder = tempfile::tempdir().unwrap();
    let servers = Arc::new([over_files(folder.path()), over_files(folder.path())]);
    servers[0].put("PUT", "/count", &[], "0").await;
    let workers = (0..WORKERS).map(|worker| {
        let servers = Arc::clone(&servers);
        tokio::spawn(async move {
            let server = &servers[worker % 2];
            for _ in 0..EACH {
                loop {
                    let read = server.call("GET", "/count", &[]).await;
                    let next = (read.text().parse::<usize>().unwrap() + 1).to_string();
                    let condition = [("if-match", read.tag())];
                    match server.put("PUT", "/count", &condition, next).await.status {
                        200 => break,
                        status => assert_eq!(status, 412),
                    }
                }
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    let count = servers[1].call("GET", "/count", &[]).await;
    assert_eq!(count.text(), (WORKERS * EACH).to_string());
}
