//! Which requests may change something: those that a page of the site itself made.

use http::Uri;
use url::Url;

/// Refuses what another site's page makes a visitor's browser send.
///
/// A browser sends a form anywhere without asking. So a request that could be a form's, by its method and its content
/// type, passes only where it comes from the site itself: `Sec-Fetch-Site` says so in the browser's own words, and
/// holds behind any proxy; where a browser does not send it, `Origin` has to be the site's, as in Astro.
///
/// What the site's scheme is, nobody can tell from a request that came through a proxy. So without a public origin an
/// `Origin` of the request's own host passes with `http:` and with `https:`: for browsers without `Sec-Fetch-Site` (Safari
/// before 16.4) that lets in a page of the same name that came over plain HTTP, which anybody on its way could have
/// written. Where a public origin has the request's host, its scheme decides.
///
/// ```
/// use cloakroom_actions::OriginCheck;
///
/// let check = OriginCheck::new().public_origin("https://shop.example");
/// ```
#[derive(Clone, Debug, Default)]
pub struct OriginCheck {
    origins: Vec<String>,
}

/// What a browser sends without asking the other site first (Fetch Standard, CORS-safelisted request headers).
const FORM_TYPES: [&str; 3] =
    ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

impl OriginCheck {
    /// Takes the request's `Host` for the site.
    pub fn new() -> OriginCheck {
        OriginCheck::default()
    }

    /// Adds an origin that counts as the site's own: its public one where a proxy changes `Host`, or another site
    /// whose forms are welcome.
    ///
    /// It may be written as in a browser's address bar: `https://Münster.example:443/` is what browsers send as
    /// `https://xn--mnster-3ya.example`. Without a scheme it is `https:`.
    #[must_use]
    pub fn public_origin(mut self, origin: impl Into<String>) -> OriginCheck {
        self.origins.push(as_sent(&origin.into()));
        self
    }

    /// Whether a request may pass. `header` gives a header's value by its name in lower case.
    pub fn allows<'a>(&self, method: &str, header: impl Fn(&str) -> Option<&'a [u8]>) -> bool {
        if matches!(method, "GET" | "HEAD" | "OPTIONS") || !could_be_a_form(header("content-type"))
        {
            return true;
        }
        let text = |name| header(name).and_then(|value| str::from_utf8(value).ok());
        let origin = text("origin");
        if origin.is_some_and(|origin| self.is_known(origin)) {
            return true;
        }
        match header("sec-fetch-site") {
            Some(site) => site == b"same-origin" || site == b"none",
            None => origin
                .zip(text("host"))
                .is_some_and(|(origin, host)| is_at(origin, host) && !self.is_configured(host)),
        }
    }

    /// Whether it is said which origin this host has, so that its scheme counts as well.
    fn is_configured(&self, host: &str) -> bool {
        let without = |port| host.strip_suffix(port).unwrap_or(host);
        let hosts = [host, without(":80"), without(":443")];
        self.origins.iter().any(|origin| hosts.iter().any(|host| is_at(origin, host)))
    }

    /// Whether a page at this host is the site's.
    pub(crate) fn is_own(&self, host: &str, request_host: Option<&str>) -> bool {
        request_host.is_some_and(|own| own.eq_ignore_ascii_case(host))
            || self.origins.iter().any(|origin| is_at(origin, host))
    }

    fn is_known(&self, origin: &str) -> bool {
        self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin))
    }
}

/// An origin as browsers write it into a header.
fn as_sent(origin: &str) -> String {
    let origin = origin.trim();
    let full = match origin.contains("://") {
        true => origin.to_owned(),
        false => format!("https://{origin}"),
    };
    match Url::parse(&full).map(|url| url.origin()) {
        Ok(known) if known.is_tuple() => known.ascii_serialization(),
        // Of an application's own scheme.
        _ => full.trim_end_matches('/').to_ascii_lowercase(),
    }
}

fn could_be_a_form(content_type: Option<&[u8]>) -> bool {
    let Some(content_type) = content_type else { return true };
    let content_type = content_type.to_ascii_lowercase();
    let contains =
        |part: &str| content_type.windows(part.len()).any(|window| window == part.as_bytes());
    FORM_TYPES.into_iter().any(contains)
}

