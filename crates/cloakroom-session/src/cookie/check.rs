//! Finds what only a browser would find fault with: a cookie that none keeps makes every request a new visitor.

use super::{ID_LENGTH, LARGEST_COOKIE};
use crate::config::{CookieConfig, LONGEST_MAX_AGE, SameSite};
use crate::error::{Error, Result};

/// RFC 6265bis, 5.6: what a browser keeps at most of a name with its value, here an ID, and of an attribute's value. In bytes.
const LONGEST_NAME: usize = LARGEST_COOKIE - ID_LENGTH;
const LONGEST_PATH: usize = 1024;

/// In bytes, of a name in the DNS and of each part of it (RFC 1035, 2.3.4).
const LONGEST_HOST: usize = 253;
const LONGEST_LABEL: usize = 63;

pub(super) fn check(name: &str, config: &CookieConfig) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(allowed) {
        return Err(Error::config(format!(
            "cookie.name is {name:?}: use only letters, digits, underscores and dashes"
        )));
    }
    if name.len() > LONGEST_NAME {
        return Err(Error::config(format!(
            "cookie.name has {} letters: browsers drop a cookie whose name has more than {LONGEST_NAME}",
            name.len()
        )));
    }
    if let Some(domain) = config.domain.as_deref().filter(|domain| !domain.is_empty()) {
        check_domain(domain)?;
    }
    if !config.path.is_empty() {
        check_path(&config.path)?;
    }
    if let Some(seconds) = config.max_age.filter(|seconds| *seconds > LONGEST_MAX_AGE) {
        return Err(Error::config(format!(
            "cookie.maxAge is {seconds} seconds: browsers keep a cookie for 400 days at most \
             ({LONGEST_MAX_AGE} seconds)"
        )));
    }
    if config.max_age == Some(0) {
        return Err(Error::config(
            "cookie.maxAge is 0, which makes browsers forget the cookie at once: leave it out, or set it above 0",
        ));
    }
    if config.same_site == SameSite::None && !config.secure {
        return Err(Error::config(
            "cookie.sameSite is \"none\", which browsers accept only together with cookie.secure = true",
        ));
    }
    if config.partitioned && !config.secure {
        return Err(Error::config(
            "cookie.partitioned is set, which browsers accept only together with cookie.secure = true",
        ));
    }
    // Browsers compare the prefixes without case.
    let lower = name.to_ascii_lowercase();
    let host = lower.starts_with("__host-");
    let is_secure = ["__secure-", "__http-"].iter().any(|prefix| lower.starts_with(prefix));
    if (host || is_secure) && !config.secure {
        return Err(Error::config(format!(
            "the cookie name {name:?} demands cookie.secure = true"
        )));
    }
    if host
        && (config.path != "/" || config.domain.as_deref().is_some_and(|domain| !domain.is_empty()))
    {
        return Err(Error::config(format!(
            "the cookie name {name:?} demands cookie.path = \"/\" and no cookie.domain"
        )));
    }
    Ok(())
}

/// A browser compares the domain with the host that it asks (RFC 6265, 5.1.3), which has no scheme, no port and no dot at
/// its end. One at the beginning is ignored.
fn check_domain(domain: &str) -> Result<()> {
    let fault = |advice: &str| {
        Err(Error::config(format!(
            "cookie.domain is {domain:?}, which no browser takes: {advice}, as in \"example.com\""
        )))
    };
    if !domain.is_ascii() {
        return fault("write it as it is in the DNS, in Punycode (`xn--…`)");
    }
    if domain.contains("://") {
        return fault("leave out the scheme and all but the host");
    }
    if domain.starts_with('[') || domain.matches(':').count() > 1 {
        return fault("a cookie for an address has no domain, so leave it out, or name a host");
    }
    if domain.contains(':') {
        return fault("leave out the port, which cookies do not have");
    }
    if domain.contains('*') {
        return fault("leave out the asterisk, as a domain is for what is below it too");
    }
    if domain.ends_with('.') {
        return fault("leave out the dot at its end");
    }
    let host = domain.strip_prefix('.').unwrap_or(domain);
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.len() > LONGEST_HOST || !host.split('.').all(is_label) {
        return fault("it must be the name of a host alone");
    }
    Ok(())
}

