//! What is in a document, and what is asked of one.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mongodb::IndexModel;
use mongodb::bson::{Bson, DateTime, Document, RawDocument, doc};

use cloakroom_storage::{Error, ErrorKind, Item, ItemKey, Result, Version};

/// Stands before the Base64 of a value that is no text, as unstorage's `setItemRaw` writes it.
const RAW: &str = "base64:";

/// The longest value: a document of MongoDB has at most 16 MiB.
const LONGEST_VALUE: usize = 16 * 1024 * 1024;

/// The longest ttl in milliseconds, about thirty thousand years; what is longer never ends.
const LONGEST_TTL: u128 = 1_000_000_000_000_000;

/// What a document has to hold after a write.
pub(super) struct Written<'a> {
    pub(super) text: &'a str,
    pub(super) ttl: Option<Duration>,
}

impl Written<'_> {
    /// The steps that write it over anything; fields of other programs stay, as JavaScript leaves them.
    pub(super) fn replace(&self) -> Vec<Document> {
        let set = doc! { "$set": {
            "value": { "$literal": self.text },
            "createdAt": { "$ifNull": ["$createdAt", "$$NOW"] },
            "modifiedAt": "$$NOW",
        } };
        [vec![set], touch(self.ttl)].concat()
    }

    /// The steps that write it over what is expired or was not there, and change nothing otherwise.
    pub(super) fn replace_unless_live(&self) -> Vec<Document> {
        // The condition is in the steps because a filter with an expression creates no documents.
        let mut created = doc! {
            "_id": "$_id",
            "key": "$key",
            "value": { "$literal": self.text },
            "createdAt": "$$NOW",
            "modifiedAt": "$$NOW",
        };
        if let Some(ttl) = self.ttl.and_then(milliseconds) {
            created.insert("expiresAt", doc! { "$add": ["$$NOW", ttl] });
            created.insert("expiresValue", doc! { "$literal": self.text });
        }
        vec![doc! { "$replaceWith": { "$cond": [live(), "$$ROOT", created] } }]
    }
}

/// The steps that move the deadline of the value that is there.
pub(super) fn touch(ttl: Option<Duration>) -> Vec<Document> {
    vec![match ttl.and_then(milliseconds) {
        Some(ttl) => doc! { "$set": {
            "expiresAt": { "$add": ["$$NOW", ttl] },
            "expiresValue": "$value",
        } },
        None => doc! { "$unset": ["expiresAt", "expiresValue"] },
    }]
}

/// Whether the deadline is over that was given to this very value.
fn expired() -> Document {
    // As numbers, which every server that speaks MongoDB's protocol compares; and second, since what another program keeps
    // in a field of that name may be no date.
    let is_over = doc! { "$lte": [{ "$toLong": "$expiresAt" }, { "$toLong": "$$NOW" }] };
    doc! { "$and": [is_deadline_of_value(), is_over] }
}

fn is_deadline_of_value() -> Document {
    doc! { "$eq": ["$expiresValue", "$value"] }
}

/// Whether there is a value, and it is not expired.
fn live() -> Document {
    // Nothing and null come before every value.
    doc! { "$and": [{ "$gt": ["$value", null] }, { "$not": [expired()] }] }
}

pub(super) fn of_key(key: &ItemKey) -> Document {
    doc! { "key": key.as_str() }
}

pub(super) fn of_live(key: &ItemKey) -> Document {
    doc! { "key": key.as_str(), "$expr": live() }
}

/// `None` where the version cannot be one of this store's.
pub(super) fn of_version(key: &ItemKey, seen: &Version) -> Option<Document> {
    let seen = str::from_utf8(seen.as_bytes()?).ok()?;
    Some(doc! { "key": key.as_str(), "value": seen, "$expr": live() })
}

/// From this key on.
pub(super) fn of_live_from(key: &str) -> Document {
    doc! { "key": { "$gte": key }, "$expr": live() }
}

/// The first condition, by this machine's clock, is what the index is asked for.
pub(super) fn of_expired() -> Document {
    doc! { "expiresAt": { "$lte": now() }, "$expr": expired() }
}

pub(super) fn of_expired_among(ids: Vec<Bson>) -> Document {
    doc! { "_id": { "$in": ids }, "$expr": expired() }
}

