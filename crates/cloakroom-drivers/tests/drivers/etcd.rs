//! The `etcd` driver, on a real etcd.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::conformance;
use crate::network_support::{AT_ONCE, HOUR, key, open, open_impatient, put, read, until, written};
use bytes::Bytes;
use cloakroom_drivers::etcd::{Etcd, Options};
use cloakroom_storage::{Driver, ErrorKind, ItemKey, SetOutcome, When};
use futures_util::TryStreamExt as _;
use interop_peers::{Etcd as Server, Proxy};
use serde_json::{Value, json};

/// The driver alone, without deadlines and retries.
fn bare(options: &Value) -> Etcd {
    Etcd::open(options.as_object().unwrap()).unwrap()
}

/// What etcd answers to a request in JSON.
fn raw(server: &Server, path: &str, body: &Value) -> Value {
    let url = format!("{}{path}", server.url());
    let output =
        Command::new("curl").args(["--silent", "--data", &body.to_string(), &url]).output();
    serde_json::from_slice(&output.unwrap().stdout).unwrap()
}

/// The item `sess:id`, as etcd has it; null where there is none.
fn stored(server: &Server) -> Value {
    raw(server, "/v3/kv/range", &json!({ "key": "c2VzczppZA==" }))["kvs"][0].clone()
}

fn leases(server: &Server) -> usize {
    let leases = raw(server, "/v3/lease/leases", &json!({}));
    leases["leases"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn etcd_conforms() {
    let Some(server) = Server::start() else { return };
    let options = json!({ "url": server.url(), "base": "conformance" });
    conformance::run(|| open("etcd", &options)).await;
}

#[tokio::test]
async fn an_item_is_the_value_alone_attached_to_a_lease_whose_number_is_the_deadline() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url(), "base": "sess" }));
    let begin = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap() + HOUR.unwrap();
    put(&driver, "id", "value").await;
    let pair = stored(&server);
    assert_eq!(pair["value"], "dmFsdWU=");
    let lease: i64 = pair["lease"].as_str().unwrap().parse().unwrap();
    assert!(lease < 0);
    let deadline = Duration::from_millis((lease & i64::MAX) as u64 >> 20);
    assert!((begin..begin + Duration::from_secs(10)).contains(&deadline), "{deadline:?}");

    assert!(driver.touch(&key("id"), None).await.unwrap());
    let pair = stored(&server);
    assert_eq!((&pair["value"], &pair["lease"]), (&json!("dmFsdWU="), &Value::Null));
}

#[tokio::test]
async fn an_item_of_another_program_is_read_replaced_and_listed() {
    let Some(server) = Server::start() else { return };
    raw(&server, "/v3/lease/grant", &json!({ "ID": "77", "TTL": "600" }));
    let item = json!({ "key": "c2VzczppZA==", "value": "dmFsdWU=", "lease": "77" });
    raw(&server, "/v3/kv/put", &item);
    // `sess:a//b`, which no item can have.
    raw(&server, "/v3/kv/put", &json!({ "key": "c2VzczphLy9i", "value": "dmFsdWU=" }));
    let driver = bare(&json!({ "url": server.url(), "base": "sess" }));
    let (item, ttl) = driver.get_with_ttl(&key("id")).await.unwrap().unwrap();
    assert_eq!((&item.value[..], ttl), (&b"value"[..], None));
    let keys: Vec<ItemKey> = driver.keys("").try_collect().await.unwrap();
    assert_eq!(keys, [key("id")]);
    let when = When::Version(item.version);
    written(driver.set(&key("id"), "other".into(), when, HOUR).await.unwrap());
}

#[tokio::test]
async fn etcd_frees_expired_items_and_their_leases_by_itself() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url(), "base": "sess" }));
    let ttl = Some(Duration::from_millis(300));
    written(driver.set(&key("id"), "value".into(), When::Always, ttl).await.unwrap());
    until("it reads as missing", async || read(&driver, "id").await.unwrap().is_none()).await;
    assert_ne!(stored(&server), Value::Null, "etcd has it still");
    until("etcd frees it", async || stored(&server) == Value::Null).await;
    assert_eq!(leases(&server), 0);
}

