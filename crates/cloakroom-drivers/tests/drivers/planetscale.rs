//! The driver `planetscale` against a shim over MariaDB, and beside unstorage's driver over PlanetScale's own client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::conformance;
use crate::javascript::Texts;
use cloakroom_drivers::open;
use cloakroom_drivers::planetscale::{Options, PlanetScale, migrations};
use cloakroom_storage::{Driver, DynDriver, ErrorKind, ItemKey, RemoveOutcome, SetOutcome, When};
use interop_peers::{JavaScript, PlanetScale as Peer, Proxy};
use serde_json::{Value, json};

const HOUR: Option<Duration> = Some(Duration::from_secs(3600));
const SHORT: Option<Duration> = Some(Duration::from_millis(300));
const PATIENCE: Duration = Duration::from_secs(60);

/// What unstorage's documentation tells its users to run.
const JAVASCRIPTS_TABLE: &str = "CREATE TABLE storage (\
     `id` VARCHAR(255) NOT NULL PRIMARY KEY, `value` LONGTEXT, \
     `created_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP, \
     `updated_at` TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)";

/// Sends the SQL past the drivers, as somebody's console would, and gives the rows.
fn run(peer: &Peer, sql: &str) -> Value {
    javascript(peer).unwrap().call("execute", &[json!(sql)])
}

fn javascript(peer: &Peer) -> Option<JavaScript> {
    JavaScript::open("planetscale", &json!({ "url": peer.url() }))
}

async fn driver(peer: &Peer) -> PlanetScale {
    PlanetScale::new(&Options::new(peer.url())).await.unwrap()
}

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

async fn put(driver: &dyn Driver, name: &str, value: &'static str, ttl: Option<Duration>) {
    let outcome = driver.set(&key(name), value.into(), When::Always, ttl).await.unwrap();
    assert!(matches!(outcome, SetOutcome::Written { .. }));
}

async fn read(driver: &dyn Driver, name: &str) -> Option<String> {
    let item = driver.get(&key(name)).await.unwrap()?;
    Some(String::from_utf8(item.value.to_vec()).unwrap())
}

