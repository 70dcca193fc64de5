//! What a response says about its session.

use cloakroom_session::Finished;
use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue};

/// Adds the cookie, and what keeps caches from serving one visitor's page to another.
pub(crate) fn apply(finished: &Finished, headers: &mut HeaderMap) {
    if finished.used {
        vary(headers);
    }
    // Over whatever the handler says: it made the page without knowing whom for.
    if finished.degraded {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    // A name and an ID that were checked at start-up are always a valid header.
    let cookie = finished.set_cookie.as_deref().map(HeaderValue::try_from);
    if let Some(Ok(mut cookie)) = cookie {
        // Keeps the ID out of what logs headers, and out of HPACK's tables.
        cookie.set_sensitive(true);
        headers.append(SET_COOKIE, cookie);
        // A cache that stores this response would hand this visitor's ID to others. Whoever sets the header
        // in the handler knows better.
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
}

/// Says that the response depends on the cookie.
pub(crate) fn vary(headers: &mut HeaderMap) {
    if !varies_by_cookie(headers) {
        headers.append(VARY, HeaderValue::from_static("Cookie"));
    }
}

fn varies_by_cookie(headers: &HeaderMap) -> bool {
    headers
        .get_all(VARY)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|name| name.trim() == "*" || name.trim().eq_ignore_ascii_case("cookie"))
}
