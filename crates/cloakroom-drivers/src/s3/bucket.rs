//! One bucket, request by request.

use bytes::Bytes;
use http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderValue, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use quick_xml::de::from_reader;
use serde::Deserialize;

use super::NAME;
use super::failure::{code, failure};
use crate::common::http::conditional::{Condition, Deleted, Stored, Tag};
use crate::common::http::{Address, Aws, Expiry, Request, Response, unreadable};
use cloakroom_storage::{Error, ErrorKind, ItemKey, Result};

/// The metadata of an object that has a deadline: milliseconds since 1970.
const EXPIRES: &str = "x-amz-meta-cloakroom-expires";

/// What a path is signed with unencoded, and so what is sent so.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A bucket, or what a virtual host makes look like one.
#[derive(Debug)]
pub(super) struct Bucket {
    aws: Aws,
    endpoint: Address,
    /// The path of the bucket: `/NAME`, or nothing where the endpoint is the bucket.
    path: String,
}

/// An object as it was found, whether or not it has expired.
pub(super) struct Object {
    etag: String,
    deadline: Option<Expiry>,
    /// Empty where it was not asked for.
    value: Bytes,
}

/// What is known without a value.
pub(super) enum Head {
    Found(Object),
    /// Or whatever else a gateway means that has no store.
    Missing,
    /// For a reason that nobody says.
    Refused,
}

/// A part of a list.
pub(super) struct Page {
    /// The objects' names.
    pub(super) names: Vec<String>,
    pub(super) is_last: bool,
}

impl Object {
    pub(super) fn into_tag(self) -> Tag {
        self.into_stored().tag
    }

    pub(super) fn into_stored(self) -> Stored {
        let Object { etag, deadline, value } = self;
        Stored { value, tag: Tag { etag, expiry: deadline } }
    }

    fn of(response: Response) -> Result<Object> {
        let etag = etag(&response)?;
        let deadline = response.headers().get(EXPIRES).and_then(|text| text.to_str().ok());
        let deadline = deadline.and_then(Expiry::read);
        Ok(Object { etag, deadline, value: response.into_body() })
    }
}

impl Bucket {
    pub(super) fn new(aws: Aws, endpoint: Address, name: &str) -> Bucket {
        let path = if name.is_empty() { String::new() } else { format!("/{name}") };
        Bucket { aws, endpoint, path }
    }

    /// The object's name. Without a bucket's name, JavaScript's path begins with two slashes, and so the name with one.
    pub(super) fn name_of(&self, key: &str) -> String {
        let root = if self.path.is_empty() { "/" } else { "" };
        format!("{root}{}", key.replace(':', "/"))
    }

    /// The item that an object belongs to, if it is one: what is named otherwise than JavaScript would cannot be asked for.
    pub(super) fn key_of(&self, name: &str) -> Option<ItemKey> {
        ItemKey::new(name).ok().filter(|key| self.name_of(key.as_str()) == name)
    }

    pub(super) async fn get(&self, name: &str) -> Result<Option<Object>> {
        let response = self.send(self.request(Method::GET, name)?, Bytes::new()).await?;
        match response.status() {
            StatusCode::OK => Object::of(response).map(Some),
            _ if is_missing(&response) => Ok(None),
            _ => Err(failure(&response)),
        }
    }

    /// As [`get`](Bucket::get), without the value.
    pub(super) async fn head(&self, name: &str) -> Result<Head> {
        let response = self.send(self.request(Method::HEAD, name)?, Bytes::new()).await?;
        match response.status() {
            StatusCode::OK => Object::of(response).map(Head::Found),
            StatusCode::NOT_FOUND => Ok(Head::Missing),
            status if status.is_client_error() => Ok(Head::Refused),
            _ => Err(failure(&response)),
        }
    }

