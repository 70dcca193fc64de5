//! `sql`: a table in PostgreSQL, MySQL, MariaDB or SQLite.
//!
//! unstorage has no driver of this name; its `db0` is here too, and has a table that JavaScript opens.
//!
//! # The table
//! One row per item: the key, the bytes of the value, a version, and when it expires, in milliseconds since 1970.
//! [`migrations`] has the SQL, which runs at the start unless [`Options::migrate`] says otherwise.
//!
//! # Round trips
//! One statement and one round trip for each operation, where it succeeds, and nothing is locked in between. A
//! connection learns each statement once, and is asked whether it is alive when it was idle for a tenth of a second. A
//! second statement is sent where the removal of a version finds another one, and on MySQL where an item is created that
//! is there already.
//!
//! # Poolers
//! A pooler of transactions, such as PgBouncer, Supabase's port 6543 or Neon's `-pooler`, gives the statements of one
//! connection to several servers. A new connection to PostgreSQL is asked whether there is one between, in one round trip;
//! if so, nothing is prepared, and each statement has its values in it, in hexadecimal digits. It takes one round trip as
//! well. Such values are in the server's `pg_stat_activity`, and in its log where that has statements. Poolers for MySQL
//! know the statements of their clients.
//!
//! # Settings
//! Connections of our own do not depend on the settings of MySQL and MariaDB: they commit each statement, are strict, and
//! wait for a lock for five seconds at most. A pool of the user's is looked at once, and refused where what is written
//! would not be kept. PostgreSQL's table stays the one that was found at the start, whatever `search_path` says later, and
//! is refused where row-level security has no policy that shows this user a row of it.
//!
//! # Time
//! Deadlines are measured by the database's clock, which is one for all machines; with SQLite, by the machine's.
//!
//! # Compare and swap
//! Each write gives a new version, a random number that does not come again even where a failover or a restored backup
//! takes the last writes back, and a conditional one names the version that it replaces. A database that gives up a
//! statement because of another one (a deadlock, a lock that it waited for too long) has changed nothing, and the error
//! says so.
//!
//! # SQLite
//! The file and its folder are made when they are missing, the file for its owner alone, unless the URL says `mode=rw` or
//! `mode=ro`. Writes go to a log beside it (`-wal`), so that readers wait for nobody. The writers of one process queue up; those of several wait for each other
//! as long as [`connect_timeout`](Options::connect_timeout).

// Where no database is compiled in, little of this is used.
#![cfg_attr(not(any(feature = "postgres", feature = "mysql", feature = "sqlite")), allow(unused))]

mod advice;
pub(super) mod connect;
pub(super) mod database;
mod failure;
#[cfg(feature = "sqlite")]
mod file;
mod inspect;
mod lent;
mod pool;
mod session;
mod table;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::common::capabilities::SWEPT;
use crate::common::table::{Executor as _, Store, Versions, migrate, name};
use cloakroom_storage::{
    Advice, Capabilities, Driver, Error, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Swept, When, options,
};
use database::Database;
use table::Table;

pub use crate::common::table::Dialect;
#[cfg(feature = "sqlx-0-9")]
pub use connect::SqlxPool;
pub use connect::Synchronous;

const NAME: &str = "sql";

/// Items as rows of a table.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # async fn example() -> cloakroom_storage::Result<()> {
/// use cloakroom_drivers::sql::{Options, Sql};
/// use cloakroom_storage::{Driver, ItemKey, When};
///
/// let table = Sql::new(Options::new("sqlite::memory:")).await?;
/// let key = ItemKey::new("greeting")?;
/// table.set(&key, "hello".into(), When::Always, None).await?;
/// assert_eq!(table.get(&key).await?.unwrap().value, "hello");
/// # Ok(())
/// # }
/// # #[cfg(feature = "sqlite")]
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
pub struct Sql {
    store: Store<Database>,
    table: String,
}

/// The options of `sql`, all of them ours.
#[derive(Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// Where the database is: `postgres://…`, `mysql://…`, `mariadb://…`, `sqlite:` with a path, or `sqlite::memory:`.
    /// Ignored beside a pool of one's own.
    pub url: String,
    /// The table, `cloakroom_sessions` by default; a schema may stand before it, and a dot.
    pub table: String,
    /// Whether to make the table when it is missing, which is so by default. Otherwise the error has the SQL to run.
    pub migrate: bool,
    /// How many connections there are at most, made when they are needed: 10 by default. Ignored beside a pool of one's
    /// own, and for a database in memory, which has one.
    pub max_connections: u32,
    /// How long a connection may take to be had, in milliseconds: 3000 by default. With SQLite also how long a writer
    /// waits for those of other processes.
    pub connect_timeout: u64,
    /// When SQLite waits for the disk: `normal` by default, or `full`.
    pub synchronous: Synchronous,
}

