//! The `memcached` driver, on a real memcached.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use crate::conformance;
use crate::network_support::{AT_ONCE, HOUR, key, open, open_impatient, put, read, written};
use bytes::Bytes;
use cloakroom_drivers::memcached::{Memcached, Options};
use cloakroom_storage::{Driver, ErrorKind, RemoveOutcome, SetOutcome, When};
use futures_util::TryStreamExt as _;
use interop_peers::{Memcached as Server, Proxy};
use serde_json::json;

/// The driver alone, without deadlines and retries.
fn bare(options: Options) -> Memcached {
    Memcached::new(options).unwrap()
}

/// What the server answers to a line of its protocol.
fn raw(port: u16, line: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    write!(stream, "{line}\r\nmn\r\n").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"MN\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    String::from_utf8(answer).unwrap().trim_end_matches("MN\r\n").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memcached_conforms() {
    let Some(server) = Server::start() else { return };
    let options = json!({ "url": server.url(), "base": "conformance" });
    conformance::run(|| open("memcached", &options)).await;
}

#[tokio::test]
async fn an_item_is_the_value_alone_under_base_and_key() {
    let Some(server) = Server::start() else { return };
    let mut options = Options::new(server.url());
    options.base = "sess".into();
    let driver = bare(options);
    put(&driver, "carts/42", "[1,2]").await;
    assert_eq!(raw(server.port(), "mg sess:carts:42 v f"), "VA 5 f0\r\n[1,2]\r\n");
    put(&driver, "with space", "3").await;
    // `sess:with space`
    assert!(raw(server.port(), "mg c2Vzczp3aXRoIHNwYWNl b v").ends_with("\r\n3\r\n"));
}

#[tokio::test]
async fn an_item_of_another_program_is_read_and_replaced() {
    let Some(server) = Server::start() else { return };
    assert_eq!(raw(server.port(), "set id 7 0 5\r\nvalue"), "STORED\r\n");
    let driver = bare(Options::new(server.url()));
    let (item, ttl) = driver.get_with_ttl(&key("id")).await.unwrap().unwrap();
    assert_eq!((&item.value[..], ttl), (&b"value"[..], None));
    let when = When::Version(item.version);
    let outcome = driver.set(&key("id"), "other".into(), when, None).await.unwrap();
    assert!(matches!(outcome, SetOutcome::Written { .. }));
}

#[tokio::test]
async fn the_server_keeps_the_deadline_whether_it_is_near_or_years_away() {
    let Some(server) = Server::start() else { return };
    let driver = bare(Options::new(server.url()));
    let days = |days: u64| Duration::from_secs(days * 24 * 3600);
    for ttl in [Duration::from_millis(1500), days(29), days(30), days(31), days(400)] {
        for touched in [false, true] {
            let first = if touched { HOUR } else { Some(ttl) };
            let _ = driver.set(&key("id"), "value".into(), When::Always, first).await.unwrap();
            if touched {
                assert!(driver.touch(&key("id"), Some(ttl)).await.unwrap());
            }
            let answer = raw(server.port(), "mg id t");
            let seconds: u64 = answer.trim().strip_prefix("HD t").unwrap().parse().unwrap();
            let expected = ttl.as_secs_f64().ceil() as u64;
            assert!((expected..=expected + 2).contains(&seconds), "{seconds} for {ttl:?}");
        }
    }
}

