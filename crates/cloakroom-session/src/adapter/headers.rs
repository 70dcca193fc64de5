//! What a response says about its session, whatever types its framework has for headers.

use http::header::{HeaderName, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue};

use crate::cookie::name_and_value;
use crate::observe;

use super::{Finished, caching};

/// A response's headers. For authors of adapters to frameworks whose headers are not [`HeaderMap`].
pub trait ResponseHeaders {
    /// The values of a header, as far as they are text.
    fn values(&self, name: HeaderName) -> impl Iterator<Item = &str>;

    /// Sets a header, over all that there are of this name.
    fn insert(&mut self, name: HeaderName, value: HeaderValue);

    /// Adds a header to those that there are of this name.
    fn append(&mut self, name: HeaderName, value: HeaderValue);

    /// Leaves those values of a header that `keep` says yes to, in their order, and returns whether any is gone. The
    /// values are bytes, because not all of them are text.
    fn retain(&mut self, name: HeaderName, keep: impl Fn(&[u8]) -> bool) -> bool;
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

    fn retain(&mut self, name: HeaderName, keep: impl Fn(&[u8]) -> bool) -> bool {
        let values = self.get_all(&name);
        if values.iter().all(|value| keep(value.as_bytes())) {
            return false;
        }
        let kept: Vec<_> = values.iter().filter(|value| keep(value.as_bytes())).cloned().collect();
        self.remove(&name);
        for value in kept {
            HeaderMap::append(self, name.clone(), value);
        }
        true
    }
}

impl Finished {
    /// Adds the cookie to a response, and what keeps caches from serving one visitor's page to another.
    ///
    /// A response that carries the cookie is left for no shared cache, whatever it says: where a header allows one to
    /// store it (`public`, `max-age`, `CDN-Cache-Control` and the like), it is made `private` and a warning names the
    /// header. What is `private` or `no-store` stays as it is, and where nothing is said, `no-store` is.
    ///
    /// Where the response has a cookie of this name already it is replaced, and a warning names it: a response sets a
    /// cookie once (RFC 6265, 4.1.1). Without a cookie to send, whatever the handler sets stays.
    pub fn apply(&self, headers: &mut impl ResponseHeaders) {
        if self.used && !varies_by_cookie(headers) {
            headers.append(VARY, HeaderValue::from_static("Cookie"));
        }
        // Over whatever the handler says: it made the page without knowing whom for.
        if self.degraded {
            caching::store_nowhere(headers);
        }
        // A name and an ID that were checked at start-up are always a valid header.
        let cookie = self.set_cookie.as_deref().map(HeaderValue::try_from);
        if let Some(Ok(mut cookie)) = cookie {
            let ours = cookie_name(cookie.as_bytes());
            if headers.retain(SET_COOKIE, |theirs| cookie_name(theirs) != ours) {
                observe::cookie_replaced(&String::from_utf8_lossy(ours));
            }
            // Keeps the ID out of what logs headers, and out of HPACK's tables.
            cookie.set_sensitive(true);
            headers.append(SET_COOKIE, cookie);
            caching::keep_private(headers);
        }
    }
}

/// The name in a `Set-Cookie`: what is before the first `=` of the first part. Empty where there is none, which browsers
/// do not take for a name (RFC 6265, 5.2).
fn cookie_name(set_cookie: &[u8]) -> &[u8] {
    let pair = set_cookie.split(|byte| *byte == b';').next().unwrap_or_default();
    name_and_value(pair).map_or(&[], |(name, _)| name)
}

fn varies_by_cookie(headers: &impl ResponseHeaders) -> bool {
    headers
        .values(VARY)
        .flat_map(|value| value.split(','))
        .any(|name| name.trim() == "*" || name.trim().eq_ignore_ascii_case("cookie"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(set_cookie: Option<&str>, theirs: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut headers = HeaderMap::new();
        for value in theirs {
            headers.append(SET_COOKIE, HeaderValue::from_bytes(value).unwrap());
        }
        let set_cookie = set_cookie.map(str::to_owned);
        Finished { set_cookie, ..Finished::default() }.apply(&mut headers);
        headers.get_all(SET_COOKIE).iter().map(|value| value.as_bytes().to_owned()).collect()
    }

    #[test]
    fn a_second_cookie_of_the_sessions_name_gives_way_and_the_others_keep_their_order() {
        let theirs: [&[u8]; 6] = [
            b"b=1",
            b"astro-session=theirs; Path=/shop",
            "lang=fran\u{e7}ais".as_bytes(),
            b" astro-session =theirs",
            b"\xff=astro-session=1",
            b"a=astro-session; b",
        ];
        let expected: [&[u8]; 5] =
            [theirs[0], theirs[2], theirs[4], theirs[5], b"astro-session=ours; Path=/"];
        assert_eq!(applied(Some("astro-session=ours; Path=/"), &theirs), expected);
    }

    #[test]
    fn a_cookie_of_almost_the_same_name_stays() {
        let theirs: [&[u8]; 5] =
            [b"astro-sessions=1", b"Astro-Session=1", b"astro-session", b"; astro-session=1", b""];
        assert_eq!(applied(Some("astro-session=ours"), &theirs).len(), theirs.len() + 1);
    }

    #[test]
    fn what_the_handler_sets_stays_where_the_session_sends_no_cookie() {
        let theirs: [&[u8]; 2] = [b"astro-session=1", b"astro-session=2"];
        assert_eq!(applied(None, &theirs), theirs);
    }

    #[test]
    fn what_was_a_secret_stays_one() {
        let mut headers = HeaderMap::new();
        let mut secret = HeaderValue::from_static("token=1");
        secret.set_sensitive(true);
        headers.append(SET_COOKIE, secret);
        headers.append(SET_COOKIE, HeaderValue::from_static("astro-session=1"));
        let set_cookie = Some("astro-session=ours".to_owned());
        Finished { set_cookie, ..Finished::default() }.apply(&mut headers);
        assert!(headers.get_all(SET_COOKIE).iter().all(HeaderValue::is_sensitive));
    }
}
