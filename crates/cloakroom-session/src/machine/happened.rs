//! What has happened to sessions, noted for those who watch.
//!
//! The shell takes the notes away and tells them; nothing here depends on whether anybody listens. Noted is what the store has
//! confirmed and this request cannot take back any more. So that a session begins, or has a new ID, is known when its response
//! leaves: see [`Machine::settle`].

use std::sync::Arc;

use crate::error::Error;
use crate::id::SessionId;
use crate::record::{Record, Stored};

use super::Machine;
use super::known::{Ending, Known};

/// Something that has happened.
#[derive(Debug)]
pub(crate) struct Happened {
    pub(crate) what: What,
    pub(crate) id: SessionId,
    /// The session as it was seen last, by which its principal is known.
    pub(crate) record: Option<Arc<Record>>,
}

#[derive(Debug)]
pub(crate) enum What {
    /// The session can be named from now on, by this ID.
    Named { previous: Option<SessionId>, reason: Reason },
    /// An entry of the site's own says whose the session is.
    SignedIn,
    /// The handler destroyed it.
    Destroyed,
    /// This principal has as many as it may have.
    Refused { principal: String },
    /// Another has ended it, and what was changed is dropped.
    DestroyedElsewhere,
    /// Its time has passed.
    Expired,
    /// Nobody knows whether it was retired for a new ID.
    MovedInDoubt,
    /// Another request has changed it first, so many times.
    Conflict(u32),
    /// Its deadline could not be kept up.
    UpkeepFailed(Error),
}

/// Why a session has an ID that it had not before. Where the handler did several of these, the one that says most counts: the last of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    #[default]
    Begun,
    Regenerated,
    Reauthenticated,
    SignedIn,
}

impl Machine {
    /// What is to be told to those who watch.
    pub(crate) fn take_happened(&mut self) -> Vec<Happened> {
        std::mem::take(&mut self.happened)
    }

    pub(super) fn note(&mut self, what: What, id: SessionId) {
        self.happened.push(Happened { what, id, record: None });
    }

    pub(super) fn note_of(&mut self, what: What, stored: &Stored) {
        let record = Some(Arc::clone(&stored.record));
        self.happened.push(Happened { what, id: stored.id, record });
    }

    /// Of the session as it is known.
    pub(super) fn note_known(&mut self, what: What) {
        if let Known::Stored(stored) = &self.known {
            let stored = stored.clone();
            self.note_of(what, &stored);
        }
    }

    /// What the handler destroyed is gone. Whoever it was handed over to finds that out too, and tells it.
    pub(super) fn note_destroyed(&mut self, ending: Ending) {
        if !ending.handed_over {
            let record = ending.seen.map(|seen| seen.record);
            self.happened.push(Happened { what: What::Destroyed, id: ending.id, record });
        }
    }

    /// This request takes nothing back any more: what it has begun is there, and has begun for everybody.
    pub(super) fn settle(&mut self, previous: Option<SessionId>) -> Option<Happened> {
        let is_begun = std::mem::take(&mut self.begun);
        let reason = std::mem::take(&mut self.reason);
        let Known::Stored(stored) = &self.known else { return None };
        let is_left = self.leftovers.iter().any(|leftover| leftover.id() == stored.id);
        (is_begun && !is_left).then(|| Happened {
            what: What::Named { previous, reason },
            id: stored.id,
            record: Some(Arc::clone(&stored.record)),
        })
    }

    /// A record was written that has entered the index under this ID.
    pub(super) fn note_entered(&mut self, stored: &Stored, is_named: bool) {
        let entered = self.entered.as_mut().filter(|entered| entered.id == stored.id);
        let is_first = entered.is_some_and(|entered| std::mem::take(&mut entered.is_first));
        match is_first {
            true if is_named => self.note_of(What::SignedIn, stored),
            true => self.reason = Reason::SignedIn,
            false => {}
        }
    }
}
