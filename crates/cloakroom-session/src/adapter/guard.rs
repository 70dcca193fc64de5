//! Routes that are not for everybody: who may pass, and what the others get.

use std::borrow::Cow;
use std::time::Duration;

use http::header::{CACHE_CONTROL, LOCATION};
use http::{HeaderValue, Response, StatusCode};

use crate::error::{Error, ErrorKind, Result};
use crate::session::Session;

use super::page::Page;
use super::{Failure, Principal};

/// What a route asks of a session before its handler is reached. For authors of framework adapters, who make middleware of it.
///
/// A request [passes](Guard::check), is for the page that others are [sent to](Guard::spares), or is [refused](Guard::refuse).
///
/// ```
/// use cloakroom_session::adapter::{Guard, GuardedRequest, Refusal};
/// # use cloakroom_session::{Config, CookieHeaders, Sessions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// # let sessions = Sessions::from_config(Config::new("memory")).await?;
/// # let session = sessions.session(CookieHeaders::default());
/// let guard = Guard::principal().or_at("/login");
/// let request =
///     GuardedRequest { method: "GET", path_and_query: "/orders", accept: Some(b"text/html") };
/// let error = guard.check(&session).await.unwrap_err();
/// let refusal = guard.refuse(error, request);
/// assert!(matches!(refusal, Refusal::SeeOther(to) if to == "/login?return_to=/orders"));
///
/// session.sign_in("ann").await?;
/// guard.check(&session).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Guard {
    within: Option<Duration>,
    page: Option<Page>,
}

/// What a [`Guard`] looks at in a request that does not pass.
#[derive(Clone, Copy, Debug)]
pub struct GuardedRequest<'a> {
    /// Such as `GET`.
    pub method: &'a str,
    /// The path and the query that the browser asked for.
    pub path_and_query: &'a str,
    /// The header `Accept`.
    pub accept: Option<&'a [u8]>,
}

/// What a request gets that a [`Guard`] does not let pass.
#[derive(Debug)]
pub enum Refusal {
    /// The answer to this error.
    Error(Error),
    /// 303 See Other, to this location, with `Cache-Control: no-store`.
    SeeOther(String),
}

impl Guard {
    /// Lets those pass who are signed in.
    pub fn principal() -> Guard {
        Guard { within: None, page: None }
    }

    /// Lets those pass who were authenticated within this time.
    pub fn recent(within: Duration) -> Guard {
        Guard { within: Some(within), page: None }
    }

    /// Sends visitors to this page of the site, to sign in or to confirm that it is they, and has it remember where to send
    /// them back to.
    #[must_use]
    pub fn or_at(mut self, page: &str) -> Guard {
        self.page = Some(Page::new(page));
        self
    }

    /// Whether a request for this path passes unasked, because it is for the page that others are sent to: nobody would ever
    /// reach it else, where the guard stands before a whole site.
    pub fn spares(&self, path: &str) -> bool {
        self.page.as_ref().is_some_and(|page| page.is(path))
    }

    /// Lets a session pass.
    ///
    /// # Errors
    /// As [`Principal::of`] and [`Session::require_recent`].
    pub async fn check(&self, session: &Session) -> Result<()> {
        // Says also that nobody knows, where the store does not answer.
        Principal::of(session).await?;
        match self.within {
            Some(within) => session.require_recent(within).await,
            None => Ok(()),
        }
    }

    /// What a request gets that did not pass, for this error.
    ///
    /// Whoever looks at a page goes where the guard sends them. What a script asked for, or is more than a look, has to be
    /// told by its answer that it failed.
    pub fn refuse(&self, error: Error, request: GuardedRequest<'_>) -> Refusal {
        let sent_for = match self.within {
            Some(_) => ErrorKind::NotRecent,
            None => ErrorKind::NotSignedIn,
        };
        match &self.page {
            Some(page) if error.kind() == sent_for && request.is_for_a_page() => {
                Refusal::SeeOther(page.location(request.path_and_query))
            }
            _ => Refusal::Error(error),
        }
    }
}

impl GuardedRequest<'_> {
    /// Whether somebody looks at a page: browsers ask for HTML then, and scripts do not.
    fn is_for_a_page(&self) -> bool {
        let accept = self.accept.unwrap_or_default();
        let mut accepted = accept.split(|byte| *byte == b',').map(|range| {
            let media_type = range.split(|byte| *byte == b';').next().unwrap_or_default();
            media_type.trim_ascii()
        });
        matches!(self.method, "GET" | "HEAD")
            && accepted.any(|media_type| media_type.eq_ignore_ascii_case(b"text/html"))
    }
}

