//! `azure-storage-blob`: one block blob per item in a container of Azure Storage.
//!
//! # Layout
//! unstorage's: the blob's name is the key, its content the value. A container that is missing is made by the first write.
//!
//! # Expiry
//! The deadline is in the blob's metadata, as `expires`, in milliseconds since 1970 by the clocks of the machines that use
//! the container. What JavaScript writes over a blob has no metadata, and so no deadline; it goes on reading what has
//! expired here until a sweep has removed that. A sweep lists the container, up to 5000 blobs with each request. Where
//! the account has a rule that deletes blobs by their age, the rule holds as well.
//!
//! # Compare and swap
//! By the ETag, which the service compares. Moving a deadline is a write of metadata, which changes it; a version that was
//! read before stays good all the same, for one round trip more.
//!
//! # Round trips
//! One to read, to write and to create. Two to touch and to remove, because the service has no condition on a deadline.

mod list;
mod options;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header::{ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use http::{Method, StatusCode};
use serde_json::{Map, Value};

use crate::common::capabilities::SWEPT;
use crate::common::http::azure::{Account, Given, Service};
use crate::common::http::conditional::{
    self, Condition, Conditional, Deleted, Movable, Stored, Tag,
};
use crate::common::http::{Client, Expiry, Response, encoded, refusal};
use cloakroom_storage::{
    Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Swept, When,
};
use list::Page;

pub use options::Options;

const NAME: &str = "azure-storage-blob";
/// The version of the service's API that is spoken.
const VERSION: HeaderValue = HeaderValue::from_static("2021-12-02");
const EXPIRES: HeaderName = HeaderName::from_static("x-ms-meta-expires");

/// How many keys one request lists, as in JavaScript.
const PAGE: usize = 1000;
/// How many blobs a sweep looks at with one request: as many as the service allows, because each request is paid for.
const LARGEST_PAGE: usize = 5000;

/// Items as blobs.
///
/// ```
/// use cloakroom_drivers::azure_storage_blob::{AzureStorageBlob, Options};
///
/// let blobs = AzureStorageBlob::new(Options::new("UseDevelopmentStorage=true"))?;
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
#[derive(Debug)]
pub struct AzureStorageBlob {
    client: Client,
    account: Account,
    /// The path of the container below the account's address: empty where that is the container's own.
    container: String,
    /// Where the next sweep goes on.
    swept_to: Mutex<Option<String>>,
}

impl AzureStorageBlob {
    /// A store in a container. Nothing is asked yet.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is missing or impossible.
    pub fn new(options: Options) -> Result<AzureStorageBlob> {
        let given = Given {
            account_name: options.account_name.as_deref(),
            account_key: options.account_key.as_deref(),
            sas_key: options.sas_key.as_deref(),
            sas_url: options.sas_url.as_deref(),
            connection_string: options.connection_string.as_deref(),
            endpoint_suffix: options.endpoint_suffix.as_deref(),
        };
        let account = Account::new(NAME, Service::Blob, &given)?;
        let is_containers_own = options.account_key.is_none()
            && options.sas_url.is_some()
            && options
                .container_name
                .as_deref()
                .is_some_and(|name| account.address().as_str().ends_with(&format!("/{name}")));
        let name = options.container_name.as_deref().unwrap_or("unstorage");
        Ok(AzureStorageBlob {
            client: Client::new(NAME)?,
            account,
            container: if is_containers_own {
                String::new()
            } else {
                format!("/{}", encoded(name))
            },
            swept_to: Mutex::default(),
        })
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`AzureStorageBlob::new`], also when an option is unknown.
    pub fn open(options: &Map<String, Value>) -> Result<AzureStorageBlob> {
        AzureStorageBlob::new(cloakroom_storage::options::parse(NAME, options)?)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Response> {
        let version = (HeaderName::from_static("x-ms-version"), VERSION);
        let headers = [headers, &[version]].concat();
        self.client.send(self.account.request(method, path, query, &headers, body)?).await
    }

    fn path(&self, key: &ItemKey) -> String {
        format!("{}/{}", self.container, encoded(key.as_str()))
    }

    async fn create_container(&self) -> Result<()> {
        let query = "?restype=container";
        let answer = self.call(Method::PUT, &self.container, query, &[], Bytes::new()).await?;
        match answer.status() {
            StatusCode::CREATED => Ok(()),
            // Somebody else was faster.
            StatusCode::CONFLICT if code(&answer) == "ContainerAlreadyExists" => Ok(()),
            _ => Err(failure(&answer)),
        }
    }

    async fn page(&self, prefix: &str, size: usize, marker: Option<&str>) -> Result<Page> {
        let list = "?restype=container&comp=list&include=metadata";
        let mut query = format!("{list}&maxresults={size}");
        for (name, value) in [("prefix", prefix), ("marker", marker.unwrap_or_default())] {
            if !value.is_empty() {
                query.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        let answer = self.call(Method::GET, &self.container, &query, &[], Bytes::new()).await?;
        match answer.status() {
            StatusCode::OK => Page::read(NAME, answer.body()),
            _ if is_missing(&answer) => Ok(Page::default()),
            _ => Err(failure(&answer)),
        }
    }

    async fn free_expired(&self, budget: usize) -> Result<Swept> {
        let marker = self.swept_to().clone();
        let page = match self.page("", LARGEST_PAGE, marker.as_deref()).await {
            Ok(page) => page,
            Err(error) => {
                // Perhaps the marker is one that the service has forgotten.
                *self.swept_to() = None;
                return Err(error);
            }
        };
        let examined = page.blobs.len();
        let mut expired: Vec<(ItemKey, String)> = page
            .blobs
            .into_iter()
            .filter(|blob| blob.expiry.is_some_and(Expiry::has_passed))
            .filter_map(|blob| Some((blob.key?, blob.etag)))
            .collect();
        let is_whole = expired.len() <= budget;
        expired.truncate(budget);
        let removed = conditional::delete_all(self, expired).await?;
        let finished = is_whole && page.next.is_none();
        if is_whole {
            *self.swept_to() = page.next;
        }
        Ok(Swept { removed, examined, finished })
    }

    fn swept_to(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.swept_to.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Conditional for AzureStorageBlob {
    async fn read(&self, key: &ItemKey) -> Result<Option<Stored>> {
        let answer = self.call(Method::GET, &self.path(key), "", &[], Bytes::new()).await?;
        match answer.status() {
            StatusCode::OK => {
                let tag = tag(answer.headers())?;
                Ok(Some(Stored { value: answer.into_body(), tag }))
            }
            _ if is_missing(&answer) => Ok(None),
            _ => Err(failure(&answer)),
        }
    }

    async fn look(&self, key: &ItemKey) -> Result<Option<Tag>> {
        let answer = self.call(Method::HEAD, &self.path(key), "", &[], Bytes::new()).await?;
        match answer.status() {
            StatusCode::OK => tag(answer.headers()).map(Some),
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
        let block = HeaderValue::from_static("BlockBlob");
        let mut headers = vec![(HeaderName::from_static("x-ms-blob-type"), block)];
        headers.extend(match condition {
            Condition::None => None,
            Condition::Absent => Some((IF_NONE_MATCH, HeaderValue::from_static("*"))),
            Condition::Match(etag) => Some(if_match(etag)?),
        });
        headers.extend(expiry.map(expires));
        let path = self.path(key);
        let put = || self.call(Method::PUT, &path, "", &headers, value.clone());
        let mut answer = put().await?;
        if answer.status() == StatusCode::NOT_FOUND && code(&answer) == "ContainerNotFound" {
            self.create_container().await?;
            answer = put().await?;
        }
        match (answer.status(), code(&answer)) {
            (StatusCode::CREATED, _) => tag(answer.headers()).map(|tag| Some(tag.etag)),
            (StatusCode::PRECONDITION_FAILED, "ConditionNotMet")
            | (StatusCode::CONFLICT, "BlobAlreadyExists")
            | (StatusCode::NOT_FOUND, "BlobNotFound") => Ok(None),
            _ => Err(failure(&answer)),
        }
    }

    async fn delete(&self, key: &ItemKey, etag: Option<&str>) -> Result<Deleted> {
        let mut headers = vec![(
            HeaderName::from_static("x-ms-delete-snapshots"),
            HeaderValue::from_static("include"),
        )];
        if let Some(etag) = etag {
            headers.push(if_match(etag)?);
        }
        let answer = self.call(Method::DELETE, &self.path(key), "", &headers, Bytes::new()).await?;
        match (answer.status(), code(&answer)) {
            (StatusCode::ACCEPTED, _) => Ok(Deleted::Yes),
            _ if is_missing(&answer) => Ok(Deleted::Missing),
            (StatusCode::PRECONDITION_FAILED, "ConditionNotMet") => Ok(Deleted::Refused),
            _ => Err(failure(&answer)),
        }
    }
}

#[async_trait]
impl Movable for AzureStorageBlob {
    async fn move_expiry(
        &self,
        key: &ItemKey,
        etag: &str,
        expiry: Option<Expiry>,
    ) -> Result<Option<String>> {
        let mut headers = vec![if_match(etag)?];
        headers.extend(expiry.map(expires));
        let path = self.path(key);
        let answer =
            self.call(Method::PUT, &path, "?comp=metadata", &headers, Bytes::new()).await?;
        match (answer.status(), code(&answer)) {
            (StatusCode::OK, _) => tag(answer.headers()).map(|tag| Some(tag.etag)),
            (StatusCode::PRECONDITION_FAILED, "ConditionNotMet") => Ok(None),
            _ if is_missing(&answer) => Ok(None),
            _ => Err(failure(&answer)),
        }
    }
}

#[async_trait]
impl Driver for AzureStorageBlob {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        SWEPT
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
        type Marker = Option<String>;
        let first: Option<(String, Marker)> = Some((prefix.to_owned(), None));
        stream::try_unfold(first, async |place| {
            let Some((prefix, marker)) = place else { return Ok(None) };
            let page = self.page(&prefix, PAGE, marker.as_deref()).await?;
            let live = page
                .blobs
                .into_iter()
                .filter(|blob| !blob.expiry.is_some_and(Expiry::has_passed))
                .filter_map(|blob| blob.key.map(Ok));
            Ok(Some((stream::iter(live), page.next.map(|next| (prefix, Some(next))))))
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

fn expires(expiry: Expiry) -> (HeaderName, HeaderValue) {
    (EXPIRES, HeaderValue::from(expiry.milliseconds()))
}

fn if_match(etag: &str) -> Result<(HeaderName, HeaderValue)> {
    HeaderValue::from_str(etag).map(|etag| (IF_MATCH, etag)).map_err(|_| no_etag())
}

fn no_etag() -> Error {
    Error::new(ErrorKind::Unavailable, "the store's answer has no `ETag`; is a proxy in between?")
        .with_driver(NAME)
        .with_retryable(false)
}

fn tag(headers: &HeaderMap) -> Result<Tag> {
    let etag = headers.get(ETAG).and_then(|etag| etag.to_str().ok()).ok_or_else(no_etag)?;
    let expires = headers.get(EXPIRES).and_then(|expires| expires.to_str().ok());
    let expiry = expires.and_then(|expires| expires.parse().ok()).and_then(Expiry::at);
    Ok(Tag { etag: etag.to_owned(), expiry })
}

/// The service's word for what went wrong.
fn code(answer: &Response) -> &str {
    let code = answer.headers().get("x-ms-error-code");
    code.and_then(|code| code.to_str().ok()).unwrap_or_default()
}

/// Whether the service itself says that there is no such blob, or no container yet: a gateway without a service says "not
/// found" of all.
fn is_missing(answer: &Response) -> bool {
    answer.status() == StatusCode::NOT_FOUND
        && matches!(code(answer), "BlobNotFound" | "ContainerNotFound")
}

fn failure(answer: &Response) -> Error {
    match code(answer) {
        // For seconds after it was deleted, a container can be neither used nor made.
        "ContainerBeingDeleted" => {
            let message = "the container is being deleted (ContainerBeingDeleted)";
            Error::new(ErrorKind::Unavailable, message).with_driver(NAME).with_unapplied(true)
        }
        code => refusal(NAME, answer.status(), Some(code).filter(|code| !code.is_empty())),
    }
}
