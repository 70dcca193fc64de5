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
//! most stores: bytes that were replaced and came back count as never gone.
//!
//! A removal on a condition looks first and then says `If-Match` too. A store that does not know it there (S3 itself does)
//! removes what was written in the moment between.
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

use crate::http::{Address, Aws, Expiry, Keys, Secret, Tagged, region};
use crate::{
    Capabilities, Driver, Error, Item, ItemKey, Operation, RemoveOutcome, Result, SetOutcome,
    Swept, Version, When, options,
};
use bucket::{Bucket, Condition, Object, Page, Removal};

const NAME: &str = "s3";

/// How often a condition is stated anew, when others moved nothing but a deadline.
const ATTEMPTS: usize = 8;

/// The longest page of a list.
const PAGE: usize = 1000;

/// How many objects are asked for at once.
const AT_ONCE: usize = 16;

/// Items as objects of a bucket.
///
/// ```no_run
/// use cloakroom_storage::drivers::s3::S3;
///
/// # fn example() -> cloakroom_storage::Result<()> {
/// let options = serde_json::json!({ "region": "eu-central-1", "bucket": "sessions" });
/// let store = S3::open(options.as_object().unwrap())?;
/// # Ok(())
/// # }
/// ```
pub struct S3 {
    bucket: Bucket,
    lifecycle: bool,
    /// The last object that the sweep has looked at.
    swept: Mutex<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    access_key_id: Option<Secret>,
    secret_access_key: Option<Secret>,
    session_token: Option<Secret>,
    endpoint: Option<String>,
    region: Option<String>,
    #[serde(default)]
    bucket: String,
    /// How unstorage clears a store, which we do not.
    #[serde(default, rename = "bulkDelete")]
    _bulk_delete: bool,
    #[serde(default)]
    lifecycle: bool,
}

impl S3 {
    /// A store with options as a configuration gives them: unstorage's `accessKeyId`, `secretAccessKey`, `endpoint`,
    /// `region`, `bucket` and `bulkDelete` (which changes nothing here), and ours:
    ///
    /// - `sessionToken` beside the keys. Without keys, credentials are found as Amazon's own clients find them: in the
    ///   environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`), in a profile, by a web identity,
    ///   of the container or of the machine.
    /// - `region` may be left to `AWS_REGION`, and `endpoint` to Amazon.
    /// - `lifecycle`: whether a rule of the bucket removes old objects, so that nothing needs to be swept; `false` by default.
    ///
    /// Nothing is asked of the store yet.
    ///
    /// # Errors
    /// With [`InvalidOptions`](crate::ErrorKind::InvalidOptions) when an option is unknown or impossible.
    pub fn open(options: &Map<String, Value>) -> Result<S3> {
        let options: Options = options::parse(NAME, options)?;
        let region = region(NAME, options.region)?;
        let endpoint =
            options.endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
        if !options.bucket.chars().all(is_name) {
            return Err(options::invalid(NAME, "option `bucket`: it must be a bucket's name"));
        }
        let keys = Keys {
            access_key_id: options.access_key_id,
            secret_access_key: options.secret_access_key,
            session_token: options.session_token,
        };
        let aws = Aws::new(NAME, "s3", &region, &keys)?;
        let endpoint = Address::new(NAME, "endpoint", &endpoint)?;
        Ok(S3 {
            bucket: Bucket::new(aws, endpoint, &options.bucket),
            lifecycle: options.lifecycle,
            swept: Mutex::default(),
        })
    }

    async fn read(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let object = self.living(&self.bucket.name_of(key.as_str())).await?;
        Ok(object.map(|Object { etag, deadline, value }| {
            let version = version(&etag, deadline, &value);
            (Item { value, version }, deadline.map(Expiry::remaining))
        }))
    }

    /// The object, unless it is missing or expired.
    async fn living(&self, name: &str) -> Result<Option<Object>> {
        Ok(self.bucket.get(name).await?.filter(|object| !object.has_expired()))
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let name = self.bucket.name_of(key.as_str());
        let deadline = Expiry::after(ttl);
        let mut condition = match &when {
            When::Always => Some(Condition::None),
            When::Absent => Some(Condition::Absent),
            When::Version(version) => unexpired(version).map(Condition::Match),
        };
        for _ in 0..ATTEMPTS {
            if let Some(condition) = &condition
                && let Some(etag) =
                    self.bucket.put(&name, value.clone(), condition, deadline).await?
            {
                let version = version(&etag, deadline, &value);
                return Ok(SetOutcome::Written { version });
            }
            // Another ETag may be that of the same bytes, and what is in the way may have expired.
            condition = match (&when, self.bucket.get(&name).await?) {
                (When::Absent, None) => Some(Condition::Absent),
                (When::Absent, Some(object)) if object.has_expired() => {
                    Some(Condition::Match(object.etag))
                }
                (When::Version(version), Some(object)) if is_version(&object, version) => {
                    Some(Condition::Match(object.etag))
                }
                _ => return Ok(SetOutcome::Conflict),
            };
        }
        Ok(SetOutcome::Conflict)
    }

