//! `mongodb`: a collection of MongoDB, shared with JavaScript.
//!
//! # Layout
//! unstorage's: a document `{ key, value, createdAt, modifiedAt }` for each item, `value` a string and the times dates. A
//! value that is no text is stored as unstorage's `setItemRaw` stores it, as `base64:` and its Base64, and such a string
//! is read as the bytes that it stands for.
//!
//! DIFFERENCE: unstorage has two methods where a driver here has one. So a text that is itself `base64:` and Base64 is
//! encoded once more here, and where JavaScript's `setItem` stored one, its bytes are read. A session is never one.
//!
//! # Indexes
//! unstorage makes none, and two writers who create one item at the same time may leave two documents. The first write
//! makes the unique index on `key` that prevents it, and one on our deadlines, where they are missing. See
//! [`Options::migrate`].
//!
//! # Expiry
//! JavaScript's documents know no deadlines. So there are two fields of ours, which its writes leave as they are: when an
//! item expires, and the value that this was said of. A deadline counts for that value alone: what JavaScript writes over
//! it has none. MongoDB's own index for expiry knows of no such condition and would remove it, so that expired documents
//! are swept instead; JavaScript goes on reading them until then. An item with a deadline takes twice its room.
//!
//! # Time
//! Deadlines are measured by the server's clock, which is one for all machines. A sweep looks for expired documents by
//! the clock of its machine, and asks the server's about each.
//!
//! # Compare and swap
//! The stored value is compared, by the server, in the command that writes: MongoDB changes one document at a time, and
//! whole. Each operation is one command; a second one is sent where the removal of a version finds another one.
//!
//! # Retries
//! MongoDB's client repeats a write whose answer was lost, once, and a replica set or a cluster, which numbers writes,
//! does it once only: that is `retryWrites`, and safe for conditions. It reads from and writes to the primary with the
//! server's own write concern (`majority` since MongoDB 5) unless the connection string says otherwise; with `w=1`, a
//! failover may lose what was acknowledged.
//!
//! MongoDB 4.2 or later. Tested against SecantusDB, which speaks MongoDB's protocol on MongoDB's storage engine.

mod document;
mod failure;
mod target;

use std::fmt;
use std::time::Duration;

use ::mongodb::bson::{Document, RawDocumentBuf, doc};
use ::mongodb::options::{Collation, IndexOptions, UpdateModifications};
use ::mongodb::results::UpdateResult;
use ::mongodb::{Collection, IndexModel};
use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, future, stream};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use crate::common::capabilities::SWEPT;
use cloakroom_storage::{
    Advice, Capabilities, Driver, Error, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Swept, Version, When, options,
};
use document::Written;
use failure::failed;

const NAME: &str = "mongodb";

/// How many expired documents one command removes: few enough that nobody waits long for it.
const BATCH: usize = 500;

/// How often an unconditional write is repeated that created its document at the same time as another one.
const CREATION_TRIES: usize = 3;

/// Items as documents of unstorage's collection.
///
/// ```no_run
/// # async fn example() -> cloakroom_storage::Result<()> {
/// use cloakroom_drivers::mongodb::{MongoDb, Options};
/// use cloakroom_storage::{Driver, ItemKey, When};
///
/// let collection = MongoDb::new(Options::new("mongodb://localhost:27017")).await?;
/// let key = ItemKey::new("greeting")?;
/// collection.set(&key, "hello".into(), When::Always, None).await?;
/// assert_eq!(collection.get(&key).await?.unwrap().value, "hello");
/// # Ok(())
/// # }
/// ```
pub struct MongoDb {
    collection: Collection<RawDocumentBuf>,
    migrate: bool,
    /// Set once the indexes are known to be there.
    indexed: OnceCell<()>,
    /// What is unsafe on the way to the servers.
    on_the_way: Vec<Advice>,
}

/// unstorage's options for `mongodb`, and one of ours.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// Where the server is: `mongodb://…` or `mongodb+srv://…`.
    pub connection_string: String,
    /// The database, `unstorage` by default.
    #[serde(default = "unstorage")]
    pub database_name: String,
    /// The collection, `unstorage` by default.
    #[serde(default = "unstorage")]
    pub collection_name: String,
    /// What may as well stand in the connection string, by the names that it has there (`maxPoolSize`, `tlsCAFile`), and
    /// counts before that. There are no others.
    ///
    /// Where neither says it, `serverSelectionTimeoutMS` is 1000 and `connectTimeoutMS` 2000 rather than MongoDB's
    /// 30 000 and 10 000: a request waits for them.
    #[serde(default)]
    pub client_options: Map<String, Value>,
    /// Ours: whether the first write, and a sweep, makes the indexes where they are missing, which is so by default.
    /// Otherwise it fails where the one on `key` is.
    #[serde(default = "yes")]
    pub migrate: bool,
}

