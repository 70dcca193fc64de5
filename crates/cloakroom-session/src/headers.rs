//! What a response says about its session, whatever types its framework has for headers.

use http::header::{CACHE_CONTROL, HeaderName, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue};

use crate::finished::Finished;

/// A response's headers. For authors of adapters to frameworks whose headers are not [`HeaderMap`].
pub trait ResponseHeaders {
    /// The values of a header, as far as they are text.
    fn values(&self, name: HeaderName) -> impl Iterator<Item = &str>;

    /// Sets a header, over all that there are of this name.
    fn insert(&mut self, name: HeaderName, value: HeaderValue);

    /// Adds a header to those that there are of this name.
    fn append(&mut self, name: HeaderName, value: HeaderValue);
}

impl ResponseHeaders for HeaderMap {
    fn values(&self, name: HeaderName) -> impl Iterator<Item = &str> {
        self.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        HeaderMap::insert(self, name, value);
    }

    fn append(&mut self, name: HeaderName, value: HeaderValue) {
        HeaderMap::append(self, name, value);
    }
}

impl Finished {
    /// Adds the cookie to a response, and what keeps caches from serving one visitor's page to another.
    pub fn apply(&self, headers: &mut impl ResponseHeaders) {
        if self.used && !varies_by_cookie(headers) {
            headers.append(VARY, HeaderValue::from_static("Cookie"));
        }
        // Over whatever the handler says: it made the page without knowing whom for.
        if self.degraded {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        // A name and an ID that were checked at start-up are always a valid header.
        let cookie = self.set_cookie.as_deref().map(HeaderValue::try_from);
        if let Some(Ok(mut cookie)) = cookie {
            // Keeps the ID out of what logs headers, and out of HPACK's tables.
            cookie.set_sensitive(true);
            headers.append(SET_COOKIE, cookie);
            // A cache that stores this response would hand this visitor's ID to others. Whoever sets the header
            // in the handler knows better.
            if headers.values(CACHE_CONTROL).next().is_none() {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
        }
    }
}

fn varies_by_cookie(headers: &impl ResponseHeaders) -> bool {
    headers
        .values(VARY)
        .flat_map(|value| value.split(','))
        .any(|name| name.trim() == "*" || name.trim().eq_ignore_ascii_case("cookie"))
}
