//! What the handler does, as far as it needs no store.

use std::sync::Arc;

use crate::cookie::Ticket;
use crate::error::{Error, Result};
use crate::id::SessionId;
use crate::record::{AUTHENTICATED, Fate, PRINCIPAL, REMEMBER, Stored, Written};

use super::known::{Ending, Known, Left, New, Sent};
use super::{
    Cause, Destroyed, Entered, Leftover, Machine, Moved, Reason, Rules, What, destroyed, expired,
    response_started,
};

impl Machine {
    /// The handler sets an entry. What would begin a session is refused once no cookie can name it any more.
    pub(crate) fn set(&mut self, key: &str, written: Written) -> Result<()> {
        self.ensure_reachable()?;
        if self.closed {
            self.ensure_named("set")?;
        }
        if matches!(self.known, Known::Absent | Known::Expired) || self.is_first_visit() {
            self.begin_new();
        }
        let loaded = self.is_resolved() || self.read_own;
        self.changes.set(key, written, loaded);
        Ok(())
    }

    /// The handler deletes an entry.
    pub(crate) fn delete(&mut self, key: &str) {
        // Where there is no session there is nothing to delete; not even an empty record is left behind.
        if self.is_first_visit() {
            self.known = Known::Absent;
        }
        // Without the store nobody knows what there is: the commit says that it cannot be deleted. What this request set
        // before it learned that there is no session can be deleted, too.
        let is_absent = matches!(self.known, Known::Absent | Known::Expired | Known::Ended(_))
            && self.outage.is_none();
        if !is_absent || self.changes.get(key).is_some() {
            self.changes.delete(key);
        }
    }

    /// The handler says whether the session outlives the browser.
    pub(crate) fn remember(&mut self, remembrance: Option<Written>) -> Result<()> {
        if self.closed {
            return Err(response_started("remember"));
        }
        match remembrance {
            Some(remembrance) => self.set(REMEMBER, remembrance)?,
            None => self.delete(REMEMBER),
        }
        self.reissue = true;
        Ok(())
    }

    /// The handler destroys the session: nothing from before it reaches what comes after.
    pub(crate) fn destroy(&mut self) {
        self.changes.clear();
        self.destroyed = true;
        let (moved, endings) = (self.moved.take(), self.endings.len());
        let presented = self.presented_id();
        match std::mem::take(&mut self.known) {
            // Nothing is left to destroy, and what another request retired is not begun again.
            Known::Ended(fate) => {
                self.generation += 1;
                return self.known = Known::Ended(fate);
            }
            Known::Unasked => self.endings.extend(presented.map(|id| Ending::new(id, None))),
            // The store was not asked: it may well know the session.
            Known::Absent if self.outage.is_some() => {
                self.endings.extend(presented.map(|id| Ending::new(id, None)));
            }
            Known::Absent | Known::Expired => {}
            Known::New(new) => self.give_up_new(*new),
            Known::Stored(stored) if self.is_unnamed() => {
                self.leftovers.push(Leftover::Unnamed(stored.id));
            }
            Known::Stored(stored) => self.endings.push(Ending::new(stored.id, Some(stored))),
        }
        if let Some(moved) = moved {
            self.destroy_moved(*moved, self.endings.len() > endings);
        }
        self.known = Known::Absent;
        self.begin_another();
    }

    /// What was retired for a new ID stays retired. Where nobody was told of the new one, it is the old one that has ended.
    fn destroy_moved(&mut self, moved: Moved, has_ending: bool) {
        let Moved { left, by, in_doubt, .. } = moved;
        if in_doubt {
            let (id, record) = (left.id, Some(left.record));
            let destroyed = Destroyed { id, by, record, cause: Cause::Handler };
            self.leftovers.push(Leftover::Destroyed(destroyed));
        } else if !has_ending {
            self.note_of(What::Destroyed, &left);
        }
    }

    /// The handler wants a new ID for what there is.
    pub(crate) fn regenerate(&mut self) -> Result<()> {
        self.regenerate_as(SessionId::random())
    }

    /// The handler has shown whose the session is, which has this new ID in the index.
    pub(crate) fn sign_in(
        &mut self,
        entered: Entered,
        owned: Option<Written>,
        authenticated: Written,
        is_anothers: bool,
    ) -> Result<()> {
        if self.was_ended() {
            self.known = Known::Absent;
        }
        if is_anothers {
            // With all that it holds: only what this request has set is the new one's.
            let changes = std::mem::take(&mut self.changes);
            self.destroy();
            self.changes = changes;
        }
        self.regenerate_as(entered.id)?;
        self.reason = Reason::SignedIn;
        self.entered = Some(Box::new(entered));
        if let Some(owned) = owned {
            self.changes.set(PRINCIPAL, owned, true);
        }
        self.changes.set(AUTHENTICATED, authenticated, true);
        Ok(())
    }

