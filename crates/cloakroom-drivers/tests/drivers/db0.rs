//! The `db0` driver against real databases, and against the SQL that unstorage 1.17 sends to them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::conformance;
use crate::sql_support::{Kind, Place};
use bytes::Bytes;
use cloakroom_drivers::db0::{Db0, Options};
use cloakroom_drivers::sql;
use cloakroom_storage::{Driver, DynDriver, ErrorKind, ItemKey, RemoveOutcome, SetOutcome, When};
use futures_util::TryStreamExt;
use serde_json::json;

const LONG: Option<Duration> = Some(Duration::from_secs(3600));
const SHORT: Option<Duration> = Some(Duration::from_millis(200));
const PATIENCE: Duration = Duration::from_secs(60);

async fn db0(place: &Place) -> Db0 {
    Db0::new(Options::new(&place.url)).await.unwrap()
}

async fn dynamic(place: &Place) -> DynDriver {
    Arc::new(db0(place).await)
}

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

async fn read(driver: &dyn Driver, name: &str) -> Option<Bytes> {
    driver.get(&key(name)).await.unwrap().map(|item| item.value)
}

async fn put(driver: &dyn Driver, name: &str, value: &'static str, ttl: Option<Duration>) {
    let outcome = driver.set(&key(name), value.into(), When::Always, ttl).await.unwrap();
    assert!(matches!(outcome, SetOutcome::Written { .. }));
}

