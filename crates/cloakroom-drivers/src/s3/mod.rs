//! `s3`: Amazon S3, and the stores that speak as it does: Cloudflare R2, MinIO and others.
//!
//! # Layout
//! unstorage's: the item `a:b` is the object `a/b` of the bucket, and its bytes are the value. JavaScript reads and writes
//! the same. (Its `cloudflare-r2-binding` leaves the `:` in an object's name: through S3, such a bucket has other items.)
//!
//! # Expiry
//! Objects have no deadlines of their own. So one of ours stands in an object's metadata, `cloakroom-expires`, in
//! milliseconds since 1970 by the clocks of those who write; what JavaScript writes over it has none. JavaScript goes on
//! reading what has expired here until it has been removed.
//!
//! A list of S3's does not tell metadata, so that [`sweep`](Driver::sweep) and [`keys`](Driver::keys) ask for each object
//! by itself: a walk through a bucket with a million sessions is a million requests. That is fine for some thousands.
//! Beyond, let S3 do it: moving a deadline writes the object anew, so that a session is never older than it was idle, and a
//! lifecycle rule which expires objects some days after the longest lifetime of a session frees them at no cost. Then
//! say `lifecycle: true`, and nothing is swept.
//!
//! # Compare and swap
//! Writes are conditional, by `If-Match` and `If-None-Match`, which a store must honour. An ETag is a digest of the bytes in
//! most stores: bytes that were replaced and came back count as never gone. It tells nothing of a deadline, so that a write on
//! a version looks at that first.
//!
//! What has expired, and what is removed on a condition, is first written over, on its ETag, by a tombstone, whose bytes
//! nothing else has: to JavaScript the number zero. Then that is deleted, on its own ETag. A store that does not know
//! `If-Match` there (S3 itself does) deletes what was written in the moment between. To create the very bytes anew that
//! have expired takes a second, in which such a tombstone stands in their place. What this cannot help is a request that is on
//! its way for longer, and meets those very bytes again.
//!
//! # Permissions
//! `s3:GetObject`, `s3:PutObject`, `s3:DeleteObject`, and `s3:ListBucket`: without the last, S3 answers "forbidden" where
//! an item is missing, and so every new visitor is an error.

mod bucket;
mod failure;

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, future, stream};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::common::capabilities::SWEPT;
use crate::common::http::conditional::{self, Condition, Conditional, Deleted, Stored, Tag};
use crate::common::http::{Address, Aws, Expiry, Keys, region};
use bucket::{Bucket, Head, Object, Page};
use cloakroom_storage::{
    Capabilities, Driver, Error, Item, ItemKey, Operation, RemoveOutcome, Result, SetOutcome,
    Swept, When, options,
};

const NAME: &str = "s3";

/// The longest page of a list.
const PAGE: usize = 1000;

/// How many objects are asked for at once.
const AT_ONCE: usize = 16;

/// Items as objects of a bucket.
///
/// ```
/// use cloakroom_drivers::s3::{Options, S3};
///
/// let mut options = Options::new("sessions");
/// options.region = Some("eu-central-1".into());
/// let store = S3::new(options)?;
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
pub struct S3 {
    bucket: Bucket,
    lifecycle: bool,
    /// The last object that the sweep has looked at.
    swept: Mutex<String>,
}

/// unstorage's options for `s3`, and some of ours.
///
/// Without keys, credentials are found as Amazon's own clients find them: in the environment (`AWS_ACCESS_KEY_ID`,
/// `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`), in a profile, by a web identity, of the container or of the machine.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// The ID of the key that requests are signed with, which goes with `secretAccessKey`.
    pub access_key_id: Option<String>,
    /// The key that requests are signed with.
    pub secret_access_key: Option<String>,
    /// Ours: the token that belongs to the keys where they are temporary.
    pub session_token: Option<String>,
    /// The URL of the store; by default Amazon's in the region, where unstorage has no default.
    pub endpoint: Option<String>,
    /// The region; by default the environment's `AWS_REGION` or `AWS_DEFAULT_REGION`, where unstorage has no default.
    pub region: Option<String>,
    /// The bucket. Empty, as by default, where `endpoint` is the bucket's own.
    pub bucket: String,
    /// How unstorage clears a store. Accepted, and without an effect: stores are not cleared here.
    pub bulk_delete: bool,
    /// Ours: whether a rule of the bucket removes old objects, so that nothing needs to be swept; `false` by default.
    pub lifecycle: bool,
}

impl Options {
    /// The default options for this bucket.
    pub fn new(bucket: impl Into<String>) -> Options {
        Options { bucket: bucket.into(), ..Options::default() }
    }
}

impl fmt::Debug for Options {
    /// Leaves out the keys, and the URL, where a password may stand by mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .field("lifecycle", &self.lifecycle)
            .finish_non_exhaustive()
    }
}

