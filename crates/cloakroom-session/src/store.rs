//! The driver as sessions see it: IDs and records in, typed errors out.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use cloakroom_storage::{
    DynDriver, ErrorKind as StorageKind, ItemKey, RemoveOutcome, SetOutcome, Version, When,
};

use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::observe;
use crate::record::{Draft, Record};

/// A record and the token that tells whether it is still the newest.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: SessionId,
    pub(crate) record: Arc<Record>,
    pub(crate) version: Version,
}

#[derive(Debug)]
pub(crate) struct Store {
    driver: DynDriver,
    compare_and_swap: bool,
}

/// How long a record that cannot be read is given to become readable: JavaScript's file driver writes in
/// place, so a reader may see half of what it writes.
const PATIENCE: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
];

impl Store {
    pub(crate) fn new(driver: DynDriver) -> Store {
        Store { compare_and_swap: driver.capabilities().compare_and_swap, driver }
    }

    pub(crate) fn driver(&self) -> &DynDriver {
        &self.driver
    }

    /// Whether a write can be made to depend on what was loaded.
    pub(crate) fn compares(&self) -> bool {
        self.compare_and_swap
    }

    /// The condition, where the driver can keep one.
    fn condition(&self, when: When) -> When {
        if self.compare_and_swap { when } else { When::Always }
    }

    pub(crate) async fn load(&self, id: SessionId) -> Result<Option<Stored>> {
        let key = key(&id)?;
        let mut patience = PATIENCE.iter();
        loop {
            let Some(item) = self.driver.get(&key).await.map_err(from_storage)? else {
                return Ok(None);
            };
            match Record::parse(item.value, now()) {
                Ok(record) => {
                    return Ok(Some(Stored {
                        id,
                        record: Arc::new(record),
                        version: item.version,
                    }));
                }
                Err(error) => match patience.next() {
                    Some(pause) => tokio::time::sleep(*pause).await,
                    None => {
                        observe::corrupt(&id, &error);
                        return Err(error);
                    }
                },
            }
        }
    }

    /// `None` where `when` was not met.
    pub(crate) async fn write(
        &self,
        id: SessionId,
        draft: Draft,
        when: When,
    ) -> Result<Option<Stored>> {
        let value: Bytes = draft.bytes.clone();
        match self
            .driver
            .set(&key(&id)?, value, self.condition(when), draft.ttl)
            .await
            .map_err(from_storage)?
        {
            SetOutcome::Written { version } => {
                let record = Arc::new(Record::parse(draft.bytes, now())?);
                Ok(Some(Stored { id, record, version }))
            }
            SetOutcome::Conflict => Ok(None),
        }
    }

    pub(crate) async fn remove(&self, id: SessionId, when: When) -> Result<RemoveOutcome> {
        self.driver.remove(&key(&id)?, self.condition(when)).await.map_err(from_storage)
    }
}

/// Milliseconds since 1970, as JavaScript counts them.
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as f64
}

fn key(id: &SessionId) -> Result<ItemKey> {
    id.with_str(ItemKey::new).map_err(from_storage)
}

/// A driver's error as a session's.
pub(crate) fn from_storage(error: cloakroom_storage::Error) -> Error {
    let kind = match error.kind() {
        StorageKind::Unavailable | StorageKind::Timeout => ErrorKind::Unavailable,
        StorageKind::TooLarge => ErrorKind::TooLarge,
        StorageKind::UnknownDriver | StorageKind::FeatureDisabled | StorageKind::InvalidOptions => {
            ErrorKind::Config
        }
        _ if error.is_retryable() => ErrorKind::Unavailable,
        _ => ErrorKind::Storage,
    };
    Error::new(kind, format!("the session store failed: {error}")).with_source(error)
}