impl Options {
    /// The default options for the server of this connection string.
    pub fn new(connection_string: impl Into<String>) -> Options {
        Options {
            connection_string: connection_string.into(),
            database_name: unstorage(),
            collection_name: unstorage(),
            client_options: Map::new(),
            migrate: true,
        }
    }
}

fn unstorage() -> String {
    "unstorage".to_owned()
}

fn yes() -> bool {
    true
}

impl fmt::Debug for Options {
    /// Leaves out what may have the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("database_name", &self.database_name)
            .field("collection_name", &self.collection_name)
            .field("migrate", &self.migrate)
            .finish_non_exhaustive()
    }
}

impl MongoDb {
    /// A store in a collection. The server need not be up yet; one with `mongodb+srv://` is looked up.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is impossible, and with
    /// [`Unavailable`](cloakroom_storage::ErrorKind::Unavailable) when the server's name cannot be looked up.
    pub async fn new(options: Options) -> Result<MongoDb> {
        let (client, on_the_way) =
            target::client(&options).await.map_err(during(Operation::Open))?;
        let collection =
            client.database(&options.database_name).collection(&options.collection_name);
        Ok(MongoDb { collection, migrate: options.migrate, indexed: OnceCell::new(), on_the_way })
    }

    /// A store with options as a configuration gives them.
    ///
    /// # Errors
    /// As [`MongoDb::new`], and with [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is unknown.
    pub async fn open(options: &Map<String, Value>) -> Result<MongoDb> {
        MongoDb::new(options::parse(NAME, options)?).await
    }

    /// Sees to the indexes, the first time.
    async fn index(&self) -> Result<()> {
        self.indexed.get_or_try_init(|| self.make_or_find_indexes()).await?;
        Ok(())
    }

    async fn make_or_find_indexes(&self) -> Result<()> {
        if !self.migrate {
            return self.find_index().await;
        }
        let unique = IndexOptions::builder().unique(true).collation(exact()).build();
        let sparse = IndexOptions::builder().sparse(true).build();
        let indexes = [
            IndexModel::builder().keys(doc! { "key": 1 }).options(unique).build(),
            IndexModel::builder().keys(doc! { "expiresAt": 1 }).options(sparse).build(),
        ];
        match self.collection.create_indexes(indexes).await {
            Ok(_) => Ok(()),
            Err(error) => Err(failure::not_indexed(error)),
        }
    }

    async fn find_index(&self) -> Result<()> {
        let mut indexes = self.collection.list_indexes().await.map_err(failure::no_index)?;
        while let Some(index) = indexes.try_next().await.map_err(failed)? {
            if document::is_unique_key(&index) {
                return Ok(());
            }
        }
        Err(failure::missing_index())
    }

    async fn update(
        &self,
        filter: Document,
        pipeline: Vec<Document>,
        upsert: bool,
    ) -> ::mongodb::error::Result<UpdateResult> {
        let update = UpdateModifications::Pipeline(pipeline);
        self.collection.update_one(filter, update).upsert(upsert).collation(exact()).await
    }

