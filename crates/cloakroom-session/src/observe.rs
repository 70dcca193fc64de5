//! What operators see: a trace event and a counter for each thing that should be rare.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::HeaderName;

use crate::id::SessionId;

/// The store that a program has just opened does not answer as it should.
pub(crate) fn store_fails(store: &str, at: &str, error: &crate::Error) {
    tracing::warn!(
        store,
        at,
        %error,
        "the store of the sessions does not answer as it should: visitors will have none until it does"
    );
    count("cloakroom_session_stores_failing_at_start_total");
}

/// A write found that the session had been destroyed elsewhere; its changes were dropped.
pub(crate) fn destroyed_elsewhere(id: &SessionId) {
    tracing::info!(session = ?id, "changes dropped: the session was destroyed by another request");
    count("cloakroom_sessions_destroyed_elsewhere_total");
}

/// The session's time passed while a request held it; its changes begin a new one.
pub(crate) fn expired(id: &SessionId) {
    tracing::debug!(session = ?id, "the session's time passed while a request held it");
    count("cloakroom_sessions_expired_meanwhile_total");
}

/// Nobody knows whether the ID that `regenerate` left is dead; it is asked for again in the background.
pub(crate) fn moved_in_doubt(id: &SessionId) {
    tracing::warn!(
        session = ?id,
        "the session has a new ID, and the store does not say whether the old one is gone: trying again"
    );
    count("cloakroom_sessions_moved_in_doubt_total");
}

/// A session was retired, and the store would not remember it.
pub(crate) fn no_tombstone(id: &impl fmt::Debug, error: &crate::Error) {
    tracing::warn!(session = ?id, %error, "a session is removed without a note that it was there");
    count("cloakroom_sessions_without_tombstone_total");
}

/// What a request left behind could not be cleaned up.
pub(crate) fn left_over(id: &SessionId, error: Option<&crate::Error>) {
    let error = error.map(tracing::field::display);
    tracing::warn!(session = ?id, error, "a record that should be gone could not be removed");
    count("cloakroom_sessions_left_over_total");
}

/// Another request changed the session first; the write is tried again on top of its result.
pub(crate) fn conflict(id: &SessionId, attempt: u32) {
    tracing::debug!(session = ?id, attempt, "another request changed the session first, merging");
    count("cloakroom_session_conflicts_total");
}

/// A stored record could not be read; it was kept.
pub(crate) fn corrupt(id: &impl fmt::Debug, error: &crate::Error) {
    tracing::error!(session = ?id, %error, "the stored session cannot be read, its bytes are kept");
    count("cloakroom_sessions_corrupt_total");
}

/// A record that cannot be read was moved aside.
pub(crate) fn quarantined(id: &SessionId) {
    tracing::error!(
        session = ?id,
        "a torn session was moved aside, to `corrupt:` and its ID, and is kept there for a week: its visitor begins anew"
    );
    count("cloakroom_sessions_quarantined_total");
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

/// A response had a cookie of the session cookie's name already, and a browser keeps one of the two.
pub(crate) fn cookie_replaced(name: &str) {
    tracing::warn!(
        cookie = name,
        "a response had a Set-Cookie of the session cookie's name already, which is replaced by the session's own: \
         a handler, a site behind a proxy, or a layer of other `Sessions` sets a cookie of this name, and what it \
         names is lost to the visitor; give one of the two another name (`cookie.name`)"
    );
    count("cloakroom_session_cookies_replaced_total");
}

pub(crate) fn kept_private(header: &HeaderName) {
    tracing::warn!(
        header = header.as_str(),
        "a response that hands out a session's cookie allowed shared caches to store it, which would hand one \
         visitor's session to others: it is made private; whoever sets this header should leave out pages that use \
         the session, or set `private`"
    );
    count("cloakroom_session_responses_made_private_total");
}

/// What nobody does to a session who writes on a condition, so that somebody has overwritten it as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overwrite {
    /// An entry that was replaced or removed is back, or a note of our own is gone.
    LostKey,
    /// The record's deadline is gone.
    LostDeadline,
    /// A session is back that was retired.
    Revived,
}

impl Overwrite {
    fn kind(self) -> &'static str {
        match self {
            Overwrite::LostKey => "lost_key",
            Overwrite::LostDeadline => "lost_deadline",
            Overwrite::Revived => "revived",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Overwrite::LostKey => "what was changed in a session is as it was before",
            Overwrite::LostDeadline => {
                "the deadline of a session is gone, which no server with `idle` or `absolute` takes away, and is set again"
            }
            Overwrite::Revived => "a session is back that was ended, and is ended again",
        }
    }
}

/// Which kinds the operator was told of, once each: where there is one, each visitor brings more.
#[derive(Default)]
pub(crate) struct Told([AtomicBool; 3]);

impl Told {
    /// A session was overwritten as a whole.
    pub(crate) fn overwritten(&self, id: &SessionId, overwrite: Overwrite) {
        let (kind, what) = (overwrite.kind(), overwrite.what());
        if self.0[overwrite as usize].swap(true, Ordering::Relaxed) {
            tracing::debug!(session = ?id, kind, "{what}");
        } else {
            tracing::warn!(
                session = ?id,
                kind,
                "{what}: another program writes whole sessions over what was changed since it read them, as an Astro \
                 site does without the package `@cloakroom/astro`: install it there, with the same `idle` and \
                 `absolute` (docs/guarantees.md). This is said once; cloakroom_session_overwrites_total counts"
            );
        }
        count_kind("cloakroom_session_overwrites_total", kind);
    }
}

#[cfg(feature = "metrics")]
fn count_kind(name: &'static str, kind: &'static str) {
    metrics::counter!(name, "kind" => kind).increment(1);
}

#[cfg(not(feature = "metrics"))]
fn count_kind(_name: &'static str, _kind: &'static str) {}

#[cfg(feature = "metrics")]
fn count(name: &'static str) {
    metrics::counter!(name).increment(1);
}

#[cfg(not(feature = "metrics"))]
fn count(_name: &'static str) {}
