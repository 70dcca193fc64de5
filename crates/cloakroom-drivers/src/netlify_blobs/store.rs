//! The requests that a store of blobs takes.

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;

use super::NAME;
use super::metadata;
use super::options::{Place, Route};
use crate::common::http::conditional::{Condition, Conditional, Deleted, Stored, Tag};
use crate::common::http::{Client, Expiry, Request, Response, encoded, refusal, unreadable};
use cloakroom_storage::{Error, ErrorKind, ItemKey, Result};

/// The longest key that Netlify takes, in bytes.
const LONGEST_KEY: usize = 600;

/// What a URL encodes in a path; `%` besides, so that it stands for itself.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// One store of a site.
#[derive(Debug)]
pub(super) struct Store {
    client: Client,
    place: Place,
    authorization: HeaderValue,
}

/// A part of a list, and where the next begins.
pub(super) struct Page {
    pub(super) keys: Vec<ItemKey>,
    pub(super) next: Option<String>,
}

#[derive(Deserialize)]
struct SignedAddress {
    url: String,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    blobs: Vec<Blob>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Blob {
    key: String,
}

impl Store {
    pub(super) fn new(place: Place) -> Result<Store> {
        let authorization = place.token.header(NAME, "Bearer")?;
        Ok(Store { client: Client::new(NAME)?, place, authorization })
    }

    /// The keys that begin with `prefix`, from `cursor` on.
    pub(super) async fn page(&self, prefix: &str, cursor: Option<&str>) -> Result<Page> {
        let mut query = vec![];
        if !prefix.is_empty() {
            query.push(("prefix", prefix));
        }
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let request = self.request(Method::GET, self.uri("", &query)?, Bytes::new());
        let answer = no_page(self.client.send(request).await?)?;
        let listed = match answer.status() {
            // A store that nothing was ever written to.
            StatusCode::NOT_FOUND | StatusCode::NO_CONTENT => {
                return Ok(Page { keys: vec![], next: None });
            }
            StatusCode::OK => serde_json::from_slice::<Listed>(answer.body()),
            status => return Err(refusal(NAME, status, None)),
        };
        let listed = listed.map_err(|error| unreadable(NAME, "a list of blobs", error))?;
        // A name that unstorage would write otherwise cannot be asked for, so it is nobody's.
        let item = |blob: Blob| ItemKey::new(&blob.key).ok().filter(|key| key.as_str() == blob.key);
        let keys = listed.blobs.into_iter().filter_map(item);
        Ok(Page {
            keys: keys.filter(|key| key.as_str().starts_with(prefix)).collect(),
            next: listed.next_cursor.filter(|cursor| !cursor.is_empty()),
        })
    }

    /// Sends what concerns one item, by the way there is to it.
    async fn send(
        &self,
        method: Method,
        key: &ItemKey,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response> {
        if key.as_str().len() > LONGEST_KEY {
            let message = format!("Netlify takes keys of at most {LONGEST_KEY} bytes");
            return Err(Error::new(ErrorKind::InvalidKey, message).with_unapplied(true));
        }
        let path = format!("/{}", utf8_percent_encode(key.as_str(), PATH));
        let uri = self.uri(&path, &[])?;
        let is_signed =
            self.place.route == Route::Signed && matches!(method, Method::GET | Method::PUT);
        let mut request = match is_signed {
            true => {
                let mut request = Request::new(body);
                *request.uri_mut() = self.signed(&method, uri).await?;
                *request.method_mut() = method;
                request
            }
            false => self.request(method, uri, body),
        };
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        request.headers_mut().extend(headers);
        let answer = self.client.send(request).await?;
        // A blob may be whatever it is.
        if is_read && answer.status() == StatusCode::OK { Ok(answer) } else { no_page(answer) }
    }

    /// The address at which whoever has it may do this once.
    async fn signed(&self, method: &Method, uri: Uri) -> Result<Uri> {
        let mut request = self.request(method.clone(), uri, Bytes::new());
        let accept = HeaderValue::from_static("application/json;type=signed-url");
        request.headers_mut().insert(ACCEPT, accept);
        let answer = self.client.send(request).await.map_err(|error| error.with_unapplied(true))?;
        if answer.status() != StatusCode::OK {
            return Err(refusal(NAME, answer.status(), None).with_unapplied(true));
        }
        let address = serde_json::from_slice::<SignedAddress>(answer.body())
            .map_err(|error| unreadable(NAME, "a signed address", error))?;
        address
            .url
            .parse()
            .map_err(|error: http::uri::InvalidUri| unreadable(NAME, "a signed address", error))
    }

    fn request(&self, method: Method, uri: Uri, body: Bytes) -> Request {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        request.headers_mut().insert(AUTHORIZATION, self.authorization.clone());
        request
    }

    fn uri(&self, path: &str, query: &[(&str, &str)]) -> Result<Uri> {
        let mut path = format!("{}{path}", self.place.root);
        let region = self.place.region.as_deref().map(|region| ("region", region));
        for (index, (name, value)) in query.iter().copied().chain(region).enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            path.push_str(&format!("{separator}{name}={}", encoded(value)));
        }
        self.place.address.uri(NAME, &path)
    }
}

#[async_trait]
impl Conditional for Store {
    const DIGESTS: bool = true;

