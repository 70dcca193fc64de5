//! `netlify-blobs`: blobs of a site on Netlify, where Astro's adapter keeps sessions.
//!
//! # Layout
//! unstorage's: the item `id` is the blob `id` of the store `name`, or of the deploy's. When an item expires is in the
//! blob's metadata (`cloakroomExpires`, in milliseconds since 1970), which a JavaScript writer takes away with the bytes.
//!
//! DIFFERENCE: JavaScript puts a key into the URL as it is, and refuses `#`. Here a `%` and a `#` stand for themselves.
//!
//! # Conditions and deadlines
//! Writes are on the blob's ETag. Whether that is a digest of the bytes, Netlify does not say, so it is taken for one: a
//! write on a version first looks whether the item has expired since. A removal on a condition first writes a tombstone that
//! has expired over the item and then deletes it, since Netlify deletes whatever is there: what is written over it
//! unconditionally in that instant is deleted too. No commit does, as a session that is removed is not written again.
//!
//! A list has no deadlines, so that [`keys`](cloakroom_storage::Driver::keys) and [`sweep`](cloakroom_storage::Driver::sweep) ask for each blob.

mod listing;
mod metadata;
mod options;
mod store;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::common::capabilities::SWEPT;
use crate::common::http::conditional;
use cloakroom_storage::{
    Capabilities, Driver, Error, Item, ItemKey, Operation, RemoveOutcome, Result, SetOutcome,
    Swept, When,
};
use listing::Walk;
use options::Place;
pub use options::{Consistency, Options};
use store::Store;

const NAME: &str = "netlify-blobs";

/// Items in Netlify's blobs.
///
/// ```
/// use cloakroom_drivers::netlify_blobs::{NetlifyBlobs, Options};
///
/// let mut options = Options::new("astro-sessions");
/// options.site_id = Some("a-site".to_owned());
/// options.token = Some("secret".to_owned());
/// let blobs = NetlifyBlobs::new(options)?;
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
#[derive(Debug)]
pub struct NetlifyBlobs {
    store: Arc<Store>,
    walk: Mutex<Walk>,
}

impl NetlifyBlobs {
    /// A store of blobs, of which nothing is asked yet.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is missing or impossible.
    pub fn new(options: Options) -> Result<NetlifyBlobs> {
        let place = Place::new(options, |name| std::env::var(name).ok())?;
        Ok(NetlifyBlobs { store: Arc::new(Store::new(place)?), walk: Mutex::default() })
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`NetlifyBlobs::new`], and with [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is
    /// unknown.
    pub fn open(options: &Map<String, Value>) -> Result<NetlifyBlobs> {
        NetlifyBlobs::new(cloakroom_storage::options::parse(NAME, options)?)
    }
}

/// Says what was being done to what.
fn explain(error: Error, operation: Operation, key: &ItemKey) -> Error {
    error.with_driver(NAME).with_operation(operation).with_key(key)
}

#[async_trait]
impl Driver for NetlifyBlobs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        SWEPT
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let found = conditional::get(&*self.store, key).await;
        found.map_err(|error| explain(error, Operation::Get, key))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let outcome = conditional::set(&*self.store, key, &value, &when, ttl).await;
        outcome.map_err(|error| explain(error, Operation::Set, key))
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        let outcome = conditional::remove(&*self.store, key, &when).await;
        outcome.map_err(|error| explain(error, Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let there = conditional::rewrite(&*self.store, key, ttl).await;
        there.map_err(|error| explain(error, Operation::Touch, key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        listing::keys(self.store.clone(), prefix)
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        let swept = self.walk.lock().await.go_on(&self.store, budget).await;
        swept.map_err(|error| error.with_operation(Operation::Sweep))
    }
}
