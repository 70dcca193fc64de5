//! Pools of sqlx that a program lends to `sql` and `db0`: they recover as the drivers' own do, and are refused where their
//! settings would spoil what is written.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::sql_support::{Kind, Place};
use cloakroom_drivers::{db0, sql};
use cloakroom_storage::{Driver, DynDriver, Error, ErrorKind, ItemKey, Result, When};
use futures_util::future::join_all;
use interop_peers::{MariaDb, Postgres, Proxy};
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::SqlitePoolOptions;

const LONG: Option<Duration> = Some(Duration::from_secs(3600));
/// What a test waits at most for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

async fn put(driver: &dyn Driver, name: &str) -> Result<()> {
    driver.set(&key(name), "x".into(), When::Always, LONG).await.map(|_| ())
}

/// Both drivers over one pool.
async fn lent(pool: impl Into<sql::SqlxPool> + Clone) -> [DynDriver; 2] {
    let sql = sql::Sql::with_pool(pool.clone(), sql::Options::default()).await.unwrap();
    let db0 = db0::Db0::with_pool(pool, db0::Options::default()).await.unwrap();
    [Arc::new(sql), Arc::new(db0)]
}

async fn of_url(url: &str, connections: u32) -> [DynDriver; 2] {
    if url.starts_with("postgres") {
        lent(PgPoolOptions::new().max_connections(connections).connect(url).await.unwrap()).await
    } else {
        lent(MySqlPoolOptions::new().max_connections(connections).connect(url).await.unwrap()).await
    }
}

/// Opens all connections that the pools may have.
async fn open_all(drivers: &[DynDriver; 2]) {
    let key = key("a");
    for driver in drivers {
        join_all((0..6).map(|_| driver.get(&key))).await;
    }
}

/// Waits until each connection is back in its pool, which asks it first whether it lives: one on its way there is not closed with
/// those that are there.
async fn settled<DB: sqlx::Database>(pool: &sqlx::Pool<DB>) {
    while pool.num_idle() < pool.size() as usize {
        tokio::task::yield_now().await;
    }
}

