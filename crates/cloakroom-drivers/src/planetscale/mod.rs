//! `planetscale`: unstorage's table in a database of PlanetScale, over HTTP.
//!
//! # Layout
//! unstorage's: the table `storage` with the columns `id`, `value`, `created_at` and `updated_at`. A value that is a text
//! is stored as it is, and any other as unstorage's `setItemRaw` stores it where there are texts only: in Base64, after
//! `base64:`.
//!
//! # The table
//! JavaScript expects that somebody has made it. Here it is made at the start, unless [`Options::migrate`] says otherwise,
//! and so are two columns for deadlines. PlanetScale lets nobody change the tables of a branch with safe migrations; the
//! error has the SQL for a deploy request then.
//!
//! # Expiry, compare and swap
//! As [`db0`](../db0/index.html): a deadline counts for the value that it was given for, so that what JavaScript writes
//! has none, if its bytes are others; the stored bytes are compared in the statement that writes; and deadlines are measured by the database's
//! clock. JavaScript goes on reading what has expired here, until a sweep has removed that.
//!
//! # Keys
//! Where somebody else made the table, its collation often takes `a` and `ä` for one. Here they displace each other, and
//! neither is ever read as the other. IDs of sessions are not concerned.
//!
//! # Round trips
//! One statement and one round trip for each operation, where it succeeds. A second statement is sent where an item is
//! created that is there already, where the removal of a version finds another one, and where a write or a touch has
//! changed nothing: PlanetScale does not say whether it found the row.

mod answer;
mod service;
mod value;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::common::capabilities::SWEPT;
use crate::common::table::{Dialect, Executor as _, Layout, Store, Table, Versions, migrate, name};
use cloakroom_storage::{
    Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Swept, When, options,
};
use service::Service;

const NAME: &str = "planetscale";

/// The longest key, in characters.
const LONGEST_KEY: usize = 255;

/// Items as rows of unstorage's table at PlanetScale.
pub struct PlanetScale {
    store: Store<Service>,
    table: String,
    expires: bool,
}

/// unstorage's options, and one of ours.
#[derive(Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// `mysql://USER:PASSWORD@HOST/DATABASE`, as PlanetScale shows it. With `http:` instead, a server without TLS.
    pub url: String,
    /// The table, `storage` by default.
    pub table: String,
    /// Whether to make the table and our columns where they are missing, which is so by default. Otherwise a table
    /// without our columns is used as it is, and nothing expires.
    pub migrate: bool,
    /// unstorage's switch for PlanetScale's cache.
    ///
    /// DIFFERENCE: it has no effect. What such a cache gives may be older than the last write, and a session that is
    /// built upon that loses it.
    pub boost_cache: bool,
}

impl Options {
    /// The default options for the database at `url`.
    pub fn new(url: impl Into<String>) -> Options {
        Options { url: url.into(), ..Options::default() }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            url: String::new(),
            table: "storage".to_owned(),
            migrate: true,
            boost_cache: false,
        }
    }
}

impl fmt::Debug for Options {
    /// Leaves out the URL, which has the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("table", &self.table)
            .field("migrate", &self.migrate)
            .finish_non_exhaustive()
    }
}

/// The SQL that makes `table`, or adds what it lacks, for those who run it themselves.
///
/// # Errors
/// With [`InvalidOptions`](ErrorKind::InvalidOptions) when `table` cannot be the name of one.
pub fn migrations(table: &str) -> Result<String> {
    name::check(NAME, "table", table)?;
    Ok(migrate::joined(&whole(table).migrations()))
}

fn whole(name: &str) -> Table<'_> {
    Table { layout: Layout::PlanetScale, dialect: Dialect::MySql, name, expires: true }
}

impl PlanetScale {
    /// A store in the table of a database, which is asked at once.
    ///
    /// # Errors
    /// When the database cannot be reached, or its table is missing and cannot be made.
    pub async fn new(options: &Options) -> Result<PlanetScale> {
        let opened = PlanetScale::prepared(options).await;
        opened.map_err(during(Operation::Open))
    }

    /// A store with options as a configuration gives them.
    ///
    /// # Errors
    /// As [`PlanetScale::new`], and with [`InvalidOptions`](ErrorKind::InvalidOptions) when an option is unknown or
    /// impossible.
    pub async fn open(options: &Map<String, Value>) -> Result<PlanetScale> {
        PlanetScale::new(&options::parse(NAME, options)?).await
    }

    async fn prepared(options: &Options) -> Result<PlanetScale> {
        name::check(NAME, "table", &options.table)?;
        if options.boost_cache {
            tracing::warn!(driver = NAME, "option `boostCache` has no effect here");
        }
        let service = Service::new(&options.url)?;
        let table = whole(&options.table).prepared(NAME, &service, options.migrate).await?;
        let expires = table.expires;
        let store = Store::new(service, table.statements(), Versions::Bytes);
        Ok(PlanetScale { store, table: options.table.clone(), expires })
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        if key.as_str().chars().count() > LONGEST_KEY {
            let message = format!("the table takes keys of at most {LONGEST_KEY} characters");
            return Err(Error::new(ErrorKind::InvalidKey, message).with_unapplied(true));
        }
        self.store.set(key, value::encode(value), when, ttl).await
    }
}

/// The item as its caller knows it. Its version stays that of the stored text.
fn decoded(item: Item) -> Item {
    Item { value: value::decode(item.value), ..item }
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
impl Driver for PlanetScale {
    fn name(&self) -> &'static str {
        NAME
    }

    fn system(&self) -> &'static str {
        self.store.database().dialect().system()
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { expiry: self.expires, ..SWEPT }
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        let item = self.store.get(key).await.map_err(on_item(Operation::Get, key))?;
        Ok(item.map(decoded))
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let found = self.store.get_with_ttl(key).await.map_err(on_item(Operation::Get, key))?;
        Ok(found.map(|(item, ttl)| (decoded(item), ttl)))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.write(key, value, when, ttl).await.map_err(on_item(Operation::Set, key))
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

impl fmt::Debug for PlanetScale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanetScale")
            .field("database", &self.store.database().place())
            .field("table", &self.table)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
