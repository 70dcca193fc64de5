//! The `nats` driver, on a real NATS: Debian's, and the newest.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use crate::conformance;
use crate::network_support::{AT_ONCE, HOUR, key, open, open_impatient, put, read, until, written};
use bytes::Bytes;
use cloakroom_drivers::nats::{Nats, Options};
use cloakroom_storage::{Driver, ErrorKind, ItemKey, RemoveOutcome, SetOutcome, When};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use interop_peers::{Nats as Server, Proxy};
use serde_json::{Value, json};

const SHORT: Option<Duration> = Some(Duration::from_millis(300));

/// The driver alone, without deadlines and retries.
fn bare(options: &Value) -> Nats {
    Nats::open(options.as_object().unwrap()).unwrap()
}

/// What the server answers to a message, which is sent as the protocol says it.
fn raw(server: &Server, subject: &str, payload: &str) -> Value {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    let length = payload.len();
    write!(stream, "CONNECT {{\"verbose\":false}}\r\nSUB answers 1\r\n").unwrap();
    write!(stream, "PUB {subject} answers {length}\r\n{payload}\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(message) = line.strip_prefix("MSG answers 1 ") {
            let mut payload = vec![0; message.trim().rsplit(' ').next().unwrap().parse().unwrap()];
            reader.read_exact(&mut payload).unwrap();
            return serde_json::from_slice(&payload).unwrap();
        }
        assert!(!line.starts_with("-ERR"), "{line}");
    }
}

/// The latest message of a subject, as JetStream has it; null where there is none.
fn stored(server: &Server, subject: &str) -> Value {
    let request = json!({ "last_by_subj": subject }).to_string();
    raw(server, "$JS.API.STREAM.MSG.GET.KV_sessions", &request)["message"].clone()
}

fn messages(server: &Server) -> u64 {
    let info = raw(server, "$JS.API.STREAM.INFO.KV_sessions", "");
    info["state"]["messages"].as_u64().unwrap()
}

async fn listed(driver: &dyn Driver, prefix: &str) -> Vec<ItemKey> {
    driver.keys(prefix).try_collect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nats_conforms() {
    let Some(server) = Server::start() else { return };
    let options = json!({ "url": server.url(), "base": "conformance" });
    conformance::run(|| open("nats", &options)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_newest_nats_conforms() {
    let Some(server) = Server::newest() else { return };
    let options = json!({ "url": server.url(), "base": "conformance" });
    conformance::run(|| open("nats", &options)).await;
}

#[tokio::test]
async fn an_item_is_the_value_alone_under_a_key_of_the_bucket_with_its_deadline_in_a_header() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url(), "base": "sess" }));
    let begin = SystemTime::UNIX_EPOCH.elapsed().unwrap() + HOUR.unwrap();
    put(&driver, "a.b/ä", "value").await;
    let message = stored(&server, "$KV.sessions.sess.a=2Eb.=C3=A4");
    assert_eq!(message["data"], "dmFsdWU=");
    let headers = message["hdrs"].as_str().unwrap();
    let script = format!("printf %s {headers} | base64 --decode");
    let decoded = Command::new("sh").args(["-c", &script]).output().unwrap();
    let headers = String::from_utf8(decoded.stdout).unwrap();
    assert!(headers.contains("\r\nCloakroom-Expires: 1"), "{headers}");
    assert!(headers.contains("\r\nCloakroom-Write: "), "{headers}");
    let (_, ttl) = driver.get_with_ttl(&key("a.b/ä")).await.unwrap().unwrap();
    let deadline = SystemTime::UNIX_EPOCH.elapsed().unwrap() + ttl.unwrap();
    assert!(deadline + Duration::from_millis(10) >= begin, "{deadline:?} {begin:?}");
    assert_eq!(listed(&driver, "a.b:").await, [key("a.b/ä")]);

    // The bucket is as NATS's own programs make one.
    let info = raw(&server, "$JS.API.STREAM.INFO.KV_sessions", "");
    assert_eq!(info["config"]["max_msgs_per_subject"], 1);
    assert_eq!(info["config"]["subjects"], json!(["$KV.sessions.>"]));
    assert_eq!(info["config"]["storage"], "file");
}