    /// Writes on a condition and gives the new ETag; `None` where the condition does not hold, or where somebody else is
    /// writing on one.
    pub(super) async fn put(
        &self,
        name: &str,
        value: Bytes,
        condition: Condition<'_>,
        deadline: Option<Expiry>,
    ) -> Result<Option<String>> {
        let mut request = self.request(Method::PUT, name)?;
        match condition {
            Condition::None => {}
            Condition::Absent => request = request.header(IF_NONE_MATCH, "*"),
            Condition::Match(etag) => request = request.header(IF_MATCH, etag),
        }
        if let Some(deadline) = deadline {
            request = request.header(EXPIRES, deadline.to_string());
        }
        let response = self.send(request, value).await?;
        match response.status() {
            StatusCode::OK => etag(&response).map(Some),
            StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT
                if condition != Condition::None =>
            {
                Ok(None)
            }
            _ if is_missing(&response) => Ok(None),
            _ => Err(failure(&response)),
        }
    }

    /// Removes the object; with an ETag, only that one.
    pub(super) async fn delete(&self, name: &str, etag: Option<&str>) -> Result<Deleted> {
        let mut request = self.request(Method::DELETE, name)?;
        if let Some(etag) = etag {
            request = request.header(IF_MATCH, etag);
        }
        let response = self.send(request, Bytes::new()).await?;
        match response.status() {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(Deleted::Yes),
            StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT if etag.is_some() => {
                Ok(Deleted::Refused)
            }
            _ if is_missing(&response) => Ok(Deleted::Missing),
            _ => Err(failure(&response)),
        }
    }

    /// The names that begin with `prefix`, after `last`, in their order.
    pub(super) async fn list(&self, prefix: &str, last: &str, count: usize) -> Result<Page> {
        let query = format!(
            "?list-type=2&encoding-type=url&max-keys={count}&prefix={}&start-after={}",
            encoded(prefix),
            encoded(last)
        );
        let uri = self.endpoint.uri(NAME, &format!("{}/{query}", self.path))?;
        let response = self.send(http::Request::get(uri), Bytes::new()).await?;
        if response.status() != StatusCode::OK {
            return Err(failure(&response));
        }
        let list: List = from_reader(&response.body()[..])
            .map_err(|error| unreadable(NAME, "its list of objects", error))?;
        let names: Vec<_> = list.contents.iter().map(|object| decoded(&object.key)).collect();
        // Nothing leads on from an empty page.
        let is_last = !list.is_truncated || names.is_empty();
        Ok(Page { names, is_last })
    }

    fn request(&self, method: Method, name: &str) -> Result<http::request::Builder> {
        let name: Vec<String> = name.split('/').map(encoded).collect();
        let uri = self.endpoint.uri(NAME, &format!("{}/{}", self.path, name.join("/")))?;
        Ok(http::Request::builder().method(method).uri(uri))
    }

    async fn send(&self, request: http::request::Builder, body: Bytes) -> Result<Response> {
        let request: Request = request.body(body).map_err(|error| {
            Error::new(ErrorKind::Other, "no such request can be made")
                .with_driver(NAME)
                .with_unapplied(true)
                .with_source(error)
        })?;
        self.aws.send(request).await
    }
}

/// Whether the object is missing, and not the bucket, or the whole store.
fn is_missing(response: &Response) -> bool {
    response.status() == StatusCode::NOT_FOUND && code(response).as_deref() == Some("NoSuchKey")
}

fn etag(response: &Response) -> Result<String> {
    let etag = response.headers().get(ETAG).map(HeaderValue::to_str);
    match etag {
        Some(Ok(etag)) => Ok(etag.to_owned()),
        Some(Err(error)) => Err(unreadable(NAME, "its ETag", error)),
        None => Err(Error::new(ErrorKind::Other, "the store gave no ETag; is its address right?")
            .with_driver(NAME)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    /// Always there: what does not say it is no list.
    is_truncated: bool,
    #[serde(default)]
    contents: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    key: String,
}

fn encoded(part: &str) -> String {
    utf8_percent_encode(part, UNRESERVED).to_string()
}

/// A name as `encoding-type=url` writes it, where XML has no letter for it.
fn decoded(name: &str) -> String {
    let name = name.replace('+', " ");
    percent_decode_str(&name).decode_utf8_lossy().into_owned()
}
