//! How a session becomes another one: ended, expired, moved.

use crate::error::Result;
use crate::record::Fate;

use super::known::{Ending, Known, Moved, New, Sent};
use super::{Happened, Machine, Rules, What};

impl Machine {
    /// Another request retired the session: nothing is saved any more, and no cookie is sent.
    pub(super) fn ended(&mut self, fate: Fate) {
        self.drop_changes();
        self.known = Known::Ended(fate);
        self.begin_another();
    }

    /// What this request destroyed had been retired before, and what it began since would be handed out over the
    /// cookie of whoever did that.
    pub(super) fn was_ended_before(&mut self, ending: &Ending, fate: Fate) {
        let signs_in = matches!(&self.known, Known::New(new) if self.is_entered(new.id));
        if self.presented_id() != Some(ending.id) && !signs_in {
            return;
        }
        // A logout that a login has overtaken has logged out nobody whom the handler had seen; and of two who sign in over one
        // session, or one beside an end of it, one is told that he is not.
        self.lost |= signs_in || ending.was_loaded && fate == Fate::Moved;
        match &self.known {
            Known::New(new) => {
                self.leftovers.extend(new.leftover());
                self.ended(fate);
            }
            Known::Absent | Known::Expired => self.ended(fate),
            // The handler took another session by name.
            Known::Stored(_) | Known::Unasked | Known::Ended(_) => {}
        }
    }

    /// The store has the session no more, and no tombstone.
    pub(super) fn vanished(&mut self, rules: &Rules) -> Result<()> {
        let Known::Stored(stored) = &self.known else { return Ok(()) };
        match rules.may_have_expired(stored)? {
            true => self.expire(),
            false => self.ended(Fate::Removed),
        }
        Ok(())
    }

    /// The session's time has passed. What was changed begins a new one, of which the old data is no part.
    pub(super) fn expire(&mut self) {
        self.note_known(What::Expired);
        self.known = Known::Expired;
        self.begin_another();
    }

    /// As [`vanished`](Machine::vanished), of what `regenerate` leaves.
    pub(super) fn left_vanished(&mut self, rules: &Rules) -> Result<()> {
        let Known::New(new) = &mut self.known else { return Ok(()) };
        let Some(left) = &new.left else { return Ok(()) };
        if !rules.may_have_expired(&left.stored)? {
            self.lost(Fate::Removed);
            return Ok(());
        }
        let left = new.left.take();
        self.generation += 1;
        if let Some(left) = left {
            self.note_of(What::Expired, &left.stored);
        }
        Ok(())
    }

    /// What `regenerate` leaves has gone, so the new session is the session.
    pub(super) fn moved(&mut self) {
        self.move_over(false);
    }

    fn move_over(&mut self, in_doubt: bool) {
        let Known::New(new) = std::mem::take(&mut self.known) else { return };
        self.generation += 1;
        self.run.moved = true;
        let New { id, left, regenerated, attempted, sent } = *new;
        if let Some(left) = left
            && !left.begun
        {
            let moved = Moved { left: left.stored, by: left.by, removed: left.removed, in_doubt };
            // Of two moves the browser knows what the first has left.
            self.moved.get_or_insert_with(|| Box::new(moved));
        }
        match sent {
            Sent::Written(written) => {
                self.changes.forget(written.holds);
                self.known = Known::Stored(written.stored);
                self.begun = true;
            }
            Sent::Nothing | Sent::Unanswered => {
                let new = New { id, left: None, regenerated, attempted, sent };
                self.known = Known::New(Box::new(new));
            }
        }
    }

    /// Nobody can say whether what `regenerate` leaves is still there. The new session surely is, and is the one that
    /// the browser can go on with; the other one is retired behind the request's back.
    pub(super) fn moved_in_doubt(&mut self) {
        if let Known::New(new) = &self.known
            && let Some(left) = &new.left
        {
            let id = left.stored.id;
            self.note(What::MovedInDoubt, id);
        }
        self.move_over(true);
    }

    /// Another request retired what `regenerate` leaves: there is one winner.
    pub(super) fn lost(&mut self, fate: Fate) {
        if let Known::New(new) = std::mem::replace(&mut self.known, Known::Ended(fate)) {
            self.leftovers.extend(new.leftover());
            if let Some(left) = new.left {
                self.note_of(What::DestroyedElsewhere, &left.stored);
            }
        }
        self.changes.clear();
        self.begin_another();
        self.lost = true;
    }

    /// What was changed in a session that is no more is not saved anywhere.
    pub(super) fn drop_changes(&mut self) {
        if self.changes.is_empty() {
            return;
        }
        if let Some(id) = self.known.id().or(self.presented_id()) {
            let record = self.known.record().cloned();
            self.happened.push(Happened { what: What::DestroyedElsewhere, id, record });
        }
        self.changes.clear();
    }

    /// Whether the store surely holds the new session, with all that it is to hold.
    pub(super) fn is_new_written(&self) -> bool {
        match &self.known {
            Known::New(new) => new.is_written(self.changes.latest()),
            _ => false,
        }
    }
}
