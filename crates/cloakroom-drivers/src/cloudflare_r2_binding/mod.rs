//! `cloudflare-r2-binding`: Cloudflare's R2, from inside of a Worker.
//!
//! R2 is consistent everywhere, and writes on a condition: no update is lost.
//!
//! R2 has no expiry. An object's deadline is in its custom metadata (`expires`, in milliseconds since 1970), which
//! JavaScript ignores and its writes leave out: it may read what has expired and was not swept yet, and what it writes
//! stays. No Worker runs between requests, so a sweep is for its cron trigger:
//!
//! ```ignore
//! #[event(scheduled)]
//! async fn sweep(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
//!     while let Ok(Swept { finished: false, .. }) = sessions(&env).driver().sweep(256).await {}
//! }
//! ```
//!
//! # Versions
//! A version is the object's ETag, which R2 makes of the bytes alone: what moves a deadline writes the same bytes again
//! on the condition that they are still there, and so changes no version. No request compares a deadline: what may have
//! arrived after it is taken back.
//!
//! # Removals
//! R2 cannot delete on a condition. What is removed at one version only, and what is swept, is first replaced, on a
//! condition, by an empty object that has expired, which is no item here and no session to Astro, and then deleted.
//! Whoever writes an item of that key in between waits until the empty object is gone; JavaScript does not, and what it
//! writes in that moment is deleted with it. Where the very bytes that have expired are written anew, such an object stands
//! in their place for a second: it refuses what is still on its way to those that have expired.
//!
//! DIFFERENCE: unstorage lists the first thousand objects only; here all are listed.

mod condition;
mod failure;
mod options;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use serde_json::{Map, Value};
use wasm_bindgen::JsCast;
use worker::send::{SendFuture, SendWrapper};
use worker::{Bucket, Conditional, Env, Include, Object};

use crate::common::capabilities::SWEPT;
use crate::common::worker::{DEADLINE, Deadline, Layout, binding, pages};
use cloakroom_storage::platform::sleep;
use cloakroom_storage::{
    Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Swept, Version, When, platform::random,
};
use condition::{NOTHING, absent, at, not_empty};
use failure::failure;
pub use options::Options;

const NAME: &str = "cloudflare-r2-binding";

/// The longest name of an object, in bytes.
const LONGEST_NAME: usize = 1024;

/// How long an empty object that has expired is left to whoever put it there to delete it. It must be surely deleted or
/// surely left alone by then, so a deletion begins in the first half.
const BURIAL: Duration = Duration::from_secs(20);

/// How long an empty object stands before the bytes that it was written over are written anew.
const PASSAGE: Duration = Duration::from_secs(1);

/// Between two looks at an object that is being deleted.
const PAUSE: Duration = Duration::from_millis(20);

/// How many others may write the same item between our look at it and our write, one after the other.
const ATTEMPTS: u32 = 100;

/// Items in a bucket of Cloudflare's R2 that is bound to this Worker.
///
/// ```no_run
/// use cloakroom_drivers::cloudflare_r2_binding::CloudflareR2Binding;
///
/// # fn example(env: &worker::Env) -> cloakroom_storage::Result<()> {
/// let driver = CloudflareR2Binding::from_env(env, "BUCKET")?.with_base("sess");
/// # Ok(())
/// # }
/// ```
pub struct CloudflareR2Binding {
    bucket: SendWrapper<Bucket>,
    layout: Layout,
    /// Where the next sweep goes on.
    cursor: Mutex<Option<String>>,
}

/// An object as it was when it was looked at.
struct Found {
    etag: String,
    deadline: Option<Deadline>,
    is_empty: bool,
}

impl CloudflareR2Binding {
    /// The items of the bucket that the options name, wherever the Worker has it.
    ///
    /// ```no_run
    /// use cloakroom_drivers::cloudflare_r2_binding::{CloudflareR2Binding, Options};
    ///
    /// # fn example() -> cloakroom_storage::Result<()> {
    /// let driver = CloudflareR2Binding::new(Options::new("BUCKET"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// With [`ErrorKind::InvalidOptions`] where there is none.
    pub fn new(options: Options) -> Result<CloudflareR2Binding> {
        let bucket: Bucket = binding(NAME, &options.binding)?.unchecked_into();
        Ok(CloudflareR2Binding::with_bucket(bucket).with_base(&options.base))
    }

