//! `http`: a store behind unstorage's HTTP server, or behind `cloakroom serve`.
//!
//! # Layout
//! unstorage's: the item `a:b` is at `{base}/a/b`, each part encoded as `encodeURIComponent` does. `PUT` writes a text, or
//! bytes as `application/octet-stream`.
//!
//! # Options
//! unstorage's: `base`, the URL; and `headers`, which go along with every request, an `authorization` for example.
//!
//! # What the other end can do
//! [`Http::open`] asks it. JavaScript's server can neither compare and swap nor move a deadline, and whether it heeds one
//! its own driver decides; so no item expires there but by that driver's own `ttl`, and of two requests that change one
//! session at once the later one wins where they change the same entry. It drops empty values, which are refused therefore.
//! `cloakroom serve` says what its store can do, and all of that can be had through it, each call in one round trip: the
//! protocol is written down in `docs/http.md`.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header::{
    ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH,
};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::http::{Address, Client, Request, Response, Secret, encoded, refusal, unreadable};
use crate::{
    Capabilities, Driver, Error, ErrorKind, Item, ItemKey, Operation, RemoveOutcome, Result,
    SetOutcome, Swept, Version, When, options,
};

const NAME: &str = "http";
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain;charset=UTF-8");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// How long an item still lives, in seconds: unstorage's header.
const TTL: HeaderName = HeaderName::from_static("x-ttl");
/// What the other end can do, in words: ours.
const STORAGE: HeaderName = HeaderName::from_static("cloakroom-storage");

/// Items behind an HTTP server.
///
/// ```no_run
/// use cloakroom_storage::drivers::http::Http;
///
/// # async fn example() -> cloakroom_storage::Result<()> {
/// let options = serde_json::json!({
///     "base": "https://store.example/sessions",
///     "headers": { "authorization": "Bearer …" },
/// });
/// let http = Http::open(options.as_object().unwrap()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Http {
    client: Client,
    base: Address,
    headers: HeaderMap,
    capabilities: Capabilities,
    /// Whether the other end understands more than unstorage's protocol.
    is_ours: bool,
}

#[derive(Deserialize)]
struct Options {
    base: String,
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
}

