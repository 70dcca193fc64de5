//! What came of a step, including that nobody knows.

use cloakroom_storage::When;

use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::record::{Fate, Found, Stored, Tombstone, end};

use super::known::{Known, Left, Sent, Written};
use super::next::{TRIES, Write};
use super::{Entering, Machine, Rules, Step, Target, What};

/// What the store answered to a step.
#[derive(Debug)]
pub(crate) enum Answer {
    Looked(Result<Found>),
    /// `None` where the condition was not met.
    Written(Result<Option<Stored>, Failed>),
    Retired(Result<RetireOutcome, Failed>),
    Entered(Result<Entering>),
    /// Whether the entry is there, and is not to be ended.
    Stands(Result<bool>),
    /// Whether there was something to touch.
    Touched(Result<bool>),
}

/// A change that failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// It is sure that nothing was changed.
    pub(crate) is_unapplied: bool,
    /// The record may have been removed without a tombstone.
    pub(crate) may_be_removed: bool,
}

/// How often a session is tried to be kept alive that others change.
const UPKEEPS: u32 = 3;

/// What became of a session that was to be retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetireOutcome {
    /// A tombstone stands in its place.
    Retired,
    /// It was removed, without one.
    Removed,
    /// There was nothing to retire.
    Missing,
    /// It is there at another version, or it is not there.
    Conflict,
}

impl Machine {
    /// The store has answered.
    ///
    /// # Errors
    /// Where this ends the run.
    pub(crate) fn answered(&mut self, step: Step, answer: Answer, rules: &Rules) -> Result<()> {
        match (step, answer) {
            (Step::Look { target, id, generation, .. }, Answer::Looked(found)) => match target {
                Target::Ending => self.looked_at_ending(id, found, rules),
                // The handler has left that session.
                _ if generation != self.generation => Ok(()),
                Target::Left => self.looked_at_left(found, rules),
                Target::Session => self.looked(found?, rules),
                Target::Confirmation => self.confirmed(id, found, rules),
            },
            (Step::Write(write), Answer::Written(written)) => self.written(write, written),
            (Step::Retire { target, id, doubted, generation, .. }, Answer::Retired(retired)) => {
                match target {
                    Target::Ending => self.retired_ending(id, retired, rules),
                    _ if generation != self.generation => Ok(()),
                    _ => self.retired_left(retired, doubted),
                }
            }
            (Step::Enter { entry, is_upkeep, since, generation }, Answer::Entered(entering))
                if generation == self.generation =>
            {
                self.entered(*entry, since, is_upkeep, entering)
            }
            (Step::Stand { entered, generation }, Answer::Stands(stands))
                if generation == self.generation =>
            {
                self.stood(entered.id, stands)
            }
            // The handler has left that session.
            (Step::Enter { .. }, Answer::Entered(_)) | (Step::Stand { .. }, Answer::Stands(_)) => {
                Ok(())
            }
            (Step::Touch { id, ttl, generation }, Answer::Touched(touched)) => {
                if generation == self.generation {
                    self.touched(id, ttl, touched, rules);
                }
                Ok(())
            }
            _ => Err(Error::new(
                ErrorKind::Storage,
                "a step of the session's commit was answered with another step's answer",
            )),
        }
    }

    pub(super) fn looked(&mut self, found: Found, rules: &Rules) -> Result<()> {
        // The store has answered.
        self.outage = None;
        self.run.outdated = false;
        self.run.looked = true;
        match (found, &mut self.known) {
            (Found::Alive(stored), Known::New(_)) => self.found_new(stored),
            // Nobody else knows the ID, so an answer was lost before anything was written.
            (Found::Missing, Known::New(new)) => new.sent = Sent::Nothing,
            (Found::Alive(newest), Known::Stored(stored)) => {
                self.run.heard = true;
                if newest.version == stored.version {
                    stored.ends = newest.ends;
                } else {
                    *stored = newest;
                    self.generation += 1;
                }
            }
            (Found::Alive(stored), _) => {
                self.run.heard = true;
                self.known = Known::Stored(stored);
            }
            // The sign-in was overtaken by one who ended it.
            (Found::Retired(tombstone, _), Known::New(new)) => {
                new.attempted = false;
                self.lost(tombstone.fate);
            }
            (Found::Retired(tombstone, _), _) => self.ended(tombstone.fate),
            (Found::Missing, Known::Stored(_)) => self.vanished(rules)?,
            (Found::Missing, _) => self.known = Known::Absent,
        }
        Ok(())
    }

