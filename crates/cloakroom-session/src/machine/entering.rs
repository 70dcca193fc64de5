//! How a session gets into the index of its principal, in step with its record.
//!
//! The index answers who has which sessions alive, and what it does not have cannot be ended there. So a session is entered
//! *before* its record is written under an ID, and an ID is entered before a session moves to it: a crash between the two leaves
//! an entry without a session, which is harmless, and never a session without an entry.
//!
//! The other way round, whoever ends a session marks its entry first, and then puts a tombstone under its ID, *also where there
//! is nothing yet*. A new record is written on the condition that there is nothing, so between entering and writing one of two
//! things happens:
//! - the tombstone comes first: the write finds it, and the sign-in has been overtaken;
//! - the write comes first: the record is there to be retired.
//!
//! A tombstone is gone after [`REMEMBERED`](crate::record::REMEMBERED), and not every store can keep one. Where entering was so
//! long ago, or there are no tombstones, the entry is looked at once more between the write and the cookie, which nobody is told
//! of before. So no sign-in is alive and unlisted, and most pay nothing for that.

use cloakroom_storage::platform::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::record::{Fate, REMEMBERED, Retirement, Stored};

use super::known::Known;
use super::{Cause, Destroyed, Leftover, Machine, Rules, Step, What, destroyed};

/// That this request has entered a session into the index of its principal.
#[derive(Clone, Debug)]
pub(crate) struct Entered {
    pub(crate) id: SessionId,
    pub(crate) principal: String,
    pub(crate) page: u32,
    pub(crate) since: Moment,
    /// It was none of the principal's before, and nobody has been told so.
    pub(crate) is_first: bool,
}

/// A moment by two clocks: one stands still while a machine sleeps, and the other may be set back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    now: f64,
    instant: Instant,
}

/// A session to be entered into the index of a principal.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: SessionId,
    pub(crate) principal: String,
    /// The session of the same principal that it takes the place of, and the page where that is. Where it is on none, it is
    /// entered as well, since it may be the one that stays.
    pub(crate) instead_of: Option<(SessionId, Option<u32>)>,
    /// The session that it leaves, whoever's that is.
    pub(crate) leaves: Option<SessionId>,
}

/// What came of entering a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entering {
    /// It is on this page.
    Entered(u32),
    /// The principal has as many sessions as it may have.
    Full,
    /// The session, or the one whose place it takes, is being ended.
    Ended,
}

impl Moment {
    pub(crate) fn now(rules: &Rules) -> Moment {
        Moment { now: rules.now(), instant: Instant::now() }
    }

    /// Whether a tombstone that was put since then is surely still there.
    fn is_recent(&self, rules: &Rules) -> bool {
        let sure = REMEMBERED / 2;
        let by_clock = rules.now() - self.now;
        self.instant.elapsed() < sure && (0.0..sure.as_secs_f64() * 1000.0).contains(&by_clock)
    }
}

impl Machine {
    /// The session of this ID is to be written, and its principal's index does not have it.
    pub(super) fn enter(
        &self,
        id: SessionId,
        principal: String,
        is_upkeep: bool,
        rules: &Rules,
    ) -> Result<Step> {
        let instead_of = self.instead_of(&principal, rules)?.filter(|(left, _)| *left != id);
        let leaves = self.left_id().filter(|left| *left != id);
        let entry = Box::new(Entry { id, principal, instead_of, leaves });
        Ok(Step::Enter { entry, is_upkeep, since: Moment::now(rules), generation: self.generation })
    }

    /// Which session of the same principal a new one takes the place of, and on which page that is.
    pub(crate) fn instead_of(
        &self,
        principal: &str,
        rules: &Rules,
    ) -> Result<Option<(SessionId, Option<u32>)>> {
        if let Some(entered) = &self.entered
            && entered.principal == principal
        {
            return Ok(Some((entered.id, Some(entered.page))));
        }
        let Some(left) = self.leaves() else { return Ok(None) };
        let (record, path) = (&left.record, rules.path.as_deref());
        let page = rules.owner(left.id, None).page(record, principal)?;
        let owner = record.principal(path)?;
        Ok((page.is_some() || owner.as_deref() == Some(principal)).then_some((left.id, page)))
    }