    async fn set_always(&self, key: &ItemKey, written: &Written<'_>) -> Result<()> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.update(document::of_key(key), written.replace(), true).await {
                // Another writer has created the document, which is there to be replaced now.
                Err(error) if failure::is_duplicate(&error) && tries < CREATION_TRIES => {}
                result => return result.map(|_| ()).map_err(failed),
            }
        }
    }

    async fn create(&self, key: &ItemKey, written: &Written<'_>) -> Result<bool> {
        match self.update(document::of_key(key), written.replace_unless_live(), true).await {
            Ok(result) => Ok(result.upserted_id.is_some() || result.modified_count > 0),
            Err(error) if failure::is_duplicate(&error) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }

    async fn set_where(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.index().await?;
        let text = document::encode(value)?;
        let written = Written { text: &text, ttl };
        let is_written = match &when {
            When::Always => {
                self.set_always(key, &written).await?;
                true
            }
            When::Absent => self.create(key, &written).await?,
            When::Version(seen) => match document::of_version(key, seen) {
                Some(filter) => {
                    let result = self.update(filter, written.replace(), false).await;
                    result.map_err(failed)?.matched_count > 0
                }
                None => false,
            },
        };
        if is_written {
            Ok(SetOutcome::Written { version: Version::from(Bytes::from(text)) })
        } else {
            Ok(SetOutcome::Conflict)
        }
    }

    async fn remove_where(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        let filter = match &when {
            When::Absent => return Err(Error::remove_absent(NAME, key)),
            When::Always => Some(document::of_live(key)),
            When::Version(seen) => document::of_version(key, seen),
        };
        if let Some(filter) = filter {
            let result = self.collection.delete_one(filter).collation(exact()).await;
            if result.map_err(failed)?.deleted_count > 0 {
                return Ok(RemoveOutcome::Removed);
            }
        }
        // Only here a second look is needed.
        if when != When::Always && self.find(key).await?.is_some() {
            return Ok(RemoveOutcome::Conflict);
        }
        Ok(RemoveOutcome::Missing)
    }

    async fn find(&self, key: &ItemKey) -> Result<Option<Item>> {
        let find = self.collection.find_one(document::of_live(key)).collation(exact());
        let found = find.projection(doc! { "_id": 0, "value": 1 }).await.map_err(failed)?;
        found.as_deref().map(document::item).transpose()
    }

    async fn find_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let pipeline = document::with_ttl(key);
        let aggregate = self.collection.aggregate(pipeline).collation(exact());
        let mut found = aggregate.with_type::<RawDocumentBuf>().await.map_err(failed)?;
        let Some(found) = found.try_next().await.map_err(failed)? else { return Ok(None) };
        Ok(Some((document::item(&found)?, document::ttl(&found))))
    }

    /// Removes at most this many expired documents.
    async fn sweep_batch(&self, limit: usize) -> Result<usize> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let find = self.collection.find(document::of_expired()).limit(limit);
        let find = find.sort(doc! { "expiresAt": 1 }).projection(doc! { "_id": 1 });
        let found = find.await.map_err(failed)?;
        let ids: Vec<_> = found
            .map_ok(|found| document::id(&found))
            .try_filter_map(future::ok)
            .try_collect()
            .await
            .map_err(failed)?;
        if ids.is_empty() {
            return Ok(0);
        }
        // What was written or touched since is not expired any more.
        let delete = self.collection.delete_many(document::of_expired_among(ids)).await;
        Ok(usize::try_from(delete.map_err(failed)?.deleted_count).unwrap_or(usize::MAX))
    }
}

/// Compares every byte, also where a collection was made to compare as people do.
fn exact() -> Collation {
    Collation::builder().locale("simple").build()
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
impl Driver for MongoDb {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        SWEPT
    }

    async fn advice(&self) -> Vec<Advice> {
        self.on_the_way.clone()
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        self.find(key).await.map_err(on_item(Operation::Get, key))
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.find_with_ttl(key).await.map_err(on_item(Operation::Get, key))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        self.set_where(key, value, when, ttl).await.map_err(on_item(Operation::Set, key))
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        self.remove_where(key, when).await.map_err(on_item(Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let touched = self.update(document::of_live(key), document::touch(ttl), false).await;
        let touched = touched.map_err(failed).map_err(on_item(Operation::Touch, key))?;
        Ok(touched.matched_count > 0)
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let prefix = prefix.to_owned();
        let find = self.collection.find(document::of_live_from(&prefix)).collation(exact());
        // In the order of their bytes those with the prefix are together.
        let find = find.sort(doc! { "key": 1 }).projection(doc! { "_id": 0, "key": 1 });
        let documents = stream::once(find.into_future()).try_flatten().map_err(failed);
        documents
            .map_ok(|found| document::name(&found))
            .try_take_while(move |name| future::ok(name.starts_with(&prefix)))
            // What another program put there under a name that is no key is none of ours.
            .try_filter_map(|name| {
                future::ok(ItemKey::new(&name).ok().filter(|key| key.as_str() == name))
            })
            .map_err(during(Operation::Keys))
            .boxed()
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        let sweep = async {
            self.index().await?;
            let mut swept = Swept::default();
            while swept.removed < budget && !swept.finished {
                let limit = BATCH.min(budget - swept.removed);
                let removed = self.sweep_batch(limit).await?;
                swept.removed += removed;
                swept.examined += removed;
                swept.finished = removed < limit;
            }
            if swept.finished {
                // Deadlines of values that JavaScript wrote over.
                let update = UpdateModifications::Pipeline(document::touch(None));
                self.collection
                    .update_many(document::of_outlived(), update)
                    .await
                    .map_err(failed)?;
                // Somebody may have dropped the collection since, and with it the index that keeps an item from being made
                // twice.
                self.make_or_find_indexes().await?;
            }
            Ok(swept)
        };
        sweep.await.map_err(during(Operation::Sweep))
    }
}

impl fmt::Debug for MongoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoDb")
            .field("collection", &self.collection.namespace().to_string())
            .field("migrate", &self.migrate)
            .finish_non_exhaustive()
    }
}