async fn until_missing(driver: &dyn Driver, name: &str) {
    let begin = Instant::now();
    while read(driver, name).await.is_some() {
        assert!(begin.elapsed() < PATIENCE, "an item outlives its ttl");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_table_at_planetscale_obeys_every_rule() {
    let Some(peer) = Peer::start() else { return };
    conformance::run(|| async { Arc::new(driver(&peer).await) as DynDriver }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_rule_holds_too_where_a_row_counts_only_when_it_changes() {
    let Some(peer) = Peer::start_with(&["changed"]) else { return };
    conformance::run(|| async { Arc::new(driver(&peer).await) as DynDriver }).await;
    let ours = driver(&peer).await;
    put(&ours, "a", "same", None).await;
    for _ in 0..3 {
        assert!(ours.touch(&key("a"), None).await.unwrap());
        let seen = ours.get(&key("a")).await.unwrap().unwrap().version;
        let same = ours.set(&key("a"), "same".into(), When::Version(seen), None).await.unwrap();
        assert!(matches!(same, SetOutcome::Written { .. }), "the same value was no write");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rust_and_javascript_share_a_table_whoever_made_it() {
    for javascripts in [true, false] {
        let Some(peer) = Peer::start() else { return };
        if javascripts {
            run(&peer, JAVASCRIPTS_TABLE);
        }
        let ours: DynDriver = Arc::new(driver(&peer).await);
        let Some(mut theirs) = javascript(&peer) else { return };
        crate::javascript::both_directions(&ours, &mut theirs, Texts::Any).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_unstorages_and_a_deadline_is_of_one_value() {
    let Some(peer) = Peer::start() else { return };
    let ours = driver(&peer).await;
    put(&ours, "a:b", "wool", HOUR).await;
    put(&ours, "c", "wool", None).await;
    let row = "SELECT id, value, expires_at IS NOT NULL AS deadline, \
               LOWER(HEX(expires_value)) AS mark FROM storage ORDER BY id";
    // SHA-256 of "wool".
    let mark = "feb672a2e6ea299d8f1f1b1bbed77214c909c3a89a3214eaa26beebe4acceb7c";
    let rows = run(&peer, row);
    assert_eq!(rows[0], json!({ "id": "a:b", "value": "wool", "deadline": 1, "mark": mark }));
    assert_eq!(rows[1], json!({ "id": "c", "value": "wool", "deadline": 0, "mark": null }));
    let ttl = async || ours.get_with_ttl(&key("a:b")).await.unwrap().unwrap().1;
    assert!(ttl().await.is_some());
    javascript(&peer).unwrap().call("setItem", &[json!("a:b"), json!("felt")]);
    assert_eq!(ttl().await, None, "a deadline outlived its value");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_the_collation_takes_for_another_one_can_be_created() {
    let Some(peer) = Peer::start() else { return };
    run(&peer, JAVASCRIPTS_TABLE);
    let ours = driver(&peer).await;
    put(&ours, "case-abc", "wool", HOUR).await;
    assert_eq!(read(&ours, "CASE-abc").await, None);
    let outcome = ours.set(&key("CASE-abc"), "felt".into(), When::Absent, HOUR).await.unwrap();
    assert!(matches!(outcome, SetOutcome::Written { .. }), "a conflict for good");
    assert_eq!(read(&ours, "CASE-abc").await.unwrap(), "felt");
    assert_eq!(read(&ours, "case-abc").await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_text_are_what_set_item_raw_writes() {
    let Some(peer) = Peer::start() else { return };
    let ours = driver(&peer).await;
    let Some(mut theirs) = javascript(&peer) else { return };
    theirs.call("setItemRaw", &[json!("a"), json!([255, 0, 1])]);
    let item = ours.get(&key("a")).await.unwrap().unwrap();
    assert_eq!(item.value, &b"\xff\0\x01"[..]);
    let stored = theirs.call("getItem", &[json!("a")]);
    let when = When::Version(item.version);
    let same = ours.set(&key("a"), item.value, when, HOUR).await.unwrap();
    assert!(matches!(same, SetOutcome::Written { .. }));
    assert_eq!(theirs.call("getItem", &[json!("a")]), stored);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_removes_what_has_expired_and_javascript_has_not_written_since() {
    let Some(peer) = Peer::start() else { return };
    let ours = driver(&peer).await;
    let Some(mut theirs) = javascript(&peer) else { return };
    put(&ours, "expired", "x", SHORT).await;
    put(&ours, "rewritten", "x", SHORT).await;
    theirs.call("setItem", &[json!("rewritten"), json!("y")]);
    until_missing(&ours, "expired").await;
    assert_eq!(theirs.call("hasItem", &[json!("expired")]), json!(true));
    let swept = ours.sweep(10).await.unwrap();
    assert_eq!((swept.removed, swept.finished), (1, true));
    assert_eq!(theirs.call("hasItem", &[json!("expired")]), json!(false));
    assert_eq!(read(&ours, "rewritten").await.as_deref(), Some("y"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_branch_with_safe_migrations_gets_the_sql_that_somebody_has_to_run() {
    let Some(peer) = Peer::start_with(&["safe-migrations"]) else { return };
    let error = PlanetScale::new(&Options::new(peer.url())).await.unwrap_err();
    let sql = migrations("storage").unwrap();
    assert!(error.to_string().contains(&sql), "{error}");
    assert!(!error.is_retryable());
    let mut options = Options::new(peer.url());
    options.migrate = false;
    let error = PlanetScale::new(&options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOptions);
    assert!(error.to_string().contains(&sql), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_table_without_our_columns_is_used_as_it_is_where_it_must_not_change() {
    let Some(peer) = Peer::start() else { return };
    run(&peer, &JAVASCRIPTS_TABLE.replace("NULL PRIMARY", "NULL COLLATE utf8mb4_bin PRIMARY"));
    let mut options = Options::new(peer.url());
    options.migrate = false;
    conformance::run(|| async {
        let driver = PlanetScale::new(&options).await.unwrap();
        assert!(!driver.capabilities().expiry);
        Arc::new(driver) as DynDriver
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_the_table_takes_for_one_are_never_read_as_each_other() {
    let Some(peer) = Peer::start() else { return };
    run(&peer, JAVASCRIPTS_TABLE);
    let ours = driver(&peer).await;
    put(&ours, "coat", "small", HOUR).await;
    assert_eq!(read(&ours, "COAT").await, None);
    assert_eq!(ours.remove(&key("COAT"), When::Always).await.unwrap(), RemoveOutcome::Missing);
    put(&ours, "COAT", "large", HOUR).await;
    assert_eq!(read(&ours, "COAT").await.as_deref(), Some("large"));
    assert_eq!(read(&ours, "coat").await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_operation_takes_one_round_trip() {
    let Some(peer) = Peer::start() else { return };
    let proxy = Proxy::start(peer.shim().port());
    let (from, to) = (peer.shim().port().to_string(), proxy.port().to_string());
    let url = peer.url().replace(&from, &to);
    let ours = PlanetScale::new(&Options::new(url)).await.unwrap();
    let trips = |operation: &str| {
        assert_eq!(proxy.round_trips(), 1, "{operation}");
        proxy.reset();
    };
    proxy.reset();
    put(&ours, "a", "0", HOUR).await;
    trips("set");
    let version = ours.get(&key("a")).await.unwrap().unwrap().version;
    trips("read");
    let written = ours.set(&key("a"), "1".into(), When::Version(version), HOUR).await.unwrap();
    let SetOutcome::Written { version } = written else { panic!("not written") };
    trips("write");
    let created = ours.set(&key("b"), "0".into(), When::Absent, HOUR).await.unwrap();
    assert!(matches!(created, SetOutcome::Written { .. }));
    trips("create");
    assert!(ours.touch(&key("a"), HOUR.map(|hour| hour * 2)).await.unwrap());
    trips("touch");
    let removed = ours.remove(&key("a"), When::Version(version)).await.unwrap();
    assert_eq!(removed, RemoveOutcome::Removed);
    trips("remove what was seen");
    assert_eq!(ours.remove(&key("b"), When::Always).await.unwrap(), RemoveOutcome::Removed);
    trips("remove");
}

#[tokio::test]
async fn impossible_options_are_named() {
    for (options, part) in [
        (json!({}), "option `url`: it is missing"),
        (json!({ "url": "localhost" }), "option `url`"),
        (json!({ "url": "mysql://host/db" }), "a user and a password"),
        (json!({ "url": "mysql://a:b@host/db", "table": "a;b" }), "option `table`"),
        (json!({ "url": "mysql://a:b@host/db", "tabel": "a" }), "did you mean `table`?"),
    ] {
        let error = open("planetscale", options.as_object().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions);
        assert!(error.to_string().contains(part), "{error}");
        assert!(!error.to_string().contains("a:b"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_refused_and_never_shown() {
    let Some(peer) = Peer::start() else { return };
    let url = peer.url().replace("pscale_pw_test", "a-wrong-one");
    let options = Options::new(url);
    let error = PlanetScale::new(&options).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::PermissionDenied, false));
    assert!(!format!("{error} {error:?} {options:?}").contains("a-wrong-one"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_in_no_error_even_where_the_database_cites_it() {
    let Some(peer) = Peer::start() else { return };
    let ours = driver(&peer).await;
    run(&peer, "DROP TABLE storage");
    let error = ours.get(&key("secret-id")).await.unwrap_err();
    let in_hexadecimal = "7365637265742d6964";
    let shown = format!("{error} {error:?} {ours:?}");
    assert!(!shown.contains("secret-id") && !shown.contains(in_hexadecimal), "{shown}");
    assert!(shown.contains("1146"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_or_a_database_that_is_away_is_unavailable_and_used_again_when_it_is_back() {
    let Some(peer) = Peer::start() else { return };
    let ours = driver(&peer).await;
    put(&ours, "a", "before", HOUR).await;
    peer.shim().stop();
    let begin = Instant::now();
    let error = ours.get(&key("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true), "{error}");
    let error = ours.set(&key("a"), "x".into(), When::Always, None).await.unwrap_err();
    assert!(error.is_unapplied(), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
    peer.shim().restart();
    assert_eq!(read(&ours, "a").await.as_deref(), Some("before"));
    peer.mariadb().stop();
    let error = ours.get(&key("a")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true), "{error}");
    peer.mariadb().restart();
    let begin = Instant::now();
    while ours.get(&key("a")).await.is_err() {
        assert!(begin.elapsed() < PATIENCE, "it is not used again");
    }
    assert_eq!(read(&ours, "a").await.as_deref(), Some("before"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_survives_the_death_of_the_database() {
    let Some(peer) = Peer::start() else { return };
    let ours = driver(&peer).await;
    put(&ours, "a", "value", HOUR).await;
    peer.mariadb().kill();
    peer.mariadb().restart();
    let begin = Instant::now();
    while ours.get(&key("a")).await.is_err() {
        assert!(begin.elapsed() < PATIENCE, "it is not used again");
    }
    assert_eq!(read(&ours, "a").await.as_deref(), Some("value"));
}
