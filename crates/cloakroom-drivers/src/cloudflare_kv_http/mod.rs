//! `cloudflare-kv-http`: Cloudflare's key-value store over its API, from anywhere.
//!
//! # Layout
//! unstorage's: the item `id` is the key `id`, or `base:id`. The drivers of a Worker, `cloudflare-kv-binding`, read and write
//! the same.
//!
//! DIFFERENCE: JavaScript takes every 404 for an item that is not there. Here a namespace that is not there is an error.
//!
//! # What this store does not promise
//! It is made to be read. A change may take a minute to be seen elsewhere, and a key may be written once a second. There is
//! no condition for a write: of two at the same time the last one wins, and so does a
//! [`touch`](cloakroom_storage::Driver::touch) that met a write, since a deadline is moved by writing the item again. A session that is
//! written by several requests at once belongs in another store.
//!
//! # Deadlines
//! The store's own, which it takes from 60 seconds on. What is to live shorter is given that, and its own deadline in the
//! item's metadata (`cloakroomExpires`, in milliseconds since 1970); a JavaScript writer takes both away. The answer to a
//! read has no metadata but the store's deadline. So an item that is read in its last two minutes, by the store's clock, is
//! asked for its metadata, which is a second request; every other read is one. All programs that share a namespace need
//! one [`minTTL`](Options::min_ttl).

mod api;
mod options;

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Map, Value};

use crate::common::capabilities::FREED;
use crate::common::http::Expiry;
use api::{Api, Metadata};
use cloakroom_storage::{
    Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, When,
};
pub use options::Options;

const NAME: &str = "cloudflare-kv-http";

/// The longest key that Cloudflare takes, in bytes.
const LONGEST_KEY: usize = 512;

/// In seconds: a hundred years. What is to live longer lives for ever.
const LONGEST: u64 = 100 * 366 * 24 * 60 * 60;

/// Items in Cloudflare's key-value store.
///
/// ```
/// use cloakroom_drivers::cloudflare_kv_http::{CloudflareKvHttp, Options};
///
/// let mut options = Options::new("a1", "b2");
/// options.api_token = Some("secret".to_owned());
/// let store = CloudflareKvHttp::new(options)?;
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
#[derive(Debug)]
pub struct CloudflareKvHttp {
    api: Api,
    prefix: String,
    /// The shortest lifetime that the store is told, in seconds.
    shortest: u64,
}

