//! What to do next.
//!
//! Each question looks at the state as it is now, and at nothing that an earlier question decided. So it makes no
//! difference what came of the last step, or whether anybody lived to hear of it.

use std::time::Duration;

use cloakroom_storage::{Version, When};

use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::record::{Change, Changes, Draft, Fate, Revision, Stored, Tombstone};

use super::known::Known;
use super::{Basis, Entered, Entry, Machine, Moment, Rules, destroyed, expired};

/// After the first conflict the writers of one process queue up, so this many conflicts in a row mean this many
/// writes by other processes.
const ATTEMPTS: u32 = 1000;

/// How often a session is asked to be retired that `regenerate` leaves, before nobody waits for it any more.
pub(super) const TRIES: u32 = 2;

/// What a run is to reach.
#[derive(Debug)]
pub(crate) enum Goal<'a> {
    /// The session is known as the store has it, and can be changed.
    Ready,
    /// One change more is stored, if what it was decided on still holds.
    Update(&'a Proposal<'a>),
    /// What was decided on this key still holds, where nothing is to change.
    Confirm(&'a str, Basis),
    /// All changes are stored, and the session is alive.
    Save,
    /// The session is known as the store has it now.
    Reload,
    /// All is done that the handler wanted, and the response can leave.
    Finish,
    /// As `Finish`, for what was changed after the headers have left.
    Late,
    /// The deadlines follow the session's use.
    KeepAlive,
}

/// A change that an update wants to make.
#[derive(Debug)]
pub(crate) struct Proposal<'a> {
    pub(crate) key: &'a str,
    pub(crate) change: Change,
    pub(crate) basis: Basis,
}

/// What the store is asked to do.
#[derive(Debug)]
pub(crate) enum Step {
    /// Look what there is. After `conflicts` lost races, others go first.
    Look { target: Target, id: SessionId, conflicts: u32, generation: u32 },
    /// Write a record on a condition.
    Write(Write),
    /// Put a tombstone in the place of a record, or remove it where the store cannot keep one for a time.
    Retire {
        target: Target,
        id: SessionId,
        tombstone: Tombstone,
        when: When,
        doubted: bool,
        generation: u32,
    },
    /// Enter a session into the index of its principal.
    Enter { entry: Box<Entry>, is_upkeep: bool, since: Moment, generation: u32 },
    /// Look whether an entry still stands there.
    Stand { entered: Box<Entered>, generation: u32 },
    /// Move a deadline.
    Touch { id: SessionId, ttl: Option<Duration>, generation: u32 },
}

/// A record to write.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) id: SessionId,
    pub(crate) draft: Draft,
    pub(crate) when: When,
    /// The record that it is made of, where that has the same ID.
    pub(crate) on: Option<Box<Stored>>,
    /// The latest change that it holds.
    pub(crate) holds: Revision,
    /// It holds what an update proposed.
    pub(crate) is_proposed: bool,
    /// The version of what it was made of, where what `regenerate` leaves still lives.
    pub(crate) base: Option<Version>,
    /// Nothing was sent under this ID before.
    pub(crate) is_first: bool,
    /// Nobody asked for it: it keeps the session alive.
    pub(crate) is_upkeep: bool,
    pub(crate) generation: u32,
}

/// Which of the sessions that a request knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The one that handlers see.
    Session,
    /// The same, to know that it is alive.
    Confirmation,
    /// The one that `regenerate` leaves.
    Left,
    /// One that was destroyed.
    Ending,
}

#[derive(Debug)]
pub(crate) enum Next {
    Do(Step),
    Done(Outcome),
}

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Reached,
    /// What was decided on has changed: decide again.
    Again,
    /// The response can leave.
    Closed,
}

impl Goal<'_> {
    fn writes(&self) -> bool {
        matches!(self, Goal::Update(_) | Goal::Save | Goal::Finish | Goal::Late)
    }

    /// Whether it is the end of the request, and not what a handler or a task waits for.
    pub(super) fn is_the_requests(&self) -> bool {
        matches!(self, Goal::Finish | Goal::Late)
    }

    /// Whether it is of use to nobody without the session.
    fn asks(&self) -> bool {
        !matches!(self, Goal::Finish | Goal::Late | Goal::KeepAlive)
    }

    /// Whether it fails where the session is gone.
    fn needs_session(&self) -> bool {
        matches!(self, Goal::Update(_) | Goal::Confirm(..) | Goal::Save | Goal::Ready)
    }

    /// The changes to write.
    pub(super) fn with_proposal(&self, changes: &Changes) -> Changes {
        let mut changes = changes.clone();
        if let Goal::Update(proposal) = self {
            changes.apply(proposal.key, proposal.change.clone());
        }
        changes
    }
}

impl Machine {
    /// The next step towards the goal.
    ///
    /// # Errors
    /// Where the goal cannot be reached.
    pub(crate) fn next(&mut self, goal: &Goal<'_>, rules: &Rules) -> Result<Next> {
        if self.run.conflicts > ATTEMPTS {
            return Err(too_many_conflicts());
        }
        let has_work = !self.changes.is_empty() || matches!(self.known, Known::New(_));
        if goal.needs_session() || (goal.writes() && has_work) {
            self.look_at_what_is_over(rules)?;
        }
        if self.is_outdated(goal) {
            return Ok(Next::Done(Outcome::Again));
        }
        if goal.writes()
            && let Some(step) = self.retire_destroyed(rules)
        {
            return Ok(Next::Do(step));
        }
        if let Some(step) = self.ask(goal, rules) {
            return Ok(Next::Do(step));
        }
        if goal.writes()
            && let Some(step) = self.write(goal, rules)?
        {
            return Ok(Next::Do(step));
        }
        if goal.writes()
            && let Some(step) = self.leave(rules)
        {
            return Ok(Next::Do(step));
        }
        if matches!(goal, Goal::Save | Goal::Finish | Goal::Late | Goal::KeepAlive)
            && let Some(step) = self.keep_alive(rules)
        {
            return Ok(Next::Do(step));
        }
        if let Some(step) = self.confirm(goal, rules) {
            return Ok(Next::Do(step));
        }
        // A handler that saves may tell the ID itself.
        if matches!(goal, Goal::Finish | Goal::Save | Goal::Update(_))
            && let Some(step) = self.stand(rules)
        {
            return Ok(Next::Do(step));
        }
        self.done(goal, rules)
    }

