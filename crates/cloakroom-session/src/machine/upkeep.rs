//! What keeps a session alive that was used and not written.

use cloakroom_storage::When;

use crate::error::Result;
use crate::record::{Changes, Stored};

use super::known::Known;
use super::next::Write;
use super::{Machine, Rules, Step, What};

impl Machine {
    /// Whether there can be something to keep up, as far as is known without looking into the record.
    pub(crate) fn may_need_upkeep(&self, rules: &Rules) -> bool {
        let lifetime = &rules.lifetime;
        match &self.known {
            Known::Stored(_) if self.outage.is_some() => false,
            Known::Stored(stored) if lifetime.is_limited() => {
                rules.indexes
                    || lifetime.absolute.is_some()
                    || (rules.expires && lifetime.may_be_due(stored.left(rules.now())))
            }
            Known::Stored(_) => rules.indexes,
            _ => false,
        }
    }

    /// Whether the session would end within the time that a response may take, if its deadline waited for the end of it.
    pub(crate) fn is_ending(&self, rules: &Rules) -> bool {
        let Known::Stored(stored) = &self.known else { return false };
        if !self.may_need_upkeep(rules) {
            return false;
        }
        // What cannot be read is kept up for as long as any.
        let lifetime = rules.lifetime_of(&stored.record).unwrap_or(rules.lifetime);
        let half = lifetime.idle.map(|idle| idle / 2);
        let left = stored.left(rules.now());
        half.zip(left).is_some_and(|(half, left)| left <= half)
    }

    /// Moves the session's idle deadline where that is due, and gives a session that Astro wrote its deadline and the
    /// note of its creation. A failure costs the request nothing: it changed nothing that anybody asked for.
    pub(super) fn keep_alive(&mut self, rules: &Rules) -> Option<Step> {
        if self.run.kept || !self.may_need_upkeep(rules) {
            return None;
        }
        self.run.kept = true;
        let Known::Stored(stored) = &self.known else { return None };
        let id = stored.id;
        self.upkeep(stored, rules).unwrap_or_else(|error| {
            self.note(What::UpkeepFailed(error), id);
            None
        })
    }

    fn upkeep(&self, stored: &Stored, rules: &Rules) -> Result<Option<Step>> {
        let owner = rules.owner(stored.id, self.entered.as_deref());
        let is_missing = rules.indexes && owner.missing(&stored.record)?.is_some();
        let (lifetime, now) = (rules.lifetime_of(&stored.record)?, rules.now());
        let created = match lifetime.absolute {
            Some(_) => stored.record.created()?,
            None => None,
        };
        let is_noted = !lifetime.needs_creation(created);
        let left = stored.left(now);
        let ttl = lifetime.ttl(stored.record.ttl(now)?, created, now);
        let is_due = rules.expires && lifetime.may_be_due(left) && lifetime.is_due(ttl, left);
        // A JavaScript writer notes no creation and leaves no deadline, and entries that end sooner than an idle session
        // would bring its record's forward. Such a record is written again, on the condition that nobody has written
        // since: a touch might cut a newer record's longer life short. A driver that keeps no condition could overwrite
        // that record, so there it waits for the next change.
        let is_bare = is_due && stored.ends.is_none();
        let is_shortened = is_due && ttl != lifetime.ttl(None, created, now);
        if (!is_noted || is_bare || is_shortened || is_missing) && rules.compares {
            let (draft, enter) = rules.draft(Some(&stored.record), &Changes::default(), &owner)?;
            if let Some(principal) = enter {
                return self.enter(stored.id, principal, true, rules).map(Some);
            }
            return Ok(Some(Step::Write(Write {
                id: stored.id,
                draft,
                when: When::Version(stored.version.clone()),
                on: Some(Box::new(stored.clone())),
                holds: 0,
                is_proposed: false,
                base: None,
                is_first: false,
                is_upkeep: true,
                generation: self.generation,
            })));
        }
        if !is_due || is_shortened {
            return Ok(None);
        }
        Ok(Some(Step::Touch { id: stored.id, ttl, generation: self.generation }))
    }
}
