//! `gcs`: Google Cloud Storage, one object of a bucket per item. Not one of unstorage's.
//!
//! # Layout
//! The item `a:b` is the object `a:b` of the bucket, or `base:a:b`, and its bytes are the value.
//!
//! # Expiry
//! Objects have no deadlines of their own. So one of ours stands in an object's metadata, `cloakroom-expires`, in
//! milliseconds since 1970 by the clocks of those who write. A list tells it too, so that a [sweep](Driver::sweep) costs a
//! request for a thousand objects.
//!
//! Moving a deadline makes an object no younger: a lifecycle rule on the age ends sessions that are in use. Neither does
//! the rule `daysSinceCustomTime` help, because that time can never be moved back. Switch the bucket's soft delete and its
//! versions off: else what has ended stays there, and is paid for, for days.
//!
//! # Compare and swap
//! By the generation of the object, which changes with its bytes, and by the metageneration, which changes with its
//! deadline; the service compares both. A version that was read before a deadline was moved stays good all the same, for
//! two round trips more.
//!
//! Google takes about one change of an object each second, and a few more in a burst; it refuses what is beyond, and that
//! is tried again.
//!
//! # Round trips
//! One to read, to write and to create. Two to touch and to remove, because the service has no condition on a deadline;
//! and two to read what others have written.
//!
//! # Permissions
//! The role `roles/storage.objectUser` on the bucket. Without `storage.objects.list`, Google answers "forbidden" where an
//! item is missing, and so every new visitor is an error.

mod account;
mod failure;
mod object;

use std::env;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::common::base::beginning_of_names;
use crate::common::http::conditional::{
    self, Condition, Conditional, Deleted, Movable, Stored, Tag,
};
use crate::common::http::{Address, Expiry, Response, encoded};
use account::Account;
use cloakroom_storage::{
    Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Swept, When, options,
};
use failure::{failure, is_missing};
use object::{FIELDS, Metadata, Object, Page, conditions};

const NAME: &str = "gcs";

/// Where Google's service is.
const GOOGLE: &str = "https://storage.googleapis.com";

/// The longest page of a list.
const PAGE: usize = 1000;

/// Items as objects of a bucket.
///
/// ```
/// use cloakroom_drivers::gcs::{Gcs, Options};
///
/// let mut options = Options::new("sessions");
/// options.base = "shop".into();
/// let store = Gcs::new(options)?;
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
#[derive(Debug)]
pub struct Gcs {
    account: Account,
    endpoint: Address,
    /// As a path has it.
    bucket: String,
    /// What all names begin with.
    base: String,
    /// Where the next sweep goes on.
    swept_to: Mutex<Option<String>>,
}

/// The options of `gcs`, all of them ours.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// The bucket, which has to be there.
    pub bucket: String,
    /// What the items' names begin with, nothing by default.
    #[serde(default)]
    pub base: String,
    /// The URL of the service: by default the emulator that the environment's `STORAGE_EMULATOR_HOST` names, or
    /// `https://storage.googleapis.com`.
    ///
    /// What is asked by plain `http` is taken for an emulator, which gets no credentials that were not given.
    pub endpoint: Option<String>,
    /// The JSON of a service account (or of any other account that Google has such JSON for), or the path of a file of it.
    ///
    /// Without, credentials are found as Google's own clients find them: by `GOOGLE_APPLICATION_CREDENTIALS`, of the user
    /// of `gcloud`, of the machine.
    pub credentials: Option<String>,
}

impl Options {
    /// The default options for this bucket.
    pub fn new(bucket: impl Into<String>) -> Options {
        Options { bucket: bucket.into(), base: String::new(), endpoint: None, credentials: None }
    }
}

impl fmt::Debug for Options {
    /// Leaves out the credentials, and the URL, where a password may stand by mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("bucket", &self.bucket)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Gcs {
    /// A store in a bucket. Nothing is asked yet.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is impossible.
    pub fn new(options: Options) -> Result<Gcs> {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
        if options.bucket.is_empty() || !options.bucket.chars().all(is_name) {
            return Err(options::invalid(NAME, "option `bucket`: it must be a bucket's name"));
        }
        let base = beginning_of_names(NAME, &options.base)?;
        let endpoint = options.endpoint.or_else(emulator).unwrap_or_else(|| GOOGLE.to_owned());
        let endpoint = Address::new(NAME, "endpoint", &endpoint)?;
        let is_emulated = endpoint.as_str().starts_with("http:");
        let account = match options.credentials.as_deref() {
            None if is_emulated => Account::nobody()?,
            given => Account::new(given)?,
        };
        Ok(Gcs {
            account,
            endpoint,
            bucket: encoded(&options.bucket),
            base,
            swept_to: Mutex::default(),
        })
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`Gcs::new`], also when an option is unknown.
    pub fn open(options: &Map<String, Value>) -> Result<Gcs> {
        Gcs::new(options::parse(NAME, options)?)
    }