/// One refusal, which is how it shows, and then none.
async fn expect_recovery(drivers: &[DynDriver; 2]) {
    let error = put(&*drivers[0], "a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
    for _ in 0..6 {
        for driver in drivers {
            put(&**driver, "a").await.unwrap_or_else(|error| panic!("{}: {error}", driver.name()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lent_pool_does_not_stay_on_a_replica_of_postgresql_after_a_failover() {
    let Some(place) = Place::postgres().await else { return };
    let mut master = place.raw().await;
    let set = "SET default_transaction_read_only =";
    let database = place.url.rsplit('/').next().unwrap();
    of_url(&place.url, 3).await;
    master.run(&format!("ALTER DATABASE {database} {set} on")).await;
    // A connection stays as it was made.
    let pool = PgPoolOptions::new().max_connections(3).connect(&place.url).await.unwrap();
    let drivers = lent(pool.clone()).await;
    open_all(&drivers).await;
    settled(&pool).await;
    master.run(&format!("ALTER DATABASE {database} {set} off")).await;
    expect_recovery(&drivers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lent_pool_does_not_stay_on_a_replica_of_mariadb_after_a_failover() {
    let Some(server) = MariaDb::start() else { return };
    of_url(&server.url(), 3).await;
    crate::sql_support::run(&server.url(), "SET GLOBAL tx_read_only = 1").await;
    let pool = MySqlPoolOptions::new().max_connections(3).connect(&server.url()).await.unwrap();
    let drivers = lent(pool.clone()).await;
    open_all(&drivers).await;
    settled(&pool).await;
    crate::sql_support::run(&server.url(), "SET GLOBAL tx_read_only = 0").await;
    expect_recovery(&drivers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lent_pool_whose_connections_nobody_asks_whether_they_live_is_used_again_after_one_error()
{
    let Some(server) = Postgres::start() else { return };
    let pool = PgPoolOptions::new().max_connections(3).test_before_acquire(false);
    let pool = pool.connect(&server.url()).await.unwrap();
    let drivers = lent(pool.clone()).await;
    open_all(&drivers).await;
    settled(&pool).await;
    server.restart();
    let error = put(&*drivers[0], "a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    for driver in &drivers {
        for _ in 0..6 {
            put(&**driver, "a").await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_caller_who_gives_up_costs_a_lent_pool_no_connection() {
    let servers = [Place::postgres().await, Place::mariadb().await];
    for place in servers.into_iter().flatten() {
        let proxy = Proxy::start(place.port());
        for driver in of_url(&place.url_at(proxy.port()), 1).await {
            put(&*driver, "a").await.unwrap();
            proxy.hang();
            let impatient = tokio::time::timeout(Duration::from_millis(50), put(&*driver, "a"));
            assert!(impatient.await.is_err());
            proxy.heal();
            let begin = Instant::now();
            while let Err(error) = put(&*driver, "a").await {
                assert!(begin.elapsed() < PATIENCE, "{:?}: {error}", place.kind);
            }
        }
    }
}

/// Both drivers over a pool whose connections begin with a statement.
async fn beginning_with(place: &Place, begin: &'static str) -> [Result<DynDriver>; 2] {
    macro_rules! both {
        ($options:expr) => {{
            let pool = $options.max_connections(2).after_connect(move |connection, _| {
                Box::pin(async move {
                    sqlx::Executor::execute(connection, sqlx::raw_sql(begin)).await.map(|_| ())
                })
            });
            let pool = pool.connect(&place.url).await.unwrap();
            let sql = sql::Sql::with_pool(pool.clone(), sql::Options::default()).await;
            let db0 = db0::Db0::with_pool(pool, db0::Options::default()).await;
            [sql.map(|driver| Arc::new(driver) as _), db0.map(|driver| Arc::new(driver) as _)]
        }};
    }
    match place.kind {
        Kind::Postgres => both!(PgPoolOptions::new()),
        _ => both!(MySqlPoolOptions::new()),
    }
}

fn refused(opened: Result<DynDriver>, setting: &str) {
    let error: Error = opened.err().unwrap_or_else(|| panic!("{setting} is taken"));
    assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
    assert!(error.to_string().contains(setting), "{error}");
    assert!(error.to_string().contains("after_connect"), "{error}");
}

#[tokio::test]
async fn a_lent_pool_that_would_commit_nothing_or_spoil_what_is_written_is_refused() {
    let Some(place) = Place::mariadb().await else { return };
    for (setting, begin) in [
        ("`autocommit` is off", "SET autocommit = 0"),
        ("`sql_safe_updates` is on", "SET sql_safe_updates = 1"),
        ("`sql_select_limit` is 0", "SET sql_select_limit = 0"),
        ("EMPTY_STRING_IS_NULL", "SET sql_mode = 'STRICT_TRANS_TABLES,EMPTY_STRING_IS_NULL'"),
    ] {
        for opened in beginning_with(&place, begin).await {
            refused(opened, setting);
        }
    }
    let [sql, db0] = beginning_with(&place, "SET sql_mode = ''").await;
    refused(db0, "STRICT_TRANS_TABLES");
    // It keeps bytes, of which nothing can be replaced.
    put(&*sql.unwrap(), "a").await.unwrap();
}

#[tokio::test]
async fn a_lent_database_in_memory_is_not_called_durable() {
    // Who gives up while a pool asks a connection whether it lives has it closed by the pool itself.
    let pool = SqlitePoolOptions::new().max_connections(1).test_before_acquire(false);
    for driver in lent(pool.connect("sqlite::memory:").await.unwrap()).await {
        assert!(!driver.capabilities().durable && !driver.capabilities().shared);
        // Its only connection is not closed, with which it would go.
        put(&*driver, "a").await.unwrap();
        let impatient = tokio::time::timeout(Duration::ZERO, put(&*driver, "a"));
        _ = impatient.await;
        assert!(driver.get(&key("a")).await.unwrap().is_some());
    }
    let place = Place::sqlite();
    sql::Sql::new(sql::Options::new(&place.url)).await.unwrap();
    let file = SqlitePoolOptions::new().connect(&place.url).await.unwrap();
    for driver in lent(file).await {
        assert!(driver.capabilities().durable && driver.capabilities().shared);
    }
}
