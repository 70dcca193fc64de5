//! `sql` and `db0` behind PgBouncer, which may give each statement of one connection to another server.

use std::sync::Arc;
use std::time::Duration;

use crate::conformance;
use crate::sql_support::{Kind, Place, both};
use bytes::Bytes;
use cloakroom_drivers::{db0, sql};
use cloakroom_storage::{Driver, DynDriver, ItemKey, SetOutcome, When};
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use interop_peers::{PgBouncer, Postgres};

const LONG: Option<Duration> = Some(Duration::from_secs(3600));

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

/// A server with a pooler before it, and the database as it is reached through that.
struct Pooled {
    postgres: Postgres,
    pooler: PgBouncer,
}

impl Pooled {
    fn start() -> Option<Pooled> {
        let postgres = Postgres::start()?;
        let pooler = PgBouncer::start(&postgres)?;
        Some(Pooled { postgres, pooler })
    }

    fn url(&self) -> String {
        format!("postgres://cloakroom@127.0.0.1:{}/cloakroom", self.pooler.port())
    }

    /// Runs a statement on the server itself.
    async fn run(&self, sql: &str) {
        crate::sql_support::run(&self.postgres.url(), sql).await;
    }
}

/// Adds a letter to the item, whatever others do meanwhile.
async fn add(driver: &dyn Driver, name: &str) {
    loop {
        let (value, when) = match driver.get(&key(name)).await.unwrap() {
            Some(item) => ([&item.value[..], b"+"].concat(), When::Version(item.version)),
            None => (b"+".to_vec(), When::Absent),
        };
        let outcome = driver.set(&key(name), value.into(), when, LONG).await.unwrap();
        if matches!(outcome, SetOutcome::Written { .. }) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tables_behind_a_pooler_of_transactions_obey_every_rule() {
    let Some(pooled) = Pooled::start() else { return };
    for driver in both(&pooled.url()).await {
        conformance::run(|| async { driver.clone() }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_processes_behind_one_pooler_lose_no_update_and_see_no_error() {
    const UPDATES: usize = 10;
    let Some(pooled) = Pooled::start() else { return };
    // As many pools, each with connections of its own, as processes would have.
    let mut drivers = Vec::new();
    for _ in 0..4 {
        drivers.extend(both(&pooled.url()).await);
    }
    let clients = drivers.iter().cloned().map(|driver| {
        tokio::spawn(async move {
            for _ in 0..UPDATES {
                add(&*driver, "cart").await;
            }
        })
    });
    for client in join_all(clients).await {
        client.unwrap();
    }
    for driver in &drivers[..2] {
        let cart = driver.get(&key("cart")).await.unwrap().unwrap().value;
        assert_eq!(cart.len(), 4 * UPDATES, "{}", driver.name());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_key_and_no_value_is_taken_for_sql_behind_a_pooler_whatever_the_settings() {
    let Some(pooled) = Pooled::start() else { return };
    for setting in ["standard_conforming_strings = off", "bytea_output = escape"] {
        pooled.run(&format!("ALTER DATABASE cloakroom SET {setting}")).await;
    }
    let names =
        ["a'b", "a\"b", "a$1b", "'; DROP TABLE unstorage; --", "E'a", "a`b", "ä😀", "x'00'"];
    for driver in both(&pooled.url()).await {
        for name in names {
            let texts = [name.to_owned(), format!("\\{name}\\\\x41"), "\\x41".to_owned()];
            let bytes = [b"\x00\xff\\000'".to_vec(), (0..=255).collect()];
            for value in texts.into_iter().map(String::into_bytes).chain(bytes) {
                let value = Bytes::from(value);
                let _ = driver.set(&key(name), value.clone(), When::Always, LONG).await.unwrap();
                let item = driver.get(&key(name)).await.unwrap().unwrap();
                assert_eq!(item.value, value, "{} {name}", driver.name());
            }
        }
        let mut listed: Vec<ItemKey> = driver.keys("").try_collect().await.unwrap();
        listed.sort();
        let mut expected = names.map(key);
        expected.sort();
        assert_eq!(listed, expected, "{}", driver.name());
    }
}

#[cfg(feature = "sqlx-0-9")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_that_is_lent_works_behind_a_pooler_too() {
    let Some(pooled) = Pooled::start() else { return };
    let options: sqlx::postgres::PgConnectOptions = pooled.url().parse().unwrap();
    // PgBouncer knows no such setting.
    let options = options.extra_float_digits(None);
    let connect = async || sqlx::PgPool::connect_with(options.clone()).await.unwrap();
    let sql = sql::Sql::with_pool(connect().await, sql::Options::default()).await.unwrap();
    let db0 = db0::Db0::with_pool(connect().await, db0::Options::default()).await.unwrap();
    let drivers: [DynDriver; 2] = [Arc::new(sql), Arc::new(db0)];
    let clients = (0..8).map(|number| {
        let driver = drivers[number % 2].clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                add(&*driver, "cart").await;
            }
        })
    });
    for client in join_all(clients).await {
        client.unwrap();
    }
}

#[cfg(feature = "sqlx-0-9")]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_statement_that_the_server_does_not_know_any_more_is_no_refusal() {
    let Some(place) = Place::postgres().await else { return };
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1);
    let pool = pool.connect(&place.url).await.unwrap();
    let table = sql::Sql::with_pool(pool.clone(), sql::Options::default()).await.unwrap();
    let prepared = async || {
        let rows = sqlx::raw_sql("SELECT statement FROM pg_prepared_statements").fetch_all(&pool);
        rows.await.unwrap().len()
    };
    add(&table, "a").await;
    assert!(prepared().await > 0, "a connection without a pooler knows its statements");
    // As a pooler does that was not recognised: the statements are another connection's.
    sqlx::raw_sql("DEALLOCATE ALL").execute(&pool).await.unwrap();
    add(&table, "a").await;
    assert_eq!(table.get(&key("a")).await.unwrap().unwrap().value, "++");
    assert_eq!(prepared().await, 0, "and from then on none is prepared");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_migration_of_the_table_breaks_no_statement_that_was_prepared_before() {
    let Some(place) = Place::postgres().await else { return };
    assert_eq!(place.kind, Kind::Postgres);
    for driver in both(&place.url).await {
        let table = if driver.name() == "sql" { "cloakroom_sessions" } else { "unstorage" };
        add(&*driver, "a").await;
        let listed = async || driver.keys("").try_collect::<Vec<ItemKey>>().await.unwrap();
        // On several connections.
        join_all((0..4).map(|_| listed())).await;
        place.run(&format!("ALTER TABLE {table} ALTER COLUMN key TYPE VARCHAR(500)")).await;
        for listed in join_all((0..4).map(|_| listed())).await {
            assert_eq!(listed, [key("a")], "{}", driver.name());
        }
    }
}
