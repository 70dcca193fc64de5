//! What one request knows of its session.

use std::sync::Arc;

use cloakroom_storage::Version;

use crate::changes::Changes;
use crate::id::SessionId;
use crate::record::Record;
use crate::store::Stored;

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) current: Current,
    pub(crate) changes: Changes,
    /// Destroyed in this request; removed from the store by the commit.
    pub(crate) doomed: Vec<SessionId>,
    pub(crate) cookie: CookieIntent,
    /// The headers have left: no cookie can be sent any more.
    pub(crate) response_started: bool,
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
}

impl New {
    pub(crate) fn empty() -> New {
        New { id: SessionId::random(), base: None, replaces: None, regenerated: false }
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
    ///
    /// `writing`: a commit is under way in another task, so a new session may be in the store in a moment.
    pub(crate) fn destroy(&mut self, presented: Option<SessionId>, writing: bool) {
        let doomed = match &self.current {
            Current::Unresolved => presented,
            Current::Absent => None,
            Current::New(new) => {
                self.doomed.extend(writing.then_some(new.id));
                new.replaces.as_ref().map(|(id, _)| *id)
            }
            Current::Stored(stored) => Some(stored.id),
        };
        self.doomed.extend(doomed);
        self.current = Current::Absent;
        self.changes.clear();
        self.cookie = CookieIntent::Delete;
        self.destroyed += 1;
    }

    /// Whether a commit would have something to do.
    pub(crate) fn is_changed(&self) -> bool {
        !self.changes.is_empty()
            || !self.doomed.is_empty()
            || matches!(self.current, Current::New(_))
    }
}
