//! JavaScript's `URL`: a type of its own, and `with = "serde_devalue::url"` for [`url::Url`](https://docs.rs/url).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::tag;

/// A JavaScript `URL`. Other formats see its text.
///
/// With the `url` feature (on by default) it is parsed and normalised as JavaScript's `new URL(text)` does, and
/// converts from and to `url::Url`, which drops empty segments and the host before a drive from file URLs.
/// DIFFERENCE: without the feature, any text is taken as it is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Url(String);

/// The text is not an absolute URL.
#[derive(Clone, Debug)]
pub struct InvalidUrl {
    #[cfg(feature = "url")]
    source: url::ParseError,
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid URL")?;
        #[cfg(feature = "url")]
        write!(f, ": {}", self.source)?;
        Ok(())
    }
}

impl std::error::Error for InvalidUrl {}

impl Url {
    /// `new URL(text)`.
    ///
    /// # Errors
    /// If the text is not an absolute URL.
    pub fn parse(text: &str) -> Result<Self, InvalidUrl> {
        #[cfg(feature = "url")]
        let url = if is_normalised(text) {
            Url(text.to_owned())
        } else if takes_long(text) {
            return Err(InvalidUrl { source: url::ParseError::IdnaError });
        } else {
            let parsed = url::Url::parse(text).map_err(|source| InvalidUrl { source })?;
            let lost = lost_parts(text, parsed.as_str());
            Url(if lost { text.to_owned() } else { parsed.into() })
        };
        #[cfg(not(feature = "url"))]
        let url = Url(text.to_owned());
        Ok(url)
    }

    /// The URL's text, `href` in JavaScript.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// Whether the text is surely an absolute URL that is written as it is: of the web, with a plain name for its host.
#[cfg(feature = "url")]
fn is_normalised(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return false;
    };
    let bytes = rest.as_bytes();
    let Some(end) = bytes.iter().position(|&byte| byte == b'/') else { return false };
    let (host, path) = (&bytes[..end], &bytes[end + 1..]);
    // Labels with `--` may be encoded, and a last one that begins with a digit may be the end of an address.
    let is_name = |label: &[u8]| {
        !label.is_empty()
            && label.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !label.windows(2).any(|pair| pair == b"--")
    };
    let last = host.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    let query = path.iter().position(|&byte| byte == b'?').unwrap_or(path.len());
    let (path, query) = (&path[..query], path.get(query + 1..).unwrap_or_default());
    // A segment that begins so may be `.` or `..`.
    let may_be_dots = |segment: &[u8]| matches!(segment.first(), Some(b'.' | b'%'));
    let is_plain = |text: &[u8]| {
        text.iter().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(
                    byte,
                    b'-' | b'.' | b'_' | b'~' | b'/' | b'=' | b'&' | b'%' | b'+' | b',' | b':'
                )
        })
    };
    host.split(|&byte| byte == b'.').all(is_name)
        && !last.first().is_some_and(u8::is_ascii_digit)
        && !path.split(|&byte| byte == b'/').any(may_be_dots)
        && is_plain(path)
        && is_plain(query)
}

/// Whether a part of the host has more letters beyond ASCII than any name of the internet. To encode them takes quadratic
/// time, and of many the result could not be read again.
///
/// DIFFERENCE: JavaScript takes such a host. Nothing writes one: what is written is encoded.
#[cfg(feature = "url")]
fn takes_long(text: &str) -> bool {
    const LONGEST_LABEL: usize = 63;
    // Left out wherever they stand.
    let text = text.replace(['\t', '\n', '\r'], "");
    let text = text.trim_start_matches(|letter: char| letter <= ' ');
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_special = ["http", "https", "ws", "wss", "ftp", "file"]
        .iter()
        .any(|special| scheme.eq_ignore_ascii_case(special));
    let rest = rest.trim_start_matches(['/', '\\']);
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let letters = |label: &str| {
        // Of an encoded one there are two bytes at least, and four at most.
        label.chars().filter(|letter| !letter.is_ascii()).count() + label.matches('%').count() / 4
    };
    is_special
        && host
            .split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'])
            .any(|label| letters(label) > LONGEST_LABEL)
}

/// Whether the text is a normalised file URL of which the url crate dropped what JavaScript keeps: empty segments of the
/// path, as in `file:////host/share`, or the host before a drive, as in `file://host/C:/`.
#[cfg(feature = "url")]
fn lost_parts(text: &str, parsed: &str) -> bool {
    let (Some((host, path)), Some((kept_host, kept_path))) = (file_parts(text), file_parts(parsed))
    else {
        return false;
    };
    let segment = |text: &&str| !text.is_empty();
    let is_host = || {
        let url = url::Url::parse(&format!("file://{host}/"));
        url.is_ok_and(|url| url.host_str() == Some(host))
    };
    text != parsed
        && path.split('/').filter(segment).eq(kept_path.split('/').filter(segment))
        && (host == kept_host || kept_host.is_empty() && is_host())
}

/// The host, and all that follows it: a path first.
#[cfg(feature = "url")]
fn file_parts(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("file://")?;
    let (host, path) = rest.split_at(rest.find(['/', '?', '#'])?);
    path.starts_with('/').then_some((host, path))
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "url")]
impl From<url::Url> for Url {
    fn from(url: url::Url) -> Self {
        Url(url.into())
    }
}

#[cfg(feature = "url")]
impl TryFrom<Url> for url::Url {
    type Error = url::ParseError;

    fn try_from(url: Url) -> Result<Self, url::ParseError> {
        url::Url::parse(&url.0)
    }
}