    async fn delete(&self, key: &ItemKey, when: &When) -> Result<RemoveOutcome> {
        let name = self.bucket.name_of(key.as_str());
        for _ in 0..ATTEMPTS {
            let found = match when {
                When::Version(_) => self.bucket.get(&name).await?,
                _ => self.bucket.head(&name).await?,
            };
            let Some(object) = found.filter(|object| !object.has_expired()) else {
                if *when == When::Always {
                    // Whether it was a store that said so, or a gateway without one, is in a body alone.
                    _ = self.bucket.get(&name).await?;
                }
                return Ok(RemoveOutcome::Missing);
            };
            let condition = match when {
                When::Version(version) if !is_version(&object, version) => {
                    return Ok(RemoveOutcome::Conflict);
                }
                When::Version(_) => Some(&*object.etag),
                _ => None,
            };
            match self.bucket.delete(&name, condition).await? {
                Removal::Done => return Ok(RemoveOutcome::Removed),
                Removal::Missing => return Ok(RemoveOutcome::Missing),
                Removal::Refused => {}
            }
        }
        Ok(RemoveOutcome::Conflict)
    }

    /// Writes the object again with another deadline, unless it has changed since it was read: to copy it onto itself would
    /// cost as much, and could bring old bytes back.
    async fn extend(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let name = self.bucket.name_of(key.as_str());
        let deadline = Expiry::after(ttl);
        for _ in 0..ATTEMPTS {
            let Some(object) = self.living(&name).await? else { return Ok(false) };
            let condition = Condition::Match(object.etag);
            if self.bucket.put(&name, object.value, &condition, deadline).await?.is_some() {
                return Ok(true);
            }
        }
        // As if this had come before all the writes that came between, each with a deadline of its own.
        Ok(true)
    }

    /// What is known of each object but its value, in their order; of one that is gone meanwhile, nothing.
    fn look_at(&self, names: Vec<String>) -> BoxStream<'_, Result<(String, Option<Object>)>> {
        stream::iter(names)
            .map(async move |name| {
                let object = self.bucket.head(&name).await?;
                Ok((name, object))
            })
            .buffered(AT_ONCE)
            .boxed()
    }

    /// Deletes an object that has expired, and not one that was written anew meanwhile. Where an ETag is a digest, it tells
    /// nothing of a deadline that was moved: so this looks once more, right before.
    async fn free(&self, name: &str) -> Result<bool> {
        match self.bucket.head(name).await?.filter(Object::has_expired) {
            Some(object) => {
                let removal = self.bucket.delete(name, Some(&object.etag)).await?;
                Ok(matches!(removal, Removal::Done))
            }
            None => Ok(false),
        }
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
            if object.is_some_and(|object| object.has_expired()) {
                swept.removed += usize::from(self.free(&name).await?);
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

/// The version of these bytes, with where they were found: the ETag, and until when it is sure not to have expired.
fn version(etag: &str, deadline: Option<Expiry>, value: &[u8]) -> Version {
    let deadline = deadline.map(|deadline| deadline.to_string()).unwrap_or_default();
    Tagged::version(&format!("{deadline} {etag}"), value)
}

/// The version's ETag, unless it may have expired meanwhile.
fn unexpired(version: &Version) -> Option<String> {
    let (deadline, etag) = Tagged::of(version)?.token().split_once(' ')?;
    let has_passed = Expiry::read(deadline).is_some_and(Expiry::has_passed);
    (!has_passed).then(|| etag.to_owned())
}

/// Whether the object is there at this version.
fn is_version(object: &Object, version: &Version) -> bool {
    !object.has_expired() && Tagged::of(version).is_some_and(|tagged| tagged.is_of(&object.value))
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
        Capabilities { native_ttl: self.lifecycle, ..super::SWEPT }
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        Ok(self.get_with_ttl(key).await?.map(|(item, _)| item))
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.read(key).await.map_err(on_item(Operation::Get, key))
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
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        self.delete(key, &when).await.map_err(on_item(Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.extend(key, ttl).await.map_err(on_item(Operation::Touch, key))
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
            let object = object.filter(|object| !object.has_expired());
            future::ok(object.and_then(|_| self.bucket.key_of(&name)))
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