#[tokio::test]
async fn an_item_of_another_program_is_read_replaced_and_listed() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url() }));
    put(&driver, "own", "value").await;
    raw(&server, "$KV.sessions.id", "value");
    // Which no item can be: it is not how a key is written here.
    raw(&server, "$KV.sessions.a/b", "value");
    let (item, ttl) = driver.get_with_ttl(&key("id")).await.unwrap().unwrap();
    assert_eq!((&item.value[..], ttl), (&b"value"[..], None));
    assert_eq!(listed(&driver, "").await, [key("id"), key("own")]);
    let when = When::Version(item.version);
    written(driver.set(&key("id"), "other".into(), when, HOUR).await.unwrap());
}

#[tokio::test]
async fn a_version_outlives_deadlines_that_are_moved_and_ends_with_another_write() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url() }));
    let id = key("id");
    let version = written(driver.set(&id, "1".into(), When::Absent, SHORT).await.unwrap());
    for ttl in [HOUR, None, HOUR] {
        assert!(driver.touch(&id, ttl).await.unwrap());
        assert_eq!(driver.get(&id).await.unwrap().unwrap().version, version);
    }
    // The deadline that it was written with has passed.
    tokio::time::sleep(SHORT.unwrap()).await;
    let when = When::Version(version.clone());
    let next = written(driver.set(&id, "1".into(), when.clone(), HOUR).await.unwrap());
    assert_ne!(next, version, "the same bytes, written again, are another version");
    assert_eq!(
        driver.set(&id, "2".into(), when.clone(), HOUR).await.unwrap(),
        SetOutcome::Conflict
    );
    assert_eq!(driver.remove(&id, when).await.unwrap(), RemoveOutcome::Conflict);
    assert!(driver.touch(&id, HOUR).await.unwrap());
    assert_eq!(driver.remove(&id, When::Version(next)).await.unwrap(), RemoveOutcome::Removed);
}

#[tokio::test]
async fn a_key_that_another_program_deleted_is_missing_and_can_be_created() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url() }));
    let version = put(&driver, "id", "value").await;
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    let headers = "NATS/1.0\r\nKV-Operation: DEL\r\n\r\n";
    let length = headers.len();
    write!(stream, "CONNECT {{\"headers\":true}}\r\n").unwrap();
    write!(stream, "HPUB $KV.sessions.id {length} {length}\r\n{headers}\r\n").unwrap();
    until("it is deleted", async || read(&driver, "id").await.unwrap().is_none()).await;
    assert_eq!(listed(&driver, "").await, []);
    assert!(!driver.touch(&key("id"), HOUR).await.unwrap());
    let late = driver.set(&key("id"), "late".into(), When::Version(version), HOUR).await.unwrap();
    assert_eq!(late, SetOutcome::Conflict);
    written(driver.set(&key("id"), "new".into(), When::Absent, HOUR).await.unwrap());
}

#[tokio::test]
async fn a_removal_leaves_nothing_behind() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url() }));
    let version = put(&driver, "id", "value").await;
    put(&driver, "other", "value").await;
    driver.remove(&key("id"), When::Version(version)).await.unwrap();
    driver.remove(&key("other"), When::Always).await.unwrap();
    assert_eq!(messages(&server), 0);
}

#[tokio::test]
async fn the_newest_server_removes_expired_items_by_itself() {
    let Some(server) = Server::newest() else { return };
    let driver = bare(&json!({ "url": server.url() }));
    assert!(!driver.capabilities().native_ttl, "nobody knows yet");
    written(driver.set(&key("id"), "value".into(), When::Always, HOUR).await.unwrap());
    assert!(driver.capabilities().native_ttl);
    assert!(driver.touch(&key("id"), SHORT).await.unwrap());
    until("it reads as missing", async || read(&driver, "id").await.unwrap().is_none()).await;
    assert_eq!(messages(&server), 1, "the server has it still");
    until("the server removes it", async || messages(&server) == 0).await;
}

