//! What happens to sessions, told in the terms of those who watch: no IDs, and whose they are.

use std::fmt::{self, Display};
use std::sync::Arc;

use tracing::Level;

use crate::error::Error;
use crate::id::{SessionHash, SessionId};
use crate::machine::{Happened, Reason, What};
use crate::observe::{self, About, EventKind, Observer, Overwrite};
use crate::record::Record;

use super::{Name, Store};

/// What else is known of an event.
#[derive(Clone, Copy, Default)]
pub(crate) struct Details<'a> {
    pub(crate) whose: Whose<'a>,
    pub(crate) previous: Option<SessionId>,
    pub(crate) error: Option<&'a Error>,
}

/// Whose session it is.
#[derive(Clone, Copy, Default)]
pub(crate) enum Whose<'a> {
    #[default]
    Unknown,
    Principal(&'a str),
    /// As its record says.
    Record(&'a Record),
}

impl Store {
    pub(crate) fn observer(&self) -> &Observer {
        &self.observer
    }

    /// Tells those who watch what has happened to a session.
    pub(crate) fn tell(&self, kind: EventKind, session: impl Into<Name>, details: Details<'_>) {
        self.observer.tell(kind, details.error, |is_listened| {
            self.about(&session.into(), details, is_listened)
        });
    }

    /// Tells what the machine has noted.
    pub(crate) fn tell_happened(&self, happened: Happened) {
        let Happened { what, id, record } = happened;
        let record = record.as_deref();
        let details = Details { whose: Whose::of(record), ..Details::default() };
        match what {
            What::Named { previous, reason } => self.tell_named(id, reason, previous, details),
            What::SignedIn => self.tell(EventKind::SignedIn, id, details),
            What::Destroyed => self.tell_destroyed(id, record),
            What::Refused { principal } => {
                let whose = Whose::Principal(&principal);
                self.tell(EventKind::SignInRefused, id, Details { whose, ..details });
            }
            What::DestroyedElsewhere => self.tell(EventKind::DestroyedElsewhere, id, details),
            What::Expired => self.tell(EventKind::Expired, id, details),
            What::MovedInDoubt => observe::moved_in_doubt(&self.shown(id)),
            What::Conflict(attempt) => observe::conflict(&self.shown(id), attempt),
            What::UpkeepFailed(error) => observe::upkeep_failed(&self.shown(id), &error),
        }
    }

    /// A session begins, or has a new ID.
    fn tell_named(
        &self,
        id: SessionId,
        reason: Reason,
        previous: Option<SessionId>,
        details: Details<'_>,
    ) {
        if previous.is_none() {
            self.tell(EventKind::Created, id, details);
        }
        let kind = match reason {
            Reason::SignedIn => EventKind::SignedIn,
            Reason::Reauthenticated => EventKind::Reauthenticated,
            Reason::Regenerated if previous.is_some() => EventKind::Regenerated,
            Reason::Begun | Reason::Regenerated => return,
        };
        self.tell(kind, id, Details { previous, ..details });
    }

    /// A session was ended by its own request: signed out, where it had a principal.
    pub(crate) fn tell_destroyed(&self, id: SessionId, record: Option<&Record>) {
        if !self.observer.is_heard(Level::INFO) {
            return;
        }
        let principal = record.and_then(|record| self.principal(record));
        let whose = principal.as_deref().map_or(Whose::Unknown, Whose::Principal);
        let kind = match principal {
            Some(_) => EventKind::SignedOut,
            None => EventKind::Destroyed,
        };
        self.tell(kind, id, Details { whose, ..Details::default() });
    }

    /// A session was removed whose absolute timeout had passed.
    pub(super) fn tell_over(&self, session: &Name, record: &Record) {
        let details = Details { whose: Whose::Record(record), ..Details::default() };
        self.tell(EventKind::Over, session.clone(), details);
    }

    /// A record cannot be read.
    pub(super) fn tell_corrupt(&self, session: &Name, error: &Error) {
        let details = Details { error: Some(error), ..Details::default() };
        self.tell(EventKind::Corrupt, session.clone(), details);
    }

    /// A session was overwritten as a whole.
    pub(super) fn tell_overwritten(&self, id: SessionId, overwrite: Overwrite, record: &Record) {
        let details = Details { whose: Whose::Record(record), ..Details::default() };
        self.observer
            .overwritten(overwrite, |is_listened| self.about(&Name::Id(id), details, is_listened));
    }

    fn about(&self, session: &Name, details: Details<'_>, is_listened: bool) -> About {
        let principal = match details.whose {
            Whose::Principal(principal) if is_listened => Some(principal.into()),
            Whose::Record(record) if is_listened => self.principal(record).map(Arc::from),
            _ => None,
        };
        let previous = details.previous.map(|id| self.hash(&Name::Id(id)));
        About { session: self.hash(session), previous, principal }
    }

    /// What stands for a session in events: the same whether it is known by its ID or by what an index has of it.
    pub(crate) fn hash(&self, session: &Name) -> SessionHash {
        let hash = |name: &Name| match name {
            Name::Id(id) => SessionHash::from(*id),
            Name::Alias(alias) => SessionHash::of(alias.as_str()),
        };
        match session {
            Name::Id(id) => self.name(*id).map_or_else(|_| hash(session), |name| hash(&name)),
            Name::Alias(_) => hash(session),
        }
    }

    /// The same, for a log that may not be read: nothing is hashed before it is.
    pub(crate) fn shown(&self, session: impl Into<Name>) -> impl Display {
        Shown { store: self, session: session.into() }
    }

    fn principal(&self, record: &Record) -> Option<String> {
        let path = self.rules.path.as_deref();
        // Of what cannot be read nobody knows whose it is.
        record.principal(path).ok().flatten()
    }
}

impl<'a> Whose<'a> {
    pub(crate) fn of(record: Option<&'a Record>) -> Whose<'a> {
        record.map_or(Whose::Unknown, Whose::Record)
    }
}

struct Shown<'a> {
    store: &'a Store,
    session: Name,
}

impl Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.hash(&self.session).fmt(formatter)
    }
}
