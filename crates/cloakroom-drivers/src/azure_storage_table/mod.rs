//! `azure-storage-table`: one entity per item in a table of Azure Storage.
//!
//! # Layout
//! unstorage's: the row key is the item's key, the partition key `unstorage`, and the property `unstorageValue` the value:
//! a string, or binary where the value is no text, which JavaScript reads as bytes. A string has room for 32768 UTF-16 code
//! units, and as many bytes are taken: what is longer is refused. The service refuses some keys, those with a `#` among
//! them; IDs of sessions are not concerned.
//!
//! DIFFERENCE: a table that is missing is made by the first write. JavaScript leaves that to you.
//!
//! # Expiry
//! The deadline is in a property of ours, `expires`, in milliseconds since 1970 by the clocks of the machines that use the
//! table. What JavaScript writes replaces the whole entity, and so has no deadline; it goes on reading what has expired
//! here until a sweep has removed that. A sweep asks the service for the expired alone.
//!
//! # Compare and swap
//! By the ETag, which the service compares. Moving a deadline changes it; a version that was read before stays good all
//! the same, for one round trip more.
//!
//! # Round trips
//! One to read, to write and to create. Two to touch and to remove, because the service has no condition on a deadline.

mod entity;
mod options;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::common::capabilities::SWEPT;
use crate::common::http::azure::{Account, Given, Service};
use crate::common::http::conditional::{
    self, Condition, Conditional, Deleted, Movable, Stored, Tag,
};
use crate::common::http::{Client, Expiry, Response, encoded, refusal, unreadable};
use cloakroom_storage::{
    Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Swept, When,
};
use entity::Entity;

pub use options::Options;

const NAME: &str = "azure-storage-table";
/// The version of the service's API that is spoken.
const VERSION: HeaderValue = HeaderValue::from_static("2019-02-02");
/// With the types of properties, without which bytes look like texts.
const JSON: HeaderValue = HeaderValue::from_static("application/json;odata=minimalmetadata");
const LARGEST_PAGE: u32 = 1000;

/// Items as entities of a table.
///
/// ```
/// use cloakroom_drivers::azure_storage_table::{AzureStorageTable, Options};
///
/// let table = AzureStorageTable::new(Options::new("UseDevelopmentStorage=true"))?;
/// # Ok::<(), cloakroom_storage::Error>(())
/// ```
#[derive(Debug)]
pub struct AzureStorageTable {
    client: Client,
    account: Account,
    table: String,
    partition: String,
    page_size: u32,
    /// Where the next sweep goes on.
    swept_to: Mutex<Option<Place>>,
}

/// Where a query goes on: the part of its address that says so.
type Place = String;

struct Page {
    entities: Vec<Entity>,
    next: Option<Place>,
}

impl AzureStorageTable {
    /// A store in a table. Nothing is asked yet.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is missing or impossible.
    pub fn new(options: Options) -> Result<AzureStorageTable> {
        options.check()?;
        let given = Given {
            account_name: options.account_name.as_deref(),
            account_key: options.account_key.as_deref(),
            sas_key: options.sas_key.as_deref(),
            connection_string: options.connection_string.as_deref(),
            ..Given::default()
        };
        Ok(AzureStorageTable {
            client: Client::new(NAME)?,
            account: Account::new(NAME, Service::Table, &given)?,
            table: options.table_name,
            partition: options.partition_key,
            page_size: options.page_size,
            swept_to: Mutex::default(),
        })
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`AzureStorageTable::new`], also when an option is unknown.
    pub fn open(options: &Map<String, Value>) -> Result<AzureStorageTable> {
        AzureStorageTable::new(cloakroom_storage::options::parse(NAME, options)?)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &str,
        headers: &[(HeaderName, HeaderValue)],
        body: Bytes,
    ) -> Result<Response> {
        let mut all = vec![
            (HeaderName::from_static("x-ms-version"), VERSION),
            (HeaderName::from_static("dataserviceversion"), HeaderValue::from_static("3.0")),
            (ACCEPT, JSON),
        ];
        if !body.is_empty() {
            all.push((CONTENT_TYPE, JSON));
        }
        all.extend_from_slice(headers);
        self.client.send(self.account.request(method, path, query, &all, body)?).await
    }

    /// The path of the item's entity; an error where the service would refuse the key.
    fn path(&self, key: &ItemKey) -> Result<String> {
        let is_refused = |letter: char| matches!(letter, '/' | '\\' | '#' | '?');
        if key.as_str().contains(is_refused) {
            let message = "a row key cannot have a `#`, nor any of `/`, `\\` and `?`";
            return Err(invalid_key(message));
        }
        let [partition, row] = [&self.partition, key.as_str()].map(|text| encoded(&quoted(text)));
        Ok(format!("/{}(PartitionKey={partition},RowKey={row})", self.table))
    }

