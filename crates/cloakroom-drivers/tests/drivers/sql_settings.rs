//! `sql` and `db0` on servers whose settings are not the usual ones, and as users who may do just what they have to.

use std::time::{Duration, Instant};

use crate::sql_support::{Kind, Place, both, run, version};
use cloakroom_drivers::{db0, sql};
use cloakroom_storage::{Driver, ErrorKind, ItemKey, RemoveOutcome, When};
use futures_util::TryStreamExt;
use interop_peers::MariaDb;

const LONG: Option<Duration> = Some(Duration::from_secs(3600));
/// What a test waits at most for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

fn key(name: &str) -> ItemKey {
    ItemKey::new(name).unwrap()
}

/// Every statement that there is, once.
async fn use_all_of(driver: &dyn Driver) {
    let expired = Some(Duration::ZERO);
    let a = key("a");
    version(driver.set(&a, "0".into(), When::Always, None).await.unwrap());
    version(driver.set(&key("b"), "0".into(), When::Absent, expired).await.unwrap());
    version(driver.set(&key("b"), "1".into(), When::Absent, expired).await.unwrap());
    let seen = driver.get(&a).await.unwrap().unwrap().version;
    let seen = driver.set(&a, "1".into(), When::Version(seen), LONG).await;
    let seen = version(seen.unwrap());
    assert!(driver.touch(&a, LONG).await.unwrap());
    assert!(driver.get_with_ttl(&a).await.unwrap().unwrap().1.is_some());
    let keys: Vec<ItemKey> = driver.keys("").try_collect().await.unwrap();
    assert_eq!(keys, std::slice::from_ref(&a), "{}", driver.name());
    let swept = driver.sweep(10).await.unwrap();
    assert_eq!((swept.removed, swept.finished), (1, true), "{}", driver.name());
    let removed = driver.remove(&a, When::Version(seen)).await.unwrap();
    assert_eq!(removed, RemoveOutcome::Removed);
    assert_eq!(driver.remove(&a, When::Always).await.unwrap(), RemoveOutcome::Missing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_written_to_a_mysql_with_odd_settings_is_committed_and_whole() {
    let Some(server) = MariaDb::start() else { return };
    run(&server.url(), "CREATE DATABASE latin CHARACTER SET latin1").await;
    let url = format!("mysql://cloakroom@127.0.0.1:{}/latin", server.port());
    let odd = "SET GLOBAL autocommit = 0; SET GLOBAL sql_mode = 'EMPTY_STRING_IS_NULL'; \
               SET GLOBAL sql_safe_updates = 1; SET GLOBAL sql_select_limit = 0";
    run(&url, odd).await;
    for (first, second) in both(&url).await.into_iter().zip(both(&url).await) {
        use_all_of(&*first).await;
        for value in ["[[\"Map\"],\"日本\"]", "€ café", ""] {
            version(first.set(&key("cart"), value.into(), When::Always, LONG).await.unwrap());
            // Another process sees it at once, and waits for nobody to write.
            let (item, ttl) = second.get_with_ttl(&key("cart")).await.unwrap().unwrap();
            assert_eq!(item.value, value, "{}", first.name());
            assert!(ttl.is_some(), "{}", first.name());
            let when = When::Version(item.version);
            version(second.set(&key("cart"), "2".into(), when, LONG).await.unwrap());
        }
    }
}

#[tokio::test]
async fn letters_that_a_table_of_javascripts_has_not_are_refused_and_not_replaced() {
    let Some(place) = Place::mariadb().await else { return };
    let table = "CREATE TABLE unstorage (`key` VARCHAR(255) NOT NULL PRIMARY KEY, `value` LONGTEXT, \
                 `blob` BLOB, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, \
                 updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP) CHARACTER SET latin1";
    place.run(table).await;
    let table = db0::Db0::new(db0::Options::new(&place.url)).await.unwrap();
    version(table.set(&key("a"), "café €".into(), When::Always, LONG).await.unwrap());
    let error = table.set(&key("a"), "日本".into(), When::Always, LONG).await.unwrap_err();
    assert!(error.is_unapplied() && !error.is_retryable(), "{error}");
    assert!(error.to_string().contains("`utf8mb4`"), "{error}");
    assert_eq!(table.get(&key("a")).await.unwrap().unwrap().value, "café €");
}

#[tokio::test]
async fn a_postgresql_whose_encoding_is_not_utf8_lists_its_keys() {
    let Some(place) = Place::postgres().await else { return };
    let name = format!("{}_latin", place.url.rsplit('/').next().unwrap());
    place
        .run(&format!("CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"))
        .await;
    for driver in both(&format!("{}_latin", place.url)).await {
        use_all_of(&*driver).await;
        for name in ["a:b", "a:ü", "b"] {
            version(driver.set(&key(name), "é".into(), When::Always, LONG).await.unwrap());
        }
        let mut keys: Vec<ItemKey> = driver.keys("a:").try_collect().await.unwrap();
        keys.sort();
        assert_eq!(keys, ["a:b", "a:ü"].map(key), "{}", driver.name());
        let error = driver.set(&key("日本"), "x".into(), When::Always, LONG).await.unwrap_err();
        assert!(error.to_string().contains("UTF-8"), "{error}");
        assert!(error.is_unapplied());
    }
}

#[tokio::test]
async fn a_key_is_listed_whatever_its_last_letters_are() {
    for place in Place::each().await {
        for driver in both(&place.url).await {
            let names = ["\u{10FFFF}", "a:\u{10FFFF}x", "a:b", "a;", "a9"];
            for name in names {
                version(driver.set(&key(name), "x".into(), When::Always, LONG).await.unwrap());
            }
            for (prefix, expected) in
                [("", &names[..]), ("a:", &names[1..3]), ("\u{10FFFF}", &names[..1])]
            {
                let mut keys: Vec<ItemKey> = driver.keys(prefix).try_collect().await.unwrap();
                keys.sort();
                let mut expected: Vec<ItemKey> = expected.iter().map(|name| key(name)).collect();
                expected.sort();
                assert_eq!(keys, expected, "{:?} {} {prefix:?}", place.kind, driver.name());
            }
        }
    }
}

#[tokio::test]
async fn another_search_path_does_not_lead_to_another_table() {
    let Some(place) = Place::postgres().await else { return };
    let drivers = both(&place.url).await;
    for driver in &drivers {
        version(driver.set(&key("a"), "x".into(), When::Always, LONG).await.unwrap());
    }
    let database = place.url.rsplit('/').next().unwrap();
    place.run("CREATE SCHEMA other").await;
    place.run(&format!("ALTER DATABASE {database} SET search_path = other, public")).await;
    both(&place.url).await;
    place
        .run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    for driver in drivers {
        let begin = Instant::now();
        let item = loop {
            match driver.get(&key("a")).await {
                Ok(item) => break item,
                Err(error) => assert!(begin.elapsed() < PATIENCE, "{error}"),
            }
        };
        assert!(item.is_some(), "{} reads another table now", driver.name());
    }
}

/// A user of this place's own, and the URL for it.
async fn make_user(place: &Place) -> (String, String) {
    let database = place.url.rsplit('/').next().unwrap();
    let user = format!("u_{database}");
    match place.kind {
        Kind::Postgres => place.run(&format!("CREATE ROLE {user} LOGIN")).await,
        _ => place.run(&format!("CREATE USER '{user}'@'%'")).await,
    };
    let url = place.url_of(&user);
    (user, url)
}

#[tokio::test]
async fn a_table_whose_rows_are_all_hidden_from_this_user_is_refused() {
    let Some(place) = Place::postgres().await else { return };
    both(&place.url).await;
    let (user, url) = make_user(&place).await;
    for table in ["cloakroom_sessions", "unstorage"] {
        place.run(&format!("GRANT ALL ON {table} TO {user}")).await;
        place.run(&format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")).await;
    }
    let sql = sql::Sql::new(sql::Options::new(&url)).await.map(|_| ());
    let db0 = db0::Db0::new(db0::Options::new(&url)).await.map(|_| ());
    for error in [sql.unwrap_err(), db0.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
        assert!(error.to_string().contains("row-level security"), "{error}");
    }
    for table in ["cloakroom_sessions", "unstorage"] {
        place.run(&format!("CREATE POLICY everything ON {table} USING (true)")).await;
    }
    for driver in both(&url).await {
        use_all_of(&*driver).await;
    }
}

#[tokio::test]
async fn a_user_who_may_do_what_the_documentation_says_can_do_everything() {
    let servers = [Place::postgres().await, Place::mariadb().await];
    for place in servers.into_iter().flatten() {
        both(&place.url).await;
        let (user, url) = make_user(&place).await;
        let database = place.url.rsplit('/').next().unwrap();
        for table in ["cloakroom_sessions", "unstorage"] {
            let rights = "GRANT SELECT, INSERT, UPDATE, DELETE ON";
            place
                .run(&match place.kind {
                    Kind::Postgres => format!("{rights} {table} TO {user}"),
                    _ => format!("{rights} {database}.{table} TO '{user}'@'%'"),
                })
                .await;
        }
        for driver in both(&url).await {
            use_all_of(&*driver).await;
        }
    }
}

#[tokio::test]
async fn a_user_who_may_make_tables_too_needs_nobody_to_run_the_migrations() {
    let servers = [Place::postgres().await, Place::mariadb().await];
    for place in servers.into_iter().flatten() {
        let (user, url) = make_user(&place).await;
        let database = place.url.rsplit('/').next().unwrap();
        place
            .run(&match place.kind {
                Kind::Postgres => format!("GRANT CREATE ON SCHEMA public TO {user}"),
                _ => format!(
                    "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, INDEX \
                     ON {database}.* TO '{user}'@'%'"
                ),
            })
            .await;
        for driver in both(&url).await {
            use_all_of(&*driver).await;
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_of_sqlite_is_its_owners_alone_however_the_url_is_written() {
    use std::os::unix::fs::PermissionsExt;

    for (path, prefix, parameters) in [
        ("plain.db", "", ""),
        ("rwc.db", "", "?mode=rwc"),
        ("slashes.db", "//", "?mode=rwc"),
        ("private.db", "", "?cache=private&mode=rwc"),
        ("mode=x.db", "", ""),
        ("mode=memory", "", ""),
        (":memory:.db", "", ""),
        ("uri.db", "file:", ""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(path);
        let url = format!("sqlite:{prefix}{}{parameters}", file.display());
        for driver in both(&url).await {
            version(driver.set(&key("a"), "x".into(), When::Always, LONG).await.unwrap());
            assert!(driver.capabilities().durable, "{url}");
            for suffix in ["", "-wal", "-shm"] {
                let file = format!("{}{suffix}", file.display());
                let about = std::fs::metadata(&file).unwrap_or_else(|_| panic!("{url}: no {file}"));
                assert_eq!(about.permissions().mode() & 0o777, 0o600, "{url}: {file}");
            }
        }
    }
}

#[tokio::test]
async fn a_url_of_sqlite_that_says_not_to_make_the_file_is_obeyed() {
    for mode in ["rw", "ro"] {
        let place = Place::sqlite();
        let url = format!("{}?mode={mode}", place.url);
        let error = sql::Sql::new(sql::Options::new(&url)).await.unwrap_err();
        assert!(error.to_string().contains("sessions.db"), "{error}");
        assert!(!std::path::Path::new(place.url.trim_start_matches("sqlite:")).exists());
        both(&place.url).await;
        let sql = sql::Sql::new(sql::Options::new(&url)).await.unwrap();
        let written = sql.set(&key("a"), "x".into(), When::Always, LONG).await;
        match mode {
            "rw" => drop(version(written.unwrap())),
            _ => assert_eq!(written.unwrap_err().kind(), ErrorKind::ReadOnly),
        }
    }
    for url in ["sqlite:", "sqlite://?mode=rwc"] {
        let error = sql::Sql::new(sql::Options::new(url)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOptions, "{error}");
    }
}

#[tokio::test]
async fn a_database_in_memory_is_one_for_all_connections_however_it_is_named() {
    for url in
        ["sqlite::memory:", "sqlite:file::memory:", "sqlite:%3Amemory%3A", "sqlite:x?mode=memory"]
    {
        let table = sql::Sql::new(sql::Options::new(url)).await.unwrap();
        assert!(!table.capabilities().durable && !table.capabilities().shared, "{url}");
        use_all_of(&table).await;
    }
}