#[tokio::test]
async fn a_sweep_goes_on_where_the_last_one_stopped_and_leaves_what_lives() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url(), "base": "sess" }));
    let elsewhere = bare(&json!({ "url": server.url(), "base": "other" }));
    for index in 0..1500 {
        put(&driver, &format!("lives:{index}"), "value").await;
    }
    for index in 0..5 {
        let key = key(&format!("expired:{index}"));
        written(driver.set(&key, "value".into(), When::Always, SHORT).await.unwrap());
    }
    written(elsewhere.set(&key("id"), "value".into(), When::Always, SHORT).await.unwrap());
    until("it expired", async || read(&elsewhere, "id").await.unwrap().is_none()).await;
    let steps = async || {
        let swept = driver.sweep(3).await.unwrap();
        (swept.examined, swept.removed, swept.finished)
    };
    assert_eq!(steps().await, (1000, 0, false));
    assert_eq!(steps().await, (503, 3, false));
    assert_eq!(steps().await, (2, 2, true));
    assert_eq!(messages(&server), 1501, "what is under another base stays");
}

#[tokio::test]
async fn every_call_takes_one_round_trip_but_those_that_have_to_look_first() {
    for server in [Server::start(), Server::newest()] {
        let Some(server) = server else { return };
        let proxy = Proxy::start(server.port());
        let driver = bare(&json!({ "url": format!("nats://127.0.0.1:{}", proxy.port()) }));
        let id = key("id");
        put(&driver, "other", "value").await;
        proxy.reset();
        let trips = |what: &str, expected: u64| {
            assert_eq!(proxy.round_trips(), expected, "{what}");
            proxy.reset();
        };
        let version = written(driver.set(&id, "1".into(), When::Absent, HOUR).await.unwrap());
        trips("create", 1);
        driver.get_with_ttl(&id).await.unwrap();
        trips("read", 1);
        let when = When::Version(version);
        let version = written(driver.set(&id, "2".into(), when, HOUR).await.unwrap());
        trips("write", 2);
        driver.touch(&id, HOUR).await.unwrap();
        trips("touch", 2);
        let when = When::Version(version);
        let version = written(driver.set(&id, "3".into(), when, HOUR).await.unwrap());
        trips("write after a touch", 2);
        driver.remove(&id, When::Version(version)).await.unwrap();
        trips("remove a version", 3);
        driver.remove(&id, When::Always).await.unwrap();
        trips("remove what is missing", 1);
        put(&driver, "id", "value").await;
        proxy.reset();
        driver.remove(&id, When::Always).await.unwrap();
        trips("remove", 2);
    }
}

#[tokio::test]
async fn a_value_that_is_too_long_is_refused_and_leaves_what_was_there() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url() }));
    let version = put(&driver, "id", "value").await;
    let large = Bytes::from(vec![b'x'; 9_000_000]);
    let error = driver.set(&key("id"), large, When::Always, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    assert_eq!(driver.get(&key("id")).await.unwrap().unwrap().version, version);
}

#[tokio::test]
async fn a_token_or_a_password_lets_us_in_and_a_wrong_one_does_not() {
    let Some(tokens) = Server::start_with("authorization { token: secret }") else { return };
    let users = "authorization { users: [{ user: someone, password: secret }] }";
    let Some(users) = Server::start_with(users) else { return };
    let with_token = |token: &str| {
        let mut options = Options::new(tokens.url());
        options.token = Some(token.to_owned());
        assert!(!format!("{options:?}").contains(token));
        Nats::new(options).unwrap()
    };
    let in_url = |token: &str| {
        bare(&json!({ "url": format!("nats://{token}@127.0.0.1:{}", tokens.port()) }))
    };
    let with_password = |password: &str| {
        let port = users.port();
        bare(&json!({ "url": format!("nats://someone:{password}@127.0.0.1:{port}") }))
    };
    put(&with_token("secret"), "id", "value").await;
    assert_eq!(read(&in_url("secret"), "id").await.unwrap(), Some("value".into()));
    put(&with_password("secret"), "id", "value").await;
    let anonymous = bare(&json!({ "url": users.url() }));
    for driver in [with_token("guessed"), in_url("guessed"), with_password("guessed"), anonymous] {
        let error = read(&driver, "id").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(!error.is_retryable());
        assert!(!format!("{driver:?} {error:?}").contains("guessed"));
    }
}

