//! A record as it lies in the store.

use std::sync::Arc;
use std::time::Duration;

use cloakroom_storage::Version;

use crate::id::SessionId;
use crate::record::Record;

/// A record and the token that tells whether it is still the newest.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: SessionId,
    pub(crate) record: Arc<Record>,
    pub(crate) version: Version,
    /// How long the store still keeps it, where sessions end by themselves; `None` for ever.
    pub(crate) ttl: Option<Duration>,
}