    /// The items of a bucket.
    pub fn with_bucket(bucket: Bucket) -> CloudflareR2Binding {
        CloudflareR2Binding {
            bucket: SendWrapper::new(bucket),
            layout: Layout::new("", LONGEST_NAME),
            cursor: Mutex::default(),
        }
    }

    /// The items of the bucket that is bound by this name.
    ///
    /// # Errors
    /// With [`ErrorKind::InvalidOptions`] where there is none.
    pub fn from_env(env: &Env, binding: &str) -> Result<CloudflareR2Binding> {
        let bucket = env.bucket(binding).map_err(|error| {
            let message = format!("no bucket of R2 is bound to this Worker as `{binding}`");
            cloakroom_storage::options::invalid(NAME, message).with_source(error.to_string())
        })?;
        Ok(CloudflareR2Binding::with_bucket(bucket))
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`CloudflareR2Binding::new`], and with [`ErrorKind::InvalidOptions`] when an option is unknown or of the wrong type.
    pub fn open(options: &Map<String, Value>) -> Result<CloudflareR2Binding> {
        CloudflareR2Binding::new(cloakroom_storage::options::parse(NAME, options)?)
    }

    /// Puts every item below `base`.
    #[must_use]
    pub fn with_base(self, base: &str) -> CloudflareR2Binding {
        CloudflareR2Binding { layout: Layout::new(base, LONGEST_NAME), ..self }
    }

    /// The object, expired or not.
    async fn look(&self, name: &str) -> worker::Result<Option<Found>> {
        let head = async { Ok(self.bucket.head(name).await?.as_ref().map(Found::new)) };
        SendFuture::new(head).await
    }

    /// The object, expired or not, and its bytes.
    async fn read(&self, name: &str) -> worker::Result<Option<(Found, Vec<u8>)>> {
        let read = async {
            let Some(object) = self.bucket.get(name).execute().await? else { return Ok(None) };
            let Some(body) = object.body() else { return Ok(None) };
            Ok(Some((Found::new(&object), body.bytes().await?)))
        };
        SendFuture::new(read).await
    }

    /// Writes the object, where the condition holds, and gives its ETag.
    async fn put(
        &self,
        name: &str,
        value: &[u8],
        deadline: Option<Deadline>,
        condition: Option<Conditional>,
    ) -> worker::Result<Option<String>> {
        let put = async {
            let mut put = self.bucket.put(name, value.to_vec());
            if let Some(Deadline(deadline)) = deadline {
                put = put
                    .custom_metadata(HashMap::from([(DEADLINE.to_owned(), deadline.to_string())]));
            }
            if let Some(condition) = condition {
                put = put.only_if(condition);
            }
            Ok(put.execute().await?.map(|object| object.etag()))
        };
        SendFuture::new(put).await
    }

    /// Writes over whatever is there, or only where there is no item, which may mean over one that has expired. Not over
    /// an object that is being deleted: what is written would be deleted with it.
    async fn put_unconditionally(
        &self,
        name: &str,
        value: &[u8],
        deadline: Option<Deadline>,
        is_creation: bool,
    ) -> worker::Result<Option<String>> {
        loop {
            let condition = if is_creation { absent() } else { not_empty() };
            if let Some(etag) = self.put(name, value, deadline, Some(condition)).await? {
                return Ok(Some(etag));
            }
            match self.look(name).await? {
                None => {}
                Some(found) if found.is_live() && is_creation => return Ok(None),
                Some(found) if found.is_live() => {}
                Some(found) if found.is_being_buried() => sleep(PAUSE).await,
                Some(found) => {
                    let Some(free) = self.clear(name, value, &found).await? else { continue };
                    if let Some(etag) = self.put(name, value, deadline, Some(at(&free))).await? {
                        return Ok(Some(etag));
                    }
                }
            }
        }
    }

    /// The ETag on which what has expired may be written over by `value`, so that nobody who saw it takes that for it.
    async fn clear(
        &self,
        name: &str,
        value: &[u8],
        found: &Found,
    ) -> worker::Result<Option<String>> {
        let now = self.read(name).await?.filter(|(now, _)| now.etag == found.etag);
        if value.is_empty() || now.is_none_or(|(_, bytes)| bytes != value) {
            return Ok(Some(found.etag.clone()));
        }
        let buried = self.put(name, &[], Some(Deadline::now()), Some(at(&found.etag))).await?;
        if buried.is_some() {
            sleep(PASSAGE).await;
        }
        Ok(buried)
    }

