//! What happens to sessions, as a program may be told of it.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::config::OutagePolicy;
use crate::id::SessionHash;

/// Something that has happened to a session, for an audit log. [`Sessions::events`](crate::Sessions::events) tells of them.
///
/// The same is logged with `tracing`, but for the principal: a log goes more ways than its writer knows.
#[derive(Clone)]
#[non_exhaustive]
pub struct Event {
    /// What has happened.
    pub kind: EventKind,
    /// The session that it has happened to. Of a sign-in that was refused: the one that asked, or one that came to nothing.
    pub session: SessionHash,
    /// The session's ID until now, where it has another one since.
    pub previous: Option<SessionHash>,
    /// Whose session it is, or was; `None` where nobody was signed in, and where nobody can tell.
    pub principal: Option<Arc<str>>,
    /// When it was known.
    pub at: SystemTime,
}

/// What has happened to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// It was stored for the first time, and its browser is told.
    Created,
    /// A principal has signed in to it. Where the configuration has a `principal`: an entry says so, or is seen first.
    SignedIn,
    /// Its principal was authenticated once more.
    Reauthenticated,
    /// It has another ID.
    Regenerated,
    /// It was ended by its own request, and had a principal.
    SignedOut,
    /// It was ended by its own request, and had no principal.
    Destroyed,
    /// It was ended from elsewhere, by the list of its principal's sessions.
    Revoked {
        /// Who wanted it.
        by: RevokedBy,
    },
    /// A sign-in was refused, because its principal has as many sessions as it may have.
    SignInRefused,
    /// It was ended, because its principal has as many sessions as it may have: the oldest one for a newer sign-in, or one that
    /// another site has signed in where sign-ins are refused.
    Evicted,
    /// A request changed it that another has ended since, and its changes were dropped.
    DestroyedElsewhere,
    /// Its time passed while a request held it.
    Expired,
    /// It was found when its absolute timeout had passed, and removed.
    Over,
    /// Its record cannot be read, and is kept.
    Corrupt,
    /// Its record was torn, and moved aside.
    Quarantined,
    /// The store did not answer, and a request went on without it.
    Degraded {
        /// As this says.
        policy: OutagePolicy,
    },
    /// It was back after it had ended, by another program that writes whole sessions, and was ended again.
    Revived,
}

/// Who has revoked a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RevokedBy {
    /// Its principal, as far as anybody has said.
    Principal,
    /// Its principal, in this session.
    Session(SessionHash),
    /// Whom [`PrincipalSessions::by`](crate::PrincipalSessions::by) names.
    Other(Arc<str>),
    /// Whoever began it, who failed or is elsewhere, so that it was finished here.
    Unknown,
}

impl EventKind {
    /// The name by which it is logged, such as `session.signed_in`. It stays the same.
    pub fn name(&self) -> &'static str {
        self.row().name
    }
}

impl fmt::Display for RevokedBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RevokedBy::Principal => formatter.write_str("the principal"),
            RevokedBy::Session(session) => write!(formatter, "the principal, in session {session}"),
            RevokedBy::Other(name) => formatter.write_str(name),
            RevokedBy::Unknown => formatter.write_str("unknown"),
        }
    }
}

/// Without the principal, which may be an address.
impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Event")
            .field("kind", &self.kind)
            .field("session", &self.session)
            .field("previous", &self.previous)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
