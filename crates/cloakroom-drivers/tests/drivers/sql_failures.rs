//! What `sql` says when its database refuses it or goes away, and that it goes on when the database is back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::sql_support::{Kind, Place};
use cloakroom_drivers::sql::{Options, Sql};
use cloakroom_storage::{Driver, DynDriver, Error, ErrorKind, ItemKey, When};
use futures_util::future::join_all;
use interop_peers::{MariaDb, Postgres, Proxy, Server};
use serde_json::json;

const LONG: Option<Duration> = Some(Duration::from_secs(3600));
/// What a test waits at most for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

async fn refusal(url: &str) -> Error {
    Sql::new(Options::new(url)).await.unwrap_err()
}

async fn put(driver: &dyn Driver, name: &str) -> Result<(), Error> {
    driver.set(&key(name), "x".into(), When::Always, LONG).await.map(|_| ())
}

/// Everything that an error shows.
fn shown(error: &Error) -> String {
    format!("{error} {error:?}")
}

async fn servers() -> Vec<Place> {
    let places = [Place::postgres().await, Place::mariadb().await];
    places.into_iter().flatten().collect()
}

/// Makes a user whose password is `right`, and is asked for.
async fn make_locked_user(place: &Place) {
    match place.kind {
        Kind::Postgres => {
            let line = "host all locked 127.0.0.1/32 scram-sha-256";
            let program = "cat - pg_hba.conf > new_hba.conf && mv new_hba.conf pg_hba.conf";
            place.run("CREATE ROLE locked LOGIN PASSWORD 'right'").await;
            place.run(&format!("COPY (SELECT '{line}') TO PROGRAM '{program}'")).await;
            place.run("GRANT ALL ON SCHEMA public TO locked").await;
            place.run("SELECT pg_reload_conf()").await;
        }
        _ => {
            place.run("CREATE USER 'locked'@'%' IDENTIFIED BY 'right'").await;
            place.run("GRANT ALL ON *.* TO 'locked'@'%'").await;
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_denied_and_shown_nowhere() {
    for place in servers().await {
        make_locked_user(&place).await;
        let begin = Instant::now();
        let error = loop {
            // PostgreSQL reads its rules again a moment later.
            match Sql::new(Options::new(place.url_of("locked:s3cr3t-word"))).await {
                Err(error) => break error,
                Ok(_) => assert!(begin.elapsed() < PATIENCE, "the password is not asked for"),
            }
        };
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(!error.is_retryable());
        let shown = shown(&error);
        assert!(shown.contains(&format!("127.0.0.1:{}", place.port())), "{shown}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
        let options = Options::new(place.url_of("locked:right"));
        assert!(!format!("{options:?}").contains("right"));
        let table = Sql::new(options).await.unwrap();
        assert!(!format!("{table:?}").contains("right"), "{table:?}");
    }
}

#[tokio::test]
async fn an_unknown_database_is_named() {
    for place in servers().await {
        let error = refusal(&format!("{}_nowhere", place.url)).await;
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains("_nowhere` at 127.0.0.1"), "{error}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable_at_once() {
    for scheme in ["postgres", "mysql"] {
        let begin = Instant::now();
        // Port 1 is nobody's.
        let error = refusal(&format!("{scheme}://user:s3cr3t@127.0.0.1:1/db")).await;
        assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.is_retryable() && error.is_unapplied());
        let shown = shown(&error);
        assert!(shown.contains("127.0.0.1:1") && !shown.contains("s3cr3t"), "{shown}");
    }
    let error = refusal("sqlite:/dev/null/sessions.db").await;
    assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
    assert!(error.to_string().contains("the folder /dev/null cannot be made"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let error = refusal(&format!("sqlite:{}", folder.path().display())).await;
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn a_url_that_is_none_is_not_repeated() {
    for url in ["postgres://user:s3cr3t@127.0.0.1:port/db", "mysql://user:s3cr3t@[/db"] {
        let error = refusal(url).await;
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(!shown(&error).contains("s3cr3t"), "{}", shown(&error));
    }
}

/// A database of its own, which a test may stop.
fn peers() -> Vec<(Box<dyn std::ops::Deref<Target = Server>>, String)> {
    let mut peers: Vec<(Box<dyn std::ops::Deref<Target = Server>>, String)> = Vec::new();
    if let Some(postgres) = Postgres::start() {
        let url = postgres.url();
        peers.push((Box::new(postgres), url));
    }
    if let Some(mariadb) = MariaDb::start() {
        let url = mariadb.url();
        peers.push((Box::new(mariadb), url));
    }
    peers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_comes_back_is_used_again_and_its_data_is_there() {
    for (server, url) in peers() {
        let bare = Sql::new(Options::new(&url)).await.unwrap();
        let options = json!({"url": url});
        let opened = cloakroom_drivers::open("sql", options.as_object().unwrap()).await.unwrap();
        for gone in [Server::stop, Server::kill] {
            // Several connections, all of which will be broken.
            let names = ["0", "1", "2", "3", "4", "5"].map(key);
            join_all(names.iter().map(|_| put(&bare, "0"))).await;
            join_all(names.iter().map(|key| bare.get(key))).await;
            join_all(names.iter().map(|key| opened.get(key))).await;
            gone(&server);
            for _ in 0..10 {
                let begin = Instant::now();
                let error = bare.get(&key("0")).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
                assert!(error.is_retryable());
                assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
            }
            let error = put(&bare, "0").await.unwrap_err();
            assert!(error.is_unapplied(), "nothing could be sent: {error}");
            server.restart();
            // None of the connections that broke is handed out.
            assert_eq!(bare.get(&key("0")).await.unwrap().unwrap().value, "x");
            put(&bare, "0").await.unwrap();
            assert_eq!(opened.get(&key("0")).await.unwrap().unwrap().value, "x");
            put(&*opened, "0").await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_write_after_a_restart_that_nobody_noticed_is_not_lost() {
    for (server, url) in peers() {
        let table = Sql::new(Options::new(&url)).await.unwrap();
        put(&table, "a").await.unwrap();
        server.restart();
        // Long enough to be asked first. The duration is what is tested.
        tokio::time::sleep(Duration::from_millis(110)).await;
        put(&table, "a").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_that_hangs_costs_a_caller_the_deadline_and_harms_nobody_after() {
    for place in servers().await {
        let proxy = Proxy::start(place.port());
        let options = json!({"url": place.url_at(proxy.port()), "connectTimeout": 300});
        let options = options.as_object().unwrap();
        let limits = cloakroom_storage::Limits { timeout: Duration::from_millis(500), retries: 2 };
        let table: DynDriver =
            cloakroom_drivers::open_with_limits("sql", options, limits).await.unwrap();
        put(&*table, "a").await.unwrap();
        proxy.hang();
        for _ in 0..3 {
            let begin = Instant::now();
            let error = table.get(&key("a")).await.unwrap_err();
            let kind = error.kind();
            assert!(matches!(kind, ErrorKind::Timeout | ErrorKind::Unavailable), "{error}");
            assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
        }
        proxy.heal();
        let begin = Instant::now();
        while let Err(error) = table.get(&key("a")).await {
            assert!(begin.elapsed() < PATIENCE, "{:?}: {error}", place.kind);
        }
        proxy.refuse();
        let error = table.get(&key("a")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        proxy.heal();
        put(&*table, "a").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_caller_who_gives_up_leaves_no_half_read_answer_to_the_next() {
    for place in Place::each().await {
        let mut options = Options::new(&place.url);
        options.max_connections = 1;
        let table = Arc::new(Sql::new(options).await.unwrap());
        for name in ["one", "other"] {
            let value = name.repeat(200_000).into();
            let _ = table.set(&key(name), value, When::Always, LONG).await.unwrap();
        }
        for round in 0..40 {
            let patience = Duration::from_micros(50 * round);
            let _ = tokio::time::timeout(patience, table.get(&key("one"))).await;
            let other = table.get(&key("other")).await.unwrap().unwrap().value;
            assert!(other.starts_with(b"other"), "{:?}", place.kind);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_that_is_used_up_is_unavailable_and_says_so() {
    for place in servers().await {
        let mut options = Options::new(&place.url);
        options.max_connections = 1;
        options.connect_timeout = 100;
        let table = Sql::new(options).await.unwrap();
        // Somebody else has locked the table, so that one writer keeps the only connection.
        let mut other = place.raw().await;
        let (lock, unlock) = match place.kind {
            Kind::Postgres => ("BEGIN; LOCK TABLE cloakroom_sessions", "COMMIT"),
            _ => ("LOCK TABLES cloakroom_sessions WRITE", "UNLOCK TABLES"),
        };
        other.run(lock).await;
        let late = async {
            let error = put(&table, "b").await.unwrap_err();
            other.run(unlock).await;
            error
        };
        let (early, error) = tokio::join!(put(&table, "a"), late);
        early.unwrap();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.is_unapplied() && error.is_retryable());
        assert!(error.to_string().contains("`maxConnections`"), "{error}");
        put(&table, "b").await.unwrap();
    }
}

#[tokio::test]
async fn a_user_who_may_only_read_is_told_so() {
    for place in servers().await {
        let table = Sql::new(Options::new(&place.url)).await.unwrap();
        put(&table, "a").await.unwrap();
        let user = format!("reader_{}", place.port());
        match place.kind {
            Kind::Postgres => {
                place.run(&format!("CREATE ROLE {user} LOGIN")).await;
                place.run(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}")).await;
            }
            _ => {
                place.run(&format!("CREATE USER '{user}'@'%'")).await;
                place.run(&format!("GRANT SELECT ON *.* TO '{user}'@'%'")).await;
            }
        }
        // The table is there, so that nothing has to be made.
        let reader = Sql::new(Options::new(place.url_of(&user))).await.unwrap();
        assert_eq!(reader.get(&key("a")).await.unwrap().unwrap().value, "x");
        let error = put(&reader, "a").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(error.is_unapplied() && !error.is_retryable());
        // Where it is not, the error has what somebody else has to run.
        let mut options = Options::new(place.url_of(&user));
        options.table = "missing".to_owned();
        let error = Sql::new(options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
        assert!(error.to_string().contains("CREATE TABLE IF NOT EXISTS missing"), "{error}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_be_written_to_is_read_only() {
    let Some(place) = Place::postgres().await else { return };
    let table = Sql::new(Options::new(&place.url)).await.unwrap();
    put(&table, "a").await.unwrap();
    let options = format!("{}?options=-cdefault_transaction_read_only%3Don", place.url);
    let replica = Sql::new(Options::new(options)).await.unwrap();
    assert_eq!(replica.get(&key("a")).await.unwrap().unwrap().value, "x");
    let error = put(&replica, "a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly, "{error}");
    assert!(error.is_unapplied());

    let place = Place::sqlite();
    let table = Sql::new(Options::new(&place.url)).await.unwrap();
    put(&table, "a").await.unwrap();
    let reader = Sql::new(Options::new(format!("{}?mode=ro", place.url))).await.unwrap();
    assert_eq!(reader.get(&key("a")).await.unwrap().unwrap().value, "x");
    assert_eq!(put(&reader, "a").await.unwrap_err().kind(), ErrorKind::ReadOnly);
}

#[tokio::test]
async fn a_connection_that_may_not_write_is_not_kept_for_ever() {
    let Some(place) = Place::postgres().await else { return };
    let table = Sql::new(Options::new(&place.url)).await.unwrap();
    put(&table, "a").await.unwrap();
    // As a master that becomes a replica and then the master again: a connection stays as it was made.
    let mut other = place.raw().await;
    let database = place.url.rsplit('/').next().unwrap();
    let set = format!("ALTER DATABASE {database} SET default_transaction_read_only =");
    other.run(&format!("{set} on")).await;
    let table = Sql::new(Options::new(&place.url)).await.unwrap();
    assert_eq!(put(&table, "a").await.unwrap_err().kind(), ErrorKind::ReadOnly);
    other.run(&format!("{set} off")).await;
    let begin = Instant::now();
    while let Err(error) = put(&table, "a").await {
        assert!(begin.elapsed() < Duration::from_secs(5), "{error}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_statement_that_another_one_was_in_the_way_of_changed_nothing() {
    let Some(place) = Place::postgres().await else { return };
    // Not the usual isolation, in which a writer waits and looks again.
    let url = format!("{}?options=-cdefault_transaction_isolation%3Dserializable", place.url);
    let table = Arc::new(Sql::new(Options::new(&url)).await.unwrap());
    let _ = table.set(&key("a"), "0".into(), When::Always, LONG).await.unwrap();
    let writers = (0..8).map(|_| {
        let table = table.clone();
        tokio::spawn(async move {
            let mut failed = Vec::new();
            for _ in 0..50 {
                failed.extend(put(&*table, "a").await.err());
            }
            failed
        })
    });
    let failed: Vec<Error> = join_all(writers).await.into_iter().flat_map(Result::unwrap).collect();
    assert!(!failed.is_empty(), "no two writers met");
    for error in failed {
        assert!(error.is_retryable() && error.is_unapplied(), "{error}");
    }
}

#[tokio::test]
async fn what_a_database_says_of_a_row_is_not_repeated() {
    for place in Place::each().await {
        let table = Sql::new(Options::new(&place.url)).await.unwrap();
        match place.kind {
            Kind::Sqlite => {
                let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON cloakroom_sessions \
                              BEGIN INSERT INTO cloakroom_sessions VALUES (NULL, NULL, NULL, NULL); END";
                place.run(refuse).await;
            }
            _ => {
                let refuse = "ALTER TABLE cloakroom_sessions ADD CHECK (version < 0)";
                place.run(refuse).await;
            }
        }
        let error = put(&table, "secret-key").await.unwrap_err();
        let shown = shown(&error);
        assert!(!shown.contains("secret-key") && !shown.contains("'x'"), "{shown}");
        assert!(error.is_unapplied() && !error.is_retryable(), "{shown}");
        assert!(shown.contains("code "), "{shown}");
    }
}

#[tokio::test]
async fn a_busy_file_of_sqlite_changed_nothing() {
    let place = Place::sqlite();
    let mut options = Options::new(&place.url);
    options.connect_timeout = 100;
    let table = Sql::new(options).await.unwrap();
    let mut other = place.raw().await;
    other.run("BEGIN IMMEDIATE").await;
    let error = put(&table, "a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.is_retryable() && error.is_unapplied());
    assert!(table.get(&key("a")).await.unwrap().is_none(), "readers wait for nobody");
    other.run("ROLLBACK").await;
    put(&table, "a").await.unwrap();
}
