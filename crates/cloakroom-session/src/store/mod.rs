//! The driver as sessions see it: IDs and records in, typed errors out, and copies for outages.
//!
//! The commit alone calls it. It knows what the machine wants to be told, and no request.

mod copies;
mod events;
mod footprints;
mod items;
mod listing;
mod named;
mod pause;
mod quarantine;
mod retired;

use std::sync::Arc;
use std::time::Duration;

use cloakroom_storage::{
    DynDriver, Error as StorageError, ErrorKind as StorageKind, Item, ItemKey, RemoveOutcome,
    SetOutcome, When,
};

use crate::config::CorruptPolicy;
use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::machine::{Failed, RetireOutcome, Rules};
use crate::observe::{self, Observer, Overwrite};
use crate::record::{
    Draft, Fate, Found, REMEMBERED, Record, Retirement, Stored, Tombstone, Trace, end,
};

use copies::Copies;
pub(crate) use events::{Details, Whose};
use footprints::{Footprint, Footprints};
pub(crate) use items::Content;
pub(crate) use listing::{Kept, Seen, Sight};
pub(crate) use named::Name;
pub(crate) use pause::pause;
pub(crate) use quarantine::MovedAside;
use retired::Retired;

pub(crate) struct Store {
    driver: DynDriver,
    /// As they were when the store was opened.
    rules: Rules,
    corrupt: CorruptPolicy,
    copies: Copies,
    footprints: Footprints,
    retired: Retired,
    observer: Observer,
}

impl Store {
    pub(crate) fn new(driver: DynDriver, rules: Rules, corrupt: CorruptPolicy) -> Store {
        let (copies, observer) = (Copies::new(rules.clock), Observer::new(rules.clock));
        let (footprints, retired) = (Footprints::new(), Retired::new());
        Store { driver, rules, corrupt, copies, footprints, retired, observer }
    }

    /// What holds for all sessions. A store may be able to do more tomorrow, or less: behind an address there may be another
    /// one then.
    pub(crate) fn rules(&self) -> Rules {
        let capabilities = self.driver.capabilities();
        Rules {
            compares: capabilities.compare_and_swap,
            expires: capabilities.expiry,
            ..self.rules.clone()
        }
    }

    /// What holds for all sessions, whatever the store can do: nobody has to be asked for it.
    pub(crate) fn configured(&self) -> &Rules {
        &self.rules
    }

    /// Sessions as they were seen last.
    pub(crate) fn copies(&self) -> &Copies {
        &self.copies
    }

    /// The session as it was seen last, where it is not over.
    pub(crate) fn recall(&self, id: SessionId) -> Option<Stored> {
        let is_over = |stored: &Stored| self.rules.is_over(&stored.record).unwrap_or(true);
        self.copies.recall(id).filter(|stored| !is_over(stored))
    }

    pub(crate) fn driver(&self) -> &DynDriver {
        &self.driver
    }

    /// The condition, where the driver can keep one.
    fn condition(&self, when: When) -> When {
        if self.rules().compares { when } else { When::Always }
    }

    /// What there is under this ID. A session whose absolute deadline has passed is not there, and one that this process has
    /// retired stays retired.
    pub(crate) async fn look(&self, id: SessionId) -> Result<Found> {
        let mark = self.copies.mark(id);
        // Before the store is asked, whose answer may be older than a retirement that is answered meanwhile.
        let may_be_retired = self.retired.may_have(id);
        let mut found = self.find(id).await?;
        if let Found::Alive(stored) = &found {
            let tombstone = if may_be_retired { self.retired.tombstone(id) } else { None };
            if tombstone.is_none() && !self.rules.is_over(&stored.record)? {
                self.copies.keep_read(stored, mark);
                return Ok(found);
            }
            // Apart, because it is seldom: every other request would have to have room for it.
            found = match tombstone {
                Some(tombstone) => Box::pin(self.retire_again(stored, tombstone)).await?,
                None => Box::pin(self.end(stored)).await?,
            };
        }
        self.copies.forget(id);
        Ok(found)
    }

    /// The record, whether or not its time has passed.
    async fn find(&self, id: SessionId) -> Result<Found> {
        Ok(match self.read(&key(&id)?, &id.into()).await? {
            Content::Alive { record, version, ends } => {
                Found::Alive(Stored { id, record, version, ends })
            }
            Content::Retired(tombstone, version) => Found::Retired(tombstone, version),
            Content::Missing => Found::Missing,
        })
    }