impl CloudflareKvHttp {
    /// A store in a namespace, of which nothing is asked yet.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is missing or impossible.
    pub fn new(options: Options) -> Result<CloudflareKvHttp> {
        Ok(CloudflareKvHttp {
            api: Api::new(options.address()?, options.credentials()?)?,
            prefix: options.prefix(),
            shortest: options.shortest(),
        })
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`CloudflareKvHttp::new`], and with [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option
    /// is unknown.
    pub fn open(options: &Map<String, Value>) -> Result<CloudflareKvHttp> {
        CloudflareKvHttp::new(cloakroom_storage::options::parse(NAME, options)?)
    }

    fn name_of(&self, key: &ItemKey) -> Result<String> {
        let name = [&self.prefix, key.as_str()].concat();
        match name.len() <= LONGEST_KEY {
            true => Ok(name),
            false => {
                let message = format!("Cloudflare takes keys of at most {LONGEST_KEY} bytes");
                Err(Error::new(ErrorKind::InvalidKey, message).with_unapplied(true))
            }
        }
    }

    /// The item, and when it expires.
    async fn read(&self, name: &str) -> Result<Option<(Bytes, Option<Expiry>)>> {
        let Some(stored) = self.api.get(name).await? else { return Ok(None) };
        let expiry = match stored.expiration {
            Some(expiration) if self.may_be_sooner(expiration) => {
                let Some(metadata) = self.api.metadata(name).await? else { return Ok(None) };
                metadata.map_or(Some(expiration), Metadata::expiry)
            }
            expiration => expiration,
        };
        let has_expired = expiry.is_some_and(Expiry::has_passed);
        Ok((!has_expired).then_some((stored.value, expiry)))
    }

    /// Whether the store's deadline may be later than the item's. As long again, for clocks that differ.
    fn may_be_sooner(&self, expiration: Expiry) -> bool {
        expiration.remaining() <= Duration::from_secs(self.shortest.saturating_mul(2))
    }

    async fn write(&self, name: &str, value: Bytes, ttl: Option<Duration>) -> Result<()> {
        let seconds = ttl.map(|ttl| u64::try_from(ttl.as_nanos().div_ceil(1_000_000_000)));
        match (seconds, Expiry::after(ttl)) {
            (Some(Ok(0)), _) => self.api.delete(name).await,
            (Some(Ok(seconds)), Some(expiry)) if seconds < self.shortest => {
                let metadata = Metadata::new(expiry);
                self.api.put_with_metadata(name, &value, self.shortest, metadata).await
            }
            (Some(Ok(seconds)), _) if seconds <= LONGEST => {
                self.api.put(name, value, Some(seconds)).await
            }
            _ => self.api.put(name, value, None).await,
        }
    }

    async fn delete(&self, name: &str) -> Result<RemoveOutcome> {
        // A deletion does not say whether there was anything.
        let Some(metadata) = self.api.metadata(name).await? else {
            return Ok(RemoveOutcome::Missing);
        };
        let has_expired = metadata.and_then(Metadata::expiry).is_some_and(Expiry::has_passed);
        if has_expired {
            return Ok(RemoveOutcome::Missing);
        }
        self.api.delete(name).await?;
        Ok(RemoveOutcome::Removed)
    }

    async fn expire(&self, name: &str, ttl: Option<Duration>) -> Result<bool> {
        let Some((value, _)) = self.read(name).await? else { return Ok(false) };
        self.write(name, value, ttl).await?;
        Ok(true)
    }

    /// The item that a key of the store's belongs to, if it is one.
    fn item(&self, name: &str) -> Option<ItemKey> {
        let name = name.strip_prefix(&self.prefix)?;
        // A name that unstorage would write otherwise cannot be asked for, so it is nobody's.
        ItemKey::new(name).ok().filter(|key| key.as_str() == name)
    }
}

/// Refuses a condition, which only a reader could look at.
fn unconditional(when: &When) -> Result<()> {
    match when {
        When::Always => Ok(()),
        When::Absent | When::Version(_) => Err(Error::new(
            ErrorKind::Unsupported,
            "no write to Cloudflare's store has a condition",
        )
        .with_unapplied(true)),
    }
}

/// Says what was being done to what.
fn explain(error: Error, operation: Operation, key: &ItemKey) -> Error {
    error.with_driver(NAME).with_operation(operation).with_key(key)
}

#[async_trait]
impl Driver for CloudflareKvHttp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { compare_and_swap: false, ..FREED }
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let found = async { self.read(&self.name_of(key)?).await }.await;
        let found = found.map_err(|error| explain(error, Operation::Get, key))?;
        // The bytes are the version: the store has none.
        let item = |value: Bytes| Item::new(value.clone(), value);
        Ok(found.map(|(value, expiry)| (item(value), expiry.map(Expiry::remaining))))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let written = async {
            unconditional(&when)?;
            self.write(&self.name_of(key)?, value.clone(), ttl).await
        };
        written.await.map_err(|error| explain(error, Operation::Set, key))?;
        Ok(SetOutcome::Written { version: value.into() })
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        let outcome = async {
            unconditional(&when)?;
            self.delete(&self.name_of(key)?).await
        };
        outcome.await.map_err(|error| explain(error, Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let there = async { self.expire(&self.name_of(key)?, ttl).await }.await;
        there.map_err(|error| explain(error, Operation::Touch, key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let prefix = [&self.prefix, prefix].concat();
        let pages = stream::try_unfold((prefix, Some(None)), async |(prefix, cursor)| {
            let cursor: Option<Option<String>> = cursor;
            let Some(cursor) = cursor else { return Ok(None) };
            let page = self.api.page(&prefix, cursor.as_deref()).await?;
            let there =
                page.keys.iter().filter(|key| !key.expiry().is_some_and(Expiry::has_passed));
            let keys: Vec<_> = there.filter_map(|key| self.item(&key.name)).map(Ok).collect();
            Ok(Some((stream::iter(keys), (prefix, page.next.map(Some)))))
        });
        let keys = pages.try_flatten();
        keys.map_err(|error: Error| error.with_operation(Operation::Keys)).boxed()
    }
}
