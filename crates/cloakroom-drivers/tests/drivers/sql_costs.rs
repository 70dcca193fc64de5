//! What `sql` and `db0` cost: round trips, and a sweep beside many sessions that live.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::sql_support::{Kind, Place, version};
use cloakroom_drivers::{db0, sql};
use cloakroom_storage::{Driver, DynDriver, ItemKey, RemoveOutcome, SetOutcome, When};
use interop_peers::{PgBouncer, Postgres, Proxy};

const LONG: Option<Duration> = Some(Duration::from_secs(3600));
const LIVE: u32 = 100_000;
const EXPIRED: u32 = 100;

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

/// Both drivers, on one connection each.
async fn drivers(url: &str) -> [DynDriver; 2] {
    let mut options = sql::Options::new(url);
    options.max_connections = 1;
    let sql = sql::Sql::new(options).await.unwrap();
    let mut options = db0::Options::new(url);
    options.max_connections = 1;
    let db0 = db0::Db0::new(options).await.unwrap();
    [Arc::new(sql), Arc::new(db0)]
}

/// Every operation, with the round trips that it should take once its statement is known.
async fn operations(driver: &dyn Driver, is_mysql: bool, mut count: impl FnMut(&str, u64)) {
    let key = key("a");
    let _ = driver.set(&key, "0".into(), When::Always, LONG).await.unwrap();
    count("set", 1);
    let item = driver.get(&key).await.unwrap().unwrap();
    count("get", 1);
    driver.get_with_ttl(&key).await.unwrap().unwrap();
    count("get_with_ttl", 1);
    let when = When::Version(item.version.clone());
    let newer = version(driver.set(&key, "1".into(), when, LONG).await.unwrap());
    count("set of the version that was read", 1);
    let stale = When::Version(item.version);
    assert_eq!(
        driver.set(&key, "2".into(), stale.clone(), LONG).await.unwrap(),
        SetOutcome::Conflict
    );
    count("set of an older version", 1);
    assert_eq!(
        driver.set(&key, "3".into(), When::Absent, LONG).await.unwrap(),
        SetOutcome::Conflict
    );
    count("creation of what is there", if is_mysql { 2 } else { 1 });
    assert!(driver.touch(&key, LONG).await.unwrap());
    count("touch", 1);
    assert_eq!(driver.remove(&key, stale).await.unwrap(), RemoveOutcome::Conflict);
    count("removal of an older version", 2);
    let removed = driver.remove(&key, When::Version(newer)).await.unwrap();
    assert_eq!(removed, RemoveOutcome::Removed);
    count("removal of the version that was read", 1);
    let _ = version(driver.set(&key, "4".into(), When::Absent, LONG).await.unwrap());
    count("creation", 1);
    assert_eq!(driver.remove(&key, When::Always).await.unwrap(), RemoveOutcome::Removed);
    count("removal", 1);
    assert!(driver.get(&key).await.unwrap().is_none());
    count("get of nothing", 1);
}

#[tokio::test]
async fn an_operation_takes_one_round_trip_once_its_statement_is_known() {
    for place in [Place::postgres().await, Place::mariadb().await].into_iter().flatten() {
        let proxy = Proxy::start(place.port());
        let drivers = drivers(&place.url_at(proxy.port())).await;
        expect_the_round_trips(&drivers, &proxy, place.kind).await;
    }
}

#[tokio::test]
async fn an_operation_takes_one_round_trip_behind_a_pooler_too() {
    let Some(postgres) = Postgres::start() else { return };
    let Some(pooler) = PgBouncer::start(&postgres) else { return };
    let proxy = Proxy::start(pooler.port());
    let url = format!("postgres://cloakroom@127.0.0.1:{}/cloakroom", proxy.port());
    expect_the_round_trips(&drivers(&url).await, &proxy, Kind::Postgres).await;
}

async fn expect_the_round_trips(drivers: &[DynDriver; 2], proxy: &Proxy, kind: Kind) {
    for driver in drivers {
        let is_mysql = kind == Kind::MariaDb;
        operations(&**driver, is_mysql, |_, _| {}).await;
        // Where the machine holds the test up for longer than a connection is trusted, one is asked first.
        let mut wrong = vec![("never counted".to_owned(), 0)];
        for _ in 0..10 {
            wrong.clear();
            proxy.reset();
            let mut known = 0;
            operations(&**driver, is_mysql, |name, expected| {
                let taken = proxy.round_trips() - known;
                known += taken;
                println!("{:?}: {}: {name}: {taken}", kind, driver.name());
                if taken != expected {
                    wrong.push((name.to_owned(), taken));
                }
            })
            .await;
            if wrong.is_empty() {
                break;
            }
        }
        assert_eq!(wrong, [], "{:?} {}", kind, driver.name());
    }
}

