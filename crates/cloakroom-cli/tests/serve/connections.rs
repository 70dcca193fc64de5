//! Clients that hold their connections.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Server, command};

const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// Connects, and sends this and no more.
fn half(server: &Server, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

/// Waits until the server closes the connection.
fn is_closed(mut stream: TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[tokio::test]
async fn clients_that_send_half_a_request_lock_nobody_out() {
    let arguments = ["--driver", "memory", "--token", "t", "--max-connections", "8"];
    let server = Server::start(&arguments);
    let halves: Vec<_> = (0..20).map(|_| half(&server, "GET /a HTTP/1.1\r\n")).collect();
    let idle: Vec<_> = (0..20).map(|_| half(&server, "")).collect();
    for _ in 0..3 {
        let answer = server.call("GET", "/a", &[("authorization", "Bearer t")]).await;
        assert_eq!(answer.status, 404);
    }
    // Those that waited longest went.
    assert!(is_closed(halves.into_iter().next().unwrap()));
    drop(idle);
}

#[tokio::test]
async fn clients_that_are_refused_lock_nobody_out_with_half_a_value() {
    let arguments = ["--driver", "memory", "--token", "t", "--max-connections", "8"];
    let server = Server::start(&arguments);
    for request in
        ["PUT /a HTTP/1.1\r\ncontent-length: 9", "GET /a HTTP/1.1\r\ntransfer-encoding: chunked"]
    {
        let half_value = format!("{request}\r\nhost: localhost\r\n\r\n");
        let halves: Vec<_> = (0..20).map(|_| half(&server, &half_value)).collect();
        for _ in 0..3 {
            let answer = server.call("GET", "/a", &[("authorization", "Bearer t")]).await;
            assert_eq!(answer.status, 404);
        }
        drop(halves);
    }
}

#[tokio::test]
async fn a_process_that_can_open_no_more_files_makes_room() {
    // The arguments of `command` go on after the shell's own.
    let program = command(&["--driver", "memory"]);
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "ulimit -n 40; exec \"$@\"", "sh"])
        .arg(program.get_program())
        .args(program.get_args())
        .env_remove("RUST_LOG");
    let server = Server::spawn(limited);
    let _halves: Vec<_> = (0..100).map(|_| half(&server, "GET /a HTTP/1.1\r\n")).collect();
    assert_eq!(server.call("GET", "/a", &[]).await.status, 404);
}

#[tokio::test]
async fn a_request_that_is_being_answered_is_not_what_makes_room() {
    let server = Server::start(&["--driver", "memory", "--max-connections", "2"]);
    let mut slow = half(
        &server,
        "PUT /id HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nexpect: 100-continue\r\n\
         content-length: 5\r\n\r\n",
    );
    // Asked for its value, it is being answered.
    let mut asked = [0; CONTINUE.len()];
    slow.read_exact(&mut asked).unwrap();
    assert_eq!(asked, CONTINUE.as_bytes());
    slow.write_all(b"va").unwrap();
    for _ in 0..5 {
        drop(half(&server, ""));
        assert_eq!(server.call("GET", "/other", &[]).await.status, 404);
    }
    slow.write_all(b"lue").unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(server.call("GET", "/id", &[]).await.text(), "value");
}

#[test]
fn a_connection_makes_room_as_soon_as_its_request_is_answered() {
    let server = Server::start(&["--driver", "memory", "--max-connections", "1"]);
    let mut only = half(
        &server,
        "PUT /id HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n",
    );
    only.read_exact(&mut [0; CONTINUE.len()]).unwrap();
    let mut next =
        half(&server, "GET /id HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    only.write_all(b"value").unwrap();
    let mut answer = String::new();
    next.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("value"), "{answer}");
}

#[test]
fn half_a_request_does_not_hold_up_the_end() {
    for text in ["GET /a HTTP/1.1\r\n", ""] {
        let mut server = Server::start(&["--driver", "memory"]);
        let _half = half(&server, text);
        let pid = server.child.id().to_string();
        assert!(Command::new("kill").arg(&pid).status().unwrap().success());
        let begin = Instant::now();
        assert!(server.child.wait().unwrap().success());
        assert!(begin.elapsed() < Duration::from_secs(9), "it waited for its grace to pass");
    }
}

#[tokio::test]
async fn where_a_store_is_stays_in_the_log() {
    let folder = tempfile::Builder::new().prefix("a-marker").tempdir().unwrap();
    let base = format!("base={}", folder.path().display());
    let mut program = command(&["--driver", "fs-lite", "--option", &base]);
    let log = folder.path().join("log");
    program.env("RUST_LOG", "debug").stderr(std::fs::File::create(&log).unwrap());
    let server = Server::spawn(program);
    assert_eq!(server.put("PUT", "/a/b", &[], "value").await.status, 200);
    let long = format!("/{}", "x".repeat(1000));
    for (method, path, status) in [
        ("PUT", long.as_str(), 400),
        ("PUT", "/a/b/c", 400),
        ("PUT", "/a", 400),
        ("PUT", "/.cloakroom/x", 400),
    ] {
        let answer = server.put(method, path, &[], "value").await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        assert!(!answer.text().contains("a-marker"), "{}", answer.text());
        assert!(!answer.error().is_empty());
    }
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("a-marker") && log.contains("too long for a file name"), "{log}");
}
