//! What a response says to caches once it carries a cookie.
//!
//! `Set-Cookie` keeps no cache from storing a response (RFC 9111, 7.3), and `Vary: Cookie` does not tell visitors apart who
//! have none yet: what hands out an ID must not be shared.

use http::HeaderValue;
use http::header::{CACHE_CONTROL, EXPIRES, HeaderName};

use crate::observe;

use super::ResponseHeaders;

/// What a shared cache obeys in the place of `Cache-Control`: by RFC 9213, and by the words of those who run one.
static TARGETED: [HeaderName; 10] = [
    HeaderName::from_static("cdn-cache-control"),
    HeaderName::from_static("cloudflare-cdn-cache-control"),
    HeaderName::from_static("netlify-cdn-cache-control"),
    HeaderName::from_static("vercel-cdn-cache-control"),
    HeaderName::from_static("deno-cdn-cache-control"),
    HeaderName::from_static("surrogate-control"),
    HeaderName::from_static("edge-control"),
    HeaderName::from_static("akamai-cache-control"),
    HeaderName::from_static("x-litespeed-cache-control"),
    EXPIRES_OF_NGINX,
];

/// A number of seconds, and not a list of directives.
const EXPIRES_OF_NGINX: HeaderName = HeaderName::from_static("x-accel-expires");

/// Lets nobody store the response, whatever it says itself.
pub(crate) fn store_nowhere(headers: &mut impl ResponseHeaders) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    keep_from_shared_caches(headers);
}

