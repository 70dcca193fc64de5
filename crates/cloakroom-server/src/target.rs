//! What a path means.

use axum::http::StatusCode;
use cloakroom_storage::ItemKey;
use percent_encoding::percent_decode_str;

use crate::refusal::Refusal;

/// What a request is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// One item.
    Item(ItemKey),
    /// All keys that begin so. Empty for all there are, or with a `:` at its end.
    Base(String),
}

impl Target {
    /// Reads a path as unstorage's server does: `/a/b` is the item `a:b`, and with a `/` or a `:` at the end it is all
    /// that is below.
    ///
    /// # Errors
    /// When no key comes of it.
    pub(crate) fn of(path: &str, base: &str) -> Result<Target, Refusal> {
        let refused = |reason: &str| {
            Refusal::new(StatusCode::BAD_REQUEST, format!("this cannot be a key: {reason}"))
        };
        // An encoded slash is no separator, and stays encoded: so it is with unstorage.
        let path = path.replace("%2F", "%252F").replace("%2f", "%252F");
        // DIFFERENCE: unstorage takes what is not UTF-8 as it is, and two paths would lead to one item.
        let path =
            percent_decode_str(&path).decode_utf8().map_err(|_| refused("it is not UTF-8"))?;
        let (path, cut) = path.split_once('?').map_or((&*path, false), |(path, _)| (path, true));
        let is_base = path.ends_with(['/', ':']);
        if is_base && cut {
            // DIFFERENCE: with unstorage, `DELETE /%3Fid` removes everything.
            return Err(refused("it begins with a question mark"));
        }
        if is_base && path.chars().all(|letter| matches!(letter, '/' | '\\' | ':')) {
            return Ok(Target::Base(base.to_owned()));
        }
        let key = ItemKey::new(path)?;
        let key = key.with_base(base.trim_end_matches(':'))?;
        Ok(if is_base { Target::Base(format!("{}:", key.as_str())) } else { Target::Item(key) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str, base: &str) -> Option<String> {
        Target::of(path, base).ok().map(|target| match target {
            Target::Item(key) => key.as_str().to_owned(),
            Target::Base(base) => format!("all of {base}"),
        })
    }

    #[test]
    fn paths_are_read_as_unstorage_reads_them() {
        for (path, expected) in [
            ("/id", "id"),
            ("/a/b", "a:b"),
            ("/a:b", "a:b"),
            ("/a%3Ab", "a:b"),
            ("/a%2Fb", "a%2Fb"),
            ("/a%252fb", "a%2fb"),
            ("/a%25b", "a%b"),
            ("/a%20b", "a b"),
            ("/a%2520b", "a%20b"),
            ("/a%3Fb", "a"),
            ("/gr%C3%BC%C3%9Fe", "grüße"),
            ("/", "all of "),
            ("/:", "all of "),
            ("/a/", "all of a:"),
            ("/a:", "all of a:"),
            ("/a/:", "all of a:"),
            ("/a/b%3A", "all of a:b:"),
        ] {
            assert_eq!(target(path, "").as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn a_base_is_before_every_key() {
        assert_eq!(target("/id", "sess:").as_deref(), Some("sess:id"));
        assert_eq!(target("/:", "sess:").as_deref(), Some("all of sess:"));
        assert_eq!(target("/a/", "sess:").as_deref(), Some("all of sess:a:"));
    }

    #[test]
    fn what_leaves_its_place_or_is_no_text_is_refused() {
        for path in [
            "/..",
            "/a/../b",
            "/%2e%2e/x",
            "/a/%2E",
            "/../",
            "/%FF",
            "/a%00",
            "/%3F",
            "/a/%3Fb",
            "",
        ] {
            assert_eq!(target(path, "sess:"), None, "{path}");
        }
        assert_eq!(target(&format!("/{}", "x".repeat(1025)), ""), None);
    }
}
