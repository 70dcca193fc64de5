//! The cookie on the wire: the bytes that Astro reads and writes.
//!
//! Written by hand because the order of the attributes and the lenience of the reader are part of what is
//! shared with Astro, and the `cookie` crate has its own of both. Whoever knows a session may read and write it; it knows
//! the ID and the configuration, and no session.

mod check;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use percent_encoding::percent_decode;

use crate::config::{CookieConfig, SameSite};
use crate::error::{Error, Result};
use crate::id::SessionId;

/// RFC 6265bis: name and value together, in bytes.
const LARGEST_COOKIE: usize = 4096;
const ID_LENGTH: usize = 36;
/// Every character percent-encoded; what is longer is not worth decoding.
const LONGEST_ENCODED_ID: usize = 3 * ID_LENGTH;

/// A request's `Cookie` headers, unparsed: most requests never ask.
#[derive(Clone, Default)]
pub struct CookieHeaders(Headers);

#[derive(Clone, Default)]
enum Headers {
    #[default]
    None,
    One(HeaderValue),
    // HTTP/2 clients may split the header (RFC 9113, 8.2.3).
    Several(Vec<HeaderValue>),
}

impl CookieHeaders {
    fn iter(&self) -> impl Iterator<Item = &HeaderValue> {
        match &self.0 {
            Headers::None => [].iter(),
            Headers::One(header) => std::slice::from_ref(header).iter(),
            Headers::Several(headers) => headers.iter(),
        }
    }
}

/// Without the cookies, which are credentials.
impl fmt::Debug for CookieHeaders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CookieHeaders").finish_non_exhaustive()
    }
}

impl From<&HeaderMap> for CookieHeaders {
    fn from(headers: &HeaderMap) -> CookieHeaders {
        let mut headers = headers.get_all(header::COOKIE).iter();
        // Almost always the only one.
        match (headers.next(), headers.next()) {
            (Some(only), None) => CookieHeaders(Headers::One(only.clone())),
            (first, second) => first.into_iter().chain(second).chain(headers).cloned().collect(),
        }
    }
}

/// For frameworks with header types of their own. What no header may contain is left out.
impl<'a> FromIterator<&'a [u8]> for CookieHeaders {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(headers: I) -> CookieHeaders {
        headers.into_iter().flat_map(HeaderValue::from_bytes).collect()
    }
}

impl FromIterator<HeaderValue> for CookieHeaders {
    fn from_iter<I: IntoIterator<Item = HeaderValue>>(headers: I) -> CookieHeaders {
        let mut headers = headers.into_iter();
        CookieHeaders(match (headers.next(), headers.next()) {
            (None, _) => Headers::None,
            (Some(only), None) => Headers::One(only),
            (Some(first), Some(second)) => {
                Headers::Several([first, second].into_iter().chain(headers).collect())
            }
        })
    }
}

impl From<HeaderValue> for CookieHeaders {
    fn from(header: HeaderValue) -> CookieHeaders {
        CookieHeaders(Headers::One(header))
    }
}

/// What the client presented under the cookie's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ticket {
    /// No cookie of that name.
    Missing,
    /// A cookie that cannot be one of ours.
    Malformed,
    /// Well formed; whether it exists only the store knows.
    Id(SessionId),
}

/// The configured cookie, ready to be read and written.
#[derive(Clone, Debug)]
pub(crate) struct SessionCookie {
    name: String,
    /// In seconds.
    max_age: Option<u64>,
    /// All but `Max-Age`.
    attributes: String,
    deletion: String,
}

