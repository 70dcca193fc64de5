//! What the tests of `sql` and `db0` have in common: an empty database of each kind, and raw SQL on it.
#![allow(dead_code)] // Each test program uses a part of it.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use cloakroom_drivers::{db0, sql};
use cloakroom_storage::{DynDriver, SetOutcome, Version};
use interop_peers::{MariaDb, Postgres};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Row};
use tempfile::TempDir;

/// One server for all tests of a program; it ends with the program.
static POSTGRES: LazyLock<Option<Postgres>> = LazyLock::new(Postgres::start);
static MARIADB: LazyLock<Option<MariaDb>> = LazyLock::new(MariaDb::start);

/// The drivers on tables of their own in one database.
pub(crate) async fn both(url: &str) -> [DynDriver; 2] {
    let sql = sql::Sql::new(sql::Options::new(url)).await.unwrap();
    let db0 = db0::Db0::new(db0::Options::new(url)).await.unwrap();
    [Arc::new(sql), Arc::new(db0)]
}

/// The version of what was written.
pub(crate) fn version(outcome: SetOutcome) -> Version {
    match outcome {
        SetOutcome::Written { version } => version,
        SetOutcome::Conflict => panic!("a conflict"),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MariaDb,
    Sqlite,
}

/// An empty database of a test's own.
pub(crate) struct Place {
    pub(crate) kind: Kind,
    pub(crate) url: String,
    _folder: Option<TempDir>,
}

impl Place {
    pub(crate) async fn postgres() -> Option<Place> {
        let server = POSTGRES.as_ref()?;
        Some(Place::on_server(Kind::Postgres, &server.url(), "").await)
    }

    /// With a collation that tells any two keys apart, which is not the usual one.
    pub(crate) async fn mariadb() -> Option<Place> {
        let server = MARIADB.as_ref()?;
        Some(Place::on_server(Kind::MariaDb, &server.url(), " COLLATE utf8mb4_bin").await)
    }

    /// As Debian sets it up: `a` and `ä` are one key.
    pub(crate) async fn mariadb_with_the_usual_collation() -> Option<Place> {
        let server = MARIADB.as_ref()?;
        Some(Place::on_server(Kind::MariaDb, &server.url(), "").await)
    }

    pub(crate) fn sqlite() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/sessions.db", folder.path().display());
        Place { kind: Kind::Sqlite, url, _folder: Some(folder) }
    }

    /// One of each kind that is installed.
    pub(crate) async fn each() -> Vec<Place> {
        let servers = [Place::postgres().await, Place::mariadb().await];
        servers.into_iter().flatten().chain([Place::sqlite()]).collect()
    }

    async fn on_server(kind: Kind, url: &str, collation: &str) -> Place {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{number}", process::id());
        run(url, &format!("CREATE DATABASE {name}{collation}")).await;
        let url = format!("{}/{name}", url.rsplit_once('/').unwrap().0);
        Place { kind, url, _folder: None }
    }

    /// `postgres://cloakroom@host/…` for another user.
    pub(crate) fn url_of(&self, user: &str) -> String {
        self.url.replace("//cloakroom@", &format!("//{user}@"))
    }

    pub(crate) fn port(&self) -> u16 {
        let address = self.url.split('@').nth(1).unwrap();
        address.split([':', '/']).nth(1).unwrap().parse().unwrap()
    }

    /// The same database behind another port.
    pub(crate) fn url_at(&self, port: u16) -> String {
        self.url.replace(&format!(":{}/", self.port()), &format!(":{port}/"))
    }

    /// A table of the numbers `n` from `from` on, for SQL that makes many rows.
    pub(crate) fn numbers(&self, from: u32, count: u32) -> String {
        let last = from + count - 1;
        match self.kind {
            Kind::Postgres => format!("generate_series({from}, {last}) AS numbers(n)"),
            Kind::MariaDb => format!("(SELECT seq AS n FROM seq_{from}_to_{last}) AS numbers"),
            Kind::Sqlite => format!(
                "(WITH RECURSIVE s(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s WHERE n < {last}) \
                 SELECT n FROM s) AS numbers"
            ),
        }
    }

    pub(crate) async fn raw(&self) -> Raw {
        Raw::connect(&self.url).await
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) async fn run(&self, sql: &str) -> u64 {
        run(&self.url, sql).await
    }

    /// What a statement selects, as the bytes that are stored.
    pub(crate) async fn select(&self, sql: &str) -> Vec<Vec<Option<Vec<u8>>>> {
        macro_rules! select {
            ($connection:ty) => {{
                let mut connection = <$connection>::connect(&self.url).await.unwrap();
                let query = sqlx::query(AssertSqlSafe(sql.to_owned()));
                let rows = query.fetch_all(&mut connection).await.unwrap();
                let cells = |row: &_| cells(row);
                rows.iter().map(cells).collect()
            }};
        }
        fn cells<R: Row>(row: &R) -> Vec<Option<Vec<u8>>>
        where
            usize: sqlx::ColumnIndex<R>,
            Option<Vec<u8>>: for<'r> sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
        {
            (0..row.len()).map(|index| row.try_get_unchecked(index).unwrap()).collect()
        }
        match self.kind {
            Kind::Postgres => select!(sqlx::PgConnection),
            Kind::MariaDb => select!(sqlx::MySqlConnection),
            Kind::Sqlite => select!(sqlx::SqliteConnection),
        }
    }

    /// The first cell, as a text.
    pub(crate) async fn text(&self, sql: &str) -> String {
        let rows = self.select(sql).await;
        String::from_utf8(rows[0][0].clone().unwrap()).unwrap()
    }

    /// How the database says that it runs a statement.
    pub(crate) async fn explain(&self, sql: &str) -> String {
        let explain = match self.kind {
            Kind::Postgres => format!("EXPLAIN {sql}"),
            Kind::MariaDb => format!("EXPLAIN FORMAT=JSON {sql}"),
            Kind::Sqlite => format!("EXPLAIN QUERY PLAN {sql}"),
        };
        let rows = self.select(&explain).await;
        let cells = rows.into_iter().flat_map(|row| row.into_iter().next_back().flatten());
        cells.map(|cell| String::from_utf8_lossy(&cell).into_owned() + "\n").collect()
    }
}

/// Runs a statement, or several, on the database at `url`.
pub(crate) async fn run(url: &str, sql: &str) -> u64 {
    Raw::connect(url).await.run(sql).await
}

/// A connection that knows nothing of drivers.
pub(crate) enum Raw {
    Postgres(sqlx::PgConnection),
    MariaDb(sqlx::MySqlConnection),
    Sqlite(sqlx::SqliteConnection),
}

impl Raw {
    pub(crate) async fn connect(url: &str) -> Raw {
        match url.split(':').next().unwrap() {
            "postgres" => Raw::Postgres(sqlx::PgConnection::connect(url).await.unwrap()),
            "mysql" => Raw::MariaDb(sqlx::MySqlConnection::connect(url).await.unwrap()),
            _ => {
                let options: sqlx::sqlite::SqliteConnectOptions = url.parse().unwrap();
                Raw::Sqlite(options.create_if_missing(true).connect().await.unwrap())
            }
        }
    }

    /// Runs a statement, or several; how many rows it changed.
    pub(crate) async fn run(&mut self, sql: &str) -> u64 {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Raw::Postgres(raw) => raw.execute(sql).await.unwrap().rows_affected(),
            Raw::MariaDb(raw) => raw.execute(sql).await.unwrap().rows_affected(),
            Raw::Sqlite(raw) => raw.execute(sql).await.unwrap().rows_affected(),
        }
    }
}