    /// Removes an object if it is still the one that has this ETag, and answers whether it was.
    async fn bury(&self, name: &str, etag: &str) -> worker::Result<bool> {
        let now = Deadline::now();
        let mut etag = etag.to_owned();
        if etag == NOTHING {
            // Left by somebody who did not delete it, and like that of everybody who finds it now: one of them goes on.
            let bytes = random::number().to_string();
            let put = self.put(name, bytes.as_bytes(), Some(now), Some(at(&etag))).await?;
            let Some(unique) = put else { return Ok(false) };
            etag = unique;
        }
        if self.put(name, &[], Some(now), Some(at(&etag))).await?.is_none() {
            return Ok(false);
        }
        self.delete_buried(name, now).await?;
        Ok(true)
    }

    /// Deletes the empty object that was put there since `begin`, as long as nobody else takes it for left alone.
    async fn delete_buried(&self, name: &str, begin: Deadline) -> worker::Result<()> {
        if begin.elapsed() < BURIAL / 2 { self.delete(name).await } else { Ok(()) }
    }

    async fn delete(&self, name: &str) -> worker::Result<()> {
        SendFuture::new(self.bucket.delete(name)).await
    }

    /// A page of the objects, and where the next one begins.
    async fn list(
        &self,
        prefix: &str,
        cursor: Option<String>,
    ) -> worker::Result<(Vec<(String, Found)>, Option<String>)> {
        let list = async {
            let mut list = self.bucket.list().prefix(prefix).include(vec![Include::CustomMetadata]);
            if let Some(cursor) = cursor {
                list = list.cursor(cursor);
            }
            let page = list.execute().await?;
            let objects = page.objects();
            let found = objects.iter().map(|object| (object.key(), Found::new(object))).collect();
            Ok((found, if page.truncated() { page.cursor() } else { None }))
        };
        SendFuture::new(list).await
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: &[u8],
        when: When,
        ttl: Option<Duration>,
    ) -> Result<Option<String>> {
        let name = self.layout.name(key)?;
        let failed = |error| failure(error, Operation::Set).with_key(key);
        // What has no time to live is as if it were removed: not even JavaScript may read it.
        let value = if ttl == Some(Duration::ZERO) { &[] } else { value };
        let begin = Deadline::now();
        let deadline = Deadline::after(ttl);
        let written = match when {
            When::Always | When::Absent => {
                let is_creation = when == When::Absent;
                self.put_unconditionally(&name, value, deadline, is_creation)
                    .await
                    .map_err(failed)?
            }
            When::Version(version) => {
                // The condition knows nothing of the deadline.
                let found = self.look(&name).await.map_err(failed)?;
                let is_there = |found: &Found| found.is_live() && found.is_at(&version);
                let Some(found) = found.filter(is_there) else { return Ok(None) };
                let condition = Some(at(&found.etag));
                let written = self.put(&name, value, deadline, condition).await.map_err(failed)?;
                match written {
                    // Perhaps it was too late, and others have seen it expired.
                    Some(etag) if !found.is_live() => {
                        self.bury(&name, &etag).await.map_err(failed)?;
                        return Ok(None);
                    }
                    written => written,
                }
            }
        };
        if value.is_empty() && written.is_some() {
            self.delete_buried(&name, begin).await.map_err(failed)?;
        }
        Ok(written)
    }
}

impl Found {
    fn new(object: &Object) -> Found {
        let metadata = object.custom_metadata().unwrap_or_default();
        let deadline = metadata.get(DEADLINE).and_then(|text| text.parse().ok());
        Found {
            etag: object.etag(),
            deadline: deadline.map(Deadline),
            is_empty: object.size() == 0,
        }
    }

    fn is_live(&self) -> bool {
        !self.deadline.is_some_and(Deadline::has_passed)
    }

    fn is_at(&self, version: &Version) -> bool {
        version.as_bytes().is_some_and(|version| version == self.etag.as_bytes())
    }

    /// Whether somebody may be about to delete it.
    fn is_being_buried(&self) -> bool {
        let is_young = |deadline: Deadline| deadline.has_passed() && deadline.elapsed() < BURIAL;
        self.is_empty && self.deadline.is_some_and(is_young)
    }
}

