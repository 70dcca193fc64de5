//! `azure-cosmos`: one document per item in a container of Azure Cosmos DB, by its API for NoSQL.
//!
//! # Layout
//! unstorage's: a document `{ id, value, modified }`, whose id is the key. A value that is no text is written as JavaScript's
//! `setItemRaw` writes it, as base64 behind `base64:`, and with a property of ours, `binary`, which tells it from a text that
//! looks so. A document has room for about 2 MB; a value of more than 1.5 MB is refused.
//!
//! A database or a container that is missing is made by the first call, as JavaScript makes it: without a partition key. So
//! all items are in one logical partition, which Azure limits to 20 GB. A container with another partition key is refused,
//! because JavaScript finds nothing in it.
//!
//! # Expiry
//! The deadline is in a property of ours, `expires`, in milliseconds since 1970 by the clocks of the machines that use the
//! container, and in Cosmos DB's own `ttl`, in seconds rounded up. The service heeds the latter in a container with a
//! `DefaultTimeToLive`, which one that is made here has, set to none. In one that JavaScript has made it is off, unless you
//! turn it on; so there is a sweep too, a query for the expired alone. What JavaScript writes replaces the whole document,
//! and so has no deadline; it goes on reading what has expired here until it is gone.
//!
//! # Compare and swap
//! By the ETag, which the service compares. Moving a deadline changes it; a version that was read before stays good all
//! the same, for one round trip more.
//!
//! # Consistency
//! A process reads what it wrote in an account of `Session` consistency, which is the usual one, or a stronger one. That
//! another machine reads it at once is promised by `Strong` and, within a region, `Bounded staleness`. In no case is an
//! update lost, as long as the account has one region that is written to.
//!
//! # Round trips
//! One for each call, but for two to remove; and one more for the first call of all.

mod container;
mod document;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MATCH};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::common::capabilities::SWEPT;
use crate::common::http::azure::Key;
use crate::common::http::conditional::{self, Condition, Conditional, Deleted, Stored, Tag};
use crate::common::http::{Address, Expiry, Response, unreadable};
use cloakroom_storage::{
    Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Swept, When, options,
};
use container::{Container, failure};
use document::Document;

const NAME: &str = "azure-cosmos";
const UPSERT: HeaderName = HeaderName::from_static("x-ms-documentdb-is-upsert");
const CONTINUATION: HeaderName = HeaderName::from_static("x-ms-continuation");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// How many keys one request lists.
const PAGE: usize = 1000;

/// Items as documents.
///
/// ```
/// use cloakroom_drivers::azure_cosmos::{AzureCosmos, Options};
///
/// let endpoint = "https://account.documents.azure.com:443/";
/// let documents = AzureCosmos::new(Options::new(endpoint, "bm90IGEga2V5"))?;
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
#[derive(Debug)]
pub struct AzureCosmos {
    container: Container,
}

/// unstorage's options for `azure-cosmos`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Options {
    /// The URL of the account, such as `https://ACCOUNT.documents.azure.com:443/`.
    pub endpoint: String,
    /// A key of the account, in base64 as Azure shows it.
    ///
    /// DIFFERENCE: it is needed. JavaScript falls back on the identities that `@azure/identity` finds.
    pub account_key: Option<String>,
    /// The database, `unstorage` by default.
    #[serde(default = "unstorage")]
    pub database_name: String,
    /// The container in the database, `unstorage` by default.
    #[serde(default = "unstorage")]
    pub container_name: String,
}

impl Options {
    /// The default options for the account at this URL, with this key of it.
    pub fn new(endpoint: impl Into<String>, account_key: impl Into<String>) -> Options {
        Options {
            endpoint: endpoint.into(),
            account_key: Some(account_key.into()),
            database_name: unstorage(),
            container_name: unstorage(),
        }
    }
}

fn unstorage() -> String {
    "unstorage".to_owned()
}

impl fmt::Debug for Options {
    /// Leaves out the key, and the URL, where a password may stand by mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("database_name", &self.database_name)
            .field("container_name", &self.container_name)
            .finish_non_exhaustive()
    }
}

/// A page of the answers to a query.
struct Page {
    documents: Vec<Document>,
    next: Option<HeaderValue>,
}