impl Serialize for Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(tag::URL, &self.0)
    }
}

/// Reads both of devalue's forms, and a string.
impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(tag::URL, UrlVisitor)
    }
}

struct UrlVisitor;

impl<'de> de::Visitor<'de> for UrlVisitor {
    type Value = Url;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a URL")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Url, E> {
        Url::parse(text).map_err(E::custom)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Url, D::Error> {
        deserializer.deserialize_str(self)
    }
}

/// Writes a `url::Url` as a URL.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Settings {
///     #[serde(with = "serde_devalue::url")]
///     homepage: url::Url,
/// }
///
/// let settings = Settings { homepage: "https://example.com".parse().unwrap() };
/// let text = serde_devalue::to_string(&settings)?;
/// assert_eq!(text, r#"[{"homepage":1},["URL","https://example.com/"]]"#);
/// assert_eq!(serde_devalue::from_str::<Settings>(&text)?.homepage, settings.homepage);
/// # Ok::<(), serde_devalue::Error>(())
/// ```
///
/// # Errors
/// What the serializer reports.
#[cfg(feature = "url")]
pub fn serialize<S: Serializer>(url: &url::Url, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(tag::URL, url.as_str())
}

/// Reads a `url::Url` from either form of URL, or from a string.
///
/// # Errors
/// If it is not an absolute URL.
#[cfg(feature = "url")]
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<url::Url, D::Error> {
    Url::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
}

/// The same for `Option<url::Url>`: `with = "serde_devalue::url::option"`.
#[cfg(feature = "url")]
pub mod option {
    use super::*;

    /// Writes a `url::Url` as a URL, and `None` as null.
    ///
    /// # Errors
    /// What the serializer reports.
    pub fn serialize<S: Serializer>(
        url: &Option<url::Url>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        url.clone().map(Url::from).serialize(serializer)
    }

    /// Reads a `url::Url`; null and undefined are `None`. Add `#[serde(default)]` for a missing field.
    ///
    /// # Errors
    /// If it is not an absolute URL.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<url::Url>, D::Error> {
        let url = Option::<Url>::deserialize(deserializer)?;
        url.map(TryInto::try_into).transpose().map_err(de::Error::custom)
    }
}

#[cfg(all(test, feature = "url"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_normalised_is_what_would_be_written() {
        for href in [
            "https://shop.example.com/checkout?step=2&ref=cf203273",
            "http://localhost/",
            "https://example.com/a/b.html?q=%20+c",
            "https://a-b.c0m/%7E/..a",
        ] {
            let parsed = url::Url::parse(href).unwrap();
            assert_eq!(parsed.as_str(), href);
        }
        assert!(is_normalised("https://shop.example.com/checkout?step=2&ref=cf203273"));
        assert!(is_normalised("http://localhost/"));
        for text in [
            "https://example.com",
            "https://Example.com/",
            "https://example.com:443/",
            "https://user@example.com/",
            "https://xn--a/",
            "https://1.2.3/",
            "https://example.0x1/",
            "https://a..b/",
            "https:///a",
            "https://example.com/a/../b",
            "https://example.com/%2e/b",
            "https://example.com/a b",
            "https://example.com/\u{e9}",
            "https://example.com/?'",
            "https://example.com/a\\b",
            "HTTPS://example.com/",
            "ftp://example.com/",
        ] {
            assert!(!is_normalised(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn normalised_urls_are_those_of_the_parser(
            text in "https?://[a-z0-9.:@-]{1,9}(/[a-zA-Z0-9%._~?=&'#+,:-]{0,5}){0,3}",
        ) {
            if is_normalised(&text) {
                let parsed = url::Url::parse(&text);
                proptest::prop_assert_eq!(parsed.as_ref().map(url::Url::as_str), Ok(&*text));
            }
        }
    }

    #[test]
    fn a_host_that_takes_quadratic_time_to_encode_is_refused() {
        let letters = |count| (0..count).filter_map(|at| char::from_u32(0x4e00 + at * 7));
        let label: String = letters(63).collect();
        let long: String = letters(900).collect();
        let encoded: String = long.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for host in [
            format!("//{long}/"),
            format!("//a.{long}"),
            format!("/\\{long}?"),
            format!("//user@{long}#"),
            format!("//{encoded}/"),
            format!("/\t/{long}/"),
        ] {
            for scheme in ["https", "HTTP", " file", "w\ns"] {
                assert!(Url::parse(&format!("{scheme}:{host}")).is_err(), "{scheme}:{host}");
            }
        }
        for text in [
            format!("https://{label}.{label}\u{3002}{label}/"),
            format!("https://{encoded}:{encoded}@example.com/{long}?{long}#{long}"),
            format!("https://example.com/@{long}"),
            format!("data:text/plain,{long}"),
        ] {
            let url = Url::parse(&text).unwrap();
            assert_eq!(Url::parse(url.as_str()).unwrap(), url, "{text}");
        }
    }

    #[test]
    fn file_urls_keep_their_host_and_their_empty_segments() {
        for href in [
            "file:////host/share",
            "file:////#a",
            "file://h//a",
            "file:///a//b/",
            "file://h/C:/",
            "file:///C:/",
        ] {
            assert_eq!(Url::parse(href).unwrap().as_str(), href);
        }
        for (text, href) in [
            ("file:a", "file:///a"),
            ("file://", "file:///"),
            ("file://h?//", "file://h/?//"),
            ("file:///a/../b", "file:///b"),
            ("file://localhost/C:/", "file:///C:/"),
        ] {
            assert_eq!(Url::parse(text).unwrap().as_str(), href);
        }
    }
}