/// Whether the origin's host and port are these. The scheme's own port is left out in both.
fn is_at(origin: &str, host: &str) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let default = match uri.scheme_str() {
        Some("http") => ":80",
        Some("https") => ":443",
        _ => return false,
    };
    let name = |name: &str| name.strip_suffix(default).unwrap_or(name).to_ascii_lowercase();
    uri.authority().is_some_and(|authority| name(authority.as_str()) == name(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(check: &OriginCheck, method: &str, headers: &[(&str, &str)]) -> bool {
        check.allows(method, |name| {
            headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.as_bytes())
        })
    }

    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    const HOST: (&str, &str) = ("host", "shop.example");

    #[test]
    fn a_form_of_the_site_itself_passes() {
        let check = OriginCheck::new();
        for headers in [
            &[("sec-fetch-site", "same-origin"), FORM][..],
            &[("sec-fetch-site", "none"), FORM],
            &[("sec-fetch-site", "same-origin"), ("origin", "https://public.example"), HOST],
            &[("origin", "https://shop.example"), HOST, FORM],
            &[("origin", "http://SHOP.example:80"), HOST],
            &[("origin", "http://localhost:4321"), ("host", "localhost:4321"), FORM],
        ] {
            assert!(allows(&check, "POST", headers), "{headers:?}");
        }
    }

    #[test]
    fn a_form_of_another_site_does_not() {
        let check = OriginCheck::new();
        for headers in [
            &[("sec-fetch-site", "cross-site"), FORM][..],
            &[("sec-fetch-site", "same-site"), ("origin", "https://shop.example"), HOST],
            &[("origin", "https://evil.example"), HOST, FORM],
            &[("origin", "https://shop.example:8443"), HOST, FORM],
            &[("origin", "null"), HOST, FORM],
            &[("origin", "shop.example"), HOST, FORM],
            &[HOST, FORM],
            &[HOST],
            &[HOST, ("content-type", "Text/Plain; charset=utf-8")],
            &[HOST, ("content-type", "application/json, text/plain")],
        ] {
            for method in ["POST", "PUT", "DELETE"] {
                assert!(!allows(&check, method, headers), "{method} {headers:?}");
            }
        }
    }

    #[test]
    fn what_no_form_can_send_passes() {
        let check = OriginCheck::new();
        let cross_site = ("sec-fetch-site", "cross-site");
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert!(allows(&check, method, &[cross_site, HOST]), "{method}");
        }
        let json = ("content-type", "application/json");
        assert!(allows(&check, "POST", &[json, HOST]));
    }

    #[test]
    fn a_public_origin_counts_as_the_sites_own() {
        let check = OriginCheck::new().public_origin("https://Shop.example/");
        let origin = ("origin", "https://shop.example");
        assert!(allows(&check, "POST", &[origin, ("host", "127.0.0.1:8080"), FORM]));
        assert!(allows(&check, "POST", &[origin, ("sec-fetch-site", "cross-site"), FORM]));
        let plain = ("origin", "http://shop.example");
        assert!(!allows(&check, "POST", &[plain, ("host", "127.0.0.1:8080"), FORM]));
    }

    #[test]
    fn where_a_public_origin_has_the_requests_host_its_scheme_decides() {
        let check = OriginCheck::new().public_origin("https://shop.example");
        let plain = ("origin", "http://shop.example");
        for host in ["shop.example", "SHOP.example", "shop.example:443", "shop.example:80"] {
            assert!(!allows(&check, "POST", &[plain, ("host", host), FORM]), "{host}");
            let secure = ("origin", "https://shop.example");
            assert!(allows(&check, "POST", &[secure, ("host", host), FORM]), "{host}");
        }
        let port = [("origin", "http://shop.example:80"), HOST, FORM];
        assert!(!allows(&check, "POST", &port));
        let other = [("origin", "http://localhost:4321"), ("host", "localhost:4321"), FORM];
        assert!(allows(&check, "POST", &other), "of another host nothing is said");
        let both = check.public_origin("http://shop.example");
        assert!(allows(&both, "POST", &[plain, HOST, FORM]));
    }

    #[test]
    fn a_public_origin_is_known_however_a_person_writes_it() {
        for (written, sent) in [
            ("https://shop.example:443", "https://shop.example"),
            ("HTTP://Shop.Example:80/", "http://shop.example"),
            (" https://shop.example/cart?a ", "https://shop.example"),
            ("shop.example", "https://shop.example"),
            ("https://münster.example", "https://xn--mnster-3ya.example"),
            ("https://shop.example:8443", "https://shop.example:8443"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            let check = OriginCheck::new().public_origin(written);
            let headers = [("origin", sent), ("host", "127.0.0.1:8080"), FORM];
            assert!(allows(&check, "POST", &headers), "{written}");
        }
    }
}
