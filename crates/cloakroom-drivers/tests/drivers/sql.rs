//! The `sql` driver against real databases.

use std::sync::Arc;
use std::time::Duration;

use crate::conformance;
use crate::sql_support::{Kind, Place, version};
use bytes::Bytes;
use cloakroom_drivers::sql::{Dialect, Options, Sql, migrations};
use cloakroom_storage::{Driver, DynDriver, ErrorKind, ItemKey, RemoveOutcome, SetOutcome, When};
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use serde_json::json;

const LONG: Option<Duration> = Some(Duration::from_secs(3600));

async fn sql(place: &Place) -> Sql {
    Sql::new(Options::new(&place.url)).await.unwrap()
}

async fn dynamic(place: &Place) -> DynDriver {
    Arc::new(sql(place).await)
}

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

fn dialect(place: &Place) -> Dialect {
    match place.kind {
        Kind::Postgres => Dialect::Postgres,
        Kind::MariaDb => Dialect::MySql,
        Kind::Sqlite => Dialect::Sqlite,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_table_of_postgresql_obeys_every_rule() {
    let Some(place) = Place::postgres().await else { return };
    conformance::run(|| dynamic(&place)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_table_of_mariadb_obeys_every_rule() {
    let Some(place) = Place::mariadb_with_the_usual_collation().await else { return };
    conformance::run(|| dynamic(&place)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_table_of_sqlite_in_a_file_obeys_every_rule() {
    let place = Place::sqlite();
    conformance::run(|| dynamic(&place)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_table_of_sqlite_in_memory_obeys_every_rule() {
    let memory: DynDriver = Arc::new(Sql::new(Options::new("sqlite::memory:")).await.unwrap());
    assert!(!memory.capabilities().durable && !memory.capabilities().shared);
    conformance::run(|| async { memory.clone() }).await;
}

#[tokio::test]
async fn a_trace_names_the_database_and_not_the_driver() {
    let memory = Sql::new(Options::new("sqlite::memory:")).await.unwrap();
    assert_eq!((memory.name(), memory.system()), ("sql", "sqlite"));
}

#[cfg(feature = "sqlx-0-9")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_of_the_users_own_obeys_every_rule() {
    for place in Place::each().await {
        let options = Options::default;
        let table: Sql = match place.kind {
            Kind::Postgres => {
                let pool = sqlx::PgPool::connect(&place.url).await.unwrap();
                Sql::with_pool(pool, options()).await.unwrap()
            }
            Kind::MariaDb => {
                let pool = sqlx::MySqlPool::connect(&place.url).await.unwrap();
                Sql::with_pool(pool, options()).await.unwrap()
            }
            Kind::Sqlite => {
                let options_of_sqlite: sqlx::sqlite::SqliteConnectOptions =
                    place.url.parse().unwrap();
                let pool =
                    sqlx::SqlitePool::connect_with(options_of_sqlite.create_if_missing(true));
                Sql::with_pool(pool.await.unwrap(), options()).await.unwrap()
            }
        };
        let table: DynDriver = Arc::new(table);
        conformance::run(|| async { table.clone() }).await;
    }
}

#[tokio::test]
async fn the_table_is_as_a_client_of_sql_expects_it() {
    for place in Place::each().await {
        let table = sql(&place).await;
        let value = Bytes::from_static(b"[{\"a\":1}]\0\xff");
        let _ = table.set(&key("sess:42"), value.clone(), When::Absent, LONG).await.unwrap();
        let _ = table.set(&key("for ever"), "x".into(), When::Absent, None).await.unwrap();
        let rows = place.select("SELECT value FROM cloakroom_sessions WHERE version > 0").await;
        assert!(rows.contains(&vec![Some(value.to_vec())]), "{:?}", place.kind);
        let now = match place.kind {
            Kind::Postgres => "extract(epoch FROM now()) * 1000",
            Kind::MariaDb => "UNIX_TIMESTAMP() * 1000",
            Kind::Sqlite => "unixepoch() * 1000",
        };
        let soon = format!("expires_at BETWEEN {now} + 3590000 AND {now} + 3610000");
        let select = |condition: &str| {
            let quote = if place.kind == Kind::MariaDb { '`' } else { '"' };
            format!("SELECT {quote}key{quote} FROM cloakroom_sessions WHERE {condition}")
        };
        assert_eq!(place.text(&select(&soon)).await, "sess:42", "{:?}", place.kind);
        assert_eq!(place.text(&select("expires_at IS NULL")).await, "for ever", "{:?}", place.kind);
    }
}

#[tokio::test]
async fn a_version_comes_back_neither_after_a_removal_nor_after_an_expiry() {
    for place in Place::each().await {
        let table = sql(&place).await;
        let mut seen = Vec::new();
        for round in 0..10 {
            let outcome = table.set(&key("a"), "x".into(), When::Absent, LONG).await.unwrap();
            let first = version(outcome);
            let when = When::Version(first.clone());
            let second = version(table.set(&key("a"), "y".into(), when, LONG).await.unwrap());
            for version in [first, second] {
                assert!(!seen.contains(&version), "{:?}", place.kind);
                seen.push(version);
            }
            if round % 2 == 0 {
                assert!(table.touch(&key("a"), Some(Duration::ZERO)).await.unwrap());
            } else {
                let removed = table.remove(&key("a"), When::Always).await.unwrap();
                assert_eq!(removed, RemoveOutcome::Removed);
            }
        }
    }
}

#[tokio::test]
async fn a_version_that_a_failover_lost_is_not_given_again() {
    for place in Place::each().await {
        let table = sql(&place).await;
        let replicated =
            version(table.set(&key("a"), "0".into(), When::Absent, LONG).await.unwrap());
        let row = place.text("SELECT CAST(version AS CHAR(20)) FROM cloakroom_sessions").await;
        let when = When::Version(replicated.clone());
        let lost = version(table.set(&key("a"), "A1".into(), when, LONG).await.unwrap());
        // What was written last did not reach the replica that is the master now.
        let replica = format!("UPDATE cloakroom_sessions SET value = '0', version = {row}");
        place.run(&replica).await;
        let when = When::Version(replicated);
        let new = version(table.set(&key("a"), "B1".into(), when, LONG).await.unwrap());
        assert_ne!(new, lost, "{:?}", place.kind);
        let when = When::Version(lost);
        let outcome = table.set(&key("a"), "A2".into(), when, LONG).await.unwrap();
        assert_eq!(outcome, SetOutcome::Conflict, "{:?}", place.kind);
        assert_eq!(table.get(&key("a")).await.unwrap().unwrap().value, "B1");
    }
}

#[tokio::test]
async fn a_key_is_compared_to_the_byte() {
    for place in Place::each().await {
        let table = sql(&place).await;
        let longest = "x".repeat(ItemKey::MAX_LENGTH);
        let names = ["a", "A", "ä", "a\u{308}", "a ", " a", "ß", "ss", "a:b", "😀", "😁", &longest];
        for name in names {
            let outcome = table.set(&key(name), name.to_owned().into(), When::Absent, None).await;
            version(outcome.unwrap_or_else(|error| panic!("{:?} {name}: {error}", place.kind)));
        }
        for name in names {
            let item = table.get(&key(name)).await.unwrap().unwrap();
            assert_eq!(item.value, name, "{:?}", place.kind);
        }
        let mut listed: Vec<_> = table.keys("a").try_collect().await.unwrap();
        listed.sort();
        let mut expected = ["a", "a\u{308}", "a ", "a:b"].map(key);
        expected.sort();
        assert_eq!(listed, expected, "{:?}", place.kind);
    }
}

#[tokio::test]
async fn more_keys_than_a_page_holds_are_listed_once_each() {
    for place in Place::each().await {
        let table = sql(&place).await;
        let numbers = place.numbers(1, 2500);
        let select = format!("SELECT 'k:' || n, 'x', 1, NULL FROM {numbers}");
        place.run(&format!("INSERT INTO cloakroom_sessions {select}")).await;
        let mut keys: Vec<_> = table.keys("k:").try_collect().await.unwrap();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 2500, "{:?}", place.kind);
    }
}

#[tokio::test]
async fn a_megabyte_comes_back_whole() {
    for place in Place::each().await {
        let table = sql(&place).await;
        let value: Bytes = (0..1_000_000_u32).map(|number| (number % 253) as u8).collect();
        let _ = table.set(&key("large"), value.clone(), When::Always, LONG).await.unwrap();
        assert!(table.get(&key("large")).await.unwrap().unwrap().value == value);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_but_its_owner_reads_the_files_of_sqlite() {
    use std::os::unix::fs::PermissionsExt;

    let place = Place::sqlite();
    let table = sql(&place).await;
    let _ = table.set(&key("a"), "x".into(), When::Always, LONG).await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{}{suffix}", place.url.trim_start_matches("sqlite:"));
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_value_that_the_database_does_not_take_is_too_large() {
    let Some(place) = Place::mariadb().await else { return };
    let table = sql(&place).await;
    // A server's limit is 16 MB unless it is said otherwise.
    let value = Bytes::from(vec![b'x'; 17 << 20]);
    let mut error = table.set(&key("a"), value.clone(), When::Always, LONG).await.unwrap_err();
    // The server says so and closes the connection, which may break while the value is still being sent.
    while error.kind() == ErrorKind::Unavailable {
        error = table.set(&key("a"), value.clone(), When::Always, LONG).await.unwrap_err();
    }
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    let _ = table.set(&key("a"), "x".into(), When::Always, LONG).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_that_start_at_once_make_one_table() {
    for place in Place::each().await {
        let starts = (0..8).map(|_| tokio::spawn(Sql::new(Options::new(&place.url))));
        for table in join_all(starts).await {
            let table = table.unwrap().unwrap_or_else(|error| panic!("{:?}: {error}", place.kind));
            let _ = table.set(&key("a"), "x".into(), When::Always, LONG).await.unwrap();
        }
        assert_eq!(place.text("SELECT value FROM cloakroom_sessions").await, "x");
    }
}

#[tokio::test]
async fn a_missing_table_is_made_by_hand_where_the_driver_must_not() {
    for place in Place::each().await {
        let mut options = Options::new(&place.url);
        options.migrate = false;
        options.table = "own".to_owned();
        let error = Sql::new(options.clone()).await.unwrap_err();
        let printed = migrations(dialect(&place), "own").unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains(&printed), "{error}");
        // Twice: what is there already stays.
        place.run(&printed).await;
        place.run(&printed).await;
        let table: DynDriver = Arc::new(Sql::new(options).await.unwrap());
        let _ = table.set(&key("a"), "x".into(), When::Absent, LONG).await.unwrap();
        assert_eq!(place.text("SELECT value FROM own").await, "x");
    }
}

#[tokio::test]
async fn a_table_may_be_in_a_schema() {
    let Some(place) = Place::postgres().await else { return };
    place.run("CREATE SCHEMA app").await;
    let options = json!({"url": place.url, "table": "app.sessions"});
    let table = cloakroom_drivers::open("sql", options.as_object().unwrap()).await.unwrap();
    let _ = table.set(&key("a"), "x".into(), When::Absent, LONG).await.unwrap();
    assert_eq!(place.text("SELECT value FROM app.sessions").await, "x");
}

#[tokio::test]
async fn a_wrong_option_is_named() {
    for (options, expected) in [
        (json!({"url": "sqlite::memory:", "tabel": "x"}), "did you mean `table`?"),
        (json!({"url": "sqlite::memory:", "table": "x; DROP TABLE y"}), "option `table`"),
        (json!({"url": "sqlite::memory:", "maxConnections": 0}), "option `maxConnections`"),
        (json!({"url": "sqlite::memory:", "synchronous": "off"}), "option `synchronous`"),
        (json!({"url": "redis://127.0.0.1"}), "option `url`"),
        (json!({}), "option `url`"),
    ] {
        let error = Sql::open(options.as_object().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}