/// Waits until an item that was written with a ttl of [`SHORT`] before this call has expired.
async fn let_short_pass(driver: &dyn Driver) {
    put(driver, "clock", "tick", SHORT).await;
    let begin = Instant::now();
    while read(driver, "clock").await.is_some() {
        assert!(begin.elapsed() < PATIENCE, "an item outlives its ttl");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// unstorage's driver: its statements, with the parameters in their places.
struct JavaScript<'a>(&'a Place);

impl JavaScript<'_> {
    async fn set_up(&self) {
        let columns = match self.0.kind {
            Kind::Sqlite => {
                "key TEXT PRIMARY KEY, value TEXT, blob BLOB, \
                 created_at TEXT DEFAULT CURRENT_TIMESTAMP, updated_at TEXT DEFAULT CURRENT_TIMESTAMP"
            }
            Kind::Postgres => {
                "key VARCHAR(255) NOT NULL PRIMARY KEY, value TEXT, blob BYTEA, \
                 created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP"
            }
            Kind::MariaDb => {
                "`key` VARCHAR(255) NOT NULL PRIMARY KEY, `value` LONGTEXT, `blob` BLOB, \
                 created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, \
                 updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"
            }
        };
        self.0.run(&format!("CREATE TABLE IF NOT EXISTS unstorage ({columns})")).await;
    }

    async fn set(&self, key: &str, value: &str) {
        let (key_column, on_conflict) = match self.0.kind {
            Kind::MariaDb => ("`key`", "ON DUPLICATE KEY UPDATE"),
            _ => ("key", "ON CONFLICT(key) DO UPDATE SET"),
        };
        let statement = format!(
            "INSERT INTO unstorage ({key_column}, value, created_at, updated_at) \
             VALUES ('{key}', '{value}', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP) \
             {on_conflict} value = '{value}', updated_at = CURRENT_TIMESTAMP"
        );
        self.0.run(&statement).await;
    }

    async fn get(&self, key: &str) -> Option<String> {
        let value = self.cell("value", key).await?;
        Some(String::from_utf8(value).unwrap())
    }

    async fn get_raw(&self, key: &str) -> Option<Vec<u8>> {
        let column = if self.0.kind == Kind::MariaDb { "`blob`" } else { "blob" };
        self.cell(column, key).await
    }

    async fn cell(&self, column: &str, key: &str) -> Option<Vec<u8>> {
        let is_key = self.is_key(key);
        let rows = self.0.select(&format!("SELECT {column} FROM unstorage WHERE {is_key}")).await;
        rows.into_iter().next()?.remove(0)
    }

    async fn remove(&self, key: &str) {
        self.0.run(&format!("DELETE FROM unstorage WHERE {}", self.is_key(key))).await;
    }

    fn is_key(&self, key: &str) -> String {
        let column = if self.0.kind == Kind::MariaDb { "`key`" } else { "key" };
        format!("{column} = '{key}'")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unstorages_table_in_postgresql_obeys_every_rule() {
    let Some(place) = Place::postgres().await else { return };
    conformance::run(|| dynamic(&place)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unstorages_table_in_mariadb_obeys_every_rule() {
    let Some(place) = Place::mariadb().await else { return };
    conformance::run(|| dynamic(&place)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unstorages_table_in_sqlite_in_a_file_obeys_every_rule() {
    let place = Place::sqlite();
    conformance::run(|| dynamic(&place)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unstorages_table_in_sqlite_in_memory_obeys_every_rule() {
    let memory: DynDriver = Arc::new(Db0::new(Options::new("sqlite::memory:")).await.unwrap());
    conformance::run(|| async { memory.clone() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_table_without_our_columns_obeys_every_rule_but_those_of_expiry() {
    for place in Place::each().await {
        JavaScript(&place).set_up().await;
        if place.kind == Kind::MariaDb {
            // The suite has raw values that are larger than JavaScript's column takes.
            place.run("ALTER TABLE unstorage MODIFY `blob` LONGBLOB").await;
        }
        let mut options = Options::new(&place.url);
        options.migrate = false;
        let driver: DynDriver = Arc::new(Db0::new(options).await.unwrap());
        assert!(!driver.capabilities().expiry);
        conformance::run(|| async { driver.clone() }).await;
        let columns = place.select("SELECT * FROM unstorage WHERE 1 = 0").await;
        assert_eq!(columns.len(), 0);
        assert!(driver.sweep(10).await.unwrap().finished);
    }
}

#[tokio::test]
async fn either_side_may_come_first_and_reads_what_the_other_wrote() {
    for place in Place::each().await {
        for javascript_first in [true, false] {
            let javascript = JavaScript(&place);
            if javascript_first {
                javascript.set_up().await;
                javascript.set("before", "[{\"grüße\":1}] 🛒").await;
            }
            let rust = db0(&place).await;
            javascript.set_up().await;
            if javascript_first {
                assert_eq!(read(&rust, "before").await.unwrap(), "[{\"grüße\":1}] 🛒");
            }
            put(&rust, "a:b", "[{\"grüße\":2}] 🛒", LONG).await;
            assert_eq!(javascript.get("a:b").await.unwrap(), "[{\"grüße\":2}] 🛒");
            assert_eq!(javascript.get_raw("a:b").await, None);
            javascript.set("a:b", "javascript").await;
            assert_eq!(read(&rust, "a:b").await.unwrap(), "javascript");
            javascript.set("own", "1").await;
            let keys: Vec<ItemKey> = rust.keys("").try_collect().await.unwrap();
            assert!(keys.contains(&key("own")) && keys.contains(&key("a:b")));
            javascript.remove("a:b").await;
            assert_eq!(read(&rust, "a:b").await, None);
            place.run("DROP TABLE unstorage").await;
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_where_javascript_has_raw_ones() {
    for place in Place::each().await {
        let rust = db0(&place).await;
        let javascript = JavaScript(&place);
        for value in [&b"\xff\xfe"[..], b"a\0b", &[0xfe; 100_000]] {
            let bytes = Bytes::from_static(value);
            let _ = rust.set(&key("raw"), bytes.clone(), When::Always, LONG).await.unwrap();
            assert_eq!(javascript.get("raw").await, None);
            assert_eq!(javascript.get_raw("raw").await.unwrap(), value);
            assert_eq!(read(&rust, "raw").await.unwrap(), bytes);
        }
        put(&rust, "raw", "", LONG).await;
        assert_eq!(javascript.get("raw").await.unwrap(), "");
        assert_eq!(javascript.get_raw("raw").await, None);
    }
}

#[tokio::test]
async fn a_write_by_javascript_is_seen_by_a_comparison() {
    for place in Place::each().await {
        let rust = db0(&place).await;
        let javascript = JavaScript(&place);
        // A comparison that ignores case or spaces at the end would take these for one.
        for (old, new) in [("value", "Value"), ("value", "value "), ("a", "ä"), ("", " ")] {
            put(&rust, "a", old, LONG).await;
            let seen = rust.get(&key("a")).await.unwrap().unwrap().version;
            javascript.set("a", new).await;
            let when = When::Version(seen);
            let outcome = rust.set(&key("a"), "late".into(), when.clone(), LONG).await.unwrap();
            assert_eq!(outcome, SetOutcome::Conflict, "{:?} {old:?} {new:?}", place.kind);
            let outcome = rust.remove(&key("a"), when).await.unwrap();
            assert_eq!(outcome, RemoveOutcome::Conflict, "{:?} {old:?} {new:?}", place.kind);
            assert_eq!(javascript.get("a").await.unwrap(), new);
        }
    }
}

#[tokio::test]
async fn a_deadline_counts_only_for_the_value_that_it_was_given_for() {
    for place in Place::each().await {
        let rust = db0(&place).await;
        let javascript = JavaScript(&place);
        for name in ["ours", "overwritten", "made anew"] {
            put(&rust, name, "short", SHORT).await;
        }
        javascript.set("overwritten", "of javascript").await;
        javascript.remove("made anew").await;
        javascript.set("made anew", "of javascript").await;
        javascript.set("touched", "of javascript").await;
        assert!(rust.touch(&key("touched"), SHORT).await.unwrap());
        let (_, ttl) = rust.get_with_ttl(&key("touched")).await.unwrap().unwrap();
        assert!(ttl.is_some());
        let (_, ttl) = rust.get_with_ttl(&key("overwritten")).await.unwrap().unwrap();
        assert_eq!(ttl, None);
        let_short_pass(&rust).await;
        assert_eq!(read(&rust, "ours").await, None);
        assert_eq!(read(&rust, "touched").await, None);
        // JavaScript knows no deadlines, until what has expired is swept.
        assert_eq!(javascript.get("ours").await.unwrap(), "short");
        let swept = rust.sweep(100).await.unwrap();
        assert_eq!((swept.removed, swept.finished), (3, true), "{:?}", place.kind);
        assert_eq!(javascript.get("ours").await, None);
        for name in ["overwritten", "made anew"] {
            assert_eq!(read(&rust, name).await.unwrap(), "of javascript", "{:?}", place.kind);
            assert_eq!(javascript.get(name).await.unwrap(), "of javascript");
        }
        // The deadlines that do not count are gone, so that no sweep looks at them again.
        let rest = place.select("SELECT value FROM unstorage WHERE expires_at IS NOT NULL").await;
        assert_eq!(rest, Vec::<Vec<_>>::new(), "{:?}", place.kind);
    }
}

#[tokio::test]
async fn an_item_is_created_where_only_an_expired_one_is() {
    for place in Place::each().await {
        let rust = db0(&place).await;
        put(&rust, "a", "old", SHORT).await;
        let_short_pass(&rust).await;
        let outcome = rust.set(&key("a"), "new".into(), When::Absent, LONG).await.unwrap();
        assert!(matches!(outcome, SetOutcome::Written { .. }), "{:?}", place.kind);
        let outcome = rust.set(&key("a"), "newer".into(), When::Absent, LONG).await.unwrap();
        assert_eq!(outcome, SetOutcome::Conflict);
        assert_eq!(JavaScript(&place).get("a").await.unwrap(), "new");
    }
}

#[tokio::test]
async fn keys_that_mysql_takes_for_one_displace_each_other_and_are_never_mixed_up() {
    let Some(place) = Place::mariadb_with_the_usual_collation().await else { return };
    JavaScript(&place).set_up().await;
    let rust = db0(&place).await;
    put(&rust, "a", "of a", LONG).await;
    assert_eq!(read(&rust, "A").await, None);
    assert!(!rust.touch(&key("ä"), LONG).await.unwrap());
    assert_eq!(rust.remove(&key("A"), When::Always).await.unwrap(), RemoveOutcome::Missing);
    put(&rust, "A", "of A", LONG).await;
    assert_eq!(read(&rust, "a").await, None);
    assert_eq!(read(&rust, "A").await.unwrap(), "of A");
    // What is not there can be created: it would be a conflict for good otherwise.
    let outcome = rust.set(&key("a"), "of a".into(), When::Absent, LONG).await.unwrap();
    assert!(matches!(outcome, SetOutcome::Written { .. }));
    let outcome = rust.set(&key("a"), "again".into(), When::Absent, LONG).await.unwrap();
    assert_eq!(outcome, SetOutcome::Conflict);
    assert_eq!(read(&rust, "A").await, None);
    assert_eq!(read(&rust, "a").await.unwrap(), "of a");
}

#[tokio::test]
async fn a_table_of_ours_tells_all_keys_apart() {
    let Some(place) = Place::mariadb_with_the_usual_collation().await else { return };
    let rust = db0(&place).await;
    let names = ["case-abc", "CASE-abc", "a", "ä"];
    for name in names {
        let outcome = rust.set(&key(name), name.into(), When::Absent, LONG).await.unwrap();
        assert!(matches!(outcome, SetOutcome::Written { .. }), "{name}");
    }
    for name in names {
        assert_eq!(read(&rust, name).await.unwrap(), name);
        assert_eq!(JavaScript(&place).get(name).await.unwrap(), name);
    }
}

#[tokio::test]
async fn a_key_that_the_column_does_not_take_is_refused() {
    let longest = "ä".repeat(255);
    let longer = "ä".repeat(256);
    for place in Place::each().await {
        let rust = db0(&place).await;
        put(&rust, &longest, "x", LONG).await;
        assert_eq!(read(&rust, &longest).await.unwrap(), "x");
        assert_eq!(read(&rust, &longer).await, None);
        let outcome = rust.set(&key(&longer), "x".into(), When::Always, LONG).await;
        match place.kind {
            Kind::Sqlite => assert!(outcome.is_ok()),
            _ => assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidKey),
        }
    }
}

#[tokio::test]
async fn db0_and_sql_stand_beside_each_other_in_one_database() {
    for place in Place::each().await {
        let rust = db0(&place).await;
        let sql = sql::Sql::new(sql::Options::new(&place.url)).await.unwrap();
        put(&rust, "a", "in unstorage", LONG).await;
        put(&sql, "a", "in cloakroom_sessions", LONG).await;
        assert_eq!(read(&rust, "a").await.unwrap(), "in unstorage");
        assert_eq!(read(&sql, "a").await.unwrap(), "in cloakroom_sessions");
    }
}

#[cfg(feature = "sqlx-0-9")]
#[tokio::test]
async fn a_pool_of_the_users_own_may_be_used() {
    for place in Place::each().await {
        let options = Options::default;
        let rust = match place.kind {
            Kind::Postgres => {
                Db0::with_pool(sqlx::PgPool::connect(&place.url).await.unwrap(), options()).await
            }
            Kind::MariaDb => {
                Db0::with_pool(sqlx::MySqlPool::connect(&place.url).await.unwrap(), options()).await
            }
            Kind::Sqlite => {
                let url = format!("{}?mode=rwc", place.url);
                Db0::with_pool(sqlx::SqlitePool::connect(&url).await.unwrap(), options()).await
            }
        };
        let rust = rust.unwrap();
        put(&rust, "a", "x", LONG).await;
        assert_eq!(read(&rust, "a").await.unwrap(), "x");
        assert_eq!(JavaScript(&place).get("a").await.unwrap(), "x");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_that_start_at_once_add_the_columns_once() {
    for place in Place::each().await {
        JavaScript(&place).set_up().await;
        let starts = (0..8).map(|_| tokio::spawn(Db0::new(Options::new(&place.url))));
        for started in futures_util::future::join_all(starts).await {
            let rust = started.unwrap().unwrap_or_else(|error| panic!("{:?} {error}", place.kind));
            put(&rust, "a", "x", LONG).await;
        }
    }
}

#[tokio::test]
async fn a_missing_table_is_an_error_that_has_the_sql_to_run() {
    for place in Place::each().await {
        let options = json!({"url": place.url, "migrate": false, "tableName": "other"});
        let error = Db0::open(options.as_object().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains("CREATE TABLE IF NOT EXISTS other"), "{error}");
    }
}
