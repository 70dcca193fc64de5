//! What operators see and no program is told of: a trace and a counter for each trouble.

use std::fmt::Display;

use http::header::HeaderName;

use super::TARGET;
use super::metric::{self, count};

/// The store that a program has just opened does not answer as it should.
pub(crate) fn store_fails(store: &str, at: &str, error: &crate::Error) {
    tracing::warn!(
        target: TARGET,
        event = "session.store_fails",
        store,
        at,
        %error,
        "the store of the sessions does not answer as it should: visitors will have none until it does"
    );
    count(metric::STORES_FAILING_AT_START);
}

/// Nobody knows whether the ID that `regenerate` left is dead; it is asked for again in the background.
pub(crate) fn moved_in_doubt(session: &impl Display) {
    tracing::warn!(
        target: TARGET,
        event = "session.moved_in_doubt",
        %session,
        "the session has a new ID, and the store does not say whether the old one is gone: trying again"
    );
    count(metric::MOVED_IN_DOUBT);
}

/// A session was retired, and the store would not remember it.
pub(crate) fn no_tombstone(session: &impl Display, error: &crate::Error) {
    tracing::warn!(
        target: TARGET,
        event = "session.no_tombstone",
        %session, %error, "a session is removed without a note that it was there");
    count(metric::WITHOUT_TOMBSTONE);
}

/// What a request left behind could not be cleaned up.
pub(crate) fn left_over(session: &impl Display, error: Option<&crate::Error>) {
    let error = error.map(tracing::field::display);
    tracing::warn!(
        target: TARGET,
        event = "session.left_over",
        %session, error, "a record that should be gone could not be removed");
    count(metric::LEFT_OVER);
}

/// Another request changed the session first; the write is tried again on top of its result.
pub(crate) fn conflict(session: &impl Display, attempt: u32) {
    tracing::debug!(
        target: TARGET,
        event = "session.conflict",
        %session, attempt, "another request changed the session first, merging");
    count(metric::CONFLICTS);
}

/// What keeps a session alive failed. The request was served all the same.
pub(crate) fn upkeep_failed(session: &impl Display, error: &crate::Error) {
    tracing::warn!(
        target: TARGET,
        event = "session.upkeep_failed",
        %session, %error, "the deadline of a session could not be kept up");
    count(metric::UPKEEP_FAILURES);
}

/// The last handle of a session went with changes that no commit has written.
pub(crate) fn never_saved() {
    tracing::warn!(
        target: TARGET,
        event = "session.never_saved",
        "changes to a session were never saved: its request was given up or failed, or a task outlived it, \
         which then saves by itself with `save` or `update`"
    );
    count(metric::NEVER_SAVED);
}

/// A response had a cookie of the session cookie's name already, and a browser keeps one of the two.
pub(crate) fn cookie_replaced(name: &str) {
    tracing::warn!(
        target: TARGET,
        event = "session.cookie_replaced",
        cookie = name,
        "a response had a Set-Cookie of the session cookie's name already, which is replaced by the session's own: \
         a handler, a site behind a proxy, or a layer of other `Sessions` sets a cookie of this name, and what it \
         names is lost to the visitor; give one of the two another name (`cookie.name`)"
    );
    count(metric::COOKIES_REPLACED);
}

pub(crate) fn kept_private(header: &HeaderName) {
    tracing::warn!(
        target: TARGET,
        event = "session.kept_private",
        header = header.as_str(),
        "a response that hands out a session's cookie allowed shared caches to store it, which would hand one \
         visitor's session to others: it is made private; whoever sets this header should leave out pages that use \
         the session, or set `private`"
    );
    count(metric::RESPONSES_MADE_PRIVATE);
}