#[tokio::test]
async fn a_thousand_items_share_the_leases_of_a_few_seconds() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url() }));
    let begin = Instant::now();
    for index in 0..1000 {
        put(&driver, &index.to_string(), "value").await;
    }
    let seconds = begin.elapsed().as_secs() as usize;
    assert!(leases(&server) <= seconds + 2, "{} in {seconds} s", leases(&server));
    let keys: Vec<ItemKey> = driver.keys("").try_collect().await.unwrap();
    assert_eq!(keys.len(), 1000);
}

#[tokio::test]
async fn more_keys_than_a_page_are_listed_once_each() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url(), "base": "sess" }));
    let mut expected = Vec::new();
    for index in 0..2001 {
        let key = key(&format!("listed:{index}"));
        written(driver.set(&key, Bytes::new(), When::Always, None).await.unwrap());
        expected.push(key);
    }
    let mut keys: Vec<ItemKey> = driver.keys("listed:").try_collect().await.unwrap();
    keys.sort();
    expected.sort();
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn a_lease_that_somebody_revoked_is_made_again() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url(), "base": "sess" }));
    // Deadlines of the next second may have another lease, so not each round finds one that is gone.
    for _ in 0..10 {
        put(&driver, "id", "value").await;
        let lease = stored(&server)["lease"].clone();
        raw(&server, "/v3/lease/revoke", &json!({ "ID": lease }));
        assert_eq!(stored(&server), Value::Null);
        written(driver.set(&key("id"), "again".into(), When::Absent, HOUR).await.unwrap());
        assert_ne!(stored(&server)["lease"], Value::Null);
        driver.remove(&key("id"), When::Always).await.unwrap();
    }
}

#[tokio::test]
async fn every_call_takes_one_round_trip_once_the_lease_is_there() {
    let Some(server) = Server::start() else { return };
    let proxy = Proxy::start(server.port());
    let driver = bare(&json!({ "url": format!("http://127.0.0.1:{}", proxy.port()) }));
    let id = key("id");
    let trips = |what: &str, expected: u64| {
        assert_eq!(proxy.round_trips(), expected, "{what}");
        proxy.reset();
    };
    let outcome = driver.set(&id, "1".into(), When::Absent, HOUR).await.unwrap();
    trips("create, with a lease to make", 2);
    let version = written(outcome);
    driver.get_with_ttl(&id).await.unwrap();
    trips("read", 1);
    driver.touch(&id, None).await.unwrap();
    trips("touch", 1);
    let when = When::Version(version);
    let version = written(driver.set(&id, "2".into(), when, None).await.unwrap());
    trips("write", 1);
    driver.remove(&id, When::Version(version)).await.unwrap();
    trips("remove a version", 1);
    driver.remove(&id, When::Always).await.unwrap();
    trips("remove", 1);
    // All in the same second, or in two.
    let begin = Instant::now();
    for _ in 0..20 {
        written(driver.set(&id, "1".into(), When::Always, HOUR).await.unwrap());
    }
    assert!(proxy.round_trips() <= 20 + 2 + begin.elapsed().as_secs(), "{}", proxy.round_trips());
}

