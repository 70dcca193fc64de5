//! The requests that Cloudflare's API takes.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::NAME;
use crate::common::http::{
    Address, Client, Expiry, Request, Response, encoded, refusal, unreadable,
};
use cloakroom_storage::{Error, ErrorKind, Result};

/// The header in which a value's expiry stands, in seconds since 1970.
const EXPIRATION: &str = "expiration";

/// Cloudflare's number for a key that is not there.
const MISSING: u64 = 10009;

/// A namespace.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    address: Address,
    credentials: HeaderMap,
}

/// A value, and when the store lets it expire.
pub(super) struct Stored {
    pub(super) value: Bytes,
    pub(super) expiration: Option<Expiry>,
}

/// What is kept beside a value.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct Metadata {
    /// In milliseconds since 1970.
    #[serde(rename = "cloakroomExpires")]
    expires: i64,
}

/// What a list says of a key.
#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) name: String,
    expiration: Option<f64>,
    #[serde(default)]
    metadata: serde_json::Value,
}

/// A part of a list, and where the next begins.
pub(super) struct Page {
    pub(super) keys: Vec<Listed>,
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
struct Answer<T> {
    result: T,
    result_info: Option<ResultInfo>,
}

#[derive(Deserialize)]
struct ResultInfo {
    cursor: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    #[serde(default)]
    errors: Vec<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    code: u64,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    unsuccessful_keys: Vec<serde::de::IgnoredAny>,
}

/// One of the items that are written together.
#[derive(Serialize)]
struct Pair<'a> {
    key: &'a str,
    value: String,
    base64: bool,
    expiration_ttl: u64,
    metadata: Metadata,
}