    async fn call(&self, method: Method, path: &str) -> Result<Response> {
        self.call_with(method, path, "application/json", Bytes::new()).await
    }

    async fn call_with(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<Response> {
        let uri = self.endpoint.uri(NAME, path)?;
        let request = http::Request::builder().method(method).uri(uri);
        let request = match body.is_empty() {
            true => request,
            false => request.header(CONTENT_TYPE, content_type),
        };
        let request = request.body(body).map_err(|error| {
            Error::new(ErrorKind::Other, "no such request can be made")
                .with_driver(NAME)
                .with_unapplied(true)
                .with_source(error)
        })?;
        self.account.send(request).await
    }

    /// The name of the item's object.
    fn name(&self, key: &ItemKey) -> Result<ItemKey> {
        ItemKey::new(&format!("{}{}", self.base, key.as_str()))
    }

    fn path(&self, key: &ItemKey, query: &str) -> Result<String> {
        let name = encoded(self.name(key)?.as_str());
        Ok(format!("/storage/v1/b/{}/o/{name}?{query}", self.bucket))
    }

    /// The item of an object, if it is one: what is named otherwise than ours cannot be asked for.
    fn key_of(&self, name: &str) -> Option<ItemKey> {
        let name = name.strip_prefix(&self.base)?;
        ItemKey::new(name).ok().filter(|key| key.as_str() == name)
    }

    async fn page(&self, prefix: &str, token: Option<&str>) -> Result<Page> {
        let mut path = format!(
            "/storage/v1/b/{}/o?maxResults={PAGE}&fields=items(name,{FIELDS}),nextPageToken&prefix={}",
            self.bucket,
            encoded(&format!("{}{prefix}", self.base)),
        );
        if let Some(token) = token {
            path.push_str(&format!("&pageToken={}", encoded(token)));
        }
        let answer = self.call(Method::GET, &path).await?;
        match answer.status() {
            StatusCode::OK => Page::read(answer.body()),
            _ => Err(failure(&answer)),
        }
    }

    async fn free_expired(&self, budget: usize) -> Result<Swept> {
        let token = self.swept_to().clone();
        let page = match self.page("", token.as_deref()).await {
            Ok(page) => page,
            Err(error) => {
                // Perhaps the token is one that the service has forgotten.
                *self.swept_to() = None;
                return Err(error);
            }
        };
        let examined = page.items.len();
        let mut expired: Vec<(ItemKey, String)> = page
            .items
            .into_iter()
            .map(|object| (self.key_of(&object.name), object.tag()))
            .filter(|(_, tag)| tag.is_expired())
            .filter_map(|(key, tag)| Some((key?, tag.etag)))
            .collect();
        let is_whole = expired.len() <= budget;
        expired.truncate(budget);
        let removed = conditional::delete_all(self, expired).await?;
        let finished = is_whole && page.next_page_token.is_none();
        if is_whole {
            *self.swept_to() = page.next_page_token;
        }
        Ok(Swept { removed, examined, finished })
    }

    fn swept_to(&self) -> MutexGuard<'_, Option<String>> {
        self.swept_to.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Conditional for Gcs {
    async fn read(&self, key: &ItemKey) -> Result<Option<Stored>> {
        loop {
            let answer = self.call(Method::GET, &self.path(key, "alt=media")?).await?;
            match answer.status() {
                StatusCode::OK => {}
                _ if is_missing(&answer) => return Ok(None),
                _ => return Err(failure(&answer)),
            }
            let (generation, tag) = object::told(answer.headers())?;
            let tag = match tag {
                Some(tag) => tag,
                // That a download tells metadata is no promise of the API's, and others write none.
                None => match self.look(key).await? {
                    Some(tag) if object::is_of(&tag, generation) => tag,
                    Some(_) => continue,
                    None => return Ok(None),
                },
            };
            return Ok(Some(Stored { value: answer.into_body(), tag }));
        }
    }

    async fn look(&self, key: &ItemKey) -> Result<Option<Tag>> {
        let path = self.path(key, &format!("fields={FIELDS}"))?;
        let answer = self.call(Method::GET, &path).await?;
        match answer.status() {
            StatusCode::OK => Object::read(answer.body()).map(|object| Some(object.tag())),
            _ if is_missing(&answer) => Ok(None),
            _ => Err(failure(&answer)),
        }
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: &Bytes,
        expiry: Option<Expiry>,
        condition: Condition<'_>,
    ) -> Result<Option<String>> {
        let conditions = match condition {
            Condition::None => String::new(),
            Condition::Absent => "&ifGenerationMatch=0".to_owned(),
            Condition::Match(etag) => conditions(etag),
        };
        let path = format!(
            "/upload/storage/v1/b/{}/o?uploadType=multipart&fields={FIELDS}{conditions}",
            self.bucket
        );
        let (content_type, body) = object::upload(self.name(key)?.as_str(), expiry, value);
        let answer = self.call_with(Method::POST, &path, &content_type, body).await?;
        match answer.status() {
            StatusCode::OK => Object::read(answer.body()).map(|object| Some(object.tag().etag)),
            StatusCode::PRECONDITION_FAILED if condition != Condition::None => Ok(None),
            _ => Err(failure(&answer)),
        }
    }

    async fn delete(&self, key: &ItemKey, etag: Option<&str>) -> Result<Deleted> {
        let path = self.path(key, &etag.map(conditions).unwrap_or_default())?;
        let answer = self.call(Method::DELETE, &path).await?;
        match answer.status() {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(Deleted::Yes),
            StatusCode::PRECONDITION_FAILED if etag.is_some() => Ok(Deleted::Refused),
            _ if is_missing(&answer) => Ok(Deleted::Missing),
            _ => Err(failure(&answer)),
        }
    }
}

#[async_trait]
impl Movable for Gcs {
    async fn move_expiry(
        &self,
        key: &ItemKey,
        etag: &str,
        expiry: Option<Expiry>,
    ) -> Result<Option<String>> {
        let path = self.path(key, &format!("fields={FIELDS}{}", conditions(etag)))?;
        let body = json!({ "metadata": Metadata::new(expiry) }).to_string();
        let answer = self.call_with(Method::PATCH, &path, "application/json", body.into()).await?;
        match answer.status() {
            StatusCode::OK => Object::read(answer.body()).map(|object| Some(object.tag().etag)),
            StatusCode::PRECONDITION_FAILED => Ok(None),
            _ if is_missing(&answer) => Ok(None),
            _ => Err(failure(&answer)),
        }
    }
}

#[async_trait]
impl Driver for Gcs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            retains: true,
            compare_and_swap: true,
            expiry: true,
            iteration: true,
            durable: true,
            shared: true,
            empty_values: true,
            ..Capabilities::none()
        }
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        conditional::get(self, key).await.map_err(on(Operation::Get, key))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        conditional::set(self, key, &value, &when, ttl).await.map_err(on(Operation::Set, key))
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        conditional::remove(self, key, &when).await.map_err(on(Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        conditional::touch(self, key, ttl).await.map_err(on(Operation::Touch, key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        type Token = Option<String>;
        let first: Option<(String, Token)> = Some((prefix.to_owned(), None));
        stream::try_unfold(first, async |place| {
            let Some((prefix, token)) = place else { return Ok(None) };
            let page = self.page(&prefix, token.as_deref()).await?;
            let live: Vec<Result<ItemKey>> = page
                .items
                .into_iter()
                .filter(|object| !object.tag().is_expired())
                .filter_map(|object| self.key_of(&object.name).map(Ok))
                .collect();
            let next = page.next_page_token.map(|token| (prefix, Some(token)));
            Ok(Some((stream::iter(live), next)))
        })
        .try_flatten()
        .map_err(|error: Error| error.with_operation(Operation::Keys))
        .boxed()
    }

    async fn sweep(&self, budget: usize) -> Result<Swept> {
        self.free_expired(budget).await.map_err(|error| error.with_operation(Operation::Sweep))
    }
}

fn on(operation: Operation, key: &ItemKey) -> impl Fn(Error) -> Error + '_ {
    move |error| error.with_operation(operation).with_key(key)
}

/// Where Google's own clients find an emulator.
fn emulator() -> Option<String> {
    let host = env::var("STORAGE_EMULATOR_HOST").ok().filter(|host| !host.is_empty())?;
    Some(if host.contains("://") { host } else { format!("http://{host}") })
}
