//! How each event is logged and counted. What `docs/events.md` lists is this.

use tracing::Level;

use super::EventKind;
use super::metric::{self, Metric};

/// What stays the same of one kind of event.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) level: Level,
    pub(super) counter: Metric,
    pub(super) message: &'static str,
}

impl EventKind {
    pub(super) fn row(&self) -> Row {
        let (level, name, counter, message) = match self {
            EventKind::Created => {
                (Level::DEBUG, "session.created", metric::CREATED, "a session begins")
            }
            EventKind::SignedIn => {
                (Level::INFO, "session.signed_in", metric::SIGNED_IN, "a principal has signed in")
            }
            EventKind::Reauthenticated => (
                Level::INFO,
                "session.reauthenticated",
                metric::REAUTHENTICATED,
                "a principal was authenticated once more",
            ),
            EventKind::Regenerated => {
                (Level::DEBUG, "session.regenerated", metric::REGENERATED, "a session has a new ID")
            }
            EventKind::SignedOut => (
                Level::INFO,
                "session.signed_out",
                metric::SIGNED_OUT,
                "a principal has signed out",
            ),
            EventKind::Destroyed => {
                (Level::DEBUG, "session.destroyed", metric::DESTROYED, "a session was destroyed")
            }
            EventKind::Revoked { .. } => {
                (Level::INFO, "session.revoked", metric::REVOKED, "a session was revoked")
            }
            EventKind::SignInRefused => (
                Level::INFO,
                "session.sign_in_refused",
                metric::SIGN_INS_REFUSED,
                "a sign-in was refused: its principal has as many sessions as it may have",
            ),
            EventKind::Evicted => (
                Level::INFO,
                "session.evicted",
                metric::EVICTED,
                "a session was ended: its principal has as many as it may have",
            ),
            EventKind::DestroyedElsewhere => (
                Level::INFO,
                "session.destroyed_elsewhere",
                metric::DESTROYED_ELSEWHERE,
                "changes dropped: the session was destroyed by another request",
            ),
            EventKind::Expired => (
                Level::DEBUG,
                "session.expired",
                metric::EXPIRED_MEANWHILE,
                "the session's time passed while a request held it",
            ),
            EventKind::Over => (
                Level::DEBUG,
                "session.over",
                metric::OVER,
                "the session is over: its absolute timeout has passed",
            ),
            EventKind::Corrupt => (
                Level::ERROR,
                "session.corrupt",
                metric::CORRUPT,
                "the stored session cannot be read, its bytes are kept",
            ),
            EventKind::Quarantined => (
                Level::ERROR,
                "session.quarantined",
                metric::QUARANTINED,
                "a torn session was moved aside, to `corrupt:` and its ID, and is kept there for a week: its visitor begins \
                 anew",
            ),
            EventKind::Degraded { .. } => (
                Level::WARN,
                "session.degraded",
                metric::DEGRADED,
                "the session store does not answer, going on without it",
            ),
            EventKind::Revived => (
                Level::WARN,
                "session.revived",
                metric::OVERWRITES,
                "a session is back that was ended, and is ended again",
            ),
        };
        Row { name, level, counter, message }
    }
}