#[async_trait]
impl Driver for CloudflareR2Binding {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { empty_values: false, ..SWEPT }
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let read = self.read(&self.layout.name(key)?).await;
        let read = read.map_err(|error| failure(error, Operation::Get).with_key(key))?;
        Ok(read.filter(|(found, _)| found.is_live()).map(|(found, value)| {
            (Item::new(value, version(found.etag)), found.deadline.map(Deadline::remaining))
        }))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        if value.is_empty() {
            let message = "an empty object is one that is being removed, and cannot be an item";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_driver(NAME)
                .with_operation(Operation::Set)
                .with_key(key));
        }
        Ok(match self.write(key, &value, when, ttl).await? {
            Some(etag) => SetOutcome::Written { version: version(etag) },
            None => SetOutcome::Conflict,
        })
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        let name = self.layout.name(key)?;
        let failed = |error| failure(error, Operation::Remove).with_key(key);
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        let found = self.look(&name).await.map_err(failed)?;
        let Some(found) = found.filter(Found::is_live) else { return Ok(RemoveOutcome::Missing) };
        match when {
            When::Version(version) if !found.is_at(&version) => Ok(RemoveOutcome::Conflict),
            When::Version(_) if !self.bury(&name, &found.etag).await.map_err(failed)? => {
                // It is another's now, or gone.
                match self.look(&name).await.map_err(failed)? {
                    Some(found) if found.is_live() => Ok(RemoveOutcome::Conflict),
                    _ => Ok(RemoveOutcome::Missing),
                }
            }
            When::Version(_) => Ok(RemoveOutcome::Removed),
            When::Always | When::Absent => {
                self.delete(&name).await.map_err(failed)?;
                Ok(RemoveOutcome::Removed)
            }
        }
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let name = self.layout.name(key)?;
        let failed = |error| failure(error, Operation::Touch).with_key(key);
        for _ in 0..ATTEMPTS {
            let read = self.read(&name).await.map_err(failed)?;
            let Some((found, value)) = read.filter(|(found, _)| found.is_live()) else {
                return Ok(false);
            };
            if ttl == Some(Duration::ZERO) {
                if self.bury(&name, &found.etag).await.map_err(failed)? {
                    return Ok(true);
                }
            } else {
                let put =
                    self.put(&name, &value, Deadline::after(ttl), Some(at(&found.etag))).await;
                if let Some(etag) = put.map_err(failed)? {
                    if found.is_live() {
                        return Ok(true);
                    }
                    // Perhaps it was too late, and others have seen it expired.
                    self.bury(&name, &etag).await.map_err(failed)?;
                    return Ok(false);
                }
            }
        }
        let message = format!("{ATTEMPTS} others in a row wrote the item just before");
        Err(Error::new(ErrorKind::Unavailable, message)
            .with_driver(NAME)
            .with_operation(Operation::Touch)
            .with_key(key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let prefix = self.layout.prefix(prefix);
        pages(move |cursor| {
            let prefix = prefix.clone();
            async move {
                let page = self.list(&prefix, cursor).await;
                let (objects, next) = page.map_err(|error| failure(error, Operation::Keys))?;
                let live = objects.iter().filter(|(_, found)| found.is_live());
                Ok((live.filter_map(|(name, _)| self.layout.item(name)).collect(), next))
            }
        })
    }

    /// Looks at one page of the objects, 1000 of them at most.
    async fn sweep(&self, budget: usize) -> Result<Swept> {
        let failed = |error| failure(error, Operation::Sweep);
        let cursor = || self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        // Where this fails, the next call begins anew: the cursor may be one that R2 has forgotten.
        let begin = cursor().take();
        let page = self.list(&self.layout.prefix(""), begin.clone()).await;
        let (objects, next) = page.map_err(failed)?;
        let mut swept = Swept { examined: objects.len(), ..Swept::default() };
        for (name, found) in objects.iter().filter(|(_, found)| !found.is_live()) {
            if swept.removed == budget {
                // The rest of the page is for the next call.
                *cursor() = begin;
                return Ok(swept);
            }
            // The list is old by now, and an ETag tells nothing of a deadline that was moved.
            let found = match self.look(name).await.map_err(failed)? {
                Some(now) if !now.is_live() && now.etag == found.etag => now,
                _ => continue,
            };
            swept.removed += usize::from(self.bury(name, &found.etag).await.map_err(failed)?);
        }
        swept.finished = next.is_none();
        *cursor() = next;
        Ok(swept)
    }
}

impl fmt::Debug for CloudflareR2Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudflareR2Binding").field("layout", &self.layout).finish_non_exhaustive()
    }
}

fn version(etag: String) -> Version {
    Version::from(Bytes::from(etag))
}
