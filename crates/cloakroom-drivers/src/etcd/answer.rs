//! What etcd answers, in JSON: numbers of 64 bits are text, bytes are base64, and what is empty is left out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::NAME;
use super::lease::Lease;
use crate::common::http::unreadable;
use cloakroom_storage::{Error, Result};

/// The answer to any request.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    /// Which cluster answers. It is in all its answers: without it, nothing that is left out would mean anything.
    #[serde(rename = "header")]
    _header: Map<String, Value>,
    /// Whether a transaction's conditions held.
    #[serde(default)]
    pub(super) succeeded: bool,
    #[serde(default)]
    responses: Vec<Response>,
    #[serde(default, rename = "kvs")]
    pub(super) pairs: Vec<Pair>,
    /// Whether there are more than the limit.
    #[serde(default)]
    pub(super) more: bool,
    /// What a user is let in with.
    pub(super) token: Option<String>,
}

/// The answer to one operation of a transaction.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Response {
    #[serde(rename = "response_range", alias = "responseRange")]
    range: Range,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Range {
    #[serde(rename = "kvs")]
    pairs: Vec<Pair>,
}

/// A key and what is stored under it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pair {
    key: String,
    value: String,
    lease: Option<String>,
}

impl Answer {
    /// What the operations of a transaction found.
    pub(super) fn operations(&self) -> impl Iterator<Item = &Pair> {
        self.responses.iter().flat_map(|response| &response.range.pairs)
    }
}

impl Pair {
    pub(super) fn key(&self) -> Result<Vec<u8>> {
        bytes(&self.key, "a key")
    }

    pub(super) fn value(&self) -> Result<Bytes> {
        bytes(&self.value, "a value").map(Bytes::from)
    }

    pub(super) fn lease(&self) -> Result<Lease> {
        let number = self.lease.as_deref().map_or(Ok(0), str::parse);
        number.map(Lease::of).map_err(|error| unreadable(NAME, "a lease", error))
    }

    /// Whether it has not expired.
    pub(super) fn is_alive(&self) -> bool {
        self.lease().is_ok_and(Lease::is_alive)
    }
}

fn bytes(text: &str, what: &str) -> Result<Vec<u8>, Error> {
    STANDARD.decode(text).map_err(|error| unreadable(NAME, what, error))
}