#[tokio::test]
async fn wrong_options_are_named() {
    for (options, part) in [
        (json!({ "url": "redis://localhost" }), "option `url`"),
        (json!({ "bucket": "a.b" }), "option `bucket`"),
        (json!({ "storage": "disk" }), "option `storage`"),
        (json!({ "base": ".." }), "option `base`"),
        (json!({ "servers": "nats://localhost" }), "no such option `servers`"),
    ] {
        let error = Nats::open(options.as_object().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
        assert!(error.to_string().contains(part), "{error}");
    }
}

/// Makes the bucket as another program might, with these settings besides.
fn make_bucket(server: &Server, settings: Value) {
    let mut config = json!({
        "name": "KV_sessions", "subjects": ["$KV.sessions.>"], "max_msgs_per_subject": 1,
        "retention": "limits", "storage": "file", "num_replicas": 1, "discard": "new",
    });
    config.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    raw(server, "$JS.API.STREAM.CREATE.KV_sessions", &config.to_string());
}

#[tokio::test]
async fn a_bucket_with_a_history_is_refused() {
    let Some(server) = Server::start() else { return };
    make_bucket(&server, json!({ "max_msgs_per_subject": 5, "storage": "memory" }));
    let error = read(&bare(&json!({ "url": server.url() })), "id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
}

#[tokio::test]
async fn a_bucket_that_somebody_deleted_is_made_again() {
    let Some(server) = Server::start() else { return };
    let driver = open("nats", &json!({ "url": server.url() })).await;
    put(&*driver, "id", "value").await;
    raw(&server, "$JS.API.STREAM.DELETE.KV_sessions", "");
    assert_eq!(read(&*driver, "id").await.unwrap(), None);
    raw(&server, "$JS.API.STREAM.DELETE.KV_sessions", "");
    written(driver.set(&key("id"), "new".into(), When::Absent, HOUR).await.unwrap());
}

#[tokio::test]
async fn a_bucket_that_somebody_made_again_without_expiry_is_swept_from_then_on() {
    let Some(server) = Server::newest() else { return };
    let driver = open("nats", &json!({ "url": server.url() })).await;
    put(&*driver, "id", "value").await;
    assert!(driver.capabilities().native_ttl);
    raw(&server, "$JS.API.STREAM.DELETE.KV_sessions", "");
    // As older programs make it.
    make_bucket(&server, json!({ "allow_rollup_hdrs": true }));
    written(driver.set(&key("id"), "new".into(), When::Absent, SHORT).await.unwrap());
    assert!(!driver.capabilities().native_ttl);
    until("it has expired", async || read(&*driver, "id").await.unwrap().is_none()).await;
    until("it is swept", async || driver.sweep(10).await.unwrap().removed == 1).await;
}

/// What a version is good for that is of an earlier bucket of the same name.
async fn an_earlier_bucket_is_another(options: &Value, end: impl AsyncFn()) {
    let (ours, other) = (open("nats", options).await, open("nats", options).await);
    let old = put(&*ours, "id", "old cart").await;
    for index in 0..3 {
        put(&*ours, &format!("x{index}"), "value").await;
    }
    let large = put(&*ours, "large", "value").await;
    assert_eq!(read(&*other, "id").await.unwrap().unwrap(), "old cart");
    end().await;
    let again = async || other.set(&key("id"), "another's".into(), When::Absent, HOUR).await;
    until("it is made again", async || again().await.is_ok()).await;
    written(other.set(&key("large"), "another's".into(), When::Absent, HOUR).await.unwrap());
    for (name, version) in [("id", old), ("large", large)] {
        let when = When::Version(version);
        let late = async || ours.set(&key(name), "old handle's".into(), when.clone(), HOUR).await;
        until("it is there", async || late().await.is_ok()).await;
        assert_eq!(late().await.unwrap(), SetOutcome::Conflict);
        let removed = ours.remove(&key(name), when.clone()).await.unwrap();
        assert_eq!(removed, RemoveOutcome::Conflict);
        assert_eq!(read(&*other, name).await.unwrap().unwrap(), "another's");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_of_a_bucket_that_was_deleted_is_none_of_the_next() {
    for server in [Server::start(), Server::newest()] {
        let Some(server) = server else { return };
        let options = json!({ "url": server.url() });
        an_earlier_bucket_is_another(&options, async || {
            raw(&server, "$JS.API.STREAM.DELETE.KV_sessions", "");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_of_a_bucket_whose_memory_is_gone_is_none_of_the_next() {
    for server in [Server::start(), Server::newest()] {
        let Some(server) = server else { return };
        let options = json!({ "url": server.url(), "storage": "memory" });
        an_earlier_bucket_is_another(&options, async || {
            tokio::task::block_in_place(|| server.restart());
        })
        .await;
    }
}

#[tokio::test]
async fn a_removal_of_a_version_takes_nothing_of_a_lower_sequence() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url() }));
    let version = put(&driver, "id", "value").await;
    raw(&server, "$JS.API.STREAM.DELETE.KV_sessions", "");
    // As another program makes it: sequences begin at one.
    make_bucket(&server, json!({ "storage": "memory", "allow_rollup_hdrs": true }));
    assert_eq!(raw(&server, "$KV.sessions.id", "another's")["seq"], 1);
    let removed = driver.remove(&key("id"), When::Version(version)).await.unwrap();
    assert_eq!(removed, RemoveOutcome::Conflict);
    assert_eq!(read(&driver, "id").await.unwrap().unwrap(), "another's");
}

/// As after a restored copy, or a power cut: the bucket has forgotten its last write, and gives its sequence again.
#[tokio::test]
async fn a_version_whose_write_the_bucket_has_lost_is_none_of_the_next_write() {
    let Some(server) = Server::newest() else { return };
    let driver = bare(&json!({ "url": server.url() }));
    let id = key("id");
    put(&driver, "id", "of ours").await;
    let begin = stored(&server, "$KV.sessions.id")["seq"].clone();
    let as_ours = json!({ "allow_rollup_hdrs": true, "allow_msg_ttl": true, "first_seq": begin });
    for writes in ["another program's", "a third one's"] {
        let old = driver.get(&id).await.unwrap().unwrap().version;
        raw(&server, "$JS.API.STREAM.DELETE.KV_sessions", "");
        make_bucket(&server, as_ours.clone());
        assert_eq!(raw(&server, "$KV.sessions.id", writes)["seq"], begin);
        let when = When::Version(old);
        let late = driver.set(&id, "old handle's".into(), when.clone(), HOUR).await.unwrap();
        assert_eq!(late, SetOutcome::Conflict);
        assert_eq!(driver.remove(&id, when).await.unwrap(), RemoveOutcome::Conflict);
        assert_eq!(read(&driver, "id").await.unwrap().unwrap(), writes);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_ends_beside_touches_and_has_what_was_there() {
    const COUNT: usize = 2500;
    let Some(server) = Server::start() else { return };
    let driver = open("nats", &json!({ "url": server.url() })).await;
    let name = |index: usize| key(&format!("a:{index}"));
    stream::iter(0..COUNT)
        .for_each_concurrent(64, async |index| {
            let value = vec![b'x'; 100];
            written(driver.set(&name(index), value.into(), When::Absent, HOUR).await.unwrap());
        })
        .await;
    let touches = stream::iter((0..COUNT).rev()).for_each(async |index| {
        assert!(driver.touch(&name(index), HOUR).await.unwrap());
    });
    let lists = async {
        for _ in 0..3 {
            assert_eq!(listed(&*driver, "a:").await.len(), COUNT);
        }
    };
    tokio::join!(touches, lists);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_fail_at_once_while_nats_is_away_and_find_everything_when_it_is_back() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url() }));
    put(&driver, "id", "value").await;
    tokio::task::block_in_place(|| server.kill());
    // Until the loss is noticed, the answer is lost.
    _ = read(&driver, "id").await;
    let begin = Instant::now();
    let error = driver.set(&key("id"), "other".into(), When::Absent, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.is_retryable() && error.is_unapplied(), "{error}");
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());
    // One that has never been connected fails as well.
    let error = read(&bare(&json!({ "url": server.url() })), "id").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");

    tokio::task::block_in_place(|| server.restart());
    until("it answers", async || read(&driver, "id").await.is_ok()).await;
    assert_eq!(read(&driver, "id").await.unwrap(), Some("value".into()));
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_used_again_when_it_goes_on() {
    let Some(server) = Server::start() else { return };
    let driver = open_impatient("nats", &json!({ "url": server.url() })).await;
    put(&*driver, "id", "value").await;
    server.pause();
    assert_eq!(read(&*driver, "id").await.unwrap_err().kind(), ErrorKind::Timeout);
    server.resume();
    until("it answers", async || read(&*driver, "id").await.is_ok()).await;
    assert_eq!(read(&*driver, "id").await.unwrap(), Some("value".into()));
}