impl SessionCookie {
    pub(crate) fn new(config: &CookieConfig) -> Result<SessionCookie> {
        let has_prefix = config.name.to_ascii_lowercase().starts_with("__host-");
        let name = if config.host_prefix && !has_prefix {
            format!("__Host-{}", config.name)
        } else {
            config.name.clone()
        };
        check::check(&name, config)?;

        let domain = attribute("Domain", config.domain.as_deref());
        let path = attribute("Path", Some(&config.path));
        let mut flags = String::from("; HttpOnly");
        if config.secure {
            flags += "; Secure";
        }
        if config.partitioned {
            flags += "; Partitioned";
        }
        match config.same_site {
            SameSite::Strict => flags += "; SameSite=Strict",
            SameSite::Lax => flags += "; SameSite=Lax",
            SameSite::None => flags += "; SameSite=None",
            SameSite::Omit => {}
        }
        let attributes = format!("{domain}{path}{flags}");
        let max_age = config.max_age;
        let length = name.len() + ID_LENGTH + max_age_attribute(max_age).len() + attributes.len();
        if length > LARGEST_COOKIE {
            return Err(Error::config(format!(
                "the session cookie would be larger than the {LARGEST_COOKIE} bytes that browsers keep: \
                 shorten cookie.name, cookie.domain or cookie.path"
            )));
        }
        let deletion =
            format!("{name}=deleted{domain}{path}; Expires=Thu, 01 Jan 1970 00:00:00 GMT{flags}");
        Ok(SessionCookie { name, max_age, attributes, deletion })
    }

    /// The first cookie of our name decides, as in Astro; quotes are not stripped.
    pub(crate) fn read(&self, headers: &CookieHeaders) -> Ticket {
        // Bytes, because a header with other than ASCII in it may still carry our cookie in its ASCII part.
        let pairs = headers.iter().flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
        for pair in pairs {
            if let Some((name, value)) = name_and_value(pair)
                && name == self.name.as_bytes()
            {
                return ticket(trim(value));
            }
        }
        Ticket::Missing
    }

    /// The `Set-Cookie` value that hands out this ID, for so long where the session is `remember`ed, of a session that lives
    /// for so long at most.
    pub(crate) fn hand_out(
        &self,
        id: &SessionId,
        remember: Option<Duration>,
        longest: Option<Duration>,
    ) -> String {
        let longest = longest.map_or(u64::MAX, |longest| longest.as_secs().max(1));
        let max_age = remember.map(|remember| remember.as_secs()).or(self.max_age);
        let max_age = max_age_attribute(max_age.map(|seconds| seconds.min(longest)));
        id.with_str(|id| [&self.name, "=", id, &max_age, &self.attributes].concat())
    }

    /// The `Cookie` header of a browser that was handed out this ID.
    #[cfg(feature = "testing")]
    pub(crate) fn present(&self, id: &SessionId) -> String {
        id.with_str(|id| [&self.name, "=", id].concat())
    }

    /// The `Set-Cookie` value that makes the browser forget.
    pub(crate) fn delete(&self) -> String {
        self.deletion.clone()
    }
}

fn max_age_attribute(seconds: Option<u64>) -> String {
    seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default()
}

fn ticket(value: &[u8]) -> Ticket {
    if value.len() > LONGEST_ENCODED_ID {
        return Ticket::Malformed;
    }
    let plain = str::from_utf8(value).ok().and_then(SessionId::parse);
    plain
        .or_else(|| SessionId::parse(&percent_decode(value).decode_utf8_lossy()))
        .map_or(Ticket::Malformed, Ticket::Id)
}

/// What is before a cookie's first `=`, and what after it, with the blanks around that; `None` where there is none.
pub(crate) fn name_and_value(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    Some((trim(&pair[..equals]), &pair[equals + 1..]))
}

/// Spaces and tabs alone (RFC 9110, 5.6.3). Unicode's other spaces belong to the name: a browser lets any
/// subdomain set a cookie whose name is such a space and `__Host-…`.
fn trim(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = text.iter().position(|byte| !blank(byte)).unwrap_or(text.len());
    let end = text.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &text[start..end]
}

/// Empty attributes are omitted, as Astro does.
fn attribute(name: &str, value: Option<&str>) -> Cow<'static, str> {
    match value {
        Some(value) if !value.is_empty() => format!("; {name}={value}").into(),
        _ => "".into(),
    }
}

#[cfg(test)]
mod tests;
