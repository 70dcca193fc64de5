//! `http`: a store behind unstorage's HTTP server, or behind `cloakroom serve`.
//!
//! # Layout
//! unstorage's: the item `a:b` is at `{base}/a/b`, each part encoded as `encodeURIComponent` does. `PUT` writes a text, or
//! bytes as `application/octet-stream`.
//!
//! # What the other end can do
//! [`Http::new`] asks it. JavaScript's server can neither compare and swap nor move a deadline, and whether it heeds one
//! its own driver decides; so no item expires there but by that driver's own `ttl`, and of two requests that change one
//! session at once the later one wins where they change the same entry. It drops empty values, which are refused therefore.
//! `cloakroom serve` says what its store can do, and all of that can be had through it, each call in one round trip: the
//! protocol is written down in `docs/http.md`.
//!
//! `cloakroom serve` says so on each of its answers, and the latest one counts: behind the same address there may be another
//! version of it tomorrow, or one over another store. A server that was taken for JavaScript's and is `cloakroom serve` is
//! spoken to as such from the first answer that shows it. What has no such sign was said by a gateway, and is no answer:
//! nothing is missing, written or removed because of it. A gateway that answers `OPTIONS` itself is asked another way; where
//! nobody can be told from anybody, the store is not opened.

mod options;
mod other_end;
mod unstorage;

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header::{
    ACCEPT, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH,
};
use http::{Method, StatusCode};
use jiff::fmt::rfc2822::DateTimeParser;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::common::http::{Address, Client, Request, Response, encoded, refusal, unreadable};
use cloakroom_storage::{
    Advice, Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome,
    Result, SetOutcome, When,
};
use other_end::{OtherEnd, not_a_server, not_the_server, version};
use unstorage::Heard;

pub use options::{Options, Protocol};

const NAME: &str = "http";
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// How long an item still lives, in seconds: unstorage's header.
const TTL: HeaderName = HeaderName::from_static("x-ttl");

/// Items behind an HTTP server.
///
/// ```no_run
/// use cloakroom_drivers::http::{Http, Options};
///
/// # async fn example() -> cloakroom_storage::Result<()> {
/// let mut options = Options::new("https://store.example/sessions");
/// options.headers.insert("authorization".into(), "Bearer the-token".into());
/// let http = Http::new(options).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Http {
    client: Client,
    base: Address,
    headers: HeaderMap,
    protocol: Option<Protocol>,
    other_end: RwLock<OtherEnd>,
}

impl Http {
    /// A store behind a server, which is asked at once what it can do, unless `protocol` says that it is unstorage's.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when an option is impossible, and when the
    /// server cannot be reached, refuses us, or somebody else answers for it.
    pub async fn new(options: Options) -> Result<Http> {
        let mut http = Http {
            client: Client::new(NAME)?,
            base: Address::new(NAME, "base", &options.base)?,
            headers: options.headers()?,
            protocol: options.protocol,
            other_end: RwLock::new(OtherEnd::Unstorage),
        };
        if options.protocol != Some(Protocol::Unstorage) {
            http.other_end = RwLock::new(http.find_out().await?);
        }
        Ok(http)
    }

    /// A store with [`Options`] as a configuration gives them.
    ///
    /// # Errors
    /// As [`Http::new`], also when an option is unknown.
    pub async fn open(options: &Map<String, Value>) -> Result<Http> {
        Http::new(cloakroom_storage::options::parse(NAME, options)?).await
    }

    /// Asks who the other end is.
    async fn find_out(&self) -> Result<OtherEnd> {
        let answer = self.send(Method::OPTIONS, "/:", Headers::new(), Bytes::new()).await?;
        if let Some(other_end) = OtherEnd::of(&answer) {
            return Ok(other_end);
        }
        let is_unstorages = OtherEnd::is_unstorages(&answer, &Method::OPTIONS);
        if is_unstorages && self.protocol.is_none() {
            return Ok(OtherEnd::Unstorage);
        }
        if !is_unstorages && counts_from_the_server_alone(answer.status()) {
            // Many a gateway answers `OPTIONS` itself, and passes other methods on. This one is refused, with the sign.
            let answer = self.send(Method::HEAD, "/:", Headers::new(), Bytes::new()).await?;
            if let Some(other_end) = OtherEnd::of(&answer) {
                return Ok(other_end);
            }
        }
        Err(match answer.status() {
            status if counts_from_the_server_alone(status) => not_a_server(&answer),
            _ => self.failure(&answer),
        })
    }

