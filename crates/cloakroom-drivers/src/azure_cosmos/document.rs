//! Documents, as unstorage's driver makes them, with what is ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::common::http::conditional::Tag;
use crate::common::http::{Expiry, unreadable};
use cloakroom_storage::{Error, ErrorKind, ItemKey, Result};

/// The longest value in bytes: in base64 it is nearly the largest document, and as a text it has room for its escapes.
pub(super) const LONGEST: usize = 1_500_000;

/// What unstorage writes before base64.
const BASE64: &str = "base64:";

/// A document, or what was asked of it.
#[derive(Deserialize)]
pub(super) struct Document {
    id: Option<String>,
    value: Option<Value>,
    /// `true` where the value is base64.
    binary: Option<Value>,
    /// In milliseconds since 1970.
    expires: Option<Value>,
    #[serde(rename = "_etag", default)]
    etag: String,
}

impl Document {
    pub(super) fn read(driver: &'static str, json: &[u8]) -> Result<Document> {
        serde_json::from_slice(json).map_err(|error| unreadable(driver, "a document", error))
    }

    /// None for a document of somebody else's that no key of ours can name.
    pub(super) fn key(&self) -> Option<ItemKey> {
        let id = self.id.as_deref()?;
        ItemKey::new(id).ok().filter(|key| key.as_str() == id)
    }

    pub(super) fn tag(&self) -> Tag {
        let expires = self.expires.as_ref().and_then(Value::as_i64);
        Tag { etag: self.etag.clone(), expiry: expires.and_then(Expiry::at) }
    }

    pub(super) fn value(self, driver: &'static str) -> Result<Bytes> {
        let Some(Value::String(text)) = self.value else {
            return Err(corrupt(driver, "the document has no `value` that is a string"));
        };
        if self.binary != Some(Value::Bool(true)) {
            return Ok(text.into());
        }
        let bytes = STANDARD.decode(text.strip_prefix(BASE64).unwrap_or_default());
        bytes.map(Bytes::from).map_err(|error| {
            corrupt(driver, "the document's `value` is binary, and no base64").with_source(error)
        })
    }
}

/// The body of a write.
pub(super) fn written(
    driver: &'static str,
    key: &ItemKey,
    value: &Bytes,
    expiry: Option<Expiry>,
) -> Result<Bytes> {
    if value.len() > LONGEST {
        let message = format!("a document takes a value of at most {LONGEST} bytes");
        return Err(Error::new(ErrorKind::TooLarge, message)
            .with_driver(driver)
            .with_unapplied(true));
    }
    let mut document = Map::new();
    let mut put = |name: &str, value: Value| _ = document.insert(name.to_owned(), value);
    put("id", key.as_str().into());
    match std::str::from_utf8(value) {
        Ok(text) => put("value", text.into()),
        Err(_) => {
            put("value", format!("{BASE64}{}", STANDARD.encode(value)).into());
            put("binary", true.into());
        }
    }
    put("modified", format!("{:.3}", Timestamp::now()).into());
    put("ttl", json!(seconds(expiry)));
    if let Some(expiry) = expiry {
        put("expires", json!(expiry.milliseconds()));
    }
    Ok(Value::Object(document).to_string().into())
}

/// Cosmos DB's own `ttl`, which is never shorter than ours; -1 for none.
pub(super) fn seconds(expiry: Option<Expiry>) -> i64 {
    let seconds = expiry.map(|expiry| expiry.remaining().as_secs().saturating_add(1));
    seconds.and_then(|seconds| i32::try_from(seconds).ok()).map_or(-1, i64::from)
}

fn corrupt(driver: &'static str, message: &str) -> Error {
    Error::new(ErrorKind::Corrupt, message).with_driver(driver)
}