impl AzureCosmos {
    /// A store in a container. Nothing is asked yet.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is impossible.
    pub fn new(options: Options) -> Result<AzureCosmos> {
        let Options { endpoint, account_key, database_name, container_name } = options;
        let address = Address::new(NAME, "endpoint", &endpoint)?;
        let key = account_key.ok_or_else(|| {
            // DIFFERENCE: JavaScript tries every identity that `@azure/identity` knows.
            let message = "option `accountKey` is missing (managed identities and `az login`, which JavaScript falls \
                 back on, are not available here)";
            options::invalid(NAME, message)
        })?;
        let key = Key::new(NAME, "accountKey", &key)?;
        for (option, name) in [("databaseName", &database_name), ("containerName", &container_name)]
        {
            if name.is_empty() || name.contains(['/', '\\', '?', '#']) {
                let message = format!("option `{option}`: this is no name");
                return Err(options::invalid(NAME, message));
            }
        }
        let container = Container::new(address, key, database_name, container_name)?;
        Ok(AzureCosmos { container })
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`AzureCosmos::new`], also when an option is unknown.
    pub fn open(options: &Map<String, Value>) -> Result<AzureCosmos> {
        AzureCosmos::new(options::parse(NAME, options)?)
    }

    async fn on_document(
        &self,
        method: Method,
        key: &ItemKey,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Response> {
        check(key)?;
        self.container.on_documents(method, Some(key.as_str()), headers, body).await
    }

    async fn page(&self, query: &Value, size: usize, place: Option<HeaderValue>) -> Result<Page> {
        let mut headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/query+json")),
            (HeaderName::from_static("x-ms-documentdb-isquery"), TRUE),
            (HeaderName::from_static("x-ms-max-item-count"), HeaderValue::from(size)),
        ];
        headers.extend(place.map(|place| (CONTINUATION, place)));
        let body = query.to_string().into();
        let answer = self.container.on_documents(Method::POST, None, &headers, body).await?;
        if answer.status() != StatusCode::OK {
            return Err(failure(&answer));
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Documents {
            documents: Vec<Document>,
        }
        let Documents { documents } = serde_json::from_slice(answer.body())
            .map_err(|error| unreadable(NAME, "the list of documents", error))?;
        Ok(Page { documents, next: answer.headers().get(CONTINUATION).cloned() })
    }

    async fn free_expired(&self, budget: usize) -> Result<Swept> {
        let query = json!({
            "query": "SELECT c.id, c._etag, c.expires FROM c WHERE c.expires <= @now",
            "parameters": [{ "name": "@now", "value": Expiry::now().milliseconds() }],
        });
        // What one sweep has removed is not found by the next, so that each begins at the beginning.
        let mut page = self.page(&query, budget, None).await?;
        while page.documents.is_empty() && page.next.is_some() {
            page = self.page(&query, budget, page.next).await?;
        }
        let examined = page.documents.len();
        let expired = page.documents.iter().take(budget);
        let expired = expired.filter_map(|document| Some((document.key()?, document.tag().etag)));
        let removed = conditional::delete_all(self, expired.collect()).await?;
        Ok(Swept { removed, examined, finished: page.next.is_none() })
    }

    /// Moves the deadline in one request, unless it has passed.
    async fn move_expiry(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let now = Expiry::now().milliseconds();
        let expiry = Expiry::after(ttl);
        let set = |path: &str, value: i64| json!({ "op": "set", "path": path, "value": value });
        let patch = json!({
            "condition": format!("from c where not is_defined(c.expires) or c.expires > {now}"),
            "operations": [
                set("/expires", expiry.map_or(Expiry::NEVER, Expiry::milliseconds)),
                set("/ttl", document::seconds(expiry)),
            ],
        });
        let kind = HeaderValue::from_static("application/json_patch+json");
        let headers = [(CONTENT_TYPE, kind), container::minimal()];
        let body = patch.to_string().into();
        let answer = self.on_document(Method::PATCH, key, &headers, body).await?;
        match answer.status() {
            StatusCode::OK | StatusCode::NO_CONTENT => etag(&answer).map(|_| true),
            StatusCode::PRECONDITION_FAILED => Ok(false),
            _ if container::is_missing(&answer) => Ok(false),
            _ => Err(failure(&answer)),
        }
    }
}

#[async_trait]
impl Conditional for AzureCosmos {
    async fn read(&self, key: &ItemKey) -> Result<Option<Stored>> {
        let answer = self.on_document(Method::GET, key, &[], Bytes::new()).await?;
        match answer.status() {
            StatusCode::OK => {
                let document = Document::read(NAME, answer.body())?;
                let tag = document.tag();
                Ok(Some(Stored { value: document.value(NAME)?, tag }))
            }
            _ if container::is_missing(&answer) => Ok(None),
            _ => Err(failure(&answer)),
        }
    }

