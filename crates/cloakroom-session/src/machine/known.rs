//! What is told apart of a session.

use std::sync::Arc;

use cloakroom_storage::Version;

use crate::id::SessionId;
use crate::record::{Fate, Record, Retirement, Revision, Stored};

/// Which session this is, as far as the request knows.
#[derive(Debug, Default)]
pub(crate) enum Known {
    /// Whatever the cookie says; the store was not asked yet.
    #[default]
    Unasked,
    /// There is none: no cookie, one that the store does not know, or destroyed in this request.
    Absent,
    /// There was one, and its time passed while this request held it.
    Expired,
    /// Another request retired it. Nothing is saved any more, and no cookie is sent.
    Ended(Fate),
    /// Has an ID that nobody was told.
    New(Box<New>),
    /// As it is in the store.
    Stored(Stored),
}

/// A session under an ID that nobody was told.
#[derive(Debug)]
pub(crate) struct New {
    pub(crate) id: SessionId,
    /// What `regenerate` leaves, once the new record is written.
    pub(crate) left: Option<Left>,
    /// Asked for by `regenerate`, so it is written even without data, as Astro does.
    pub(crate) regenerated: bool,
    /// A write was begun, so the store may hold it.
    pub(crate) attempted: bool,
    pub(crate) sent: Sent,
}

/// What the store holds under a new ID.
#[derive(Debug)]
pub(crate) enum Sent {
    Nothing,
    /// A write was begun, and nobody knows what became of it.
    Unanswered,
    Written(Written),
}

/// A new session as it is in the store, while the ID that it leaves is still alive.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) stored: Stored,
    /// The latest change that it holds.
    pub(crate) holds: Revision,
    /// The version of what is left that it was made of.
    pub(crate) base: Option<Version>,
    /// It holds what an update proposed, which counts only once what is left has gone.
    pub(crate) is_proposed: bool,
}

/// A session whose ID `regenerate` leaves.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) stored: Stored,
    pub(crate) by: Retirement,
    /// It was asked to be retired, and nobody knows whether it was.
    pub(crate) unanswered: bool,
    /// It may have been removed without a tombstone by this request.
    pub(crate) unmarked: bool,
    /// It was removed without a tombstone by this request, for sure.
    pub(crate) removed: bool,
    /// What became of it has to be looked at.
    pub(crate) unclear: bool,
    /// It was looked at during this run.
    pub(crate) heard: bool,
    /// This request has begun it, and nobody was told.
    pub(crate) begun: bool,
}

/// What `regenerate` has left and retired, until the browser is told of the new ID.
#[derive(Debug)]
pub(crate) struct Moved {
    pub(crate) left: Stored,
    pub(crate) by: Retirement,
    /// It was removed without a tombstone. Where that is not sure, whoever else may have done it is given the benefit.
    pub(crate) removed: bool,
    /// Nobody knows whether it was retired.
    pub(crate) in_doubt: bool,
}

/// A session that the handler destroyed, to be retired.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) id: SessionId,
    pub(crate) by: Retirement,
    pub(crate) fate: Fate,
    /// The handler had the session before it destroyed it.
    pub(crate) was_loaded: bool,
    /// As it was seen last, if it was.
    pub(crate) seen: Option<Stored>,
    /// What was seen is not so any more, or it is not known.
    pub(crate) unclear: bool,
    /// It was looked at during this run.
    pub(crate) heard: bool,
    /// It was asked to be retired, and has not answered yet.
    pub(crate) sent: bool,
    /// It may have been removed without a tombstone by this request.
    pub(crate) unmarked: bool,
    /// Nobody can read it, so that it goes whatever it is.
    pub(crate) unreadable: bool,
    /// It is tried again in the background.
    pub(crate) handed_over: bool,
}

/// What is cleaned up behind the request's back: nothing that the response depends on.
#[derive(Debug)]
pub(crate) enum Leftover {
    /// A record of this request's own that nobody can name.
    Unnamed(SessionId),
    /// A session that is to be retired still.
    Destroyed(Destroyed),
    /// What `regenerate` has left for `now`, and nobody knows whether it was retired.
    Moved { left: SessionId, by: Retirement, now: SessionId },
    /// The same, where nobody was told of `now`: what was left is restored, should it be retired after all.
    TakenBack { moved: Moved, now: SessionId },
}

/// A session that is to be retired behind the request's back.
#[derive(Debug)]
pub(crate) struct Destroyed {
    pub(crate) id: SessionId,
    pub(crate) by: Retirement,
    /// As it was seen last, if it was.
    pub(crate) record: Option<Arc<Record>>,
    pub(crate) cause: Cause,
}

/// Why a session is to be retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The handler destroyed it.
    Handler,
    /// Its principal has as many as it may have.
    Full,
    /// It was ended elsewhere before anybody was told of it.
    Untold,
}

impl Leftover {
    pub(crate) fn id(&self) -> SessionId {
        match self {
            Leftover::Unnamed(id) | Leftover::Destroyed(Destroyed { id, .. }) => *id,
            Leftover::Moved { left, .. } => *left,
            Leftover::TakenBack { now, .. } => *now,
        }
    }
}

impl New {
    pub(crate) fn begin(id: SessionId, left: Option<Left>, regenerated: bool) -> New {
        New { id, left, regenerated, attempted: false, sent: Sent::Nothing }
    }

    pub(crate) fn base(&self) -> Option<&Arc<Record>> {
        self.left.as_ref().map(|left| &left.stored.record)
    }

    /// What is to be cleaned up where it will not be: a write was begun, so the store may hold it.
    pub(crate) fn leftover(&self) -> Option<Leftover> {
        self.attempted.then_some(Leftover::Unnamed(self.id))
    }

    /// Whether the store holds these changes, and nothing else, on top of what is known to be left.
    pub(crate) fn is_written(&self, latest: Revision) -> bool {
        let base = self.left.as_ref().map(|left| &left.stored.version);
        match &self.sent {
            Sent::Written(written) => {
                written.holds == latest && !written.is_proposed && written.base.as_ref() == base
            }
            Sent::Nothing | Sent::Unanswered => false,
        }
    }
}

impl Left {
    pub(crate) fn new(stored: Stored, begun: bool) -> Left {
        Left {
            stored,
            begun,
            by: Retirement::new(),
            unanswered: false,
            unmarked: false,
            removed: false,
            unclear: false,
            heard: false,
        }
    }
}

impl Ending {
    pub(crate) fn new(id: SessionId, seen: Option<Stored>) -> Ending {
        Ending {
            id,
            by: Retirement::new(),
            fate: Fate::Destroyed,
            was_loaded: seen.is_some(),
            unclear: seen.is_none(),
            seen,
            heard: false,
            sent: false,
            unmarked: false,
            unreadable: false,
            handed_over: false,
        }
    }
}

impl Known {
    pub(crate) fn id(&self) -> Option<SessionId> {
        match self {
            Known::New(new) => Some(new.id),
            Known::Stored(stored) => Some(stored.id),
            Known::Unasked | Known::Absent | Known::Expired | Known::Ended(_) => None,
        }
    }

    pub(crate) fn record(&self) -> Option<&Arc<Record>> {
        match self {
            Known::New(new) => new.base(),
            Known::Stored(stored) => Some(&stored.record),
            Known::Unasked | Known::Absent | Known::Expired | Known::Ended(_) => None,
        }
    }

    pub(crate) fn is_unasked(&self) -> bool {
        matches!(self, Known::Unasked)
    }
}