    /// A cookie that cannot be confirmed is not sent. Where the browser has another than the handler wanted, that is
    /// no small thing.
    fn confirmed(&mut self, id: SessionId, found: Result<Found>, rules: &Rules) -> Result<()> {
        match found {
            Ok(found) => self.looked(found, rules),
            Err(error) if self.closed || self.presented_id() == Some(id) && self.renew => {
                self.note(What::UpkeepFailed(error), id);
                self.renew = false;
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn written(&mut self, write: Write, written: Result<Option<Stored>, Failed>) -> Result<()> {
        if write.generation != self.generation {
            // The handler has left that session.
            return Ok(());
        }
        match written {
            Ok(Some(stored)) => self.wrote(write, stored),
            Ok(None) if write.is_upkeep => self.upkeep_conflicted(),
            Ok(None) => self.conflicted(&write),
            Err(failed) if write.is_upkeep => {
                self.note(What::UpkeepFailed(failed.error), write.id);
            }
            Err(failed) => {
                if let Known::New(new) = &mut self.known
                    && failed.is_unapplied
                    && write.is_first
                {
                    new.attempted = false;
                    new.sent = Sent::Nothing;
                }
                return Err(failed.error);
            }
        }
        Ok(())
    }

    fn wrote(&mut self, write: Write, stored: Stored) {
        self.run.heard = true;
        self.run.looked = true;
        self.run.kept = true;
        self.run.writes += 1;
        self.run.proposed = write.is_proposed;
        self.renew = true;
        let is_named = !self.begun && matches!(self.known, Known::Stored(_));
        self.note_entered(&stored, is_named);
        if let (Known::New(new), Some(base)) = (&mut self.known, write.base) {
            let (holds, is_proposed) = (write.holds, write.is_proposed);
            new.sent = Sent::Written(Written { stored, holds, base: Some(base), is_proposed });
            return;
        }
        self.begun |= matches!(self.known, Known::New(_));
        self.known = Known::Stored(stored);
        self.changes.forget(write.holds);
    }

    /// Another request was faster to keep the session alive, or has changed it before it was used here.
    fn upkeep_conflicted(&mut self) {
        self.run.conflicts += 1;
        self.run.outdated = self.run.conflicts <= UPKEEPS;
        self.run.kept = !self.run.outdated;
    }

    fn conflicted(&mut self, write: &Write) {
        self.run.conflicts += 1;
        self.note(What::Conflict(self.run.conflicts), write.id);
        let is_entered = self.is_entered(write.id);
        let Known::New(new) = &mut self.known else {
            self.run.outdated = true;
            return;
        };
        // What has ended the session since may be in its way: it is looked at.
        if is_entered {
            return;
        }
        // Its own earlier write, which was not answered, is in its way: it is looked at. Else somebody has this very ID:
        // never seen with 122 random bits, and still not overwritten.
        if matches!(write.when, When::Absent) && write.is_first {
            new.id = SessionId::random();
            new.attempted = false;
            new.sent = Sent::Nothing;
        }
    }

    fn touched(
        &mut self,
        id: SessionId,
        ttl: Option<std::time::Duration>,
        touched: Result<bool>,
        rules: &Rules,
    ) {
        match touched {
            // That something is there does not say what: it may be a tombstone.
            Ok(true) => {
                self.renew = true;
                if let Known::Stored(stored) = &mut self.known {
                    stored.ends = ttl.map(|ttl| end(rules.now(), ttl));
                }
            }
            // Whether that matters is asked by whoever it matters to.
            Ok(false) => {}
            Err(error) => self.note(What::UpkeepFailed(error), id),
        }
    }

    fn looked_at_ending(
        &mut self,
        id: SessionId,
        found: Result<Found>,
        rules: &Rules,
    ) -> Result<()> {
        let Some(place) = self.place_of_ending(id) else { return Ok(()) };
        let ending = &mut self.endings[place];
        match found {
            Ok(Found::Alive(stored)) => {
                ending.seen = Some(stored);
                ending.unclear = false;
                ending.heard = true;
            }
            Ok(Found::Retired(Tombstone { by, fate }, _)) => {
                let ending = self.endings.swap_remove(place);
                if by != ending.by {
                    self.was_ended_before(&ending, fate);
                } else {
                    self.note_destroyed(ending);
                }
            }
            Ok(Found::Missing) => self.ending_vanished(place, rules)?,
            Err(error) if error.kind() == ErrorKind::Corrupt => ending.unreadable = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// What was to be destroyed is not there, nor a tombstone.
    fn ending_vanished(&mut self, place: usize, rules: &Rules) -> Result<()> {
        let ending = self.endings.swap_remove(place);
        let is_anothers = match &ending.seen {
            Some(_) if ending.unmarked => false,
            Some(seen) => !rules.may_have_expired(seen)?,
            // Never there, or gone by itself.
            None => false,
        };
        if is_anothers {
            self.was_ended_before(&ending, Fate::Removed);
        } else if ending.seen.is_some() && ending.unmarked {
            self.note_destroyed(ending);
        }
        Ok(())
    }

    fn retired_ending(
        &mut self,
        id: SessionId,
        retired: Result<RetireOutcome, Failed>,
        rules: &Rules,
    ) -> Result<()> {
        let Some(place) = self.place_of_ending(id) else { return Ok(()) };
        let ending = &mut self.endings[place];
        ending.sent = false;
        match retired {
            Ok(RetireOutcome::Retired | RetireOutcome::Removed) => {
                let ending = self.endings.swap_remove(place);
                self.note_destroyed(ending);
            }
            Ok(RetireOutcome::Missing) => self.ending_vanished(place, rules)?,
            Ok(RetireOutcome::Conflict) => {
                ending.unclear = true;
                self.run.conflicts += 1;
            }
            // What became of it is looked at by the next attempt.
            Err(failed) => {
                ending.unclear |= !failed.is_unapplied;
                ending.unmarked |= failed.may_be_removed;
                return Err(failed.error);
            }
        }
        Ok(())
    }

    fn place_of_ending(&self, id: SessionId) -> Option<usize> {
        self.endings.iter().position(|ending| ending.id == id)
    }

    fn retired_left(
        &mut self,
        retired: Result<RetireOutcome, Failed>,
        doubted: bool,
    ) -> Result<()> {
        let is_final = self.run.is_final;
        let Some(left) = self.left_mut() else { return Ok(()) };
        match retired {
            Ok(RetireOutcome::Retired) => self.moved(),
            Ok(RetireOutcome::Removed) => {
                left.removed = true;
                self.moved();
            }
            Ok(RetireOutcome::Missing) if left.unmarked && doubted => self.moved(),
            Ok(RetireOutcome::Missing | RetireOutcome::Conflict) => {
                // An earlier attempt may have got through.
                left.unclear = true;
                left.unanswered = doubted;
                left.unmarked &= doubted;
                let id = left.stored.id;
                self.run.conflicts += 1;
                self.note(What::Conflict(self.run.conflicts), id);
            }
            Err(failed) if failed.is_unapplied && !doubted => {
                left.unanswered = false;
                left.unmarked = false;
                if is_final {
                    self.take_back();
                }
                return Err(failed.error);
            }
            Err(failed) => {
                left.unclear = true;
                left.unmarked |= failed.may_be_removed;
                self.run.refusal = Some(failed.error);
            }
        }
        Ok(())
    }

    fn looked_at_left(&mut self, found: Result<Found>, rules: &Rules) -> Result<()> {
        let Some(left) = self.left_mut() else { return Ok(()) };
        match found {
            Ok(Found::Alive(newest)) => {
                left.heard = true;
                left.unclear = false;
                if newest.version == left.stored.version {
                    return self.was_not_retired();
                }
                // What was sent on the condition of an earlier version cannot happen any more.
                let by = left.by;
                *left = Left { heard: true, by, ..Left::new(newest, left.begun) };
                self.generation += 1;
                // What an update proposed was decided on that version too.
                self.run.proposed = false;
            }
            Ok(Found::Retired(tombstone, _)) if tombstone.by == left.by => self.moved(),
            Ok(Found::Retired(tombstone, _)) => self.lost(tombstone.fate),
            Ok(Found::Missing) if left.unmarked => self.moved(),
            Ok(Found::Missing) => self.left_vanished(rules)?,
            Err(_) if left.unanswered && self.run.is_final && self.is_new_written() => {
                self.moved_in_doubt();
            }
            Err(error) => return Err(self.run.refusal.take().unwrap_or(error)),
        }
        Ok(())
    }

    /// What is left is as it was, although it was asked to be retired: the store will not do it, or will do it later.
    fn was_not_retired(&mut self) -> Result<()> {
        match self.run.refusal.take() {
            Some(refusal) if self.run.tries >= TRIES => {
                if self.run.is_final {
                    self.take_back();
                }
                Err(refusal)
            }
            _ => Ok(()),
        }
    }

    fn left_mut(&mut self) -> Option<&mut Left> {
        match &mut self.known {
            Known::New(new) => new.left.as_mut(),
            _ => None,
        }
    }

    /// Its own write had got through, although nobody said so.
    fn found_new(&mut self, stored: Stored) {
        let Known::New(new) = &mut self.known else { return };
        if new.left.is_some() {
            // What it holds is not known, so it is written again.
            new.sent = Sent::Written(Written { stored, holds: 0, base: None, is_proposed: true });
            return;
        }
        self.known = Known::Stored(stored);
        self.begun = true;
        self.generation += 1;
    }
}