    async fn look(&self, key: &ItemKey) -> Result<Option<Tag>> {
        Ok(self.read(key).await?.map(|stored| stored.tag))
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: &Bytes,
        expiry: Option<Expiry>,
        condition: Condition<'_>,
    ) -> Result<Option<String>> {
        let body = document::written(NAME, key, value, expiry)?;
        let mut headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            container::minimal(),
        ];
        let answer = match condition {
            Condition::Match(etag) => {
                headers.push(if_match(etag)?);
                self.on_document(Method::PUT, key, &headers, body).await?
            }
            Condition::None | Condition::Absent => {
                headers.extend((condition == Condition::None).then_some((UPSERT, TRUE)));
                check(key)?;
                self.container.on_documents(Method::POST, None, &headers, body).await?
            }
        };
        match answer.status() {
            StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT => {
                etag(&answer).map(Some)
            }
            StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED
                if condition != Condition::None =>
            {
                Ok(None)
            }
            _ if condition != Condition::None && container::is_missing(&answer) => Ok(None),
            _ => Err(failure(&answer)),
        }
    }

    async fn delete(&self, key: &ItemKey, etag: Option<&str>) -> Result<Deleted> {
        let headers: Vec<_> = etag.map(if_match).transpose()?.into_iter().collect();
        let answer = self.on_document(Method::DELETE, key, &headers, Bytes::new()).await?;
        match answer.status() {
            StatusCode::NO_CONTENT => Ok(Deleted::Yes),
            _ if container::is_missing(&answer) => Ok(Deleted::Missing),
            StatusCode::PRECONDITION_FAILED => Ok(Deleted::Refused),
            _ => Err(failure(&answer)),
        }
    }
}

#[async_trait]
impl Driver for AzureCosmos {
    fn name(&self) -> &'static str {
        NAME
    }

    fn system(&self) -> &'static str {
        "azure.cosmosdb"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { longest_value: Some(document::LONGEST), ..SWEPT }
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
        self.move_expiry(key, ttl).await.map_err(on(Operation::Touch, key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let query = json!({
            "query": "SELECT c.id FROM c WHERE STARTSWITH(c.id, @prefix) \
                      AND (NOT IS_DEFINED(c.expires) OR c.expires > @now)",
            "parameters": [
                { "name": "@prefix", "value": prefix },
                { "name": "@now", "value": Expiry::now().milliseconds() },
            ],
        });
        let first = Some((query, None));
        stream::try_unfold(first, async |place: Option<(Value, Option<HeaderValue>)>| {
            let Some((query, place)) = place else { return Ok(None) };
            let page = self.page(&query, PAGE, place).await?;
            let keys: Vec<_> = page.documents.iter().filter_map(Document::key).map(Ok).collect();
            Ok(Some((stream::iter(keys), page.next.map(|next| (query, Some(next))))))
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

/// An error where the service would refuse the key.
fn check(key: &ItemKey) -> Result<()> {
    match key.as_str().contains(['/', '\\', '?', '#']) {
        false => Ok(()),
        true => {
            let message = "the id of a document cannot have a `#`, nor any of `/`, `\\` and `?`";
            Err(Error::new(ErrorKind::InvalidKey, message).with_driver(NAME).with_unapplied(true))
        }
    }
}

fn if_match(etag: &str) -> Result<(HeaderName, HeaderValue)> {
    HeaderValue::from_str(etag).map(|etag| (IF_MATCH, etag)).map_err(|_| no_etag())
}

fn etag(answer: &Response) -> Result<String> {
    let etag = answer.headers().get(ETAG).and_then(|etag| etag.to_str().ok());
    etag.map(str::to_owned).ok_or_else(no_etag)
}

fn no_etag() -> Error {
    Error::new(ErrorKind::Unavailable, "the store's answer has no `ETag`; is a proxy in between?")
        .with_driver(NAME)
        .with_retryable(false)
}