impl Api {
    pub(super) fn new(address: Address, credentials: HeaderMap) -> Result<Api> {
        Ok(Api { client: Client::new(NAME)?, address, credentials })
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Stored>> {
        let path = format!("/values/{}", encoded(key));
        let answer = self.send(Method::GET, &path, Bytes::new()).await?;
        Ok(present(answer)?.map(|answer| Stored {
            expiration: expiration(answer.headers()),
            value: answer.into_body(),
        }))
    }

    /// What is kept beside a value; `None` where there is no such key.
    pub(super) async fn metadata(&self, key: &str) -> Result<Option<Option<Metadata>>> {
        let path = format!("/metadata/{}", encoded(key));
        let answer = self.send(Method::GET, &path, Bytes::new()).await?;
        let Some(answer) = present(answer)? else { return Ok(None) };
        let answer: Answer<serde_json::Value> = read(&answer)?;
        Ok(Some(Metadata::of(answer.result)))
    }

    /// Writes a value that lives for so many seconds, or for ever.
    pub(super) async fn put(&self, key: &str, value: Bytes, ttl: Option<u64>) -> Result<()> {
        let ttl = ttl.map(|ttl| format!("?expiration_ttl={ttl}")).unwrap_or_default();
        let path = format!("/values/{}{ttl}", encoded(key));
        accepted(&self.send(Method::PUT, &path, value).await?)
    }

    /// Writes a value with what is kept beside it.
    pub(super) async fn put_with_metadata(
        &self,
        key: &str,
        value: &Bytes,
        ttl: u64,
        metadata: Metadata,
    ) -> Result<()> {
        let value = BASE64_STANDARD.encode(value);
        let pair = Pair { key, value, base64: true, expiration_ttl: ttl, metadata };
        let body = serde_json::to_vec(&[pair]).map_err(|error| {
            Error::new(ErrorKind::Other, "an item is no JSON").with_source(error)
        })?;
        let answer = self.send(Method::PUT, "/bulk", body.into()).await?;
        accepted(&answer)?;
        match read::<Answer<Option<Written>>>(&answer)?.result {
            Some(written) if !written.unsuccessful_keys.is_empty() => {
                Err(Error::new(ErrorKind::Unavailable, "the store did not write the item"))
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        let path = format!("/values/{}", encoded(key));
        match present(self.send(Method::DELETE, &path, Bytes::new()).await?)? {
            Some(answer) => accepted(&answer),
            None => Ok(()),
        }
    }

    /// The keys that begin with `prefix`, from `cursor` on.
    pub(super) async fn page(&self, prefix: &str, cursor: Option<&str>) -> Result<Page> {
        let mut path = "/keys?limit=1000".to_owned();
        for (name, value) in [("prefix", Some(prefix)), ("cursor", cursor)] {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                path.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        let answer = self.send(Method::GET, &path, Bytes::new()).await?;
        accepted(&answer)?;
        let Answer { result, result_info } = read::<Answer<Vec<Listed>>>(&answer)?;
        let next = result_info.and_then(|info| info.cursor).filter(|cursor| !cursor.is_empty());
        Ok(Page { keys: result, next })
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Response> {
        let mut request = Request::new(body);
        *request.uri_mut() = self.address.uri(NAME, path)?;
        *request.headers_mut() = self.credentials.clone();
        if method == Method::PUT {
            let kind = match path {
                "/bulk" => "application/json",
                _ => "application/octet-stream",
            };
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        *request.method_mut() = method;
        self.client.send(request).await
    }
}

impl Metadata {
    pub(super) fn new(expiry: Expiry) -> Metadata {
        Metadata { expires: expiry.milliseconds() }
    }

    /// What is not ours says nothing.
    fn of(value: serde_json::Value) -> Option<Metadata> {
        serde_json::from_value(value).ok()
    }

    pub(super) fn expiry(self) -> Option<Expiry> {
        Expiry::at(self.expires)
    }
}

impl Listed {
    /// When the item expires: what is kept beside it says it more exactly.
    pub(super) fn expiry(&self) -> Option<Expiry> {
        match Metadata::of(self.metadata.clone()) {
            Some(metadata) => metadata.expiry(),
            None => self.expiration.and_then(seconds),
        }
    }
}

/// An answer that is about a key, unless there is no such key.
fn present(answer: Response) -> Result<Option<Response>> {
    let status = answer.status();
    if status.is_success() {
        return Ok(Some(answer));
    }
    // A status of 404 alone may mean that there is no such namespace, or no API.
    match code(&answer) {
        Some(MISSING) => Ok(None),
        code => Err(refused(status, code)),
    }
}

/// That the API did it. Its word counts and no status alone: a page of a gateway's has one, too.
fn accepted(answer: &Response) -> Result<()> {
    #[derive(Deserialize)]
    struct Said {
        success: bool,
    }
    match answer.status() {
        status if !status.is_success() => Err(refused(status, code(answer))),
        status => match read(answer)? {
            Said { success: true } => Ok(()),
            Said { success: false } => Err(refused(status, code(answer))),
        },
    }
}

/// Cloudflare's number for what is wrong. Its words may hold anything.
fn code(answer: &Response) -> Option<u64> {
    let refused: Refused = serde_json::from_slice(answer.body()).ok()?;
    refused.errors.first().map(|reason| reason.code)
}

fn refused(status: StatusCode, code: Option<u64>) -> Error {
    refusal(NAME, status, code.map(|code| format!("Cloudflare's error {code}")).as_deref())
}

fn read<T: DeserializeOwned>(answer: &Response) -> Result<T> {
    serde_json::from_slice(answer.body())
        .map_err(|error| unreadable(NAME, "the answer of the API", error))
}

fn expiration(headers: &HeaderMap) -> Option<Expiry> {
    seconds(headers.get(EXPIRATION)?.to_str().ok()?.trim().parse().ok()?)
}

fn seconds(seconds: f64) -> Option<Expiry> {
    // A float beyond all integers becomes the last of them, which is none that passes.
    Expiry::at((seconds * 1000.0) as i64)
}