#[tokio::test]
async fn a_touch_leaves_the_version_as_it_is() {
    let Some(server) = Server::start() else { return };
    let driver = bare(Options::new(server.url()));
    let version = put(&driver, "id", "value").await;
    for ttl in [HOUR, None, Some(Duration::from_secs(60))] {
        assert!(driver.touch(&key("id"), ttl).await.unwrap());
        assert_eq!(driver.get(&key("id")).await.unwrap().unwrap().version, version);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_from_before_a_restart_is_none_of_an_item_that_has_its_number() {
    let Some(server) = Server::start() else { return };
    let [ours, other] = [0; 2].map(|_| bare(Options::new(server.url())));
    let old = put(&ours, "id", "old cart").await;
    tokio::task::block_in_place(|| server.restart());
    written(other.set(&key("id"), "another's".into(), When::Absent, HOUR).await.unwrap());
    assert_eq!(raw(server.port(), "mg id c"), "HD c1\r\n", "it counts from one");
    let when = When::Version(old);
    let late = ours.set(&key("id"), "old handle's".into(), when.clone(), HOUR).await.unwrap();
    assert_eq!(late, SetOutcome::Conflict);
    assert_eq!(ours.remove(&key("id"), when.clone()).await.unwrap(), RemoveOutcome::Conflict);
    assert_eq!(read(&ours, "id").await.unwrap().unwrap(), "another's");
    ours.remove(&key("id"), When::Always).await.unwrap();
    assert_eq!(ours.remove(&key("id"), when).await.unwrap(), RemoveOutcome::Missing);
}

#[tokio::test]
async fn every_call_takes_one_round_trip() {
    let Some(server) = Server::start() else { return };
    let proxy = Proxy::start(server.port());
    let driver = bare(Options::new(format!("127.0.0.1:{}", proxy.port())));
    let id = key("id");
    let trips = |what: &str| {
        assert_eq!(proxy.round_trips(), 1, "{what}");
        proxy.reset();
    };
    // A new connection asks which run of the server it leads to.
    driver.get(&id).await.unwrap();
    proxy.reset();
    let outcome = driver.set(&id, "1".into(), When::Absent, HOUR).await.unwrap();
    trips("create");
    let SetOutcome::Written { version } = outcome else { panic!("it is there") };
    driver.get_with_ttl(&id).await.unwrap();
    trips("read");
    let when = When::Version(version.clone());
    assert_ne!(driver.set(&id, "2".into(), when, HOUR).await.unwrap(), SetOutcome::Conflict);
    trips("write");
    driver.touch(&id, HOUR).await.unwrap();
    trips("touch");
    driver.remove(&id, When::Version(version)).await.unwrap();
    trips("remove a version");
    driver.remove(&id, When::Always).await.unwrap();
    trips("remove");
}

#[tokio::test]
async fn a_value_or_a_key_that_is_too_long_is_refused_and_leaves_what_was_there() {
    let Some(server) = Server::start_with(&["-I", "1m"]) else { return };
    let driver = bare(Options::new(server.url()));
    let version = put(&driver, "id", "value").await;
    for (length, when) in [
        (2_000_000, When::Always),
        (1 << 20, When::Version(version.clone())),
        ((1 << 20) - 200, When::Absent),
    ] {
        let large = Bytes::from(vec![0; length]);
        let error = driver.set(&key("id"), large, when, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
        assert!(error.is_unapplied());
    }
    assert_eq!(driver.get(&key("id")).await.unwrap().unwrap().version, version);
    let large = Bytes::from(vec![0; (1 << 20) - 400]);
    written(driver.set(&key("large"), large, When::Always, None).await.unwrap());
    for long in ["x".repeat(251), "x ".repeat(100)] {
        let error = read(&driver, &long).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidKey, "{error}");
    }
    put(&driver, &"x".repeat(250), "value").await;
    assert_eq!(read(&driver, &"x".repeat(249)).await.unwrap(), None);
}

#[tokio::test]
async fn a_server_with_users_wants_their_password() {
    let users = tempfile::NamedTempFile::new().unwrap();
    fs::write(users.path(), "someone:secret\n").unwrap();
    let Some(server) = Server::start_with(&["-Y", users.path().to_str().unwrap()]) else { return };
    let with = |password: Option<&str>| {
        let mut options = Options::new(server.url());
        options.username = password.map(|_| "someone".to_owned());
        options.password = password.map(str::to_owned);
        assert!(!format!("{options:?}").contains("secret"), "{options:?}");
        bare(options)
    };
    put(&with(Some("secret")), "id", "value").await;
    for password in [None, Some("wrong")] {
        let driver = with(password);
        let error = read(&driver, "id").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(!error.is_retryable());
        assert!(!format!("{driver:?} {error:?}").contains("wrong"));
    }
}

#[tokio::test]
async fn wrong_options_are_named() {
    for (options, part) in [
        (json!({ "url": "redis://localhost" }), "option `url`"),
        (json!({ "url": "one:1,other:2" }), "option `url`"),
        (json!({ "username": "someone" }), "`password`"),
        (json!({ "server": "localhost" }), "no such option `server`"),
    ] {
        let error = Memcached::open(options.as_object().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn keys_cannot_be_listed() {
    let listed: Result<Vec<_>, _> = bare(Options::default()).keys("").try_collect().await;
    assert_eq!(listed.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_fail_at_once_while_memcached_is_away_and_work_when_it_is_back() {
    let Some(server) = Server::start() else { return };
    let driver = bare(Options::new(server.url()));
    put(&driver, "id", "value").await;
    tokio::task::block_in_place(|| server.stop());
    let begin = Instant::now();
    let error =
        driver.set(&key("id"), "other".into(), When::Absent, None).await.expect_err("no server");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.is_retryable() && error.is_unapplied(), "{error}");
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());

    tokio::task::block_in_place(|| server.restart());
    assert_eq!(read(&driver, "id").await.unwrap(), None, "memcached keeps nothing");
    put(&driver, "id", "value").await;
    // The end of the old connection is noticed before a write goes over it.
    tokio::task::block_in_place(|| server.restart());
    put(&driver, "id", "value").await;
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_used_again_when_it_goes_on() {
    let Some(server) = Server::start() else { return };
    let driver = open_impatient("memcached", &json!({ "url": server.url() })).await;
    put(&driver, "id", "1").await;
    server.pause();
    assert_eq!(read(&driver, "id").await.unwrap_err().kind(), ErrorKind::Timeout);
    server.resume();
    // The answer that came too late is not the answer to the next call.
    put(&driver, "other", "2").await;
    assert_eq!(read(&driver, "id").await.unwrap(), Some("1".into()));
    assert_eq!(read(&driver, "other").await.unwrap(), Some("2".into()));
}

#[tokio::test]
async fn what_does_not_speak_the_protocol_is_an_error_and_no_hang() {
    // Which run of the server this is.
    let stats = "STAT pid 1\r\nSTAT uptime 1\r\nSTAT time 2\r\nEND\r\n";
    let values = ["VA 99999999999 c1\r\n", "VA x\r\n", ""].map(|answer| format!("{stats}{answer}"));
    let others = ["HTTP/1.1 400 Bad Request\r\n\r\n", "END\r\n", ""].map(str::to_owned);
    for answer in values.into_iter().chain(others) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, answer.as_bytes()).await.unwrap();
            let mut request = [0; 64];
            tokio::io::AsyncReadExt::read(&mut stream, &mut request).await.unwrap();
        });
        let error = read(&bare(Options::new(url)), "id").await.unwrap_err();
        assert_ne!(error.kind(), ErrorKind::Timeout, "{error}");
        server.await.unwrap();
    }
    // Longer than any line.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let endless = [b'x'; 10_000];
        while tokio::io::AsyncWriteExt::write_all(&mut stream, &endless).await.is_ok() {}
    });
    let error = read(&bare(Options::new(url)), "id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    server.await.unwrap();
}
