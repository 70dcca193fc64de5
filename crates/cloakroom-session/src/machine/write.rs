//! What to write, and on which condition.

use cloakroom_storage::When;

use crate::error::Result;
use crate::record::Changes;

use super::known::{Known, New, Sent};
use super::next::Write;
use super::{Goal, Machine, Rules, Step, Target, response_started};

/// How many writes one commit makes, where others go on changing the session: the next commit makes the rest.
pub(super) const WRITES: u32 = 16;

impl Machine {
    /// Writes what the store does not hold yet; `None` where there is nothing to write.
    pub(super) fn write(&mut self, goal: &Goal<'_>, rules: &Rules) -> Result<Option<Step>> {
        if self.run.proposed {
            return Ok(None);
        }
        let changes = goal.with_proposal(&self.changes);
        if !changes.is_empty() {
            self.ensure_reachable()?;
        }
        if matches!(self.known, Known::Absent | Known::Expired) {
            // Deletes alone do not make a session, and one that nobody is told of is none.
            if !changes.has_sets() || (self.abandoned && goal.is_the_requests()) {
                self.changes.clear();
                return Ok(None);
            }
            self.ensure_somebody_is_there()?;
            self.begin_where_there_is_none()?;
        }
        match self.known {
            Known::New(_) => self.write_new(goal, changes, rules),
            Known::Stored(_) => self.write_stored(goal, changes, rules),
            Known::Ended(_) => {
                self.drop_changes();
                Ok(None)
            }
            Known::Unasked | Known::Absent | Known::Expired => Ok(None),
        }
    }

    /// Refuses what a task would begin whose client has gone.
    fn ensure_somebody_is_there(&self) -> Result<()> {
        match self.abandoned {
            true => Err(response_started("update")),
            false => Ok(()),
        }
    }

    /// A session begins with what was set before anybody knew that there is none.
    fn begin_where_there_is_none(&mut self) -> Result<()> {
        if self.closed
            && let Err(error) = self.ensure_named("set")
        {
            self.changes.clear();
            return Err(error);
        }
        self.begin_new();
        Ok(())
    }

    /// Writes a record that nobody was told of.
    fn write_new(
        &mut self,
        goal: &Goal<'_>,
        changes: Changes,
        rules: &Rules,
    ) -> Result<Option<Step>> {
        if self.abandoned && goal.is_the_requests() {
            // Nobody will be told of it.
            self.take_back();
            return Ok(None);
        }
        self.ensure_somebody_is_there()?;
        let Known::New(new) = &mut self.known else { return Ok(None) };
        if !new.regenerated && !changes.has_sets() {
            self.take_back();
            return Ok(None);
        }
        if matches!(new.sent, Sent::Unanswered) {
            let id = new.id;
            return Ok(Some(self.look(Target::Session, id)));
        }
        let is_proposed = matches!(goal, Goal::Update(_));
        let is_enough = self.run.writes >= WRITES && matches!(new.sent, Sent::Written(_));
        if !is_proposed && (is_enough || new.is_written(self.changes.latest())) {
            return Ok(None);
        }
        self.send_new(&changes, is_proposed, rules)
    }

    fn send_new(
        &mut self,
        changes: &Changes,
        is_proposed: bool,
        rules: &Rules,
    ) -> Result<Option<Step>> {
        let Known::New(new) = &self.known else { return Ok(None) };
        let (id, base) = (new.id, new.base().map(|base| &**base));
        let (draft, enter) =
            rules.draft(base, changes, &rules.owner(id, self.entered.as_deref()))?;
        if let Some(principal) = enter {
            return self.enter(id, principal, false, rules).map(Some);
        }
        let Known::New(new) = &mut self.known else { return Ok(None) };
        let write = Write {
            id: new.id,
            draft,
            when: new.condition(),
            on: None,
            holds: self.changes.latest(),
            is_proposed,
            base: new.left.as_ref().map(|left| left.stored.version.clone()),
            is_first: !new.attempted,
            is_upkeep: false,
            generation: self.generation,
        };
        new.attempted = true;
        new.sent = Sent::Unanswered;
        Ok(Some(Step::Write(write)))
    }

    /// Writes a record on top of the one that is known.
    fn write_stored(
        &mut self,
        goal: &Goal<'_>,
        changes: Changes,
        rules: &Rules,
    ) -> Result<Option<Step>> {
        let Known::Stored(stored) = &self.known else { return Ok(None) };
        // Nothing may cost a session whose old ID is gone: what a task changes so late is the late commit's.
        let is_late = goal.is_the_requests() && self.run.moved && self.run.writes > 0;
        let is_enough = is_late || self.run.writes >= WRITES;
        if changes.is_empty() || is_enough {
            return Ok(None);
        }
        let owner = rules.owner(stored.id, self.entered.as_deref());
        let (draft, enter) = rules.draft(Some(&stored.record), &changes, &owner)?;
        if let Some(principal) = enter {
            return self.enter(stored.id, principal, false, rules).map(Some);
        }
        let holds = self.changes.latest();
        if draft.record.bytes() == stored.record.bytes() {
            match goal {
                // Not before the store has confirmed it.
                Goal::Update(_) => self.run.unchanged = Some(holds),
                _ => self.changes.forget(holds),
            }
            return Ok(None);
        }
        Ok(Some(Step::Write(Write {
            id: stored.id,
            draft,
            when: When::Version(stored.version.clone()),
            holds,
            on: Some(Box::new(stored.clone())),
            is_proposed: matches!(goal, Goal::Update(_)),
            base: None,
            is_first: false,
            is_upkeep: false,
            generation: self.generation,
        })))
    }

    /// A session whose absolute deadline has passed is changed no more, nor taken along. It is looked at, which removes it,
    /// or finds that another request has retired it.
    pub(super) fn look_at_what_is_over(&mut self, rules: &Rules) -> Result<()> {
        match &mut self.known {
            Known::Stored(stored) => {
                self.run.outdated |= rules.is_over(&stored.record)?;
            }
            Known::New(new) => {
                if let Some(left) = &mut new.left {
                    left.unclear |= rules.is_over(&left.stored.record)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl New {
    fn condition(&self) -> When {
        match &self.sent {
            Sent::Written(written) => When::Version(written.stored.version.clone()),
            Sent::Nothing | Sent::Unanswered => When::Absent,
        }
    }
}
