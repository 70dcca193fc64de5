//! What is under a key of the store, and what is put in its place when it is retired.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cloakroom_storage::{Item, ItemKey, RemoveOutcome, SetOutcome, Version, When, platform};

use crate::error::{ErrorKind, Result};
use crate::machine::{Failed, RetireOutcome};
use crate::observe;
use crate::record::{REMEMBERED, Record, Tombstone, end};

use super::{Name, Store, from_storage};

/// How long a record that cannot be read is given to become readable: JavaScript's file driver writes in
/// place, so a reader may see half of what it writes.
const PATIENCE: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
];

/// What the store has under a key.
#[derive(Debug)]
pub(crate) enum Content {
    Alive {
        record: Arc<Record>,
        version: Version,
        /// When the store lets it go, in milliseconds since 1970, where sessions end by themselves; `None` for never.
        ends: Option<f64>,
    },
    Retired(Tombstone, Version),
    Missing,
}

impl Store {
    /// The record, whether or not its time has passed. Those who watch know it by its name.
    pub(super) async fn read(&self, key: &ItemKey, name: &Name) -> Result<Content> {
        let mut patience = PATIENCE.iter();
        loop {
            // Before the store is asked, so that a slow answer makes nobody live longer.
            let asked = if self.rules.lifetime.is_limited() { self.rules.now() } else { 0.0 };
            let found = self.get(key).await.inspect_err(|error| {
                if error.kind() == ErrorKind::Corrupt {
                    self.tell_corrupt(name, error);
                }
            });
            let Some((item, ttl)) = found? else { return Ok(Content::Missing) };
            if Tombstone::is_one(&item.value) {
                return Ok(match Tombstone::read(&item.value, self.rules.now()) {
                    Some(tombstone) => Content::Retired(tombstone, item.version),
                    None => Content::Missing,
                });
            }
            let now = self.rules.now();
            let record = match name {
                Name::Id(id) => Record::parse_of(*id, item.value, now),
                Name::Alias(_) => Record::parse(item.value, now),
            };
            match record {
                Ok(record) => {
                    let (record, ends) = (Arc::new(record), ttl.map(|ttl| end(asked, ttl)));
                    return Ok(Content::Alive { record, version: item.version, ends });
                }
                Err(error) => match patience.next() {
                    Some(pause) => Box::pin(platform::sleep(*pause)).await,
                    None => {
                        self.tell_corrupt(name, &error);
                        return Err(error);
                    }
                },
            }
        }
    }

    /// What is no session, such as a page of an index.
    pub(crate) async fn page(&self, key: &ItemKey) -> Result<Option<Item>> {
        self.driver.get(key).await.map_err(from_storage)
    }

    /// Writes what is no session; answers whether the condition was met.
    pub(crate) async fn set_page(
        &self,
        key: &ItemKey,
        page: Bytes,
        when: When,
        ttl: Option<Duration>,
    ) -> Result<bool> {
        let written = self.driver.set(key, page, when, ttl).await.map_err(from_storage)?;
        Ok(matches!(written, SetOutcome::Written { .. }))
    }

    /// Moves the deadline of what is no session; answers whether it is there.
    pub(crate) async fn touch_page(&self, key: &ItemKey, ttl: Option<Duration>) -> Result<bool> {
        self.driver.touch(key, ttl).await.map_err(from_storage)
    }

    /// Removes what is no session, at this version; answers whether it was there.
    pub(crate) async fn remove_page(&self, key: &ItemKey, version: Version) -> Result<bool> {
        let removed =
            self.driver.remove(key, When::Version(version)).await.map_err(from_storage)?;
        Ok(matches!(removed, RemoveOutcome::Removed))
    }

    /// The version of a tombstone whose time has passed and that the store still has: a request that was on its way may have
    /// moved its deadline, taking it for its session.
    pub(super) async fn dead(&self, key: &ItemKey) -> Result<Option<Version>> {
        let item = self.driver.get(key).await.map_err(from_storage)?;
        let is_dead = |item: &Item| {
            Tombstone::is_one(&item.value)
                && Tombstone::read(&item.value, self.rules.now()).is_none()
        };
        Ok(item.filter(is_dead).map(|item| item.version))
    }

    /// Puts a tombstone in the place of a record, or where there is none. Where the store could not let it go again, or has no
    /// room for it, or will not have it, the record is removed instead.
    pub(super) async fn bury_at(
        &self,
        key: &ItemKey,
        name: &Name,
        tombstone: Tombstone,
        when: When,
    ) -> Result<RetireOutcome, Failed> {
        let when = self.condition(when);
        let is_absent = matches!(when, When::Absent);
        // Of a tombstone that the store would not say it has written.
        let mut doubt = None;
        if self.rules().expires {
            let record: Bytes = tombstone.to_record(self.rules.now());
            match self.driver.set(key, record, when.clone(), Some(REMEMBERED)).await {
                Ok(SetOutcome::Written { .. }) => return Ok(RetireOutcome::Retired),
                Ok(SetOutcome::Conflict) if is_absent => {
                    return match self.dead(key).await? {
                        Some(version) => {
                            Box::pin(self.bury_at(key, name, tombstone, When::Version(version)))
                                .await
                        }
                        None => Ok(RetireOutcome::Conflict),
                    };
                }
                Ok(SetOutcome::Conflict) => return Ok(RetireOutcome::Conflict),
                // To ask for more takes as long again.
                Err(error) if error.is_timeout() => return Err(error.into()),
                Err(error) => {
                    let failed = Failed::from(error);
                    observe::no_tombstone(&self.shown(name.clone()), &failed.error);
                    doubt = (is_absent || !failed.is_unapplied).then_some(failed);
                }
            }
        }
        if is_absent {
            // There is nothing to be removed.
            return doubt.map_or(Ok(RetireOutcome::Missing), Err);
        }
        let is_conditional = matches!(when, When::Version(_));
        match (self.driver.remove(key, when).await, doubt) {
            (Ok(RemoveOutcome::Removed), _) => Ok(RetireOutcome::Removed),
            // What is not there, or is not what it was, may be so because of the tombstone.
            (Ok(_), Some(doubt)) => Err(doubt),
            // A removal that asks for nothing may have been tried before, and not answered.
            (Ok(RemoveOutcome::Missing), None) if !is_conditional => Ok(RetireOutcome::Removed),
            (Ok(RemoveOutcome::Missing), None) => Ok(RetireOutcome::Missing),
            (Ok(RemoveOutcome::Conflict), None) => Ok(RetireOutcome::Conflict),
            (Err(error), doubt) => Err(Failed {
                may_be_removed: !error.is_unapplied(),
                is_unapplied: doubt.is_none() && error.is_unapplied(),
                error: from_storage(error),
            }),
        }
    }
}