    fn other_end(&self) -> OtherEnd {
        // Nothing panics while it holds this.
        *self.other_end.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is an answer of `cloakroom serve`, where unstorage's server was thought to be.
    fn is_another(&self, answer: &Response) -> bool {
        let Some(said) = OtherEnd::of(answer) else { return false };
        if self.protocol == Some(Protocol::Unstorage) {
            return false;
        }
        self.learn(said);
        true
    }

    /// Takes in who the latest answer was of.
    fn learn(&self, said: OtherEnd) {
        if self.other_end() == said {
            return;
        }
        let before = std::mem::replace(
            &mut *self.other_end.write().unwrap_or_else(PoisonError::into_inner),
            said,
        );
        if before != said {
            let (before, now) = (before.capabilities(), said.capabilities());
            tracing::warn!(
                driver = NAME,
                ?before,
                ?now,
                "another server is there now, or one over another store: what it can do has changed"
            );
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: Headers,
        body: Bytes,
    ) -> Result<Response> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = self.base.uri(NAME, path)?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().extend(headers);
        self.client.send(request).await
    }

    /// What `cloakroom serve` answers.
    ///
    /// # Errors
    /// Where something else does, but to refuse us.
    async fn call(
        &self,
        method: Method,
        key: &ItemKey,
        headers: Headers,
        body: Bytes,
    ) -> Result<Response> {
        let answer = self.send(method, &path(key), headers, body).await?;
        match OtherEnd::of(&answer) {
            Some(said) => self.learn(said),
            None if counts_from_the_server_alone(answer.status()) => {
                return Err(not_the_server(&answer));
            }
            None => {}
        }
        Ok(answer)
    }

    /// The item with how long it still lives.
    async fn read(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        if self.other_end() == OtherEnd::Unstorage
            && let Heard::Answer(found) = self.get_from_unstorage(key).await?
        {
            return Ok(found.map(|item| (item, None)));
        }
        let answer = self.call(Method::GET, key, vec![(ACCEPT, BYTES)], Bytes::new()).await?;
        match answer.status() {
            StatusCode::OK => {
                let ttl = answer.headers().get(TTL).map(seconds).transpose()?;
                let version = version(&answer)?;
                Ok(Some((Item::new(answer.into_body(), version), ttl)))
            }
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.failure(&answer)),
        }
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: &Bytes,
        when: &When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        if self.other_end() == OtherEnd::Unstorage
            && let Heard::Answer(outcome) = self.set_in_unstorage(key, value, when).await?
        {
            return Ok(outcome);
        }
        let mut headers = self.condition(when)?;
        headers.push((CONTENT_TYPE, BYTES));
        headers.extend(ttl.map(ttl_header));
        let answer = self.call(Method::PUT, key, headers, value.clone()).await?;
        match answer.status() {
            StatusCode::PRECONDITION_FAILED => Ok(SetOutcome::Conflict),
            status if status.is_success() => Ok(SetOutcome::Written { version: version(&answer)? }),
            _ => Err(self.failure(&answer)),
        }
    }

    async fn delete(&self, key: &ItemKey, when: &When) -> Result<RemoveOutcome> {
        if self.other_end() == OtherEnd::Unstorage
            && let Heard::Answer(outcome) = self.remove_from_unstorage(key, when).await?
        {
            return Ok(outcome);
        }
        let mut headers = self.condition(when)?;
        if *when == When::Always {
            headers.push((IF_MATCH, ANY));
        }
        let answer = self.call(Method::DELETE, key, headers, Bytes::new()).await?;
        match answer.status() {
            StatusCode::PRECONDITION_FAILED if answer.headers().contains_key(ETAG) => {
                Ok(RemoveOutcome::Conflict)
            }
            StatusCode::PRECONDITION_FAILED => Ok(RemoveOutcome::Missing),
            status if status.is_success() => Ok(RemoveOutcome::Removed),
            _ => Err(self.failure(&answer)),
        }
    }

    async fn prolong(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        if self.other_end() == OtherEnd::Unstorage
            && let Heard::Answer(is_there) = self.has_in_unstorage(key).await?
        {
            return Ok(is_there);
        }
        let headers = ttl.map(ttl_header).into_iter().collect();
        let answer = self.call(Method::PATCH, key, headers, Bytes::new()).await?;
        match answer.status() {
            StatusCode::NOT_FOUND => Ok(false),
            status if status.is_success() => Ok(true),
            _ => Err(self.failure(&answer)),
        }
    }

    /// What the server said is repeated where it is `cloakroom serve`, which says no keys.
    fn failure(&self, answer: &Response) -> Error {
        #[derive(Deserialize)]
        struct Said {
            error: String,
        }
        if answer.status() == StatusCode::NOT_FOUND {
            return not_the_server(answer);
        }
        let is_signed = OtherEnd::of(answer).is_some();
        if answer.status() == StatusCode::FORBIDDEN && self.capabilities().read_only {
            let message = "the server lets us read alone";
            return Error::new(ErrorKind::ReadOnly, message).with_driver(NAME);
        }
        let said = serde_json::from_slice(answer.body()).ok().filter(|_| is_signed);
        let said = said.as_ref().map(|Said { error }| error.as_str());
        if answer.status() == StatusCode::BAD_REQUEST && is_signed {
            let message = format!("the server refuses this key ({})", said.unwrap_or("400"));
            return Error::new(ErrorKind::InvalidKey, message)
                .with_driver(NAME)
                .with_unapplied(true);
        }
        refusal(NAME, answer.status(), said)
    }

