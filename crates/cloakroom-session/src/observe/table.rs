//! How each event is logged and counted. What `docs/events.md` lists is this.

use tracing::Level;

use super::EventKind;

/// What stays the same of one kind of event.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) level: Level,
    pub(super) counter: &'static str,
    pub(super) message: &'static str,
}

impl EventKind {
    pub(super) fn row(&self) -> Row {
        let (level, name, counter, message) = match self {
            EventKind::Created => (
                Level::DEBUG,
                "session.created",
                "cloakroom_sessions_created_total",
                "a session begins",
            ),
            EventKind::SignedIn => (
                Level::INFO,
                "session.signed_in",
                "cloakroom_sessions_signed_in_total",
                "a principal has signed in",
            ),
            EventKind::Reauthenticated => (
                Level::INFO,
                "session.reauthenticated",
                "cloakroom_sessions_reauthenticated_total",
                "a principal was authenticated once more",
            ),
            EventKind::Regenerated => (
                Level::DEBUG,
                "session.regenerated",
                "cloakroom_sessions_regenerated_total",
                "a session has a new ID",
            ),
            EventKind::SignedOut => (
                Level::INFO,
                "session.signed_out",
                "cloakroom_sessions_signed_out_total",
                "a principal has signed out",
            ),
            EventKind::Destroyed => (
                Level::DEBUG,
                "session.destroyed",
                "cloakroom_sessions_destroyed_total",
                "a session was destroyed",
            ),
            EventKind::Revoked { .. } => (
                Level::INFO,
                "session.revoked",
                "cloakroom_sessions_revoked_total",
                "a session was revoked",
            ),
            EventKind::SignInRefused => (
                Level::INFO,
                "session.sign_in_refused",
                "cloakroom_session_sign_ins_refused_total",
                "a sign-in was refused: its principal has as many sessions as it may have",
            ),
            EventKind::Evicted => (
                Level::INFO,
                "session.evicted",
                "cloakroom_sessions_evicted_total",
                "a session was ended: its principal has as many as it may have",
            ),
            EventKind::DestroyedElsewhere => (
                Level::INFO,
                "session.destroyed_elsewhere",
                "cloakroom_sessions_destroyed_elsewhere_total",
                "changes dropped: the session was destroyed by another request",
            ),
            EventKind::Expired => (
                Level::DEBUG,
                "session.expired",
                "cloakroom_sessions_expired_meanwhile_total",
                "the session's time passed while a request held it",
            ),
            EventKind::Over => (
                Level::DEBUG,
                "session.over",
                "cloakroom_sessions_over_total",
                "the session is over: its absolute timeout has passed",
            ),
            EventKind::Corrupt => (
                Level::ERROR,
                "session.corrupt",
                "cloakroom_sessions_corrupt_total",
                "the stored session cannot be read, its bytes are kept",
            ),
            EventKind::Quarantined => (
                Level::ERROR,
                "session.quarantined",
                "cloakroom_sessions_quarantined_total",
                "a torn session was moved aside, to `corrupt:` and its ID, and is kept there for a week: its visitor begins \
                 anew",
            ),
            EventKind::Degraded { .. } => (
                Level::WARN,
                "session.degraded",
                "cloakroom_sessions_degraded_total",
                "the session store does not answer, going on without it",
            ),
            EventKind::Revived => (
                Level::WARN,
                "session.revived",
                "cloakroom_session_overwrites_total",
                "a session is back that was ended, and is ended again",
            ),
        };
        Row { name, level, counter, message }
    }
}