/// A browser compares the path with that of the URL that it asks for, as it stands there: encoded, and without a query.
fn check_path(path: &str) -> Result<()> {
    let fault = |advice: &str| {
        Err(Error::config(format!("cookie.path is {path:?}, which matches no URL: {advice}")))
    };
    if !path.starts_with('/') {
        return fault("it must begin with `/`");
    }
    if path.len() > LONGEST_PATH {
        return Err(Error::config(format!(
            "cookie.path has {} letters: browsers leave out one that has more than {LONGEST_PATH}",
            path.len()
        )));
    }
    if path.contains(['?', '#']) {
        return fault("leave out the query and the fragment");
    }
    if path.contains([';', '\\']) {
        return fault("it can have neither a semicolon nor a backslash");
    }
    // What the URL Standard encodes in a path.
    let is_encoded = |letter: char| {
        !letter.is_ascii_graphic() || matches!(letter, '"' | '<' | '>' | '`' | '{' | '}' | '^')
    };
    if path.contains(is_encoded) {
        return fault("write it encoded, as in \"/a%20b\"");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(domain: &str) -> Option<String> {
        check_domain(domain).err().map(|error| error.to_string())
    }

    #[test]
    fn a_domain_that_no_browser_takes_is_told_what_to_write() {
        for (domain, advice) in [
            ("https://example.com", "leave out the scheme"),
            ("example.com:3000", "leave out the port"),
            ("localhost:4321", "leave out the port"),
            ("*.example.com", "leave out the asterisk"),
            ("example.com/shop", "the name of a host alone"),
            ("exa mple.com", "the name of a host alone"),
            ("example.com.", "the dot at its end"),
            ("example..com", "the name of a host alone"),
            ("..example.com", "the name of a host alone"),
            ("-a.example.com", "the name of a host alone"),
            ("a;b", "the name of a host alone"),
            ("user@example.com", "the name of a host alone"),
            ("b\u{fc}cher.example", "Punycode"),
            ("[::1]", "has no domain"),
            ("::1", "has no domain"),
            (".", "the dot at its end"),
        ] {
            let error = refused(domain).unwrap_or_default();
            assert!(
                error.contains(&format!("{domain:?}")) && error.contains(advice),
                "{domain}: {error}"
            );
        }
        assert!(refused(&format!("{}.com", "a".repeat(64))).is_some());
        assert!(refused(&"abc.".repeat(70)).is_some());
    }

    #[test]
    fn a_host_and_what_is_below_it_are_domains() {
        for domain in [
            "example.com",
            ".example.com",
            "Shop.Example.COM",
            "localhost",
            "a_b.example.com",
            "127.0.0.1",
            "xn--bcher-kva.example",
            "1.2.example",
        ] {
            assert_eq!(refused(domain), None);
        }
    }

    #[test]
    fn what_browsers_drop_for_its_name_or_its_length_is_refused() {
        let with = |name: &str, path: &str| {
            let config =
                CookieConfig { secure: false, path: path.to_owned(), ..CookieConfig::default() };
            check(name, &config).err().map(|error| error.to_string()).unwrap_or_default()
        };
        for name in ["__Secure-sid", "__Http-sid", "__Host-Http-sid", "__HTTP-sid"] {
            assert!(with(name, "/").contains("demands cookie.secure"), "{name}");
        }
        assert_eq!(with("__https-sid", "/"), "");
        assert_eq!(with(&"a".repeat(4060), &format!("/{}", "a".repeat(1023))), "");
        assert!(with(&"a".repeat(4061), "/").starts_with("cookie.name has 4061 letters"));
        let long = with("sid", &format!("/{}", "a".repeat(1024)));
        assert!(long.starts_with("cookie.path has 1025 letters"), "{long}");
    }

    #[test]
    fn a_path_that_matches_no_url_is_refused() {
        for path in [
            "shop",
            "/a b",
            "/shop?x",
            "/shop#x",
            "/a;b",
            "/a\\b",
            "/caf\u{e9}",
            "/\t",
            "/a\"b",
            "/{id}",
            "/a^b",
        ] {
            let error = check_path(path).unwrap_err().to_string();
            assert!(error.contains("cookie.path is "), "{error}");
        }
        for path in ["/", "/shop", "/shop/", "/caf%C3%A9", "/~ann/a,b=c:d@e!f$g&h'(i)*+|[j]"] {
            assert!(check_path(path).is_ok(), "{path}");
        }
    }
}