#[tokio::test]
async fn a_value_that_is_too_long_is_refused_and_leaves_what_was_there() {
    let Some(server) = Server::start_with(&[]) else { return };
    let driver = bare(&json!({ "url": server.url() }));
    let version = put(&driver, "id", "value").await;
    for length in [1_700_000, 5_000_000] {
        let large = Bytes::from(vec![b'x'; length]);
        let error = driver.set(&key("id"), large, When::Always, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    }
    assert_eq!(driver.get(&key("id")).await.unwrap().unwrap().version, version);
}

#[tokio::test]
async fn a_user_is_let_in_and_let_in_again_when_etcd_has_forgotten_him() {
    let Some(server) = Server::start() else { return };
    raw(&server, "/v3/auth/user/add", &json!({ "name": "root", "password": "secret" }));
    raw(&server, "/v3/auth/role/add", &json!({ "name": "root" }));
    raw(&server, "/v3/auth/user/grant", &json!({ "user": "root", "role": "root" }));
    raw(&server, "/v3/auth/enable", &json!({}));
    let with = |password: &str| {
        let mut options = Options::new(server.url());
        options.username = Some("root".to_owned());
        options.password = Some(password.to_owned());
        assert!(!format!("{options:?}").contains(password));
        Etcd::new(options).unwrap()
    };
    let driver = with("secret");
    put(&driver, "id", "value").await;
    // Its tokens do not outlive it.
    server.restart();
    until("it answers", async || read(&driver, "id").await.is_ok()).await;

    for driver in [with("guessed"), bare(&json!({ "url": server.url() }))] {
        let error = read(&driver, "id").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(!error.is_retryable());
        assert!(!format!("{driver:?} {error:?}").contains("guessed"));
    }
}

/// Root, and users who may write what begins with their names.
fn enable_users(server: &Server, names: &[&str]) {
    use base64::Engine as _;
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    for name in [&["root"], names].concat() {
        raw(server, "/v3/auth/user/add", &json!({ "name": name, "password": "secret" }));
        raw(server, "/v3/auth/role/add", &json!({ "name": name }));
        raw(server, "/v3/auth/user/grant", &json!({ "user": name, "role": name }));
        let (key, end) = (base64(&format!("{name}:")), base64(&format!("{name};")));
        let perm = json!({ "permType": "READWRITE", "key": key, "range_end": end });
        raw(server, "/v3/auth/role/grant", &json!({ "name": name, "perm": perm }));
    }
    raw(server, "/v3/auth/enable", &json!({}));
}

fn as_user(server: &Server, name: &str) -> Etcd {
    bare(&json!({ "url": server.url(), "base": name, "username": name, "password": "secret" }))
}

/// Posts with a token of root's.
fn as_root(server: &Server, path: &str, body: &Value) -> Value {
    let login = json!({ "name": "root", "password": "secret" });
    let token = raw(server, "/v3/auth/authenticate", &login)["token"].as_str().unwrap().to_owned();
    let output = Command::new("curl")
        .args(["--silent", "--header", &format!("authorization: {token}")])
        .args(["--data", &body.to_string(), &format!("{}{path}", server.url())])
        .output();
    serde_json::from_slice(&output.unwrap().stdout).unwrap()
}

#[tokio::test]
async fn a_change_of_users_is_no_refusal_of_a_request_that_has_a_signed_token() {
    let folder = tempfile::tempdir().unwrap();
    let (private, public) = (folder.path().join("private.pem"), folder.path().join("public.pem"));
    let openssl = |arguments: &[&str]| {
        assert!(Command::new("openssl").args(arguments).output().unwrap().status.success());
    };
    let [private, public] = [&private, &public].map(|path| path.to_str().unwrap());
    openssl(&["genrsa", "-out", private, "2048"]);
    openssl(&["rsa", "-in", private, "-pubout", "-out", public]);
    let tokens = format!("jwt,pub-key={public},priv-key={private},sign-method=RS256,ttl=10m");
    let Some(server) = Server::start_with(&["--auth-token", &tokens]) else { return };
    enable_users(&server, &["app1"]);
    let driver = as_user(&server, "app1");
    let version = put(&driver, "id", "one").await;
    for name in ["somebody", "somebody-else"] {
        as_root(&server, "/v3/auth/user/add", &json!({ "name": name, "password": "secret" }));
        assert_eq!(read(&driver, "id").await.unwrap().unwrap(), "one");
    }
    as_root(&server, "/v3/auth/role/add", &json!({ "name": "another" }));
    let when = When::Version(version);
    written(driver.set(&key("id"), "two".into(), when, HOUR).await.unwrap());
}

#[tokio::test]
async fn two_users_share_no_lease_and_two_processes_of_one_do() {
    let Some(server) = Server::start() else { return };
    enable_users(&server, &["app1", "app2"]);
    let drivers = ["app1", "app1", "app2"].map(|name| as_user(&server, name));
    for index in 0..20 {
        let name = index.to_string();
        let puts = drivers.iter().map(|driver| put(driver, &name, "value"));
        futures_util::future::join_all(puts).await;
    }
    let range = json!({ "key": "YXBw", "range_end": "YXBx" });
    let pairs = as_root(&server, "/v3/kv/range", &range)["kvs"].as_array().unwrap().clone();
    let owners: std::collections::BTreeSet<(String, i64)> = pairs
        .iter()
        .map(|pair| {
            let name = pair["key"].as_str().unwrap()[..6].to_owned();
            let lease: i64 = pair["lease"].as_str().unwrap().parse().unwrap();
            (name, lease & ((1 << 20) - 1))
        })
        .collect();
    assert_eq!((pairs.len(), owners.len()), (40, 2), "{owners:?}");
    let numbers: std::collections::BTreeSet<i64> =
        owners.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers.len(), 2, "{owners:?}");
}

