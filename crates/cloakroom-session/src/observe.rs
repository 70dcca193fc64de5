//! What operators see: a trace event and a counter for each thing that should be rare.

use crate::id::SessionId;

/// A write found that the session had been destroyed elsewhere; its changes were dropped.
pub(crate) fn destroyed_elsewhere(id: &SessionId) {
    tracing::info!(session = ?id, "changes dropped: the session was destroyed by another request");
    count("cloakroom_sessions_destroyed_elsewhere_total");
}

/// Another request changed the session first; the write is tried again on top of its result.
pub(crate) fn conflict(id: &SessionId, attempt: u32) {
    tracing::debug!(session = ?id, attempt, "another request changed the session first, merging");
    count("cloakroom_session_conflicts_total");
}

/// A stored record could not be read; it was kept.
pub(crate) fn corrupt(id: &SessionId, error: &crate::Error) {
    tracing::error!(session = ?id, %error, "the stored session cannot be read, its bytes are kept");
    count("cloakroom_sessions_corrupt_total");
}

/// A session was found whose absolute timeout has passed; it is removed.
pub(crate) fn over(id: &SessionId) {
    tracing::debug!(session = ?id, "the session is over: its absolute timeout has passed");
    count("cloakroom_sessions_over_total");
}

/// What keeps a session alive failed. The request was served all the same.
pub(crate) fn upkeep_failed(id: &SessionId, error: &crate::Error) {
    tracing::warn!(session = ?id, %error, "the deadline of a session could not be kept up");
    count("cloakroom_session_upkeep_failures_total");
}

/// A request was served without the store, as its policy says.
pub(crate) fn degraded(id: &SessionId, error: &crate::Error, policy: crate::OutagePolicy) {
    tracing::warn!(session = ?id, %error, ?policy, "the session store does not answer, going on without it");
    count("cloakroom_sessions_degraded_total");
}

/// The last handle of a session went with changes that no commit has written.
pub(crate) fn never_saved() {
    tracing::warn!(
        "changes to a session were never saved: its request was given up or failed, or a task outlived it, \
         which then saves by itself with `save` or `update`"
    );
    count("cloakroom_sessions_never_saved_total");
}

#[cfg(feature = "metrics")]
fn count(name: &'static str) {
    metrics::counter!(name).increment(1);
}

#[cfg(not(feature = "metrics"))]
fn count(_name: &'static str) {}
