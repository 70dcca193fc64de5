//! A page that visitors are sent to, and that sends them back.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::ReturnTo;
use super::return_to::FIELD;

/// What stands in no header.
const UNWRITTEN: &AsciiSet = &CONTROLS.add(b' ').add(b'\\');

/// What stands in no value of a query. A slash does, so that people can read it.
const VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A page of this site, such as the one to sign in.
#[derive(Clone, Debug)]
pub(super) struct Page {
    /// Its address, up to the fragment.
    address: String,
    fragment: String,
}

impl Page {
    /// Reads an address as a person writes it, with or without a query.
    pub(super) fn new(page: &str) -> Page {
        let page: String = utf8_percent_encode(page.trim_start_matches('/'), UNWRITTEN).collect();
        let (address, fragment) = page.split_at(page.find('#').unwrap_or(page.len()));
        Page { address: format!("/{address}"), fragment: fragment.to_owned() }
    }

    /// Whether a request is for it, by the path that those bring who were sent to it.
    pub(super) fn is(&self, path: &str) -> bool {
        self.address.split('?').next() == Some(path)
    }

    /// Where to send who asked for this path and query. What nobody could be sent back to is not remembered.
    pub(super) fn location(&self, path_and_query: &str) -> String {
        let Page { address, fragment, .. } = self;
        let Some(return_to) = ReturnTo::checked(path_and_query) else {
            return format!("{address}{fragment}");
        };
        let separator = match address.contains('?') {
            false => "?",
            true if address.ends_with(['?', '&']) => "",
            true => "&",
        };
        let return_to = utf8_percent_encode(&return_to, VALUE);
        format!("{address}{separator}{FIELD}={return_to}{fragment}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_where_to_send_back_to_and_keeps_its_own_query() {
        for (page, location) in [
            ("/login", "/login?return_to=/orders%3Fpage%3D2%26all"),
            ("login", "/login?return_to=/orders%3Fpage%3D2%26all"),
            ("/login?", "/login?return_to=/orders%3Fpage%3D2%26all"),
            ("/login?lang=pt", "/login?lang=pt&return_to=/orders%3Fpage%3D2%26all"),
            ("/login?lang=pt&", "/login?lang=pt&return_to=/orders%3Fpage%3D2%26all"),
            ("/login?lang=pt#form", "/login?lang=pt&return_to=/orders%3Fpage%3D2%26all#form"),
            ("/sitzung/öffnen", "/sitzung/%C3%B6ffnen?return_to=/orders%3Fpage%3D2%26all"),
            ("/a b\r\nx: y", "/a%20b%0D%0Ax:%20y?return_to=/orders%3Fpage%3D2%26all"),
            ("//evil.example", "/evil.example?return_to=/orders%3Fpage%3D2%26all"),
            ("/\\evil.example", "/%5Cevil.example?return_to=/orders%3Fpage%3D2%26all"),
        ] {
            assert_eq!(Page::new(page).location("/orders?page=2&all"), location);
        }
    }

    #[test]
    fn what_it_is_told_comes_back_as_it_was() {
        for asked in ["/", "/a+b%20c?d=%26&e=f%23g;h", "/%C3%BC", "/@ann", "/a?b=//c"] {
            let location = Page::new("/login").location(asked);
            let query = location.strip_prefix("/login?").unwrap_or_default();
            assert_eq!(ReturnTo::from_query(query), asked);
        }
    }

    #[test]
    fn what_nobody_can_be_sent_back_to_is_not_remembered() {
        for asked in ["//evil.example", "*", "", &format!("/{}", "a".repeat(2048))] {
            assert_eq!(Page::new("/login?lang=pt#form").location(asked), "/login?lang=pt#form");
        }
    }

    #[test]
    fn a_page_is_known_by_the_path_that_those_bring_who_were_sent_to_it() {
        let page = Page::new("über/login?lang=pt#form");
        assert!(page.is("/%C3%BCber/login"));
        for other in ["/%C3%BCber/login/", "/%C3%BCber/log%69n", "/%C3%BCber", "/login", "/", ""] {
            assert!(!page.is(other), "{other}");
        }
    }
}
