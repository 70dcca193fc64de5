//! `db0`: unstorage's table in PostgreSQL, MySQL, MariaDB or SQLite, which JavaScript opens with db0.
//!
//! # Layout
//! unstorage's: the table `unstorage` with the columns `key`, `value`, `blob`, `created_at` and `updated_at`, of the
//! types that JavaScript gives them. A value that is a text is in `value`, where JavaScript's `setItem` puts it, and any
//! other in `blob`, where `setItemRaw` does; where JavaScript has put something in both, the text counts. Either side may
//! come first.
//!
//! # Expiry
//! JavaScript's table knows no deadlines. So there are two columns of ours, which its statements pass by: when an item
//! expires, and a hash of the value that this was said of (SQLite, which has no hash, keeps a copy). A deadline counts
//! for that value alone: other bytes that JavaScript writes over it have none. It goes on reading what has expired here, until a sweep
//! has removed that.
//!
//! # Compare and swap
//! The stored bytes are compared, by the database, in the statement that writes.
//!
//! # Letters and keys of MySQL
//! A table that JavaScript made has the database's character set and collation. Letters that `latin1` does not have are
//! refused, where JavaScript may store `?` for them. The collation often takes `a` and `ä` for one: JavaScript then has one
//! item for both. Here they displace each other, and neither is ever read as the other. IDs of sessions are not concerned.
//! A table that was made here is in `utf8mb4`, and tells all keys apart.
//!
//! [`sql`](super::sql) tells about round trips, poolers, settings, time and SQLite; its own table is the better one where
//! no JavaScript comes.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::sql::Synchronous;
use super::sql::connect::{self, Target};
use super::sql::database::Database;
use crate::common::table::{Dialect, Executor as _, Layout, Store, Table, Versions, name};
use cloakroom_storage::{
    Advice, Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome,
    Result, SetOutcome, Swept, When, options,
};

const NAME: &str = "db0";

/// The longest key where the column has a length, in characters.
const LONGEST_KEY: usize = 255;

/// Items as rows of unstorage's table.
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # async fn example() -> cloakroom_storage::Result<()> {
/// use cloakroom_drivers::db0::{Db0, Options};
/// use cloakroom_storage::{Driver, ItemKey, When};
///
/// let table = Db0::new(Options::new("sqlite::memory:")).await?;
/// let key = ItemKey::new("greeting")?;
/// table.set(&key, "hello".into(), When::Always, None).await?;
/// assert_eq!(table.get(&key).await?.unwrap().value, "hello");
/// # Ok(())
/// # }
/// # #[cfg(feature = "sqlite")]
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(example()).unwrap();
/// ```
pub struct Db0 {
    store: Store<Database>,
    table: String,
    expires: bool,
}

/// unstorage's options for `db0`. Its `database` is an object of JavaScript; a configuration says `url`.
#[derive(Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// Where the database is: `postgres://…`, `mysql://…`, `mariadb://…`, `sqlite:` with a path, or `sqlite::memory:`.
    /// Ignored beside a pool of one's own.
    pub url: String,
    /// The table, `unstorage` by default.
    pub table_name: String,
    /// Whether to make the table and our columns where they are missing, which is so by default. Otherwise a table
    /// without our columns is used as it is, and nothing expires.
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
            table_name: "unstorage".to_owned(),
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
            .field("table_name", &self.table_name)
            .field("migrate", &self.migrate)
            .field("max_connections", &self.max_connections)
            .field("connect_timeout", &self.connect_timeout)
            .field("synchronous", &self.synchronous)
            .finish_non_exhaustive()
    }
}

impl Db0 {
    /// A store in the table of a database, which is asked at once.
    ///
    /// # Errors
    /// When the database cannot be reached, or its table is missing and cannot be made.
    pub async fn new(options: Options) -> Result<Db0> {
        let target = Target {
            driver: NAME,
            url: &options.url,
            max_connections: options.max_connections,
            connect_timeout: Duration::from_millis(options.connect_timeout),
            synchronous: options.synchronous,
        };
        Db0::on(target.database().await.map_err(during(Operation::Open))?, &options).await
    }

    /// A store that uses connections of sqlx that the program has anyway. Of the options, `table_name` and `migrate`
    /// count, and `connect_timeout` where the pool's own is longer.
    ///
    /// # Errors
    /// As [`Db0::new`].
    #[cfg(feature = "sqlx-0-9")]
    pub async fn with_pool(pool: impl Into<super::sql::SqlxPool>, options: Options) -> Result<Db0> {
        let timeout = Duration::from_millis(options.connect_timeout);
        Db0::on(pool.into().database(timeout), &options).await
    }

    /// A store with options as a configuration gives them.
    ///
    /// # Errors
    /// As [`Db0::new`], and with [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is unknown or
    /// impossible.
    pub async fn open(options: &Map<String, Value>) -> Result<Db0> {
        Db0::new(options::parse(NAME, options)?).await
    }

    async fn on(database: Database, options: &Options) -> Result<Db0> {
        name::check(NAME, "tableName", &options.table_name)?;
        let database = database.inspected(true).await.map_err(during(Operation::Open))?;
        let whole = Table {
            layout: Layout::Db0,
            dialect: database.dialect(),
            name: &options.table_name,
            expires: true,
        };
        let table = whole.prepared(NAME, &database, options.migrate).await;
        let table = table.map_err(during(Operation::Open))?;
        let name = database.found_table(&options.table_name).await;
        let name = name.map_err(during(Operation::Open))?;
        let table = Table { name: &name, ..table };
        let expires = table.expires;
        let store = Store::new(database, table.statements(), Versions::Bytes);
        Ok(Db0 { store, table: options.table_name.clone(), expires })
    }
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
impl Driver for Db0 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn system(&self) -> &'static str {
        self.store.database().dialect().system()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            retains: true,
            compare_and_swap: true,
            expiry: self.expires,
            iteration: true,
            durable: self.store.database().is_durable(),
            shared: self.store.database().is_durable(),
            empty_values: true,
            ..Capabilities::none()
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
        let is_bounded = self.store.database().dialect() != Dialect::Sqlite;
        if is_bounded && key.as_str().chars().count() > LONGEST_KEY {
            let message = format!("the table takes keys of at most {LONGEST_KEY} characters");
            let error = Error::new(ErrorKind::InvalidKey, message).with_unapplied(true);
            return Err(on_item(Operation::Set, key)(error));
        }
        self.store.set(key, value, when, ttl).await.map_err(on_item(Operation::Set, key))
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.store.remove(NAME, key, when).await.map_err(on_item(Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let touched = match self.expires {
            true => self.store.touch(key, ttl).await,
            false => self.store.contains(key).await,
        };
        touched.map_err(on_item(Operation::Touch, key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        self.store.keys(prefix).map_err(during(Operation::Keys)).boxed()
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.store.sweep(budget).await.map_err(during(Operation::Sweep))
    }
}

impl fmt::Debug for Db0 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db0")
            .field("database", &self.store.database().place())
            .field("table", &self.table)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