    async fn create_table(&self) -> Result<()> {
        let body = serde_json::json!({ "TableName": self.table }).to_string();
        let answer = self.call(Method::POST, "/Tables", "", &[], body.into()).await?;
        match answer.status() {
            StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(()),
            // Somebody else was faster.
            StatusCode::CONFLICT if code(&answer) == "TableAlreadyExists" => Ok(()),
            _ => Err(failure(&answer)),
        }
    }

    /// A page of the entities of our partition that fulfil the condition, without their values.
    async fn page(&self, condition: &str, top: u32, place: Option<&str>) -> Result<Page> {
        let filter = format!("PartitionKey eq {}{condition}", quoted(&self.partition));
        let query = format!(
            "?$filter={}&$select=RowKey,expires&$top={top}{}",
            encoded(&filter),
            place.unwrap_or_default()
        );
        let path = format!("/{}()", self.table);
        let answer = self.call(Method::GET, &path, &query, &[], Bytes::new()).await?;
        match answer.status() {
            StatusCode::OK => {
                #[derive(Deserialize)]
                struct Entities {
                    value: Vec<Entity>,
                }
                let Entities { value: entities } = serde_json::from_slice(answer.body())
                    .map_err(|error| unreadable(NAME, "the list of entities", error))?;
                Ok(Page { entities, next: next(answer.headers()) })
            }
            _ if is_missing(&answer) => Ok(Page { entities: Vec::new(), next: None }),
            _ => Err(failure(&answer)),
        }
    }

    async fn free_expired(&self, budget: usize) -> Result<Swept> {
        let condition = format!(" and expires le {}L", Expiry::now().milliseconds());
        let top = u32::try_from(budget).unwrap_or(LARGEST_PAGE).clamp(1, LARGEST_PAGE);
        let place = self.swept_to().take();
        let page = self.page(&condition, top, place.as_deref()).await?;
        let examined = page.entities.len();
        let expired = page.entities.into_iter().filter(|entity| entity.tag().is_expired());
        let expired =
            expired.take(budget).filter_map(|entity| Some((entity.key()?, entity.tag().etag)));
        let removed = conditional::delete_all(self, expired.collect()).await?;
        let finished = page.next.is_none();
        *self.swept_to() = page.next;
        Ok(Swept { removed, examined, finished })
    }

    fn swept_to(&self) -> MutexGuard<'_, Option<Place>> {
        self.swept_to.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn entity(&self, key: &ItemKey, query: &str) -> Result<Option<Entity>> {
        let answer = self.call(Method::GET, &self.path(key)?, query, &[], Bytes::new()).await?;
        match answer.status() {
            StatusCode::OK => Entity::read(NAME, answer.body()).map(Some),
            _ if is_missing(&answer) => Ok(None),
            _ => Err(failure(&answer)),
        }
    }
}

#[async_trait]
impl Conditional for AzureStorageTable {
    async fn read(&self, key: &ItemKey) -> Result<Option<Stored>> {
        let Some(entity) = self.entity(key, "").await? else { return Ok(None) };
        let tag = entity.tag();
        Ok(Some(Stored { value: entity.value(NAME)?, tag }))
    }

    async fn look(&self, key: &ItemKey) -> Result<Option<Tag>> {
        Ok(self.entity(key, "?$select=expires").await?.map(|entity| entity.tag()))
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: &Bytes,
        expiry: Option<Expiry>,
        condition: Condition<'_>,
    ) -> Result<Option<String>> {
        let body = entity::written(NAME, &self.partition, key, value, expiry)?;
        let path = self.path(key)?;
        let (method, path, headers) = match condition {
            Condition::None => (Method::PUT, path, vec![]),
            Condition::Match(etag) => (Method::PUT, path, vec![if_match(etag)?]),
            Condition::Absent => {
                let quiet = HeaderValue::from_static("return-no-content");
                let headers = vec![(HeaderName::from_static("prefer"), quiet)];
                (Method::POST, format!("/{}", self.table), headers)
            }
        };
        let put = || self.call(method.clone(), &path, "", &headers, body.clone());
        let mut answer = put().await?;
        if answer.status() == StatusCode::NOT_FOUND && code(&answer) == "TableNotFound" {
            self.create_table().await?;
            answer = put().await?;
        }
        match (answer.status(), code(&answer).as_str()) {
            (StatusCode::NO_CONTENT | StatusCode::CREATED, _) => etag(answer.headers()).map(Some),
            (StatusCode::PRECONDITION_FAILED, _)
            | (StatusCode::CONFLICT, "EntityAlreadyExists")
            | (StatusCode::NOT_FOUND, "ResourceNotFound" | "EntityNotFound") => Ok(None),
            _ => Err(failure(&answer)),
        }
    }

    async fn delete(&self, key: &ItemKey, etag: Option<&str>) -> Result<Deleted> {
        let headers = [if_match(etag.unwrap_or("*"))?];
        let answer =
            self.call(Method::DELETE, &self.path(key)?, "", &headers, Bytes::new()).await?;
        match answer.status() {
            StatusCode::NO_CONTENT => Ok(Deleted::Yes),
            _ if is_missing(&answer) => Ok(Deleted::Missing),
            StatusCode::PRECONDITION_FAILED => Ok(Deleted::Refused),
            _ => Err(failure(&answer)),
        }
    }
}