impl Refusal {
    /// The response, with a body made by `body`. That a route has no session is said in full, for whoever writes the site.
    pub fn into_response<B>(self, body: impl FnOnce(Cow<'static, str>) -> B) -> Response<B> {
        match self {
            Refusal::Error(error) => {
                let failure = Failure::from(&error);
                failure.into_response(|message| match error.kind() {
                    ErrorKind::NoSession => body(error.to_string().into()),
                    _ => body(message),
                })
            }
            Refusal::SeeOther(location) => {
                let mut response = Response::new(body("".into()));
                *response.status_mut() = StatusCode::SEE_OTHER;
                let headers = response.headers_mut();
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                // What a page makes of an address is always a valid header.
                if let Ok(location) = HeaderValue::try_from(location) {
                    headers.insert(LOCATION, location);
                }
                response
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::session::not_signed_in;

    fn not_recent() -> Error {
        Error::new(ErrorKind::NotRecent, "long ago")
    }

    fn page<'a>(method: &'a str, accept: &'a str) -> GuardedRequest<'a> {
        GuardedRequest { method, path_and_query: "/orders?page=2", accept: Some(accept.as_bytes()) }
    }

    fn status(refusal: Refusal) -> u16 {
        refusal.into_response(Cow::into_owned).status().as_u16()
    }

    const BROWSER: &str =
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

    #[test]
    fn who_looks_at_a_page_is_sent_to_sign_in_and_all_else_is_refused() {
        let guard = Guard::principal().or_at("/login");
        for (method, accept, expected) in [
            ("GET", BROWSER, 303),
            ("HEAD", BROWSER, 303),
            ("GET", "application/json, TEXT/HTML ;q=0.5", 303),
            ("POST", BROWSER, 401),
            ("PUT", BROWSER, 401),
            ("OPTIONS", BROWSER, 401),
            ("GET", "*/*", 401),
            ("GET", "application/json", 401),
            ("GET", "text/htmlx, text/*, */*", 401),
            ("GET", "", 401),
        ] {
            let refusal = guard.refuse(not_signed_in(), page(method, accept));
            assert_eq!(status(refusal), expected, "{method} {accept}");
        }
        let silent = GuardedRequest { accept: None, ..page("GET", "") };
        assert_eq!(status(guard.refuse(not_signed_in(), silent)), 401);
        assert_eq!(status(Guard::principal().refuse(not_signed_in(), page("GET", BROWSER))), 401);
    }

    #[test]
    fn each_guard_sends_for_its_own_reason_alone() {
        let sign_in = Guard::principal().or_at("/login");
        let confirm = Guard::recent(Duration::from_secs(300)).or_at("/confirm");
        let outage = || Error::new(ErrorKind::Unavailable, "away");
        for (guard, error, expected) in [
            (&sign_in, not_signed_in(), 303),
            (&confirm, not_recent(), 303),
            (&confirm, not_signed_in(), 401),
            (&sign_in, outage(), 503),
            (&confirm, outage(), 503),
        ] {
            assert_eq!(status(guard.refuse(error, page("GET", BROWSER))), expected, "{guard:?}");
        }
        assert_eq!(status(confirm.refuse(not_recent(), page("POST", BROWSER))), 403);
    }

    #[test]
    fn a_redirect_says_where_to_and_is_kept_by_no_cache() {
        let guard = Guard::principal().or_at("/login?lang=pt");
        let refusal = guard.refuse(not_signed_in(), page("GET", BROWSER));
        let response = refusal.into_response(Cow::into_owned);
        let location = "/login?lang=pt&return_to=/orders%3Fpage%3D2";
        assert_eq!(response.headers()[LOCATION], location);
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(response.body(), "");
    }

    #[test]
    fn a_route_without_a_session_is_told_in_full() {
        let error = Error::no_session("/about", "below the layer");
        let refusal = Guard::principal().or_at("/login").refuse(error, page("GET", BROWSER));
        let response = refusal.into_response(Cow::into_owned);
        assert_eq!(response.status(), 500);
        assert!(response.body().contains("/about"), "{response:?}");
    }

    #[test]
    fn the_page_that_others_are_sent_to_is_for_all() {
        let guard = Guard::principal().or_at("/login?lang=pt");
        assert!(guard.spares("/login"));
        assert!(!guard.spares("/login/x") && !guard.spares("/"));
        assert!(!Guard::principal().spares("/login"));
    }
}
