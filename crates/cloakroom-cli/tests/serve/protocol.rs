//! What unstorage's own server answers is what ours does.

use http_body_util::Full;
use interop_peers::NodeServer;
use serde_json::Value;

use crate::support::{Server, call};

const TOKEN: &str = "a-token-of-the-tests";
const RAW: &[(&str, &str)] = &[("accept", "application/octet-stream")];
const BYTES: &[(&str, &str)] = &[("content-type", "application/octet-stream")];

/// Method, path, headers and value.
type Asked<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);

/// In this order on both servers.
const REQUESTS: &[Asked<'_>] = &[
    ("GET", "/:", &[], ""),
    ("GET", "/a", &[], ""),
    ("HEAD", "/a", &[], ""),
    ("PUT", "/a", &[], "one"),
    ("GET", "/a", &[], ""),
    ("HEAD", "/a", &[], ""),
    ("GET", "/a?verbose", &[], ""),
    ("GET", "/a%3Fverbose", &[], ""),
    ("GET", "//a", &[], ""),
    ("PUT", "/b/c", &[("x-ttl", "60")], "[[\"Map\",1,2],\"cart\",{\"data\":3},[]]"),
    ("GET", "/b/c", &[], ""),
    ("GET", "/b:c", &[], ""),
    ("GET", "/b%3Ac", &[], ""),
    ("GET", "/b%2Fc", &[], ""),
    ("GET", "/b%5Cc", &[], ""),
    ("PUT", "/b/c", &[("x-ttl", "soon")], "text"),
    ("GET", "/b/c", &[], ""),
    ("GET", "/b/c", RAW, ""),
    ("PUT", "/raw", BYTES, "bytes"),
    ("GET", "/raw", RAW, ""),
    ("PUT", "/a%20b", &[], "space"),
    ("PUT", "/a%2520b", &[], "percent"),
    ("PUT", "/a%252Fb", &[], "slash"),
    ("GET", "/a%2Fb", &[], ""),
    ("GET", "/a%20b", &[], ""),
    ("PUT", "/gr%C3%BC%C3%9Fe", &[], "grüße"),
    ("GET", "/gr%C3%BC%C3%9Fe", &[], ""),
    ("GET", "/", &[], ""),
    ("GET", "/:", &[], ""),
    ("GET", "/b", &[], ""),
    ("GET", "/b/", &[], ""),
    ("GET", "/b:", &[], ""),
    ("GET", "/b/:", &[], ""),
    ("GET", "/nothing/", &[], ""),
    ("PUT", "/", &[], "value"),
    ("PUT", "/b/", &[], "value"),
    ("HEAD", "/b/", &[], ""),
    ("GET", "/..", &[], ""),
    ("GET", "/a/../b", &[], ""),
    ("GET", "/%2e%2e/b", &[], ""),
    ("PUT", "/a/%2E%2E", &[], "value"),
    ("DELETE", "/../", &[], ""),
    ("POST", "/a", &[], "value"),
    ("POST", "/", &[], ""),
    ("POST", "/..", &[], ""),
    ("DELETE", "/a", &[], ""),
    ("DELETE", "/a", &[], ""),
    ("GET", "/a", &[], ""),
    ("DELETE", "/nothing/", &[], ""),
    ("DELETE", "/", &[], ""),
    ("GET", "/", &[], ""),
];

/// Status and body; of a refusal the status, for how it says why is each server's own.
async fn answer(port: u16, request: usize, headers: &[(&str, &str)]) -> (u16, Vec<u8>) {
    let (method, path, more, value) = REQUESTS[request];
    let headers = [headers, more].concat();
    let answer = call(port, method, path, &headers, Full::from(value)).await;
    let body = match serde_json::from_slice::<Vec<String>>(answer.bytes()) {
        Ok(mut keys) => {
            keys.sort();
            Value::from(keys).to_string().into_bytes()
        }
        Err(_) => answer.bytes().to_vec(),
    };
    let is_compared = answer.status < 400 || method == "HEAD";
    (answer.status, if is_compared { body } else { Vec::new() })
}

#[tokio::test]
async fn each_request_is_answered_as_unstorages_server_answers_it() {
    let Some(theirs) = NodeServer::start("http-server", "unstorage", &[]) else { return };
    let ours = Server::start(&["--driver", "memory"]);
    for (index, request) in REQUESTS.iter().enumerate() {
        let expected = answer(theirs.port(), index, &[]).await;
        assert_eq!(answer(ours.port, index, &[]).await, expected, "{request:?}");
    }
}

#[tokio::test]
async fn who_has_no_token_is_answered_as_unstorages_server_answers() {
    let Some(theirs) = NodeServer::start("http-server", "unstorage", &[TOKEN]) else { return };
    let ours = Server::start_with(&["--driver", "memory"], &[("CLOAKROOM_TOKEN", TOKEN)]);
    let right = format!("Bearer {TOKEN}");
    for authorization in ["Bearer of another", TOKEN, "", right.as_str()] {
        let headers = &[("authorization", authorization)];
        for (index, request) in REQUESTS.iter().enumerate() {
            let expected = answer(theirs.port(), index, headers).await;
            let answered = answer(ours.port, index, headers).await;
            assert_eq!(answered, expected, "{authorization}: {request:?}");
        }
    }
}