    /// The ID of the session that a new one leaves, whether or not that was looked at.
    pub(crate) fn left_id(&self) -> Option<SessionId> {
        self.leaves().map(|left| left.id).or_else(|| self.endings.last().map(|ending| ending.id))
    }

    /// The session that a new one leaves.
    fn leaves(&self) -> Option<&Stored> {
        match &self.known {
            Known::New(new) => new.left.as_ref().map(|left| &left.stored),
            Known::Stored(stored) => Some(stored),
            // One that the handler has just signed out of.
            _ => self.endings.last().and_then(|ending| ending.seen.as_ref()),
        }
    }

    /// The IDs of the session, and of the one whose place it takes.
    pub(crate) fn names(&self) -> Vec<SessionId> {
        let left = match &self.known {
            Known::New(new) => new.left.as_ref().map(|left| left.stored.id),
            _ => None,
        };
        let moved = self.moved.as_ref().map(|moved| moved.left.id);
        let entered = self.entered.as_ref().map(|entered| entered.id);
        self.known.id().into_iter().chain(left).chain(moved).chain(entered).collect()
    }

    pub(super) fn entered(
        &mut self,
        entry: Entry,
        since: Moment,
        is_upkeep: bool,
        entering: Result<Entering>,
    ) -> Result<()> {
        match entering {
            Ok(Entering::Entered(page)) => {
                let Entry { id, principal, instead_of, .. } = entry;
                let is_told =
                    |entered: &Entered| entered.principal != principal || !entered.is_first;
                let is_first = match instead_of.and_then(|(_, page)| page) {
                    Some(_) => !self.entered.as_deref().is_none_or(is_told),
                    None => true,
                };
                let entered = Entered { id, principal, page, since, is_first };
                self.entered = Some(Box::new(entered));
                // The record is written once more, with a note of it.
                self.run.kept &= !is_upkeep;
            }
            // Nobody had the chance to refuse it: it ends as soon as it is seen.
            Ok(Entering::Full) if is_upkeep => {
                self.retire_later(entry.id, Cause::Full);
                self.ended(Fate::Destroyed);
            }
            Ok(Entering::Full) => {
                let Entry { id, principal, .. } = entry;
                self.note(What::Refused { principal }, id);
                return Err(full());
            }
            Ok(Entering::Ended) => match self.known {
                Known::New(_) => self.lost(Fate::Destroyed),
                _ => self.ended(Fate::Destroyed),
            },
            Err(error) if is_upkeep => self.note(What::UpkeepFailed(error), entry.id),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Whether it is not sure that the session is still in the index which is about to be handed out.
    pub(super) fn may_be_unlisted(&self, rules: &Rules) -> bool {
        let Some(entered) = &self.entered else { return false };
        let is_new = self.begun && self.known.id() == Some(entered.id);
        let is_sure = rules.expires && entered.since.is_recent(rules);
        is_new && !is_sure && !self.run.stands
    }

    /// Looks whether a new session still stands in the index.
    pub(super) fn stand(&self, rules: &Rules) -> Option<Step> {
        let entered = self.entered.as_ref().filter(|_| self.may_be_unlisted(rules))?;
        Some(Step::Stand { entered: entered.clone(), generation: self.generation })
    }

    /// # Errors
    /// Where it does not, so that nobody may be told of the session.
    pub(super) fn stood(&mut self, id: SessionId, stands: Result<bool>) -> Result<()> {
        let error = match stands {
            Ok(true) => {
                self.run.stands = true;
                return Ok(());
            }
            Ok(false) => {
                self.note_known(What::DestroyedElsewhere);
                destroyed()
            }
            Err(error) => error,
        };
        // Also where the handler has told somebody its ID.
        self.retire_later(id, Cause::Untold);
        Err(error)
    }

    fn retire_later(&mut self, id: SessionId, cause: Cause) {
        let record = self.known.record().cloned();
        let destroyed = Destroyed { id, by: Retirement::new(), record, cause };
        self.leftovers.push(Leftover::Destroyed(destroyed));
    }

    /// Whether a new ID is in the index, so that what stands under it may be a tombstone.
    pub(super) fn is_entered(&self, id: SessionId) -> bool {
        self.entered.as_ref().is_some_and(|entered| entered.id == id)
    }
}

pub(crate) fn full() -> Error {
    Error::new(
        ErrorKind::TooManySessions,
        "the principal has as many sessions as it may have (maxSessions): end one of them first",
    )
}