impl Http {
    /// A store with options as a configuration gives them. Asks the server what it can do.
    ///
    /// # Errors
    /// With [`InvalidOptions`](crate::ErrorKind::InvalidOptions), and when the server cannot be reached or refuses us.
    pub async fn open(given: &Map<String, Value>) -> Result<Http> {
        let Options { base, headers } = options::parse(NAME, given)?;
        let headers = headers.iter().map(|(name, value)| {
            let name = HeaderName::try_from(name).map_err(|_| {
                options::invalid(NAME, format!("option `headers`: `{name}` is no header"))
            })?;
            Ok((name, value.header(NAME, "")?))
        });
        let mut http = Http {
            client: Client::new(NAME)?,
            base: Address::new(NAME, "base", &base)?,
            headers: headers.collect::<Result<_>>()?,
            capabilities: Capabilities {
                retains: true,
                iteration: true,
                durable: true,
                shared: true,
                ..Capabilities::none()
            },
            is_ours: false,
        };
        let answer = http.send(Method::OPTIONS, "/:", Headers::new(), Bytes::new()).await?;
        if let Some(words) = answer.headers().get(STORAGE) {
            http.is_ours = true;
            http.capabilities = capabilities(words.to_str().unwrap_or_default());
        } else if !answer.status().is_success() && !is_of_javascript(answer.status()) {
            // A gateway's answer tells nothing of what is behind it.
            return Err(http.failure(&answer));
        }
        Ok(http)
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

    async fn call(
        &self,
        method: Method,
        key: &ItemKey,
        headers: Headers,
        body: Bytes,
    ) -> Result<Response> {
        self.send(method, &path(key), headers, body).await
    }

    /// The item with how long it still lives.
    async fn read(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        let answer = self.call(Method::GET, key, vec![(ACCEPT, BYTES)], Bytes::new()).await?;
        match answer.status() {
            StatusCode::OK => {
                let ttl = answer.headers().get(TTL).filter(|_| self.is_ours).map(seconds);
                let version = self.version(&answer, answer.body())?;
                let ttl = ttl.transpose()?;
                Ok(Some((Item::new(answer.into_body(), version), ttl)))
            }
            StatusCode::NOT_FOUND if self.is_told(&answer) => Ok(None),
            _ => Err(self.failure(&answer)),
        }
    }

    /// Whether the server itself says that an item is missing: a gateway without a server says it of all.
    fn is_told(&self, answer: &Response) -> bool {
        !self.is_ours || answer.headers().contains_key(STORAGE)
    }

    /// What the server said is repeated where it is `cloakroom serve`, which says no keys.
    fn failure(&self, answer: &Response) -> Error {
        #[derive(Deserialize)]
        struct Said {
            error: String,
        }
        if answer.status() == StatusCode::FORBIDDEN && self.capabilities.read_only {
            let message = "the server lets us read alone";
            return Error::new(ErrorKind::ReadOnly, message).with_driver(NAME);
        }
        if answer.status() == StatusCode::NOT_FOUND {
            let message = "something between here and the server answers that there is nothing; is the server up?";
            return Error::new(ErrorKind::Unavailable, message).with_driver(NAME);
        }
        let said = serde_json::from_slice(answer.body()).ok().filter(|_| self.is_ours);
        let said = said.as_ref().map(|Said { error }| error.as_str());
        refusal(NAME, answer.status(), said)
    }

    /// The version that an answer tells of; of a server that knows none, the bytes themselves.
    fn version(&self, answer: &Response, value: &Bytes) -> Result<Version> {
        if !self.is_ours {
            return Ok(value.clone().into());
        }
        let etag = answer.headers().get(ETAG).ok_or_else(|| {
            Error::new(
                ErrorKind::Unavailable,
                "the server's answer has no `ETag`; is a proxy in between?",
            )
            .with_driver(NAME)
            .with_retryable(false)
        })?;
        Ok(Bytes::copy_from_slice(etag.as_bytes()).into())
    }

    /// The header of a condition.
    fn condition(&self, when: &When) -> Result<Headers> {
        if *when != When::Always && !self.capabilities.compare_and_swap {
            let message =
                "this server cannot compare and swap; `cloakroom serve` can, over a store that can";
            return Err(Error::new(ErrorKind::Unsupported, message).with_driver(NAME));
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

    /// Whether the item is there, by unstorage's protocol.
    async fn has(&self, key: &ItemKey) -> Result<bool> {
        let answer = self.call(Method::HEAD, key, Headers::new(), Bytes::new()).await?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(self.failure(&answer)),
        }
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

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<Item>> {
        let found = self.read(key).await.map_err(|error| place(error, Operation::Get, key))?;
        Ok(found.map(|(item, _)| item))
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
        let set = async || {
            if value.is_empty() && !self.capabilities.empty_values {
                let message = "unstorage's server drops empty values";
                return Err(Error::new(ErrorKind::Unsupported, message).with_driver(NAME));
            }
            let mut headers = self.condition(&when)?;
            let is_text = !self.is_ours && std::str::from_utf8(&value).is_ok();
            headers.push((CONTENT_TYPE, if is_text { TEXT } else { BYTES }));
            headers.extend(ttl.filter(|_| self.is_ours).map(ttl_header));
            let answer = self.call(Method::PUT, key, headers, value.clone()).await?;
            match answer.status() {
                StatusCode::PRECONDITION_FAILED => Ok(SetOutcome::Conflict),
                status if status.is_success() => {
                    Ok(SetOutcome::Written { version: self.version(&answer, &value)? })
                }
                _ => Err(self.failure(&answer)),
            }
        };
        set().await.map_err(|error| place(error, Operation::Set, key))
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        if when == When::Absent {
            return Err(Error::remove_absent(NAME, key));
        }
        let remove = async || {
            let mut headers = self.condition(&when)?;
            if self.is_ours && when == When::Always {
                headers.push((IF_MATCH, ANY));
            } else if !self.is_ours && !self.has(key).await? {
                return Ok(RemoveOutcome::Missing);
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
        };
        remove().await.map_err(|error| place(error, Operation::Remove, key))
    }

    async fn touch(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        let touch = async || {
            if !self.is_ours {
                return self.has(key).await;
            }
            let headers = ttl.map(ttl_header).into_iter().collect();
            let answer = self.call(Method::PATCH, key, headers, Bytes::new()).await?;
            match answer.status() {
                StatusCode::NOT_FOUND if self.is_told(&answer) => Ok(false),
                status if status.is_success() => Ok(true),
                _ => Err(self.failure(&answer)),
            }
        };
        touch().await.map_err(|error| place(error, Operation::Touch, key))
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

    /// The server sweeps its own store.
    async fn sweep(&self, _budget: usize) -> Result<Swept> {
        Ok(Swept { finished: true, ..Swept::default() })
    }
}

type Headers = Vec<(HeaderName, HeaderValue)>;

/// What a server says that does not know the question: JavaScript's says the first.
fn is_of_javascript(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND | StatusCode::NOT_IMPLEMENTED
    )
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

/// What the server's words say. It sweeps by itself, so that nobody has to do it from here.
fn capabilities(words: &str) -> Capabilities {
    let has = |word| words.split(',').any(|given| given.trim() == word);
    Capabilities {
        retains: true,
        compare_and_swap: has("compare-and-swap"),
        expiry: has("expiry"),
        native_ttl: true,
        iteration: has("iteration"),
        durable: has("durable"),
        shared: true,
        read_only: has("read-only"),
        empty_values: has("empty-values"),
        // The server refuses what its store has no room for.
        longest_value: None,
    }
}

fn place(error: Error, operation: Operation, key: &ItemKey) -> Error {
    error.with_operation(operation).with_key(key)
}
