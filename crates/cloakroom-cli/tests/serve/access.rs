//! Who may do what.

use crate::support::{Server, command};

const WRITER: &[(&str, &str)] = &[("authorization", "Bearer writer")];
const READER: &[(&str, &str)] = &[("authorization", "bearer reader")];

const READS: &[(&str, &str)] = &[("GET", "/id"), ("HEAD", "/id"), ("GET", "/"), ("OPTIONS", "/:")];
const WRITES: &[(&str, &str)] =
    &[("PUT", "/new"), ("PATCH", "/id"), ("DELETE", "/nothing"), ("DELETE", "/nothing/")];

#[tokio::test]
async fn a_token_lets_in_and_a_readers_token_lets_nobody_write() {
    let variables = [("CLOAKROOM_TOKEN", "writer"), ("CLOAKROOM_READ_TOKEN", "reader")];
    let server = Server::start_with(&["--driver", "memory"], &variables);
    assert_eq!(server.put("PUT", "/id", WRITER, "value").await.status, 200);
    for headers in
        [&[], [("authorization", "Bearer wrong")].as_slice(), &[("authorization", "reader")]]
    {
        for (method, path) in [READS, WRITES].concat() {
            let answer = server.call(method, path, headers).await;
            assert_eq!(answer.status, 401, "{method} {path}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        }
    }
    for (method, path) in READS {
        for headers in [WRITER, READER] {
            assert!(server.call(method, path, headers).await.status < 300, "{method} {path}");
        }
    }
    for (method, path) in WRITES {
        assert_eq!(server.call(method, path, READER).await.status, 403, "{method} {path}");
        assert!(server.call(method, path, WRITER).await.status < 300, "{method} {path}");
    }
}

#[tokio::test]
async fn a_server_tells_what_the_bearer_of_a_token_can_do() {
    let variables = [("CLOAKROOM_TOKEN", "writer"), ("CLOAKROOM_READ_TOKEN", "reader")];
    let server = Server::start_with(&["--driver", "memory"], &variables);
    for (headers, words) in [
        (WRITER, "compare-and-swap, empty-values, expiry, iteration, version-per-write"),
        (READER, "compare-and-swap, empty-values, expiry, iteration, read-only, version-per-write"),
    ] {
        let answer = server.call("OPTIONS", "/:", headers).await;
        assert_eq!((answer.status, answer.header("cloakroom-storage")), (204, Some(words)));
    }
}

#[tokio::test]
async fn a_token_in_a_file_counts_without_the_end_of_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "writer\n").unwrap();
    let server = Server::start(&["--driver", "memory", "--token-file", file.to_str().unwrap()]);
    assert_eq!(server.put("PUT", "/id", WRITER, "value").await.status, 200);
    assert_eq!(server.call("GET", "/id", &[]).await.status, 401);
}

#[tokio::test]
async fn a_server_without_a_token_answers_to_the_loopbacks_names_alone() {
    let server = Server::start(&["--driver", "memory"]);
    for (host, status) in [
        ("localhost:3999", 200),
        ("127.0.0.1", 200),
        ("[::1]:3999", 200),
        ("rebound.example", 421),
        ("127.0.0.1.example", 421),
    ] {
        let answer = server.call("GET", "/", &[("host", host)]).await;
        assert_eq!(answer.status, status, "{host}");
    }
    // With a token, a page that has none gets nothing anyway.
    let server = Server::start_with(&["--driver", "memory"], &[("CLOAKROOM_TOKEN", "writer")]);
    let headers = [("host", "store.example"), WRITER[0]];
    assert_eq!(server.call("GET", "/", &headers).await.status, 200);
}

#[tokio::test]
async fn what_is_logged_holds_no_key_and_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut command = command(&["--driver", "memory"]);
    command.env("CLOAKROOM_TOKEN", "writer").env("RUST_LOG", "trace");
    command.stderr(std::fs::File::create(&log).unwrap());
    let server = Server::spawn(command);
    let id = "6f1de3d4-2c0c-4c3f-9d0e-0f6c5a1b2c3d";
    for (method, path) in [("PUT", "/"), ("GET", "/"), ("PUT", "/../"), ("DELETE", "/a/")] {
        server.put(method, &format!("{path}{id}"), WRITER, "value-of-a-session").await;
    }
    drop(server);
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("answered"), "{log}");
    for secret in [&id[..8], "writer", "value-of-a-session"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}
