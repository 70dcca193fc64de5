//! A record as it lies in the store.

use std::sync::Arc;
use std::time::Duration;

use cloakroom_storage::Version;

use crate::id::SessionId;

use super::{Record, Tombstone};

/// A record and the token that tells whether it is still the newest.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: SessionId,
    pub(crate) record: Arc<Record>,
    pub(crate) version: Version,
    /// When the store lets it go, in milliseconds since 1970, where sessions end by themselves; `None` for never.
    pub(crate) ends: Option<f64>,
}

/// What the store has under an ID.
#[derive(Debug)]
pub(crate) enum Found {
    Alive(Stored),
    Retired(Tombstone, Version),
    Missing,
}

impl Stored {
    /// How long the store still keeps it.
    pub(crate) fn left(&self, now: f64) -> Option<Duration> {
        let left = (self.ends? - now).max(0.0) / 1000.0;
        Duration::try_from_secs_f64(left).ok()
    }
}
