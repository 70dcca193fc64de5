//! A record that nobody can read any more, moved aside so that its visitor can begin anew.
//!
//! Two of a plain Astro site's writes to one file at once can leave what is neither's. Nobody reads it again, and nobody writes
//! over what he cannot read, so its visitor would get errors for as long as the cookie lives.

use std::time::Duration;

use bytes::Bytes;
use cloakroom_storage::{Driver, Item, ItemKey, RemoveOutcome, When, platform};

use crate::config::CorruptPolicy;
use crate::error::{Error, Result};
use crate::id::SessionId;
use crate::observe::EventKind;
use crate::record::{Found, Record, Tombstone};

use super::{Details, Name, Store, from_storage, key};

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

/// What became of bytes that were to be moved aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MovedAside {
    Moved,
    /// They are not there any more, or can be read.
    Gone,
    /// They are not what is left of a record.
    Left,
}

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
        if !stays(&*self.driver, &key, &torn).await? {
            return self.look(id).await;
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

    /// Moves a record aside for good that nobody can read: its bytes, as they are in the store.
    pub(crate) async fn move_aside(&self, name: &Name) -> Result<MovedAside> {
        let key = ItemKey::new(&name.to_text()).map_err(from_storage)?;
        let within = self.driver.unwrapped(&key).map_err(from_storage)?;
        let (driver, key) = within.unwrap_or((&*self.driver, key));
        let Some(torn) = driver.get(&key).await.map_err(from_storage)? else {
            return Ok(MovedAside::Gone);
        };
        if self.is_readable(&torn.value) {
            return Ok(MovedAside::Gone);
        }
        if !Record::is_torn(&torn.value) && !torn.value.iter().all(|byte| *byte == 0) {
            return Ok(MovedAside::Left);
        }
        if !stays(driver, &key, &torn).await? {
            return Ok(MovedAside::Gone);
        }
        let aside = driver.set(&aside(&key)?, torn.value, When::Always, None).await;
        // On no condition, there is no conflict.
        _ = aside.map_err(from_storage)?;
        let when = self.condition(When::Version(torn.version));
        Ok(match driver.remove(&key, when).await.map_err(from_storage)? {
            RemoveOutcome::Removed => MovedAside::Moved,
            RemoveOutcome::Missing | RemoveOutcome::Conflict => MovedAside::Gone,
        })
    }

    fn is_readable(&self, value: &Bytes) -> bool {
        Tombstone::is_one(value) || Record::parse(value.clone(), self.rules.now()).is_ok()
    }
}

/// Whether nobody is in the middle of writing it.
async fn stays(driver: &dyn Driver, key: &ItemKey, torn: &Item) -> Result<bool> {
    for pause in PAUSES {
        platform::sleep(pause).await;
        let now = driver.get(key).await.map_err(from_storage)?;
        if now.is_none_or(|now| now.version != torn.version) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a key is that of a record that was moved aside.
pub(super) fn is_aside(key: &ItemKey) -> bool {
    key.as_str().strip_prefix(ASIDE).is_some_and(|id| id.starts_with(':'))
}

fn aside(key: &ItemKey) -> Result<ItemKey> {
    key.with_base(ASIDE).map_err(from_storage)
}