    /// Whether what an update was decided on is not so any more.
    fn is_outdated(&self, goal: &Goal<'_>) -> bool {
        match goal {
            Goal::Update(proposal) => {
                !self.run.proposed && proposal.basis != self.basis(proposal.key)
            }
            Goal::Confirm(key, basis) => *basis != self.basis(key),
            _ => false,
        }
    }

    /// Destroyed sessions go before anything new is written.
    fn retire_destroyed(&mut self, rules: &Rules) -> Option<Step> {
        let ending = self.endings.first()?;
        let is_known = !ending.unclear && (rules.compares || ending.heard);
        if !is_known && !ending.unreadable {
            return Some(self.look(Target::Ending, ending.id));
        }
        let when = match &ending.seen {
            Some(seen) if !ending.unreadable => When::Version(seen.version.clone()),
            _ => When::Always,
        };
        let step = Step::Retire {
            target: Target::Ending,
            id: ending.id,
            tombstone: Tombstone { fate: ending.fate, by: ending.by },
            when,
            doubted: false,
            generation: self.generation,
        };
        self.endings[0].sent = true;
        Some(step)
    }

    /// Looks where the goal cannot do with what is known.
    fn ask(&mut self, goal: &Goal<'_>, rules: &Rules) -> Option<Step> {
        let has_changes = goal.writes() && !self.changes.is_empty();
        let is_reload = matches!(goal, Goal::Reload);
        // A driver that cannot compare is asked once more, as late as possible.
        let is_late = !rules.compares && (has_changes || matches!(goal, Goal::Ready));
        match &self.known {
            Known::Unasked if goal.asks() || has_changes => match self.presented_id() {
                Some(id) => return Some(self.look(Target::Session, id)),
                None => self.known = Known::Absent,
            },
            Known::Absent if is_reload && !self.run.looked && !self.destroyed => {
                return Some(self.look(Target::Session, self.presented_id()?));
            }
            Known::Stored(stored)
                if self.run.outdated || (!self.run.looked && (is_reload || is_late)) =>
            {
                return Some(self.look(Target::Session, stored.id));
            }
            Known::New(new) => {
                let left = new.left.as_ref()?;
                let is_late = is_late || (goal.writes() && !rules.compares);
                let is_confirm = matches!(goal, Goal::Confirm(..));
                if (left.unclear && (goal.writes() || goal.needs_session()))
                    || (!left.heard && (is_reload || is_late || is_confirm))
                {
                    return Some(self.look(Target::Left, left.stored.id));
                }
            }
            _ => {}
        }
        None
    }

    pub(super) fn look(&self, target: Target, id: SessionId) -> Step {
        let conflicts = if self.run.outdated { self.run.conflicts } else { 0 };
        Step::Look { target, id, conflicts, generation: self.generation }
    }

    /// Retires what `regenerate` leaves, now that the new record is written and its cookie is about to leave.
    fn leave(&mut self, rules: &Rules) -> Option<Step> {
        let Known::New(new) = &mut self.known else { return None };
        let left = new.left.as_mut()?;
        self.run.tries += 1;
        let doubted = std::mem::replace(&mut left.unanswered, true);
        left.unmarked |= !rules.expires;
        Some(Step::Retire {
            target: Target::Left,
            id: left.stored.id,
            tombstone: Tombstone { fate: Fate::Moved, by: left.by },
            when: When::Version(left.stored.version.clone()),
            doubted,
            generation: self.generation,
        })
    }

    /// Looks whether the session is alive, where nothing else has told so.
    fn confirm(&self, goal: &Goal<'_>, rules: &Rules) -> Option<Step> {
        let Known::Stored(stored) = &self.known else { return None };
        let is_wanted = match goal {
            Goal::Save | Goal::Update(_) | Goal::Confirm(..) => true,
            Goal::Finish => self.needs_confirmation(rules),
            _ => false,
        };
        (is_wanted && !self.run.heard).then(|| self.look(Target::Confirmation, stored.id))
    }

    fn done(&mut self, goal: &Goal<'_>, rules: &Rules) -> Result<Next> {
        if goal.needs_session() {
            match self.known {
                Known::Ended(_) => return Err(destroyed()),
                Known::Expired if matches!(goal, Goal::Save) => return Err(expired()),
                _ => {}
            }
        }
        match goal {
            Goal::Ready => self.ensure_changeable(rules)?,
            Goal::Update(_) => {
                if let Some(unchanged) = self.run.unchanged {
                    self.changes.forget(unchanged);
                }
            }
            Goal::Finish => {
                self.closed = true;
                if self.lost {
                    return Err(destroyed());
                }
                return Ok(Next::Done(Outcome::Closed));
            }
            _ => {}
        }
        Ok(Next::Done(Outcome::Reached))
    }
}

fn too_many_conflicts() -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!(
            "other requests changed the session {ATTEMPTS} times while this one tried to: try again"
        ),
    )
}
