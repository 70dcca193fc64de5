//! A database from a URL, or from the user's own pool.

use std::time::Duration;

use serde::Deserialize;
use tokio::sync::Semaphore;

use super::database::{Database, Pools};
use super::pool::Pool;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use crate::common::advice::without_tls;
use crate::common::table::Dialect;
use cloakroom_storage::{Error, ErrorKind, Result, options};

/// How many connections there are to a server at most, unless it is said otherwise.
pub(crate) const DEFAULT_CONNECTIONS: u32 = 10;

/// How long a connection may take to be had, in milliseconds, unless it is said otherwise.
pub(crate) const DEFAULT_CONNECT_TIMEOUT: u64 = 3000;

/// When SQLite waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Synchronous {
    /// At checkpoints: a killed process loses nothing, and a power cut may take back the writes of the seconds before
    /// it, never a part of one.
    #[default]
    Normal,
    /// At each write: nothing that counts as written is ever lost.
    Full,
}

/// What the drivers' options say about the connections.
pub(crate) struct Target<'a> {
    pub(crate) driver: &'static str,
    pub(crate) url: &'a str,
    pub(crate) max_connections: u32,
    pub(crate) connect_timeout: Duration,
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
    pub(crate) synchronous: Synchronous,
}

impl Target<'_> {
    /// The database, which is not asked anything yet.
    pub(crate) async fn database(&self) -> Result<Database> {
        let Some(dialect) = Dialect::of_url(self.url) else {
            let message = "option `url` has to begin with `postgres://`, `mysql://`, `mariadb://` or `sqlite:`";
            return Err(options::invalid(self.driver, message));
        };
        if self.max_connections == 0 {
            return Err(options::invalid(
                self.driver,
                "option `maxConnections` has to be at least 1",
            ));
        }
        match dialect {
            #[cfg(feature = "postgres")]
            Dialect::Postgres => self.postgres(),
            #[cfg(feature = "mysql")]
            Dialect::MySql => self.mysql(),
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => self.sqlite().await,
            #[allow(unreachable_patterns)]
            dialect => Err(Error::new(
                ErrorKind::FeatureDisabled,
                format!(
                    "{dialect} is not compiled in; enable the feature `{}` of cloakroom-drivers (or of cloakroom)",
                    dialect.feature()
                ),
            )),
        }
    }

    #[cfg(feature = "postgres")]
    fn postgres(&self) -> Result<Database> {
        use sqlx::ConnectOptions;
        use sqlx::postgres::PgConnectOptions;

        let options: PgConnectOptions = self.parse()?;
        let (place, on_the_way) = (postgres_place(&options), postgres_way(&options));
        // PgBouncer turns away who asks for these digits, unless it is told not to.
        let options = options.extra_float_digits(None).disable_statement_logging();
        let pool = Pool::new(options, self.max_connections);
        let database = self.assemble(Pools::Postgres(pool), Dialect::Postgres, place);
        Ok(Database { on_the_way, ..database })
    }

    #[cfg(feature = "mysql")]
    fn mysql(&self) -> Result<Database> {
        use sqlx::ConnectOptions;
        use sqlx::mysql::MySqlConnectOptions;

        let options: MySqlConnectOptions = self.parse()?;
        let (place, on_the_way) = (mysql_place(&options), mysql_way(&options));
        // What sqlx would set is among what is set for each new connection, in one round trip.
        let options = options
            .set_names(false)
            .timezone(None)
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .disable_statement_logging();
        let pool = Pool::new(options, self.max_connections);
        let database = self.assemble(Pools::MySql(pool), Dialect::MySql, place);
        Ok(Database { on_the_way, ..database })
    }

    #[cfg(feature = "sqlite")]
    async fn sqlite(&self) -> Result<Database> {
        use sqlx::sqlite::SqliteSynchronous;
        use sqlx::{ConnectOptions, Connection};

        use crate::common::table::Executor as _;

        let (options, is_in_memory) = super::file::prepared(self.driver, self.url, self.parse()?)?;
        let options = options
            .busy_timeout(self.connect_timeout)
            .synchronous(match self.synchronous {
                Synchronous::Normal => SqliteSynchronous::Normal,
                Synchronous::Full => SqliteSynchronous::Full,
            })
            .disable_statement_logging();
        let place = sqlite_place(&options);
        let size = if is_in_memory { 1 } else { self.max_connections };
        let mut database =
            self.assemble(Pools::Sqlite(Pool::new(options.clone(), size)), Dialect::Sqlite, place);
        if is_in_memory {
            let keeper = sqlx::SqliteConnection::connect_with(&options).await;
            let keeper =
                keeper.map_err(|error| database.error(super::failure::Failure::Connect(error)))?;
            database.keeper = Some(Box::new(std::sync::Mutex::new(keeper)));
        }
        Ok(database)
    }

    fn assemble(&self, pools: Pools, dialect: Dialect, place: String) -> Database {
        assemble(pools, dialect, place, self.connect_timeout)
    }

    fn parse<T: std::str::FromStr<Err = sqlx::Error>>(&self) -> Result<T> {
        // sqlx's error says what is wrong with the URL and does not cite it.
        self.url
            .parse()
            .map_err(|error| options::invalid(self.driver, format!("option `url`: {error}")))
    }
}