impl S3 {
    /// A store in a bucket, of which nothing is asked yet.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is impossible.
    pub fn new(options: Options) -> Result<S3> {
        if options.bucket.is_empty() && options.endpoint.is_none() {
            let message = "option `bucket` is missing: name the bucket, or give its own URL as the option `endpoint`";
            return Err(options::invalid(NAME, message));
        }
        let region = region(NAME, options.region)?;
        let endpoint =
            options.endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
        if !options.bucket.chars().all(is_name) {
            return Err(options::invalid(NAME, "option `bucket`: it must be a bucket's name"));
        }
        let keys = Keys {
            access_key_id: options.access_key_id.as_deref(),
            secret_access_key: options.secret_access_key.as_deref(),
            session_token: options.session_token.as_deref(),
        };
        let aws = Aws::new(NAME, "s3", &region, &keys, failure::code)?;
        let endpoint = Address::new(NAME, "endpoint", &endpoint)?;
        Ok(S3 {
            bucket: Bucket::new(aws, endpoint, &options.bucket),
            lifecycle: options.lifecycle,
            swept: Mutex::default(),
        })
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`S3::new`], also when an option is unknown.
    pub fn open(options: &Map<String, Value>) -> Result<S3> {
        S3::new(options::parse(NAME, options)?)
    }

    fn name_of(&self, key: &ItemKey) -> String {
        self.bucket.name_of(key.as_str())
    }

    /// What is known of each object but its value, in their order; of one that is gone by then, nothing.
    fn look_at(&self, names: Vec<String>) -> BoxStream<'_, Result<(String, Option<Object>)>> {
        stream::iter(names)
            .map(async move |name| {
                let object = match self.bucket.head(&name).await? {
                    Head::Found(object) => Some(object),
                    Head::Missing => None,
                    Head::Refused => self.bucket.get(&name).await?,
                };
                Ok((name, object))
            })
            .buffered(AT_ONCE)
            .boxed()
    }

    /// Looks at one page, or at as much of it as the budget is enough for.
    async fn sweep_page(&self, budget: usize) -> Result<Swept> {
        let mut last = self.swept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Page { names, is_last } = self.bucket.list("", &last, PAGE).await?;
        let mut swept = Swept { finished: is_last, ..Swept::default() };
        let mut objects = self.look_at(names);
        while let Some((name, object)) = objects.try_next().await? {
            if swept.removed == budget {
                swept.finished = false;
                break;
            }
            swept.examined += 1;
            // What can be no item of ours has no deadline of ours either.
            if let Some(tag) = object.map(Object::into_tag).filter(Tag::is_expired)
                && let Some(key) = self.bucket.key_of(&name)
            {
                let deleted = conditional::delete_at(self, &key, &tag.etag).await?;
                swept.removed += usize::from(deleted == Deleted::Yes);
            }
            last = name;
        }
        if swept.finished {
            last.clear();
        }
        *self.swept.lock().unwrap_or_else(PoisonError::into_inner) = last;
        Ok(swept)
    }
}

#[async_trait]
impl Conditional for S3 {
    const DIGESTS: bool = true;

    async fn read(&self, key: &ItemKey) -> Result<Option<Stored>> {
        Ok(self.bucket.get(&self.name_of(key)).await?.map(Object::into_stored))
    }

    /// A refusal of `HEAD` has no body, in which a store would say what it means: so another request asks.
    async fn look(&self, key: &ItemKey) -> Result<Option<Tag>> {
        let name = self.name_of(key);
        let found = match self.bucket.head(&name).await? {
            Head::Found(object) => Some(object),
            Head::Missing | Head::Refused => self.bucket.get(&name).await?,
        };
        Ok(found.map(Object::into_tag))
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: &Bytes,
        expiry: Option<Expiry>,
        condition: Condition<'_>,
    ) -> Result<Option<String>> {
        self.bucket.put(&self.name_of(key), value.clone(), condition, expiry).await
    }

    async fn delete(&self, key: &ItemKey, etag: Option<&str>) -> Result<Deleted> {
        self.bucket.delete(&self.name_of(key), etag).await
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
impl Driver for S3 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { native_ttl: self.lifecycle, ..SWEPT }
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        conditional::get(self, key).await.map_err(on_item(Operation::Get, key))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let outcome = conditional::set(self, key, &value, &when, ttl).await;
        outcome.map_err(on_item(Operation::Set, key))
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        conditional::remove(self, key, &when).await.map_err(on_item(Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        conditional::rewrite(self, key, ttl).await.map_err(on_item(Operation::Touch, key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let prefix = self.bucket.name_of(prefix);
        stream::try_unfold(Some(String::new()), move |last| {
            let prefix = prefix.clone();
            async move {
                let Some(last) = last else { return Ok(None) };
                let Page { names, is_last } = self.bucket.list(&prefix, &last, PAGE).await?;
                let next = names.last().filter(|_| !is_last).cloned();
                Ok(Some((self.look_at(names), next)))
            }
        })
        .try_flatten()
        .try_filter_map(|(name, object)| {
            let tag = object.map(Object::into_tag).filter(|tag| !tag.is_expired());
            future::ok(tag.and_then(|_| self.bucket.key_of(&name)))
        })
        .map_err(during(Operation::Keys))
        .boxed()
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.sweep_page(budget).await.map_err(during(Operation::Sweep))
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3")
            .field("bucket", &self.bucket)
            .field("lifecycle", &self.lifecycle)
            .finish_non_exhaustive()
    }
}
