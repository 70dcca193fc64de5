//! The driver as sessions see it: IDs and records in, typed errors out.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cloakroom_storage::{
    Capabilities, DynDriver, ErrorKind as StorageKind, Item, ItemKey, RemoveOutcome, SetOutcome,
    Version, When, platform,
};

use crate::clock::now;
use crate::copies::Copies;
use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::lifetime::Lifetime;
use crate::observe;
use crate::record::{Draft, Record};
use crate::stored::Stored;

pub(crate) struct Store {
    driver: DynDriver,
    compare_and_swap: bool,
    expires: bool,
    lifetime: Lifetime,
    copies: Copies,
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
    pub(crate) fn new(driver: DynDriver, lifetime: Lifetime) -> Store {
        let Capabilities { compare_and_swap, expiry: expires, .. } = driver.capabilities();
        Store { compare_and_swap, expires, driver, lifetime, copies: Copies::default() }
    }

    pub(crate) fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    /// Sessions as they were seen last.
    pub(crate) fn copies(&self) -> &Copies {
        &self.copies
    }

    /// The session as it was seen last, where it is not over.
    pub(crate) fn recall(&self, id: SessionId) -> Option<Stored> {
        let is_over = |stored: &Stored| self.is_over(&stored.record).unwrap_or(true);
        self.copies.recall(id).filter(|stored| !is_over(stored))
    }

    /// Whether the absolute deadline has passed.
    pub(crate) fn is_over(&self, record: &Record) -> Result<bool> {
        Ok(self.lifetime.absolute.is_some() && self.lifetime.is_over(record.created()?, now()))
    }

    /// Whether the store lets records go by itself.
    pub(crate) fn expires(&self) -> bool {
        self.expires
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
        let mark = self.copies.mark(id);
        let Some(stored) = self.find(id).await? else {
            self.copies.forget(id);
            return Ok(None);
        };
        if self.is_over(&stored.record)? {
            // Apart, because it is seldom: every other request would have to have room for it.
            Box::pin(self.end(id, stored.version)).await;
            return Ok(None);
        }
        self.copies.keep_read(&stored, mark);
        Ok(Some(stored))
    }

    /// The record, whether or not its time has passed.
    async fn find(&self, id: SessionId) -> Result<Option<Stored>> {
        let key = key(&id)?;
        let mut patience = PATIENCE.iter();
        loop {
            let Some((item, ttl)) = self.get(&key).await? else { return Ok(None) };
            match Record::parse(item.value, now()) {
                Ok(record) => {
                    let record = Arc::new(record);
                    return Ok(Some(Stored { id, record, version: item.version, ttl }));
                }
                Err(error) => match patience.next() {
                    Some(pause) => Box::pin(platform::sleep(*pause)).await,
                    None => {
                        observe::corrupt(&id, &error);
                        return Err(error);
                    }
                },
            }
        }
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        if self.lifetime.is_limited() {
            return self.driver.get_with_ttl(key).await.map_err(from_storage);
        }
        Ok(self.driver.get(key).await.map_err(from_storage)?.map(|item| (item, None)))
    }

    /// Removes a session that is over. The store does that by itself, unless a JavaScript writer took the record's
    /// deadline away. Where it fails, the next reader removes it: nobody is shown it meanwhile.
    pub(crate) async fn end(&self, id: SessionId, version: Version) {
        observe::over(&id);
        if let Err(error) = self.remove(id, When::Version(version)).await {
            observe::upkeep_failed(&id, &error);
        }
    }

    /// Moves the deadline of a record.
    pub(crate) async fn touch(&self, id: SessionId, ttl: Option<Duration>) -> Result<()> {
        // Where it is gone meanwhile there is nothing to be done: the next reader finds out.
        if self.driver.touch(&key(&id)?, ttl).await.map_err(from_storage)? {
            self.copies.prolong(id, ttl);
        }
        Ok(())
    }

    /// `None` where `when` was not met.
    pub(crate) async fn write(
        &self,
        id: SessionId,
        draft: Draft,
        when: When,
    ) -> Result<Option<Stored>> {
        let (value, ttl): (Bytes, _) = (draft.bytes.clone(), draft.ttl);
        let mark = self.copies.mark(id);
        match self
            .driver
            .set(&key(&id)?, value, self.condition(when), ttl)
            .await
            .map_err(from_storage)?
        {
            SetOutcome::Written { version } => {
                let record = Arc::new(Record::written(draft.bytes, now()));
                let stored = Stored { id, record, version, ttl };
                self.copies.keep_written(&stored, mark);
                Ok(Some(stored))
            }
            SetOutcome::Conflict => Ok(None),
        }
    }

    pub(crate) async fn remove(&self, id: SessionId, when: When) -> Result<RemoveOutcome> {
        let _ending = self.copies.end(id);
        self.driver.remove(&key(&id)?, self.condition(when)).await.map_err(from_storage)
    }
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
