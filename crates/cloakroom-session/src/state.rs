//! What one request knows of its session.

use std::sync::Arc;

use cloakroom_storage::Version;

use crate::changes::Changes;
use crate::error::Error;
use crate::id::SessionId;
use crate::record::Record;
use crate::stored::Stored;

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) current: Current,
    pub(crate) changes: Changes,
    /// Destroyed in this request; removed from the store by the commit.
    pub(crate) doomed: Vec<SessionId>,
    pub(crate) cookie: CookieIntent,
    /// The headers have left: no cookie can be sent any more.
    pub(crate) response_started: bool,
    /// Why the store could not be asked, where the request goes on without it.
    pub(crate) outage: Option<Arc<Error>>,
    /// Counts calls of `destroy`, so that a write that was under way does not bring the session back.
    pub(crate) destroyed: u32,
}

/// Which session this is.
#[derive(Clone, Debug, Default)]
pub(crate) enum Current {
    /// Whatever the cookie says; the store was not asked yet.
    #[default]
    Unresolved,
    /// There is none: no cookie, or a cookie that the store does not know, or destroyed in this request.
    Absent,
    /// Has an ID that no store has seen yet.
    New(New),
    /// As it is in the store.
    Stored(Stored),
}

#[derive(Clone, Debug)]
pub(crate) struct New {
    pub(crate) id: SessionId,
    /// The data that `regenerate` took along.
    pub(crate) base: Option<Arc<Record>>,
    /// The record that `regenerate` leaves behind, to be removed after this one was written.
    pub(crate) replaces: Option<(SessionId, Version)>,
    /// Asked for by `regenerate`, so it is written even without data, as Astro does.
    pub(crate) regenerated: bool,
    /// A write was begun, so the store may hold it even where the write failed or was given up.
    pub(crate) attempted: bool,
}

impl New {
    pub(crate) fn empty() -> New {
        New {
            id: SessionId::random(),
            base: None,
            replaces: None,
            regenerated: false,
            attempted: false,
        }
    }

    /// What an earlier write may have left in the store under this ID.
    pub(crate) fn remnant(&self) -> Option<SessionId> {
        self.attempted.then_some(self.id)
    }
}

/// What the response tells the browser about its cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CookieIntent {
    #[default]
    Keep,
    HandOut,
    Delete,
}

impl Current {
    pub(crate) fn id(&self) -> Option<SessionId> {
        match self {
            Current::Unresolved | Current::Absent => None,
            Current::New(new) => Some(new.id),
            Current::Stored(stored) => Some(stored.id),
        }
    }

    /// Whether this is session `id`, or a new one that replaces it.
    pub(crate) fn concerns(&self, id: SessionId) -> bool {
        let replaced = match self {
            Current::New(new) => new.replaces.as_ref().map(|(old, _)| *old),
            _ => None,
        };
        self.id() == Some(id) || replaced == Some(id)
    }

    pub(crate) fn record(&self) -> Option<&Arc<Record>> {
        match self {
            Current::Unresolved | Current::Absent => None,
            Current::New(new) => new.base.as_ref(),
            Current::Stored(stored) => Some(&stored.record),
        }
    }

    pub(crate) fn is_unresolved(&self) -> bool {
        matches!(self, Current::Unresolved)
    }
}

impl State {
    /// Forgets the session and everything that was to be done with it, but for removing it from the store.
    pub(crate) fn destroy(&mut self, presented: Option<SessionId>) {
        match &self.current {
            Current::Unresolved => self.doomed.extend(presented),
            // The store was not asked: it may well know the session.
            Current::Absent if self.outage.is_some() => self.doomed.extend(presented),
            Current::Absent => {}
            Current::New(_) => self.give_up_new(),
            Current::Stored(stored) => self.doomed.push(stored.id),
        }
        self.current = Current::Absent;
        self.changes.clear();
        self.cookie = CookieIntent::Delete;
        self.destroyed += 1;
    }

    /// Where the session is a new one that will not be: what it left in the store goes, and so does the record
    /// that it was to replace.
    pub(crate) fn give_up_new(&mut self) {
        if let Current::New(new) = &self.current {
            self.doomed.extend(new.remnant());
            self.doomed.extend(new.replaces.as_ref().map(|(id, _)| *id));
        }
    }

    /// Whether the store does not know yet which session this is, or which one it is no more.
    pub(crate) fn is_ahead(&self) -> bool {
        matches!(self.current, Current::New(_)) || !self.doomed.is_empty()
    }

    /// Whether a commit would have something to do.
    pub(crate) fn is_changed(&self) -> bool {
        !self.changes.is_empty() || self.is_ahead()
    }
}