    /// The handler has shown once more whose the session is.
    pub(crate) fn reauthenticate(&mut self, authenticated: Written) -> Result<()> {
        self.regenerate()?;
        self.reason = self.reason.max(Reason::Reauthenticated);
        self.changes.set(AUTHENTICATED, authenticated, true);
        Ok(())
    }

    /// Refuses a sign-in that cannot be.
    ///
    /// Who shows who he is may begin anew where his session was ended: the browser has its cookie still where another device
    /// did that, and nothing that was changed for it before comes along. Of two sign-ins at once one wins, as ever.
    pub(crate) fn ensure_open_to_sign_in(&self) -> Result<()> {
        self.ensure_reachable()?;
        match self.known {
            _ if self.closed => Err(response_started("sign_in")),
            Known::Ended(Fate::Moved) => Err(destroyed()),
            _ => Ok(()),
        }
    }

    /// Whether another has ended the session, and not only given it a new ID.
    pub(crate) fn was_ended(&self) -> bool {
        matches!(self.known, Known::Ended(Fate::Destroyed | Fate::Removed))
    }

    fn regenerate_as(&mut self, id: SessionId) -> Result<()> {
        self.ensure_reachable()?;
        if self.closed {
            return Err(response_started("regenerate"));
        }
        let left = match std::mem::take(&mut self.known) {
            Known::Ended(fate) => {
                self.known = Known::Ended(fate);
                return Err(destroyed());
            }
            Known::Stored(stored) => Some(Left::new(stored, self.is_unnamed())),
            Known::New(new) => {
                self.leftovers.extend(new.leftover());
                new.left
            }
            Known::Unasked | Known::Absent | Known::Expired => None,
        };
        self.known = Known::New(Box::new(New::begin(id, left, true)));
        let reason = self.reason.max(Reason::Regenerated);
        self.begin_another();
        self.reason = reason;
        Ok(())
    }

    /// Whether this request has left the session, so that it cannot be loaded again.
    pub(crate) fn has_left(&self, id: SessionId) -> bool {
        let is_left = match &self.known {
            Known::New(new) => new.left.as_ref().is_some_and(|left| left.stored.id == id),
            _ => false,
        };
        is_left
            || self.endings.iter().any(|ending| ending.id == id)
            || self.leftovers.iter().any(|leftover| leftover.id() == id)
    }

    /// The handler takes another session, which the store has.
    pub(crate) fn adopt(&mut self, stored: Stored) {
        if self.known.id() != Some(stored.id) {
            self.leave_unnamed();
        }
        if let Known::New(new) = std::mem::take(&mut self.known) {
            self.give_up_new(*new);
        }
        self.known = Known::Stored(stored);
        self.entered = None;
        self.changes.clear();
        self.begin_another();
        self.lost = false;
        // The store has answered.
        self.outage = None;
    }

    /// The store could not be asked, and the request goes on with what there is instead of the session.
    pub(crate) fn goes_on_without(&mut self, copy: Option<Stored>, error: Arc<Error>) {
        self.outage = Some(error);
        // What the handler has destroyed stays destroyed.
        if self.known.is_unasked() {
            self.known = copy.map_or(Known::Absent, Known::Stored);
        }
    }

    /// What a new session that will not be has left in the store, and the session that it was to replace.
    fn give_up_new(&mut self, new: New) {
        self.leftovers.extend(new.leftover());
        if let Some(left) = new.left {
            if left.begun {
                return self.leftovers.push(Leftover::Unnamed(left.stored.id));
            }
            self.endings.push(Ending {
                by: left.by,
                unclear: left.unanswered,
                unmarked: left.unmarked,
                ..Ending::new(left.stored.id, Some(left.stored))
            });
        }
    }

    /// Gives a session its ID that does not exist yet.
    pub(super) fn begin_new(&mut self) {
        self.known = Known::New(Box::new(New::begin(SessionId::random(), None, false)));
    }

    /// Whether the client brought nothing that the store could know.
    pub(super) fn is_first_visit(&self) -> bool {
        self.known.is_unasked() && !matches!(self.presented, Some(Ticket::Id(_)))
    }

    /// Refuses what would begin a session that no cookie can name any more.
    pub(super) fn ensure_named(&self, method: &str) -> Result<()> {
        match &self.known {
            Known::Stored(_) => Ok(()),
            Known::New(new) if matches!(new.sent, Sent::Written(_)) => Ok(()),
            Known::Ended(_) => Err(destroyed()),
            Known::Expired => Err(expired()),
            Known::Unasked | Known::Absent | Known::New(_) => Err(response_started(method)),
        }
    }

    /// Refuses a change that could not be saved, before it is made.
    pub(crate) fn ensure_changeable(&self, rules: &Rules) -> Result<()> {
        self.ensure_reachable()?;
        match &self.known {
            Known::Ended(_) => Err(destroyed()),
            Known::Stored(stored) if self.closed && rules.is_over(&stored.record)? => {
                Err(expired())
            }
            _ if self.closed => self.ensure_named("update"),
            _ => Ok(()),
        }
    }
}
