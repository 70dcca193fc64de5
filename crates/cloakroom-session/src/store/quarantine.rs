//! A record that nobody can read any more, moved aside so that its visitor can begin anew.
//!
//! Two of a plain Astro site's writes to one file at once can leave what is neither's. Nobody reads it again, and nobody writes
//! over what he cannot read, so its visitor would get errors for as long as the cookie lives.

use std::time::Duration;

use bytes::Bytes;
use cloakroom_storage::{ItemKey, RemoveOutcome, When, platform};

use crate::config::CorruptPolicy;
use crate::error::{Error, Result};
use crate::id::SessionId;
use crate::observe::EventKind;
use crate::record::{Found, Record, Tombstone};

use super::{Details, Store, from_storage, key};

/// Where it is moved to, below this name. No cookie leads there: what is no UUID reaches no driver.
const ASIDE: &str = "corrupt";

/// For how long: until somebody has looked, and not for ever, since it is somebody's data.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long it has to stay as it is, after [`PATIENCE`](super::items): a busy Node.js may take a while between two parts of
/// one write.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(80),
    Duration::from_millis(160),
    Duration::from_millis(320),
    Duration::from_millis(640),
];

impl Store {
    /// What there is for a visitor, where what there was could not be read.
    ///
    /// # Errors
    /// With that error where it is left as it is, and where the store fails.
    pub(crate) async fn quarantine(&self, id: SessionId, error: Error) -> Result<Found> {
        if self.corrupt == CorruptPolicy::Error || !self.rules().compares {
            return Err(error);
        }
        let key = key(&id)?;
        let Some(torn) = self.driver.get(&key).await.map_err(from_storage)? else {
            return Ok(Found::Missing);
        };
        if self.is_readable(&torn.value) {
            return self.look(id).await;
        }
        if !Record::is_torn(&torn.value) {
            return Err(error);
        }
        for pause in PAUSES {
            platform::sleep(pause).await;
            let now = self.driver.get(&key).await.map_err(from_storage)?;
            if now.is_none_or(|now| now.version != torn.version) {
                return self.look(id).await;
            }
        }
        let ttl = self.rules().expires.then_some(KEPT);
        let aside = self.driver.set(&aside(&key)?, torn.value, When::Always, ttl).await;
        // On no condition, there is no conflict.
        _ = aside.map_err(from_storage)?;
        match self.remove(id, When::Version(torn.version)).await? {
            RemoveOutcome::Removed => {
                self.tell(EventKind::Quarantined, id, Details::default());
                Ok(Found::Missing)
            }
            // Another request of the visitor was faster.
            RemoveOutcome::Missing => Ok(Found::Missing),
            // Somebody has mended it. What is aside in vain goes by itself.
            RemoveOutcome::Conflict => self.look(id).await,
        }
    }

    fn is_readable(&self, value: &Bytes) -> bool {
        Tombstone::is_one(value) || Record::parse(value.clone(), self.rules.now()).is_ok()
    }
}

fn aside(key: &ItemKey) -> Result<ItemKey> {
    key.with_base(ASIDE).map_err(from_storage)
}