/// Puts in the table what takes a driver too long one by one.
async fn fill(place: &Place, driver: &dyn Driver, from: u32, count: u32, expires_at: &str) {
    const VALUE: &str = "'a session of some length, as they are'";
    let numbers = place.numbers(from, count);
    let key = if place.kind == Kind::MariaDb { "`key`" } else { "\"key\"" };
    let insert = match driver.name() {
        "sql" => format!(
            "INSERT INTO cloakroom_sessions ({key}, value, version, expires_at) \
             SELECT 'k' || n, {VALUE}, 1, {expires_at} FROM {numbers}"
        ),
        _ => {
            let mark = match place.kind {
                Kind::Postgres => format!("sha256({VALUE})"),
                Kind::MariaDb => format!("UNHEX(SHA2({VALUE}, 256))"),
                Kind::Sqlite => format!("CAST({VALUE} AS BLOB)"),
            };
            format!(
                "INSERT INTO unstorage ({key}, value, expires_at, expires_value) \
                 SELECT 'k' || n, {VALUE}, {expires_at}, {mark} FROM {numbers}"
            )
        }
    };
    assert_eq!(place.run(&insert).await, u64::from(count));
}

#[tokio::test]
async fn a_sweep_costs_what_has_expired_and_not_what_lives() {
    for place in Place::each().await {
        for driver in drivers(&place.url).await {
            let table = if driver.name() == "sql" { "cloakroom_sessions" } else { "unstorage" };
            fill(&place, &*driver, 1, LIVE, "4000000000000").await;
            fill(&place, &*driver, LIVE + 1, EXPIRED, "1000").await;
            if place.kind == Kind::Postgres {
                place.run(&format!("ANALYZE {table}")).await;
            }
            let plan =
                place.explain(&format!("SELECT * FROM {table} WHERE expires_at <= 1000")).await;
            assert!(plan.contains(&format!("{table}_expires_at")), "{plan}");

            let begin = Instant::now();
            let swept = driver.sweep(EXPIRED as usize).await.unwrap();
            let of_all = begin.elapsed();
            assert_eq!((swept.removed, swept.finished), (EXPIRED as usize, false));
            let mut of_none = Duration::MAX;
            let mut of_reading = Duration::MAX;
            for _ in 0..5 {
                let begin = Instant::now();
                let swept = driver.sweep(usize::MAX).await.unwrap();
                of_none = of_none.min(begin.elapsed());
                assert_eq!((swept.removed, swept.finished), (0, true));
                let begin = Instant::now();
                // Not by the index: a sum is not in it.
                let left = format!("SELECT COUNT(*) FROM {table} WHERE expires_at + 0 > 1000");
                assert_eq!(place.select(&left).await.len(), 1);
                of_reading = of_reading.min(begin.elapsed());
            }
            println!(
                "{:?}: {}: beside {LIVE} that live, a sweep of {EXPIRED} took {of_all:?}, of none \
                 {of_none:?}, reading all {of_reading:?}",
                place.kind,
                driver.name()
            );
            assert!(of_none < of_reading / 2);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_machines_sweep_at_once_and_each_item_counts_once() {
    for place in Place::each().await {
        for index in 0..2 {
            let driver = drivers(&place.url).await[index].clone();
            fill(&place, &*driver, 1, 3000, "1000").await;
            fill(&place, &*driver, 3001, 100, "4000000000000").await;
            let sweeps = (0..3).map(|_| {
                let url = place.url.clone();
                tokio::spawn(async move {
                    let driver = drivers(&url).await[index].clone();
                    let mut removed = 0;
                    loop {
                        match driver.sweep(700).await {
                            Ok(swept) if swept.finished => return removed + swept.removed,
                            Ok(swept) => removed += swept.removed,
                            Err(error) => {
                                assert!(error.is_retryable() && error.is_unapplied(), "{error}")
                            }
                        }
                    }
                })
            });
            let removed = futures_util::future::join_all(sweeps).await;
            let removed: Vec<usize> = removed.into_iter().map(Result::unwrap).collect();
            assert_eq!(removed.iter().sum::<usize>(), 3000, "{:?} {removed:?}", place.kind);
        }
    }
}