fn assemble(pools: Pools, dialect: Dialect, place: String, connect_timeout: Duration) -> Database {
    let writer = (dialect == Dialect::Sqlite).then(|| Semaphore::new(1));
    let (keeper, on_the_way, file) = (None, None, None);
    Database {
        pools,
        dialect,
        place,
        connect_timeout,
        writer,
        keeper,
        is_durable: true,
        on_the_way,
        file,
    }
}

/// Whether what leads there is encrypted for sure. A mode that takes what the server offers takes nothing, too.
#[cfg(feature = "postgres")]
fn postgres_way(options: &sqlx::postgres::PgConnectOptions) -> Option<cloakroom_storage::Advice> {
    use sqlx::postgres::PgSslMode;

    let is_plain =
        matches!(options.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer);
    // A host that begins so is a socket's folder.
    let is_socket = options.get_socket().is_some() || options.get_host().starts_with('/');
    (is_plain && !is_socket)
        .then(|| without_tls(options.get_host(), "say `sslmode=verify-full` in its URL"))?
}

#[cfg(feature = "mysql")]
fn mysql_way(options: &sqlx::mysql::MySqlConnectOptions) -> Option<cloakroom_storage::Advice> {
    use sqlx::mysql::MySqlSslMode;

    let is_plain =
        matches!(options.get_ssl_mode(), MySqlSslMode::Disabled | MySqlSslMode::Preferred);
    (is_plain && options.get_socket().is_none())
        .then(|| without_tls(options.get_host(), "say `ssl-mode=VERIFY_IDENTITY` in its URL"))?
}

#[cfg(feature = "postgres")]
fn postgres_place(options: &sqlx::postgres::PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    format!("PostgreSQL's database `{database}` at {}:{}", options.get_host(), options.get_port())
}

#[cfg(feature = "mysql")]
fn mysql_place(options: &sqlx::mysql::MySqlConnectOptions) -> String {
    let database = options.get_database().unwrap_or_default();
    format!("MySQL's database `{database}` at {}:{}", options.get_host(), options.get_port())
}

#[cfg(feature = "sqlite")]
fn sqlite_place(options: &sqlx::sqlite::SqliteConnectOptions) -> String {
    format!("SQLite's database `{}`", options.get_filename().display())
}

/// A pool of sqlx 0.9: a `PgPool`, a `MySqlPool` or a `SqlitePool`.
///
/// Its settings are the user's. `test_before_acquire`, which sqlx sets, costs a round trip for every call; without it a call
/// may meet a connection that has died since. What breaks, may not write (as after a failover) or is given up half-way
/// is closed, and not given back.
#[cfg(feature = "sqlx-0-9")]
#[derive(Debug)]
pub struct SqlxPool(Users);

#[cfg(feature = "sqlx-0-9")]
#[derive(Debug)]
enum Users {
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::SqlitePool),
}

#[cfg(feature = "sqlx-0-9")]
impl SqlxPool {
    pub(crate) fn database(self, connect_timeout: Duration) -> Database {
        let (pools, dialect, place, on_the_way): (
            Pools,
            Dialect,
            String,
            Option<cloakroom_storage::Advice>,
        ) = match self.0 {
            #[cfg(feature = "postgres")]
            Users::Postgres(pool) => {
                let options = pool.connect_options();
                let (place, on_the_way) = (postgres_place(&options), postgres_way(&options));
                (Pools::Postgres(Pool::of(pool)), Dialect::Postgres, place, on_the_way)
            }
            #[cfg(feature = "mysql")]
            Users::MySql(pool) => {
                let options = pool.connect_options();
                let (place, on_the_way) = (mysql_place(&options), mysql_way(&options));
                (Pools::MySql(Pool::of(pool)), Dialect::MySql, place, on_the_way)
            }
            #[cfg(feature = "sqlite")]
            Users::Sqlite(pool) => {
                let place = sqlite_place(&pool.connect_options());
                (Pools::Sqlite(Pool::of(pool)), Dialect::Sqlite, place, None)
            }
        };
        Database { on_the_way, ..assemble(pools, dialect, place, connect_timeout) }
    }
}

#[cfg(all(feature = "sqlx-0-9", feature = "postgres"))]
impl From<sqlx::PgPool> for SqlxPool {
    fn from(pool: sqlx::PgPool) -> SqlxPool {
        SqlxPool(Users::Postgres(pool))
    }
}

#[cfg(all(feature = "sqlx-0-9", feature = "mysql"))]
impl From<sqlx::MySqlPool> for SqlxPool {
    fn from(pool: sqlx::MySqlPool) -> SqlxPool {
        SqlxPool(Users::MySql(pool))
    }
}

#[cfg(all(feature = "sqlx-0-9", feature = "sqlite"))]
impl From<sqlx::SqlitePool> for SqlxPool {
    fn from(pool: sqlx::SqlitePool) -> SqlxPool {
        SqlxPool(Users::Sqlite(pool))
    }
}