/// Lets no shared cache store the response. What its own visitor may keep stays: another hand than the session's wrote the
/// header, and meant something by it.
pub(crate) fn keep_private(headers: &mut impl ResponseHeaders) {
    let control: Vec<&str> = headers.values(CACHE_CONTROL).collect();
    let control = (!control.is_empty()).then(|| control.join(", "));
    match control {
        None => {
            if headers.values(EXPIRES).next().is_some() {
                observe::kept_private(&EXPIRES);
            }
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        Some(control) if is_shareable(&control) => {
            observe::kept_private(&CACHE_CONTROL);
            let private = HeaderValue::try_from(made_private(&control));
            // What came out of a header goes into one again.
            headers.insert(CACHE_CONTROL, private.unwrap_or(HeaderValue::from_static("private")));
        }
        Some(_) => {}
    }
    keep_from_shared_caches(headers);
}

fn keep_from_shared_caches(headers: &mut impl ResponseHeaders) {
    for name in &TARGETED {
        let values: Vec<&str> = headers.values(name.clone()).collect();
        let (is_shared, nowhere) = match *name == EXPIRES_OF_NGINX {
            true => (values.iter().any(|value| value.trim() != "0"), "0"),
            false => (is_shareable(&values.join(", ")), "no-store"),
        };
        if !values.is_empty() && is_shared {
            observe::kept_private(name);
            headers.insert(name.clone(), HeaderValue::from_static(nowhere));
        }
    }
}

/// Whether a shared cache may store what has these directives, at least for asking each time whether it is still right.
/// `private` with names of fields speaks of those alone, and beside `must-understand` a `no-store` is for those caches alone
/// that do not know the one (RFC 9111, 5.2.2.3).
fn is_shareable(directives: &str) -> bool {
    let has = |name: &str| split(directives).any(|directive| directive.eq_ignore_ascii_case(name));
    !has("private") && (!has("no-store") || has("must-understand"))
}

/// The same for the visitor's own cache.
fn made_private(directives: &str) -> String {
    let of_shared_caches = ["public", "private", "s-maxage", "proxy-revalidate"];
    let own = split(directives).filter(|directive| {
        let name = directive.split('=').next().unwrap_or_default().trim_end();
        !of_shared_caches.iter().any(|shared| name.eq_ignore_ascii_case(shared))
    });
    std::iter::once("private").chain(own).collect::<Vec<_>>().join(", ")
}

/// The directives of a list, whose arguments may be quoted (RFC 9110, 5.6.4).
fn split(directives: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let separates = move |letter: char| {
        let is_literal = std::mem::take(&mut is_escaped);
        match letter {
            '\\' if is_quoted => is_escaped = !is_literal,
            '"' if !is_literal => is_quoted = !is_quoted,
            _ => {}
        }
        letter == ',' && !is_quoted
    };
    directives.split(separates).map(str::trim).filter(|directive| !directive.is_empty())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::adapter::Finished;

    /// What is left of a response's headers for caches, beside a new cookie.
    fn beside_a_cookie(theirs: &[(&'static str, &str)]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in theirs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let set_cookie = Some("astro-session=1".to_owned());
        Finished { set_cookie, ..Finished::default() }.apply(&mut headers);
        headers.remove(http::header::SET_COOKIE);
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }

    #[test]
    fn what_a_shared_cache_might_store_is_for_its_visitor_alone() {
        for (theirs, ours) in [
            ("public, s-maxage=600", "private"),
            ("public", "private"),
            ("max-age=60", "private, max-age=60"),
            ("s-maxage=600, max-age=60, must-revalidate", "private, max-age=60, must-revalidate"),
            ("no-cache", "private, no-cache"),
            ("Public , MAX-AGE=60", "private, MAX-AGE=60"),
            ("public, max-age=60, proxy-revalidate, immutable", "private, max-age=60, immutable"),
            ("stale-while-revalidate=60", "private, stale-while-revalidate=60"),
            // Of these fields alone, which a cache may leave out and store the rest, or may not have heard of.
            (r#"private="set-cookie", max-age=60"#, "private, max-age=60"),
            (
                r#"no-cache="set-cookie, private, x", max-age=1"#,
                r#"private, no-cache="set-cookie, private, x", max-age=1"#,
            ),
            (
                r#"community="a\", private, \"b", max-age=1"#,
                r#"private, community="a\", private, \"b", max-age=1"#,
            ),
            ("privately", "private, privately"),
            (
                "must-understand, no-store, s-maxage=60, max-age=6",
                "private, must-understand, no-store, max-age=6",
            ),
            ("", "private"),
        ] {
            assert_eq!(
                beside_a_cookie(&[("cache-control", theirs)]),
                [format!("cache-control: {ours}")]
            );
        }
    }

    #[test]
    fn what_no_shared_cache_stores_stays_as_it_is() {
        for theirs in [
            "private",
            "no-store",
            "private, max-age=60",
            "no-cache, NO-STORE",
            "public, Private",
            "must-understand, no-store, private",
        ] {
            assert_eq!(
                beside_a_cookie(&[("cache-control", theirs)]),
                [format!("cache-control: {theirs}")]
            );
        }
        // Several lines are one list.
        let lines = [("cache-control", "max-age=60"), ("cache-control", "private")];
        assert_eq!(
            beside_a_cookie(&lines),
            ["cache-control: max-age=60", "cache-control: private"]
        );
    }

    #[test]
    fn several_lines_that_let_a_cache_store_become_one_that_does_not() {
        let lines = [("cache-control", "public"), ("cache-control", "max-age=60")];
        assert_eq!(beside_a_cookie(&lines), ["cache-control: private, max-age=60"]);
    }

    #[test]
    fn nothing_said_is_no_leave_to_store() {
        assert_eq!(beside_a_cookie(&[]), ["cache-control: no-store"]);
        let expires = ("expires", "Fri, 01 Jan 2100 00:00:00 GMT");
        let expected = ["expires: Fri, 01 Jan 2100 00:00:00 GMT", "cache-control: no-store"];
        assert_eq!(beside_a_cookie(&[expires]), expected);
    }

    #[test]
    fn what_is_said_to_shared_caches_alone_is_heard_too() {
        for name in &TARGETED {
            let (theirs, ours) = match *name == EXPIRES_OF_NGINX {
                true => ("600", "0"),
                false => ("max-age=600", "no-store"),
            };
            let given = [("cache-control", "private"), (name.as_str(), theirs)];
            let given = given.map(|(name, value)| (leaked(name), value));
            let expected = ["cache-control: private".to_owned(), format!("{name}: {ours}")];
            assert_eq!(beside_a_cookie(&given), expected);
        }
        let stays = [("cache-control", "no-store"), ("cdn-cache-control", "private, max-age=1")];
        let expected = ["cache-control: no-store", "cdn-cache-control: private, max-age=1"];
        assert_eq!(beside_a_cookie(&stays), expected);
    }

    fn leaked(name: &str) -> &'static str {
        name.to_owned().leak()
    }

    #[test]
    fn a_response_without_a_cookie_says_what_its_handler_said() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
        headers.insert("cdn-cache-control", HeaderValue::from_static("max-age=60"));
        let before = headers.clone();
        Finished::default().apply(&mut headers);
        assert_eq!(headers, before);
    }

    #[test]
    fn a_page_made_without_its_session_is_stored_nowhere() {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
        headers.insert("surrogate-control", HeaderValue::from_static("max-age=60"));
        Finished { degraded: true, ..Finished::default() }.apply(&mut headers);
        assert_eq!(headers[CACHE_CONTROL], "no-store");
        assert_eq!(headers["surrogate-control"], "no-store");
    }
}