    async fn get(&self, key: &ItemKey) -> Result<Option<(Item, Option<Duration>)>> {
        if self.rules.lifetime.is_limited() {
            return self.driver.get_with_ttl(key).await.map_err(from_storage);
        }
        Ok(self.driver.get(key).await.map_err(from_storage)?.map(|item| (item, None)))
    }

    /// Removes a session that is over; answers what there is then. The store does that by itself, unless a JavaScript
    /// writer took the record's deadline away. Where it fails, the next reader removes it: nobody is shown it until then.
    async fn end(&self, stored: &Stored) -> Result<Found> {
        let id = stored.id;
        match self.remove(id, When::Version(stored.version.clone())).await {
            Ok(RemoveOutcome::Removed) => {
                self.tell_over(&id.into(), &stored.record);
                Ok(Found::Missing)
            }
            Ok(RemoveOutcome::Missing) => Ok(Found::Missing),
            // Another may have retired it since.
            Ok(RemoveOutcome::Conflict) => Ok(match self.find(id).await? {
                Found::Alive(_) => Found::Missing,
                found => found,
            }),
            Err(error) => {
                observe::upkeep_failed(&self.shown(id), &error);
                Ok(Found::Missing)
            }
        }
    }

    /// Retires a session that has come back: by the same tombstone, so that whoever left it can still restore it. Answers
    /// what there is then, and in no case a session.
    async fn retire_again(&self, stored: &Stored, tombstone: Tombstone) -> Result<Found> {
        let (id, version) = (stored.id, stored.version.clone());
        // It is remembered already, where it was not forgotten since because it was restored.
        match self.bury(id, tombstone, When::Version(version)).await {
            Ok(RetireOutcome::Retired | RetireOutcome::Removed) => {
                self.tell_overwritten(id, Overwrite::Revived, &stored.record);
            }
            // It has changed again, or the store has answered with what was there once.
            Ok(RetireOutcome::Missing | RetireOutcome::Conflict) => {}
            // Whoever comes next tries again.
            Err(failed) => observe::left_over(&self.shown(id), Some(&failed.error)),
        }
        Ok(match self.find(id).await? {
            Found::Alive(stored) => Found::Retired(tombstone, stored.version),
            found => found,
        })
    }

    /// Moves the deadline of a record; answers whether there is one.
    pub(crate) async fn touch(&self, id: SessionId, ttl: Option<Duration>) -> Result<bool> {
        let is_there = self.driver.touch(&key(&id)?, ttl).await.map_err(from_storage)?;
        if is_there {
            self.copies.prolong(id, ttl);
        }
        Ok(is_there)
    }

    /// `None` where `when` was not met. `on` is what the draft was made of, where that is a record of this ID.
    pub(crate) async fn write(
        &self,
        id: SessionId,
        draft: &Draft,
        when: When,
        on: Option<&Stored>,
    ) -> Result<Option<Stored>, Failed> {
        // What a plain Astro site has put back may be to the byte what was loaded before the session was retired.
        if matches!(when, When::Version(_)) && self.retired.tombstone(id).is_some() {
            return Ok(None);
        }
        let last = self.footprints.last(id);
        let mark = self.copies.mark(id);
        let sent = if draft.ttl.is_some() { self.rules.now() } else { 0.0 };
        let (key, when) = (key(&id)?, self.condition(when));
        let is_new = matches!(when, When::Absent);
        let mut outcome =
            self.driver.set(&key, draft.record.bytes().clone(), when, draft.ttl).await?;
        // Apart, because it is seldom: every other write would have to have room for it.
        if is_new
            && outcome == SetOutcome::Conflict
            && let Some(version) = Box::pin(self.dead(&key)).await?
        {
            let (record, when) = (draft.record.bytes().clone(), When::Version(version));
            outcome = self.driver.set(&key, record, when, draft.ttl).await?;
        }
        match outcome {
            SetOutcome::Written { version } => {
                observe::record_written(draft.record.bytes().len());
                let record = Arc::clone(&draft.record);
                record.was_written(id);
                let ends = draft.ttl.map(|ttl| end(sent, ttl));
                let stored = Stored { id, record, version, ends };
                self.copies.keep_written(&stored, mark);
                self.look_back(id, draft, on.zip(last));
                Ok(Some(stored))
            }
            SetOutcome::Conflict => Ok(None),
        }
    }

