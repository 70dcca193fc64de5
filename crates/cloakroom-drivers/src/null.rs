//! `null`: nowhere.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::common::capabilities::MEMORY;
use cloakroom_storage::{
    Capabilities, Driver, Error, Item, ItemKey, RemoveOutcome, Result, SetOutcome, Version, When,
    options,
};

/// Forgets every item as soon as it is written.
///
/// It behaves as a store whose items are all removed at once: creating succeeds, updating is a conflict.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Null;

/// unstorage's `null` has no options.
#[derive(Deserialize)]
struct Options {}

impl Null {
    /// A store that stays empty.
    pub fn new() -> Null {
        Null
    }

    /// A store that stays empty, if there are no options.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when there is one.
    pub fn open(options: &Map<String, Value>) -> Result<Null> {
        options::parse::<Options>("null", options).map(|Options {}| Null)
    }
}

#[async_trait]
impl Driver for Null {
    fn name(&self) -> &'static str {
        "null"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { native_ttl: true, retains: false, ..MEMORY }
    }

    async fn get(&self, _key: &ItemKey) -> Result<Option<Item>> {
        Ok(None)
    }

    async fn get_with_ttl(&self, _key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        Ok(None)
    }

    async fn set(
        &self,
        _key: &ItemKey,
        _value: Bytes,
        when: When,
        _ttl: Option<Duration>,
    ) -> Result<SetOutcome> {
        Ok(match when {
            When::Always | When::Absent => SetOutcome::Written { version: Version::from(0) },
            When::Version(_) => SetOutcome::Conflict,
        })
    }

    async fn remove(&self, key: &ItemKey, when: When) -> Result<RemoveOutcome> {
        match when {
            When::Absent => Err(Error::remove_absent("null", key)),
            When::Always | When::Version(_) => Ok(RemoveOutcome::Missing),
        }
    }

    async fn touch(&self, _key: &ItemKey, _ttl: Option<Duration>) -> Result<bool> {
        Ok(false)
    }

    fn keys<'a>(&'a self, _prefix: &str) -> BoxStream<'a, Result<ItemKey>> {
        stream::empty().boxed()
    }
}
