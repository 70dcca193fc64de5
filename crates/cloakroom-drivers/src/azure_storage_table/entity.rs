//! Entities, as the service reads and writes them in JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::common::http::conditional::Tag;
use crate::common::http::{Expiry, unreadable};
use cloakroom_storage::{Error, ErrorKind, ItemKey, Result};

/// The longest text, in UTF-16 code units. Of bytes that are no text a table takes twice as many, which is left, so that a value
/// of so many bytes fits whatever it is.
pub(super) const LONGEST: usize = 32 * 1024;

/// An entity, or what was asked of it.
#[derive(Deserialize)]
pub(super) struct Entity {
    #[serde(rename = "odata.etag")]
    etag: String,
    #[serde(rename = "RowKey")]
    row: Option<String>,
    #[serde(rename = "unstorageValue")]
    value: Option<Value>,
    #[serde(rename = "unstorageValue@odata.type")]
    kind: Option<String>,
    /// A number in a string, since JSON's own are not large enough.
    expires: Option<Value>,
}

impl Entity {
    pub(super) fn read(driver: &'static str, json: &[u8]) -> Result<Entity> {
        serde_json::from_slice(json).map_err(|error| unreadable(driver, "an entity", error))
    }

    /// None for an entity of somebody else's that no key of ours can name.
    pub(super) fn key(&self) -> Option<ItemKey> {
        let row = self.row.as_deref()?;
        ItemKey::new(row).ok().filter(|key| key.as_str() == row)
    }

    pub(super) fn tag(&self) -> Tag {
        let expires = self.expires.as_ref();
        let expires =
            expires.and_then(|expires| expires.as_i64().or_else(|| expires.as_str()?.parse().ok()));
        Tag { etag: self.etag.clone(), expiry: expires.and_then(Expiry::at) }
    }

    pub(super) fn value(self, driver: &'static str) -> Result<Bytes> {
        let Some(Value::String(text)) = self.value else {
            return Err(corrupt(driver, "the entity has no `unstorageValue` that is a string"));
        };
        if self.kind.as_deref() != Some("Edm.Binary") {
            return Ok(text.into());
        }
        let bytes = STANDARD.decode(text);
        bytes.map(Bytes::from).map_err(|error| {
            corrupt(driver, "`unstorageValue` is binary, and no base64").with_source(error)
        })
    }
}

/// The body of a write.
pub(super) fn written(
    driver: &'static str,
    partition: &str,
    key: &ItemKey,
    value: &Bytes,
    expiry: Option<Expiry>,
) -> Result<Bytes> {
    let text = std::str::from_utf8(value).ok();
    // A code unit takes up to three bytes of UTF-8.
    let is_too_long = match text {
        Some(text) => text.len() > LONGEST && text.encode_utf16().count() > LONGEST,
        None => value.len() > LONGEST,
    };
    if is_too_long {
        let message = format!(
            "a table's string takes {LONGEST} UTF-16 code units; `azure-storage-blob` takes more"
        );
        return Err(Error::new(ErrorKind::TooLarge, message)
            .with_driver(driver)
            .with_unapplied(true));
    }
    let mut entity = Map::new();
    entity.insert("PartitionKey".to_owned(), partition.into());
    entity.insert("RowKey".to_owned(), key.as_str().into());
    match text {
        Some(text) => _ = entity.insert("unstorageValue".to_owned(), text.into()),
        None => {
            entity.insert("unstorageValue".to_owned(), STANDARD.encode(value).into());
            entity.insert("unstorageValue@odata.type".to_owned(), "Edm.Binary".into());
        }
    }
    if let Some(expiry) = expiry {
        expires_at(&mut entity, expiry.milliseconds());
    }
    Ok(Value::Object(entity).to_string().into())
}

/// The body of a write of the deadline alone. It cannot take a property away, so that no deadline is one that never comes.
pub(super) fn moved(expiry: Option<Expiry>) -> Bytes {
    let mut entity = Map::new();
    expires_at(&mut entity, expiry.map_or(Expiry::NEVER, Expiry::milliseconds));
    Value::Object(entity).to_string().into()
}

fn expires_at(entity: &mut Map<String, Value>, milliseconds: i64) {
    entity.insert("expires".to_owned(), json!(milliseconds.to_string()));
    entity.insert("expires@odata.type".to_owned(), "Edm.Int64".into());
}

fn corrupt(driver: &'static str, message: &str) -> Error {
    Error::new(ErrorKind::Corrupt, message).with_driver(driver)
}