#[tokio::test]
async fn wrong_options_are_named() {
    for (options, part) in [
        (json!({ "url": "redis://localhost" }), "option `url`"),
        (json!({ "url": "http://one,nonsense://two" }), "option `url`"),
        (json!({ "username": "someone" }), "`password`"),
        (json!({ "base": ".." }), "option `base`"),
        (json!({ "endpoint": "http://localhost" }), "no such option `endpoint`"),
    ] {
        let error = Etcd::open(options.as_object().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_fail_at_once_while_etcd_is_away_and_find_everything_when_it_is_back() {
    let Some(server) = Server::start() else { return };
    let driver = bare(&json!({ "url": server.url() }));
    put(&driver, "id", "value").await;
    tokio::task::block_in_place(|| server.kill());
    // The end of an idle connection may be noticed only now.
    _ = read(&driver, "id").await;
    let begin = Instant::now();
    let error = driver.set(&key("id"), "other".into(), When::Absent, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.is_retryable() && error.is_unapplied(), "{error}");
    assert!(begin.elapsed() < AT_ONCE, "{:?}", begin.elapsed());

    tokio::task::block_in_place(|| server.restart());
    assert_eq!(read(&driver, "id").await.unwrap(), Some("value".into()));
    let outcome = driver.set(&key("id"), "other".into(), When::Absent, HOUR).await.unwrap();
    assert_eq!(outcome, SetOutcome::Conflict);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_used_again_when_it_goes_on() {
    let Some(server) = Server::start() else { return };
    let driver = open_impatient("etcd", &json!({ "url": server.url() })).await;
    put(&driver, "id", "value").await;
    server.pause();
    assert_eq!(read(&driver, "id").await.unwrap_err().kind(), ErrorKind::Timeout);
    server.resume();
    until("it answers", async || read(&driver, "id").await.is_ok()).await;
    assert_eq!(read(&driver, "id").await.unwrap(), Some("value".into()));
}

#[tokio::test]
async fn when_one_server_cannot_be_reached_the_next_one_is_asked() {
    let (Some(away), Some(server)) = (Server::start(), Server::start()) else { return };
    away.stop();
    // As `etcdctl` takes them, too.
    let url = format!("{},127.0.0.1:{}", away.url(), server.port());
    let driver = open("etcd", &json!({ "url": url })).await;
    put(&driver, "id", "value").await;
    assert_eq!(read(&driver, "id").await.unwrap(), Some("value".into()));
}