impl Options {
    /// The default options for the database at `url`.
    pub fn new(url: impl Into<String>) -> Options {
        Options { url: url.into(), ..Options::default() }
    }
}

impl Default for Options {
    /// The default options for a pool of one's own.
    fn default() -> Options {
        Options {
            url: String::new(),
            table: "cloakroom_sessions".to_owned(),
            migrate: true,
            max_connections: connect::DEFAULT_CONNECTIONS,
            connect_timeout: connect::DEFAULT_CONNECT_TIMEOUT,
            synchronous: Synchronous::default(),
        }
    }
}

impl fmt::Debug for Options {
    /// Leaves out the URL, which has the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("table", &self.table)
            .field("migrate", &self.migrate)
            .field("max_connections", &self.max_connections)
            .field("connect_timeout", &self.connect_timeout)
            .field("synchronous", &self.synchronous)
            .finish_non_exhaustive()
    }
}

/// The SQL that makes `table`, for those who run it themselves. Nothing happens where it is there already.
///
/// # Errors
/// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when `table` cannot be the name of one.
pub fn migrations(dialect: Dialect, table: &str) -> Result<String> {
    name::check(NAME, "table", table)?;
    Ok(migrate::joined(&Table { dialect, name: table }.migrations()))
}

impl Sql {
    /// A store in the table of a database, which is asked at once.
    ///
    /// # Errors
    /// When the database cannot be reached, or its table is missing and cannot be made.
    pub async fn new(options: Options) -> Result<Sql> {
        let target = connect::Target {
            driver: NAME,
            url: &options.url,
            max_connections: options.max_connections,
            connect_timeout: Duration::from_millis(options.connect_timeout),
            synchronous: options.synchronous,
        };
        let database = target.database().await;
        Sql::on(database.map_err(opening)?, &options).await
    }

    /// A store that uses connections of sqlx that the program has anyway. Of the options, `table` and `migrate` count,
    /// and `connect_timeout` where the pool's own is longer.
    ///
    /// # Errors
    /// As [`Sql::new`].
    #[cfg(feature = "sqlx-0-9")]
    pub async fn with_pool(pool: impl Into<SqlxPool>, options: Options) -> Result<Sql> {
        let timeout = Duration::from_millis(options.connect_timeout);
        Sql::on(pool.into().database(timeout), &options).await
    }

    /// A store with options as a configuration gives them.
    ///
    /// # Errors
    /// As [`Sql::new`], and with [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is unknown or
    /// impossible.
    pub async fn open(options: &Map<String, Value>) -> Result<Sql> {
        Sql::new(options::parse(NAME, options)?).await
    }

    async fn on(database: Database, options: &Options) -> Result<Sql> {
        name::check(NAME, "table", &options.table)?;
        let database = database.inspected(false).await.map_err(opening)?;
        let table = Table { dialect: database.dialect(), name: &options.table };
        migrate::prepare(&database, &table.probe(), &table.migrations(), options.migrate)
            .await
            .map_err(opening)?;
        let name = database.found_table(&options.table).await.map_err(opening)?;
        let table = Table { name: &name, ..table };
        let store = Store::new(database, table.statements(), Versions::Numbers);
        Ok(Sql { store, table: options.table.clone() })
    }
}

fn opening(error: Error) -> Error {
    error.with_driver(NAME).with_operation(Operation::Open)
}

/// Names the driver and the operation.
fn during(operation: Operation) -> impl Fn(Error) -> Error {
    move |error| error.with_driver(NAME).with_operation(operation)
}

/// Names the item too.
fn on_item(operation: Operation, key: &ItemKey) -> impl Fn(Error) -> Error + '_ {
    move |error| during(operation)(error).with_key(key)
}

#[async_trait]
impl Driver for Sql {
    fn name(&self) -> &'static str {
        NAME
    }

    fn system(&self) -> &'static str {
        self.store.database().dialect().system()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            durable: self.store.database().is_durable(),
            shared: self.store.database().is_durable(),
            ..SWEPT
        }
    }

    async fn advice(&self) -> Vec<Advice> {
        self.store.database().advice(&self.table).await
    }

    async fn time(&self) -> Result<Option<Duration>> {
        self.store.database().time().await.map_err(during(Operation::Get))
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        self.store.get(key).await.map_err(on_item(Operation::Get, key))
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.store.get_with_ttl(key).await.map_err(on_item(Operation::Get, key))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.store.set(key, value, when, ttl).await.map_err(on_item(Operation::Set, key))
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.store.remove(NAME, key, when).await.map_err(on_item(Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.store.touch(key, ttl).await.map_err(on_item(Operation::Touch, key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        self.store.keys(prefix).map_err(during(Operation::Keys)).boxed()
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.store.sweep(budget).await.map_err(during(Operation::Sweep))
    }
}

impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sql")
            .field("database", &self.store.database().place())
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}