#[tokio::test]
async fn values_are_given_back_as_they_were_stored_where_unstorage_prints_them_anew() {
    let Some(theirs) = NodeServer::start("http-server", "unstorage", &[]) else { return };
    let ours = Server::start(&["--driver", "memory"]);
    for value in ["{ \"a\": 1.0 }", "[1,  2]", "1e3", "", "9007199254740993"] {
        ours.put("PUT", "/a", &[], value).await;
        assert_eq!(ours.call("GET", "/a", &[]).await.text(), value);
        call(theirs.port(), "PUT", "/a", &[], Full::from(value)).await;
        let theirs = call(theirs.port(), "GET", "/a", &[], Full::default()).await;
        assert_ne!(theirs.bytes(), value.as_bytes(), "no difference any more: {value}");
    }
    call(theirs.port(), "PUT", "/a", BYTES, Full::from("bytes")).await;
    let printed = call(theirs.port(), "GET", "/a", &[], Full::default()).await;
    assert!(printed.text().contains("Buffer"), "no difference any more: {}", printed.text());
    call(theirs.port(), "PUT", "/a", &[], Full::from(&b"\xff"[..])).await;
    let replaced = call(theirs.port(), "GET", "/a", &[], Full::default()).await;
    assert_eq!(replaced.text(), "\u{fffd}", "no difference any more");
    let bytes: Vec<u8> = (0..=255).collect();
    ours.put("PUT", "/a", &[], bytes.clone()).await;
    for headers in [&[], RAW] {
        assert_eq!(ours.call("GET", "/a", headers).await.bytes(), bytes);
    }
}

#[tokio::test]
async fn a_base_is_cleared_where_unstorage_clears_whole_stores_alone() {
    let Some(theirs) = NodeServer::start("http-server", "unstorage", &[]) else { return };
    let ours = Server::start(&["--driver", "memory"]);
    for (port, left) in [(theirs.port(), r#"["a/b","c"]"#), (ours.port, r#"["c"]"#)] {
        for path in ["/a/b", "/c"] {
            call(port, "PUT", path, &[], Full::from("value")).await;
        }
        let cleared = call(port, "DELETE", "/a/", &[], Full::default()).await;
        assert_eq!((cleared.status, cleared.text()), (200, "OK"));
        let listed = call(port, "GET", "/", &[], Full::default()).await;
        let mut listed: Vec<String> = serde_json::from_slice(listed.bytes()).unwrap();
        listed.sort();
        assert_eq!(serde_json::json!(listed).to_string(), left);
    }
}

#[tokio::test]
async fn an_encoded_question_mark_removes_no_more_than_it_names() {
    let Some(theirs) = NodeServer::start("http-server", "unstorage", &[]) else { return };
    let ours = Server::start(&["--driver", "memory"]);
    for (port, status, left) in [(theirs.port(), 200, "[]"), (ours.port, 400, r#"["kept"]"#)] {
        call(port, "PUT", "/kept", &[], Full::from("value")).await;
        let removed = call(port, "DELETE", "/%3Fid", &[], Full::default()).await;
        assert_eq!(removed.status, status);
        let listed = call(port, "GET", "/", &[], Full::default()).await;
        let listed: Vec<String> = serde_json::from_slice(listed.bytes()).unwrap();
        assert_eq!(serde_json::json!(listed).to_string(), left);
    }
}

#[tokio::test]
async fn no_browser_and_no_cache_makes_anything_of_a_value() {
    let ours = Server::start(&["--driver", "memory"]);
    ours.put("PUT", "/a", &[("x-ttl", "60")], "<script>alert(1)</script>").await;
    for (method, headers, content_type) in [
        ("GET", [].as_slice(), "text/plain; charset=utf-8"),
        ("HEAD", &[], "text/plain; charset=utf-8"),
        ("GET", RAW, "application/octet-stream"),
    ] {
        let answer = ours.call(method, "/a", headers).await;
        assert_eq!(answer.header("content-type"), Some(content_type));
        assert_eq!(answer.header("content-length"), Some("25"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert_eq!(ours.call("GET", "/missing", &[]).await.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn paths_that_are_no_text_are_refused() {
    let ours = Server::start(&["--driver", "memory"]);
    let long = format!("/{}", "x".repeat(1025));
    for path in ["/%FF", "/a%00", "/a%0Ab", "/%3Fid", "/a/%3Fid", "/a/%C3%28", &long] {
        for method in ["GET", "PUT", "DELETE", "PATCH"] {
            let answer = ours.call(method, path, &[]).await;
            assert_eq!(answer.status, 400, "{method} {path}");
            assert!(answer.error().contains("this cannot be a key"), "{}", answer.error());
        }
    }
}