#[async_trait]
impl Movable for AzureStorageTable {
    async fn move_expiry(
        &self,
        key: &ItemKey,
        known: &str,
        expiry: Option<Expiry>,
    ) -> Result<Option<String>> {
        let body = entity::moved(expiry);
        let headers = [if_match(known)?];
        let answer = self.call(Method::PATCH, &self.path(key)?, "", &headers, body).await?;
        match answer.status() {
            StatusCode::NO_CONTENT => etag(answer.headers()).map(Some),
            StatusCode::PRECONDITION_FAILED => Ok(None),
            _ if is_missing(&answer) => Ok(None),
            _ => Err(failure(&answer)),
        }
    }
}

#[async_trait]
impl Driver for AzureStorageTable {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { longest_value: Some(entity::LONGEST), ..SWEPT }
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
        let prefix = prefix.to_owned();
        let first = Some((between(&prefix), None));
        stream::try_unfold(first, async |place: Option<(String, Option<Place>)>| {
            let Some((condition, place)) = place else { return Ok(None) };
            let page = self.page(&condition, self.page_size, place.as_deref()).await?;
            let live = page.entities.into_iter().filter(|entity| !entity.tag().is_expired());
            let keys: Vec<_> = live.filter_map(|entity| entity.key().map(Ok)).collect();
            Ok(Some((stream::iter(keys), page.next.map(|next| (condition, Some(next))))))
        })
        .try_flatten()
        .try_filter(move |key| std::future::ready(key.as_str().starts_with(&prefix)))
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

/// A text as OData writes it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The condition that a row key begins with the prefix; a little more than that where no next letter ends it.
fn between(prefix: &str) -> String {
    let Some(last) = prefix.chars().next_back() else { return String::new() };
    let mut condition = format!(" and RowKey ge {}", quoted(prefix));
    if let Some(next) = char::from_u32(u32::from(last) + 1) {
        let end = format!("{}{next}", &prefix[..prefix.len() - last.len_utf8()]);
        condition.push_str(&format!(" and RowKey lt {}", quoted(&end)));
    }
    condition
}

/// Where the next page begins, as the service says it and wants to hear it.
fn next(headers: &HeaderMap) -> Option<Place> {
    let part = |name: &str| {
        let header = headers.get(format!("x-ms-continuation-{name}"))?.to_str().ok()?;
        Some(format!("&{name}={}", encoded(header)))
    };
    Some(part("NextPartitionKey")? + &part("NextRowKey").unwrap_or_default())
}

fn if_match(etag: &str) -> Result<(HeaderName, HeaderValue)> {
    HeaderValue::from_str(etag).map(|etag| (IF_MATCH, etag)).map_err(|_| no_etag())
}

fn etag(headers: &HeaderMap) -> Result<String> {
    let etag = headers.get(ETAG).and_then(|etag| etag.to_str().ok()).ok_or_else(no_etag)?;
    Ok(etag.to_owned())
}

fn invalid_key(message: &str) -> Error {
    Error::new(ErrorKind::InvalidKey, message).with_driver(NAME).with_unapplied(true)
}

fn no_etag() -> Error {
    Error::new(ErrorKind::Unavailable, "the store's answer has no `ETag`; is a proxy in between?")
        .with_driver(NAME)
        .with_retryable(false)
}

/// Whether the service itself says that there is no such entity, or no table yet: a gateway without a service says "not
/// found" of all.
fn is_missing(answer: &Response) -> bool {
    answer.status() == StatusCode::NOT_FOUND
        && matches!(&*code(answer), "ResourceNotFound" | "EntityNotFound" | "TableNotFound")
}

/// The service's word for what went wrong.
fn code(answer: &Response) -> String {
    #[derive(Deserialize)]
    struct Body {
        #[serde(rename = "odata.error")]
        error: Said,
    }
    #[derive(Deserialize)]
    struct Said {
        code: String,
    }
    if answer.status().is_success() {
        return String::new();
    }
    serde_json::from_slice(answer.body())
        .map_or_else(|_| String::new(), |Body { error }| error.code)
}

fn failure(answer: &Response) -> Error {
    let code = code(answer);
    let refused = |kind, message: &str| {
        Error::new(kind, format!("{message} ({code})")).with_driver(NAME).with_unapplied(true)
    };
    match code.as_str() {
        "PropertyValueTooLarge" | "EntityTooLarge" | "RequestBodyTooLarge" => {
            refused(ErrorKind::TooLarge, "the value is larger than an entity takes")
        }
        "KeyValueTooLarge" | "OutOfRangeInput" => {
            refused(ErrorKind::InvalidKey, "the service takes no such key")
        }
        // For seconds after it was deleted, a table can be neither used nor made.
        "TableBeingDeleted" => {
            refused(ErrorKind::Unavailable, "the table is being deleted").with_retryable(true)
        }
        _ => refusal(NAME, answer.status(), Some(code.as_str()).filter(|code| !code.is_empty())),
    }
}