    async fn read(&self, key: &ItemKey) -> Result<Option<Stored>> {
        let answer = self.send(Method::GET, key, HeaderMap::new(), Bytes::new()).await?;
        Ok(found(&answer)?.map(|tag| Stored { tag, value: answer.into_body() }))
    }

    async fn look(&self, key: &ItemKey) -> Result<Option<Tag>> {
        found(&self.send(Method::HEAD, key, HeaderMap::new(), Bytes::new()).await?)
    }

    async fn write(
        &self,
        key: &ItemKey,
        value: &Bytes,
        expiry: Option<Expiry>,
        condition: Condition<'_>,
    ) -> Result<Option<String>> {
        let mut headers = HeaderMap::new();
        // As JavaScript writes it: a copy of the edge's is asked about before it is used again.
        let caching = HeaderValue::from_static("max-age=0, stale-while-revalidate=60");
        headers.insert(CACHE_CONTROL, caching);
        if let Some(expiry) = expiry {
            metadata::write(&mut headers, expiry)?;
        }
        match condition {
            Condition::None => {}
            Condition::Absent => {
                headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
            }
            Condition::Match(etag) => {
                headers.insert(IF_MATCH, etag_header(etag)?);
            }
        }
        let answer = self.send(Method::PUT, key, headers, value.clone()).await?;
        match answer.status() {
            StatusCode::OK => Ok(Some(etag(&answer))),
            StatusCode::PRECONDITION_FAILED => Ok(None),
            // Gone since.
            StatusCode::NOT_FOUND if matches!(condition, Condition::Match(_)) => Ok(None),
            status => Err(refusal(NAME, status, None)),
        }
    }

    /// Netlify has no condition for a deletion.
    async fn delete(&self, key: &ItemKey, _: Option<&str>) -> Result<Deleted> {
        let answer = self.send(Method::DELETE, key, HeaderMap::new(), Bytes::new()).await?;
        match answer.status() {
            StatusCode::OK | StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => Ok(Deleted::Yes),
            status => Err(refusal(NAME, status, None)),
        }
    }
}

/// An answer that is no page for people, as a gateway shows them: whatever its status, it says nothing of an item. By
/// nothing else are the service's answers told from others.
fn no_page(answer: Response) -> Result<Response> {
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_none_or(|kind| !kind.starts_with("text/html")) {
        return Ok(answer);
    }
    let message = format!("a page is answered ({}); is a proxy in between?", answer.status());
    Err(Error::new(ErrorKind::Unavailable, message))
}

/// What is said of the item that was asked for, if there is one.
fn found(answer: &Response) -> Result<Option<Tag>> {
    match answer.status() {
        StatusCode::OK => {
            Ok(Some(Tag { etag: etag(answer), expiry: metadata::read(answer.headers()) }))
        }
        StatusCode::NOT_FOUND => Ok(None),
        status => Err(refusal(NAME, status, None)),
    }
}

fn etag(answer: &Response) -> String {
    let etag = answer.headers().get(ETAG).and_then(|etag| etag.to_str().ok());
    etag.unwrap_or_default().to_owned()
}

fn etag_header(etag: &str) -> Result<HeaderValue> {
    match etag.is_empty() {
        true => Err(Error::new(
            ErrorKind::Unsupported,
            "this server gives blobs no ETag, so that no write can have a condition",
        )
        .with_unapplied(true)),
        false => HeaderValue::from_str(etag)
            .map_err(|error| unreadable(NAME, "an ETag", error).with_unapplied(true)),
    }
}
