//! Objects, as the JSON API has them.

use bytes::{Bytes, BytesMut};
use http::header::{HeaderMap, HeaderValue};
use reqsign_core::hash::hex_sha256;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::NAME;
use crate::common::http::conditional::Tag;
use crate::common::http::{Expiry, encoded, unreadable};
use cloakroom_storage::{Error, ErrorKind, Result};

/// What is asked for of an object's description.
pub(super) const FIELDS: &str = "generation,metageneration,metadata";

/// The description of an object.
#[derive(Debug, Deserialize)]
pub(super) struct Object {
    /// Empty where it was not asked for.
    #[serde(default)]
    pub(super) name: String,
    generation: String,
    metageneration: String,
    metadata: Option<Metadata>,
}

/// The metadata that is ours.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Metadata {
    /// In milliseconds since 1970, always there: what does not tell it is not as it was written.
    #[serde(rename = "cloakroom-expires")]
    expires: Option<String>,
}

/// A part of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    #[serde(default)]
    pub(super) items: Vec<Object>,
    pub(super) next_page_token: Option<String>,
}

impl Object {
    pub(super) fn read(json: &[u8]) -> Result<Object> {
        serde_json::from_slice(json)
            .map_err(|error| unreadable(NAME, "its description of an object", error))
    }

    pub(super) fn tag(&self) -> Tag {
        let expires = self.metadata.as_ref().and_then(|metadata| metadata.expires.as_deref());
        tag(&self.generation, &self.metageneration, expires)
    }
}

impl Page {
    pub(super) fn read(json: &[u8]) -> Result<Page> {
        serde_json::from_slice(json).map_err(|error| unreadable(NAME, "its list of objects", error))
    }
}

impl Metadata {
    pub(super) fn new(expiry: Option<Expiry>) -> Metadata {
        let expires = expiry.map_or(Expiry::NEVER, Expiry::milliseconds);
        Metadata { expires: Some(expires.to_string()) }
    }
}

/// The generation, which changes with the bytes, and the metageneration, which changes with the metadata.
fn tag(generation: &str, metageneration: &str, expires: Option<&str>) -> Tag {
    Tag { etag: format!("{generation}/{metageneration}"), expiry: expires.and_then(Expiry::read) }
}

/// The part of a query that says that an object is there with this ETag.
pub(super) fn conditions(etag: &str) -> String {
    let (generation, metageneration) = etag.split_once('/').unwrap_or((etag, ""));
    let [generation, metageneration] = [generation, metageneration].map(encoded);
    format!("&ifGenerationMatch={generation}&ifMetagenerationMatch={metageneration}")
}

/// The generation of a downloaded object, and its tag where the headers tell all of that.
pub(super) fn told(headers: &HeaderMap) -> Result<(&str, Option<Tag>)> {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let Some(generation) = header("x-goog-generation") else {
        let message = "the store's answer has no `x-goog-generation`; is a proxy in between?";
        let error = Error::new(ErrorKind::Unavailable, message);
        return Err(error.with_driver(NAME).with_retryable(false));
    };
    let metageneration = header("x-goog-metageneration");
    let told = metageneration.zip(header("x-goog-meta-cloakroom-expires"));
    let tag = told.map(|(metageneration, expires)| tag(generation, metageneration, Some(expires)));
    Ok((generation, tag))
}

/// Whether the tag is of an object of this generation.
pub(super) fn is_of(tag: &Tag, generation: &str) -> bool {
    tag.etag.strip_prefix(generation).is_some_and(|rest| rest.starts_with('/'))
}

/// The type and the body of an upload.
pub(super) fn upload(name: &str, expiry: Option<Expiry>, value: &Bytes) -> (String, Bytes) {
    // No bytes hold their own digest.
    let boundary = hex_sha256(value);
    let description = json!({ "name": name, "metadata": Metadata::new(expiry) });
    let mut body = BytesMut::new();
    for part in [
        format!("--{boundary}\r\ncontent-type: application/json\r\n\r\n{description}\r\n")
            .as_bytes(),
        format!("--{boundary}\r\ncontent-type: application/octet-stream\r\n\r\n").as_bytes(),
        value,
        format!("\r\n--{boundary}--\r\n").as_bytes(),
    ] {
        body.extend_from_slice(part);
    }
    (format!("multipart/related; boundary={boundary}"), body.freeze())
}