    /// Tells the operator what became of what this process wrote the last time, and notes what it has written now. Where
    /// nothing is compared, others of ours do the same as a plain Astro site.
    fn look_back(&self, id: SessionId, draft: &Draft, since: Option<(&Stored, Arc<Footprint>)>) {
        let rules = self.rules();
        if !rules.compares {
            return;
        }
        if let Some((on, last)) = since {
            for overwrite in last.overwritten(on, rules.expires) {
                self.tell_overwritten(id, overwrite, &on.record);
            }
        }
        self.footprints.leave(id, &draft.trace, || rules.now());
    }

    /// Retires a session, and remembers it where nobody of ours can bring it back.
    pub(crate) async fn retire(
        &self,
        id: SessionId,
        tombstone: Tombstone,
        when: When,
    ) -> Result<RetireOutcome, Failed> {
        let outcome = self.bury(id, tombstone, when).await?;
        let is_retired = matches!(outcome, RetireOutcome::Retired | RetireOutcome::Removed);
        if is_retired && self.rules().compares {
            self.retired.remember(id, tombstone);
        }
        Ok(outcome)
    }

    async fn bury(
        &self,
        id: SessionId,
        tombstone: Tombstone,
        when: When,
    ) -> Result<RetireOutcome, Failed> {
        let _ending = self.copies.end(id);
        self.bury_at(&key(&id)?, &id.into(), tombstone, when).await
    }

    /// Puts a record back in the place of a tombstone that is at this version, or where it was removed.
    pub(crate) async fn restore(&self, stored: &Stored, when: When) -> Result<(), Failed> {
        // Before it is back, so that nobody takes it for one that has come back by itself.
        self.retired.forget(stored.id);
        let now = self.rules.now();
        let left = stored.left(now).or(stored.record.ttl(now)?);
        let record = Arc::new(Record::clone(&stored.record).at(now));
        let draft = Draft { record, ttl: left, trace: Trace::default() };
        self.write(stored.id, &draft, when, None).await.map(drop)
    }

    /// Writes what is no session under an ID that nobody has, and removes it again.
    pub(crate) async fn try_to_write(&self) -> Result<()> {
        let key = key(&SessionId::random())?;
        let tombstone = Tombstone { fate: Fate::Destroyed, by: Retirement::new() };
        let ttl = self.rules.expires.then_some(REMEMBERED);
        let written =
            self.driver.set(&key, tombstone.to_record(self.rules.now()), When::Always, ttl).await;
        // On no condition, there is no conflict.
        _ = written.map_err(from_storage)?;
        self.driver.remove(&key, When::Always).await.map(drop).map_err(from_storage)
    }

    pub(crate) async fn remove(&self, id: SessionId, when: When) -> Result<RemoveOutcome> {
        let _ending = self.copies.end(id);
        self.driver.remove(&key(&id)?, self.condition(when)).await.map_err(from_storage)
    }
}

fn key(id: &SessionId) -> Result<ItemKey> {
    id.with_str(ItemKey::new).map_err(from_storage)
}

impl From<StorageError> for Failed {
    fn from(error: StorageError) -> Failed {
        let is_unapplied = error.is_unapplied();
        Failed { error: from_storage(error), is_unapplied, may_be_removed: false }
    }
}

impl From<Error> for Failed {
    /// Of a call that never reached the driver.
    fn from(error: Error) -> Failed {
        Failed { error, is_unapplied: true, may_be_removed: false }
    }
}

/// A driver's error as a session's; it is counted.
pub(crate) fn from_storage(error: cloakroom_storage::Error) -> Error {
    observe::store_failed(error.kind());
    let kind = match error.kind() {
        StorageKind::Unavailable | StorageKind::Timeout => ErrorKind::Unavailable,
        StorageKind::TooLarge => ErrorKind::TooLarge,
        StorageKind::Corrupt => ErrorKind::Corrupt,
        StorageKind::UnknownDriver | StorageKind::FeatureDisabled | StorageKind::InvalidOptions => {
            ErrorKind::Config
        }
        _ if error.is_retryable() => ErrorKind::Unavailable,
        _ => ErrorKind::Storage,
    };
    Error::new(kind, format!("the session store failed: {error}")).with_source(error)
}