/// A deadline that is over, of a value that is not there any more.
pub(super) fn of_outlived() -> Document {
    doc! { "expiresAt": { "$lte": now() }, "$expr": { "$not": [is_deadline_of_value()] } }
}

fn now() -> DateTime {
    DateTime::from_system_time(SystemTime::now())
}

/// The steps that read an item with what is left of its ttl.
pub(super) fn with_ttl(key: &ItemKey) -> [Document; 2] {
    let left = doc! { "$subtract": [{ "$toLong": "$expiresAt" }, { "$toLong": "$$NOW" }] };
    let ttl = doc! { "$cond": [is_deadline_of_value(), left, null] };
    [doc! { "$match": of_live(key) }, doc! { "$project": { "_id": 0, "value": 1, "ttl": ttl } }]
}

pub(super) fn ttl(found: &RawDocument) -> Option<Duration> {
    let left = found.get_i64("ttl").ok()?;
    Some(Duration::from_millis(u64::try_from(left).unwrap_or_default()))
}

pub(super) fn item(found: &RawDocument) -> Result<Item> {
    let text = found.get_str("value").map_err(|_| {
        let message = "its value is no text; did another program than unstorage write it?";
        Error::new(ErrorKind::Corrupt, message)
    })?;
    let version = Version::from(Bytes::copy_from_slice(text.as_bytes()));
    Ok(match raw(text) {
        Some(value) => Item::new(value, version),
        None => Item { value: version.as_bytes().cloned().unwrap_or_default(), version },
    })
}

/// Empty where it is none.
pub(super) fn name(found: &RawDocument) -> String {
    found.get_str("key").unwrap_or_default().to_owned()
}

pub(super) fn id(found: &RawDocument) -> Option<Bson> {
    Bson::try_from(found.get("_id").ok()??).ok()
}

/// Whether this is the index that keeps keys apart.
pub(super) fn is_unique_key(index: &IndexModel) -> bool {
    let is_unique = index.options.as_ref().and_then(|options| options.unique).unwrap_or_default();
    is_unique && index.keys.len() == 1 && index.keys.contains_key("key")
}

/// The text that a value is stored as.
pub(super) fn encode(value: Bytes) -> Result<String> {
    let text = match str::from_utf8(&value) {
        Ok(text) if raw(text).is_none() => text.to_owned(),
        _ => format!("{RAW}{}", STANDARD.encode(&value)),
    };
    if text.len() > LONGEST_VALUE {
        let message = "a document of MongoDB has at most 16 MiB";
        return Err(Error::new(ErrorKind::TooLarge, message).with_unapplied(true));
    }
    Ok(text)
}

/// The bytes that a text stands for, if it does.
fn raw(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.strip_prefix(RAW)?).ok()
}

/// `None` where it never ends. Less than a millisecond is one.
fn milliseconds(ttl: Duration) -> Option<i64> {
    let rounded = ttl.as_nanos().div_ceil(1_000_000);
    if rounded > LONGEST_TTL { None } else { i64::try_from(rounded).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_read_as_it_was_stored() {
        let bytes: Vec<u8> = (0..=255).collect();
        for (value, text) in [
            (b"".as_slice(), ""),
            ("grüße".as_bytes(), "grüße"),
            (b"$value", "$value"),
            (b"base64:no Base64", "base64:no Base64"),
            (b"base64:YWJj", "base64:YmFzZTY0OllXSmo="),
            (b"\xff", "base64:/w=="),
            (&bytes, &format!("base64:{}", STANDARD.encode(&bytes))),
        ] {
            let stored = encode(Bytes::copy_from_slice(value)).expect("a short value");
            assert_eq!(stored, text);
            let document = mongodb::bson::rawdoc! { "value": stored };
            assert_eq!(item(&document).expect("an item").value, value);
        }
    }

    #[test]
    fn a_ttl_is_counted_in_whole_milliseconds_and_rounded_up() {
        assert_eq!(milliseconds(Duration::ZERO), Some(0));
        assert_eq!(milliseconds(Duration::from_nanos(1)), Some(1));
        assert_eq!(milliseconds(Duration::MAX), None);
    }
}
