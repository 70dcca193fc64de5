//! Where a store is, and where an item is in it.

use std::fmt;

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::common::advice::without_tls;
use cloakroom_storage::{Advice, Error, Result, options};

/// What JavaScript's `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// A part of a path or of a query, as JavaScript's `encodeURIComponent` writes it.
pub(crate) fn encoded(part: &str) -> String {
    utf8_percent_encode(part, COMPONENT).to_string()
}

/// The address that a store's paths begin with, without a slash at its end.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address(String);

impl Address {
    /// Reads an address out of the option `option`.
    ///
    /// # Errors
    /// With [`InvalidOptions`](cloakroom_storage::ErrorKind::InvalidOptions) when it is no absolute URL of `http` or `https`, or when it
    /// has a query.
    pub(crate) fn new(driver: &'static str, option: &str, text: &str) -> Result<Address> {
        let invalid = |reason: &str| {
            options::invalid(
                driver,
                format!("option `{option}`: {reason}, as in `https://store.example/path`"),
            )
        };
        let url: url::Url = text.trim().parse().map_err(|_| invalid("it must be a whole URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(invalid("it must begin with `http://` or `https://`"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("it must end with a path"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("credentials do not belong into a URL"));
        }
        Ok(Address(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The URI of a path that begins with `/`, or with `?`, and is encoded already.
    pub(crate) fn uri(&self, driver: &'static str, path: &str) -> Result<Uri, Error> {
        format!("{}{path}", self.0).parse().map_err(|error: http::uri::InvalidUri| {
            Error::new(cloakroom_storage::ErrorKind::InvalidKey, "the item's address is no URL")
                .with_driver(driver)
                .with_source(error)
        })
    }

    /// What is unsafe on the way there.
    pub(crate) fn advice(&self) -> Option<Advice> {
        let host = self.0.strip_prefix("http://")?.split('/').next()?;
        let host = match host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => host,
        };
        without_tls(
            host,
            "say `https://` in its URL, and put a proxy with TLS before it where it has none",
        )
    }

    /// The address as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_encoded_as_in_javascript() {
        // What `encodeURIComponent` gives.
        for (part, expected) in [
            ("a-b_c.d!e~f*g'h(i)", "a-b_c.d!e~f*g'h(i)"),
            ("a:b/c?d#e&f=g+h i%", "a%3Ab%2Fc%3Fd%23e%26f%3Dg%2Bh%20i%25"),
            ("grüße 🧥", "gr%C3%BC%C3%9Fe%20%F0%9F%A7%A5"),
        ] {
            assert_eq!(encoded(part), expected);
        }
    }

    #[test]
    fn an_address_has_a_path_before_the_items() {
        let address = |text| Address::new("example", "base", text);
        let uri =
            address("http://localhost:3000/a/").and_then(|address| address.uri("example", "/b%3A"));
        assert_eq!(uri.expect("a URI"), "http://localhost:3000/a/b%3A");
        for text in [
            "",
            "/path",
            "ftp://example",
            "http://a:b@example",
            "http://example/?a",
            "localhost:80",
        ] {
            let error = address(text).expect_err(text);
            assert!(error.to_string().contains("option `base`"), "{error}");
        }
    }
}