    /// The header of a condition.
    fn condition(&self, when: &When) -> Result<Headers> {
        if *when != When::Always && !self.capabilities().compare_and_swap {
            let message = "the store behind this server cannot compare and swap";
            return Err(Error::new(ErrorKind::Unsupported, message)
                .with_driver(NAME)
                .with_unapplied(true));
        }
        Ok(match when {
            When::Always => Headers::new(),
            When::Absent => vec![(IF_NONE_MATCH, ANY)],
            // A version from elsewhere is never the one that is there.
            When::Version(version) => {
                let etag = version.as_bytes().and_then(|etag| HeaderValue::from_bytes(etag).ok());
                vec![(IF_MATCH, etag.unwrap_or(HeaderValue::from_static("\"\"")))]
            }
        })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ItemKey>> {
        // The server lists by whole parts.
        let base = prefix.rsplit_once(':').map(|(base, _)| base).unwrap_or_default();
        let base: String = base
            .split(':')
            .filter(|part| !part.is_empty())
            .map(|part| format!("/{}", encoded(part)))
            .collect();
        let answer =
            self.send(Method::GET, &format!("{base}/:"), Headers::new(), Bytes::new()).await?;
        match (self.other_end(), OtherEnd::of(&answer)) {
            (OtherEnd::Unstorage, None) => {}
            // A list is the same in both protocols.
            (OtherEnd::Unstorage, Some(_)) => drop(self.is_another(&answer)),
            (OtherEnd::Cloakroom(_), Some(said)) => self.learn(said),
            (OtherEnd::Cloakroom(_), None) if counts_from_the_server_alone(answer.status()) => {
                return Err(not_the_server(&answer));
            }
            (OtherEnd::Cloakroom(_), None) => {}
        }
        if answer.status() != StatusCode::OK {
            return Err(self.failure(&answer));
        }
        let keys: Vec<String> = serde_json::from_slice(answer.body())
            .map_err(|error| unreadable(NAME, "the list of keys", error))?;
        let keys = keys.iter().filter_map(|key| ItemKey::new(key).ok());
        Ok(keys.filter(|key| key.as_str().starts_with(prefix)).collect())
    }
}

#[async_trait]
impl Driver for Http {
    fn name(&self) -> &'static str {
        NAME
    }

    /// What the latest answer has told.
    fn capabilities(&self) -> Capabilities {
        self.other_end().capabilities()
    }

    async fn advice(&self) -> Vec<Advice> {
        Vec::from_iter(self.base.advice())
    }

    /// That of the server, to the second, which is all that HTTP says of it.
    async fn time(&self) -> Result<Option<Duration>> {
        let answer = self.send(Method::HEAD, "/:", Headers::new(), Bytes::new()).await?;
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
        Ok(date.and_then(|date| Duration::try_from(date.as_duration()).ok()))
    }

    async fn get_with_ttl(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        self.read(key).await.map_err(|error| place(error, Operation::Get, key))
    }

    async fn set(
        &self,
        key: &ItemKey,
        value: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        let written = self.write(key, &value, &when, ttl).await;
        written.map_err(|error| place(error, Operation::Set, key))
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        self.delete(key, &when).await.map_err(|error| place(error, Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.prolong(key, ttl).await.map_err(|error| place(error, Operation::Touch, key))
    }

    fn keys<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        let prefix = prefix.to_owned();
        let keys = async move {
            let keys = self.list(&prefix).await;
            keys.map(|keys| stream::iter(keys.into_iter().map(Ok)))
                .map_err(|error| error.with_operation(Operation::Keys))
        };
        stream::once(keys).try_flatten().boxed()
    }
}

type Headers = Vec<(HeaderName, HeaderValue)>;

/// Whether a status says nothing by itself, so that it counts from the server alone: anything but that we are refused, or
/// that somebody has trouble.
fn counts_from_the_server_alone(status: StatusCode) -> bool {
    !matches!(status.as_u16(), 401 | 403 | 407 | 408 | 413 | 421 | 425 | 429 | 500 | 502..=599)
}

/// `/a/b` for `a:b`.
fn path(key: &ItemKey) -> String {
    key.segments().map(|segment| format!("/{}", encoded(segment))).collect()
}

fn ttl_header(ttl: Duration) -> (HeaderName, HeaderValue) {
    // Zero would be no ttl at all. A tenth of a millisecond leaves no item behind.
    let seconds = ttl.as_secs_f64().max(0.000_1);
    let value = HeaderValue::from_str(&format!("{seconds:.4}"));
    (TTL, value.unwrap_or(HeaderValue::from_static("0.0001")))
}

fn seconds(value: &HeaderValue) -> Result<Duration> {
    let seconds = value.to_str().ok().and_then(|value| value.parse::<f64>().ok());
    seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or_else(|| {
        Error::new(
            ErrorKind::Unavailable,
            "the server's answer has an `x-ttl` that is no number of seconds",
        )
        .with_driver(NAME)
        .with_retryable(false)
    })
}

fn place(error: Error, operation: Operation, key: &ItemKey) -> Error {
    error.with_operation(operation).with_key(key)
}
