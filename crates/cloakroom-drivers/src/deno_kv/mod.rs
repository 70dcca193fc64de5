//! `deno-kv`: items in a database of Deno KV.
//!
//! From here that is a server of the protocol KV Connect: Deno Deploy's, or one's own `denokv`. A file that Deno itself
//! opens is not reached. The name `deno-kv-node` is the same driver.
//!
//! # Layout
//! unstorage's: the key `["sess", "ID"]`, a text for each part of an item's key, those of `base` first. A value that is a
//! text is stored as V8 serialises it, as JavaScript's `setItem` does; any other as bytes, as `setItemRaw` does. What
//! JavaScript puts there besides, such as an object, is an error, and stays.
//!
//! # Expiry
//! The database removes what has expired by itself, and takes its time: as its protocol has it, a value that expires may
//! be read for a while, and a reader is not told when it expires. So there is a second key for each item that expires,
//! `["sess", "ID", "$"]`, with the deadline in milliseconds since 1970. The two are written as one, and so have one
//! version: a deadline counts for the value that was written with it, and what JavaScript writes over that has none.
//! The database keeps it for a day longer than the item, which would seem to live on without it. unstorage lists no key
//! that ends with `$`. What JavaScript writes with a `ttl` of its own is there until the database
//! removes it.
//!
//! Deadlines are measured by the clocks of the machines that write and read, as Deno's own are.
//!
//! # Round trips
//! One to read, to write, and to write or remove what was read. Two to touch, since only a write moves what the database
//! knows of a deadline, and two to remove whatever is there. Before the first one, and about as often as the database
//! says, comes one more, which brings a token.
//!
//! # Compare and swap
//! The database's: a write names the version that it replaces. A touch gives an item another one; a write that is
//! refused for that goes on where the bytes are the same.

mod database;
mod deadline;
mod key;
mod listing;
mod message;
mod options;
mod store;
mod value;
mod version;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::{Map, Value};

use crate::common::capabilities::FREED;
use cloakroom_storage::{
    Capabilities, Driver, Error, Item, ItemKey, Operation, RemoveOutcome, Result, SetOutcome, When,
};
use database::Database;
use deadline::Deadline;
use key::Space;
use store::Store;

pub use options::{OpenKvOptions, Options};

const NAME: &str = "deno-kv";

/// Items as entries of a database of Deno KV.
///
/// ```
/// use cloakroom_drivers::deno_kv::{DenoKv, Options};
///
/// let mut options = Options::new("http://localhost:4512");
/// options.base = "sess".into();
/// options.open_kv_options.access_token = Some("the token".into());
/// let store = DenoKv::new(&options)?;
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
pub struct DenoKv {
    store: Store,
    ttl: Option<Duration>,
}

impl DenoKv {
    /// A store in a database, which is asked at the first call.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions).
    pub fn new(options: &Options) -> Result<DenoKv> {
        let database = Database::new(options.url()?, &options.token()?)?;
        let space = Space::new(options.base()?.as_ref());
        let ttl = options.ttl.filter(|ttl| *ttl > 0).map(Duration::from_secs);
        Ok(DenoKv { store: Store { database, space }, ttl })
    }

    /// A store with options as a configuration gives them.
    ///
    /// # Errors
    /// As [`DenoKv::new`], also when an option is unknown.
    pub fn open(options: &Map<String, Value>) -> Result<DenoKv> {
        DenoKv::new(&cloakroom_storage::options::parse(NAME, options)?)
    }

    fn deadline(&self, ttl: Option<Duration>) -> Option<Deadline> {
        Deadline::after(ttl.or(self.ttl))
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
impl Driver for DenoKv {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { longest_value: Some(value::LONGEST), ..FREED }
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.store.get(key).await.map_err(on_item(Operation::Get, key))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let written = self.store.set(key, &value, &when, self.deadline(ttl)).await;
        written.map_err(on_item(Operation::Set, key))
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.store.remove(key, &when).await.map_err(on_item(Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let touched = self.store.touch(key, self.deadline(ttl)).await;
        touched.map_err(on_item(Operation::Touch, key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let keys = listing::keys(&self.store.database, &self.store.space, prefix);
        keys.map_err(during(Operation::Keys)).boxed()
    }
}

impl fmt::Debug for DenoKv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DenoKv")
            .field("database", &self.store.database)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}
