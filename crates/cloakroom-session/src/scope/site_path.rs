//! Paths that a person wrote, found in what clients ask for.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A path as a person writes it, in a program or a configuration: `über uns`, `/über uns/` and `/%C3%BCber%20uns` are
/// all the path that a browser asks for as `/%C3%BCber%20uns`.
///
/// ```
/// use cloakroom_session::adapter::SitePath;
///
/// let base = SitePath::new("café");
/// assert_eq!(base.below("/caf%C3%A9/cart"), Some("/cart"));
/// assert_eq!(base.below("/cafeteria"), None);
/// assert!(base.is("/caf%c3%a9/"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SitePath {
    /// Decoded, and without the slashes around it.
    steps: Vec<Vec<u8>>,
}

impl SitePath {
    /// Reads a path, with or without slashes around it, percent-encoded or not.
    pub fn new(path: &str) -> SitePath {
        let path = path.trim_matches('/');
        let steps = path.split('/').filter(|_| !path.is_empty());
        SitePath { steps: steps.map(|step| decoded(step).into_owned()).collect() }
    }

    /// Whether a request's path is this one, with or without a slash at its end.
    pub fn is(&self, path: &str) -> bool {
        matches!(self.below(path), Some("" | "/"))
    }

    /// What follows this path in a request's: nothing, or what begins with a slash. `None` where it is another path.
    pub fn below<'a>(&self, path: &'a str) -> Option<&'a str> {
        let mut rest = path;
        for step in &self.steps {
            let after = rest.strip_prefix('/')?;
            let end = after.find('/').unwrap_or(after.len());
            let (asked, after) = after.split_at(end);
            if decoded(asked) != step.as_slice() {
                return None;
            }
            rest = after;
        }
        Some(rest)
    }
}

/// By the step, so that an encoded slash parts nothing.
fn decoded(step: &str) -> Cow<'_, [u8]> {
    percent_decode_str(step).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_the_same_however_a_person_or_a_browser_writes_it() {
        for written in ["/über/a b", "über/a b/", "//über/a b", "/%C3%BCber/a%20b"] {
            let path = SitePath::new(written);
            for asked in ["/%C3%BCber/a%20b", "/%c3%bcber/a%20b/", "/über/a b"] {
                assert!(path.is(asked), "{written} {asked}");
            }
            for other in ["/%C3%BCber%2Fa%20b", "/%C3%BCber", "/ber/a%20b", "%C3%BCber/a%20b", ""] {
                assert!(!path.is(other), "{written} {other}");
            }
        }
    }

    #[test]
    fn the_root_is_above_everything() {
        for written in ["", "/", "//"] {
            let root = SitePath::new(written);
            assert!(root.is("/") && root.is("") && !root.is("/a"));
            assert_eq!(root.below("/a/b"), Some("/a/b"));
        }
    }

    #[test]
    fn a_percent_sign_that_encodes_nothing_is_one() {
        assert!(SitePath::new("/100%").is("/100%25"));
        assert!(SitePath::new("/100%25").is("/100%"));
    }

    #[test]
    fn what_is_below_begins_with_a_slash_or_is_nothing() {
        let path = SitePath::new("/shop");
        assert_eq!(path.below("/shop"), Some(""));
        assert_eq!(path.below("/shop/"), Some("/"));
        assert_eq!(path.below("/shop//a"), Some("//a"));
        assert_eq!(path.below("/shops"), None);
    }
}
