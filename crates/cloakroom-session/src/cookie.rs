//! The cookie on the wire: the bytes that Astro reads and writes.
//!
//! Written by hand because the order of the attributes and the lenience of the reader are part of what is
//! shared with Astro, and the `cookie` crate has its own of both.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, header};
use percent_encoding::percent_decode_str;

use crate::config::{CookieConfig, SameSite};
use crate::error::{Error, Result};
use crate::id::SessionId;

/// RFC 6265bis: what a browser keeps at most, in seconds.
const LONGEST_MAX_AGE: u64 = 400 * 24 * 60 * 60;
/// RFC 6265bis: name and value together, in bytes.
const LARGEST_COOKIE: usize = 4096;
const ID_LENGTH: usize = 36;

/// A request's `Cookie` headers, unparsed: most requests never ask.
#[derive(Clone, Debug, Default)]
pub struct CookieHeaders(Headers);

#[derive(Clone, Debug, Default)]
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

impl From<&HeaderMap> for CookieHeaders {
    fn from(headers: &HeaderMap) -> CookieHeaders {
        let mut values = headers.get_all(header::COOKIE).iter();
        CookieHeaders(match (values.next(), values.next()) {
            (None, _) => Headers::None,
            (Some(only), None) => Headers::One(only.clone()),
            (Some(first), Some(second)) => {
                Headers::Several([first, second].into_iter().chain(values).cloned().collect())
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
    attributes: String,
    deletion: String,
}

impl SessionCookie {
    pub(crate) fn new(config: &CookieConfig) -> Result<SessionCookie> {
        let name = if config.host_prefix {
            format!("__Host-{}", config.name)
        } else {
            config.name.clone()
        };
        check(&name, config)?;

        let max_age =
            config.max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
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
        let attributes = format!("{max_age}{domain}{path}{flags}");
        if name.len() + ID_LENGTH + attributes.len() > LARGEST_COOKIE {
            return Err(Error::config(format!(
                "the session cookie would be larger than the {LARGEST_COOKIE} bytes that browsers keep: \
                 shorten cookie.name, cookie.domain or cookie.path"
            )));
        }
        let deletion =
            format!("{name}=deleted{domain}{path}; Expires=Thu, 01 Jan 1970 00:00:00 GMT{flags}");
        Ok(SessionCookie { name, attributes, deletion })
    }

    /// The first cookie of our name decides, as in Astro; quotes are not stripped.
    pub(crate) fn read(&self, headers: &CookieHeaders) -> Ticket {
        for header in headers.iter() {
            // A header with other than ASCII in it may still carry our cookie in its ASCII part.
            let text = String::from_utf8_lossy(header.as_bytes());
            for pair in text.split(';') {
                let Some((name, value)) = pair.split_once('=') else { continue };
                if name.trim() == self.name {
                    let value = percent_decode_str(value.trim()).decode_utf8_lossy();
                    return SessionId::parse(&value).map_or(Ticket::Malformed, Ticket::Id);
                }
            }
        }
        Ticket::Missing
    }

    /// The `Set-Cookie` value that hands out this ID.
    pub(crate) fn hand_out(&self, id: &SessionId) -> String {
        id.with_str(|id| [&self.name, "=", id, &self.attributes].concat())
    }

    /// The `Set-Cookie` value that makes the browser forget.
    pub(crate) fn delete(&self) -> String {
        self.deletion.clone()
    }
}

/// Empty attributes are omitted, as Astro does.
fn attribute(name: &str, value: Option<&str>) -> Cow<'static, str> {
    match value {
        Some(value) if !value.is_empty() => format!("; {name}={value}").into(),
        _ => "".into(),
    }
}

fn check(name: &str, config: &CookieConfig) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(allowed) {
        return Err(Error::config(format!(
            "cookie.name is {name:?}: use only letters, digits, underscores and dashes"
        )));
    }
    for (key, value) in [("domain", config.domain.as_deref().unwrap_or("")), ("path", &config.path)]
    {
        if value.contains(|c: char| c == ';' || c.is_control() || !c.is_ascii()) {
            return Err(Error::config(format!(
                "cookie.{key} is {value:?}: it must be ASCII without semicolons or control characters"
            )));
        }
    }
    if !config.path.is_empty() && !config.path.starts_with('/') {
        return Err(Error::config(format!(
            "cookie.path is {:?}: it must begin with `/`",
            config.path
        )));
    }
    if let Some(seconds) = config.max_age.filter(|seconds| *seconds > LONGEST_MAX_AGE) {
        return Err(Error::config(format!(
            "cookie.maxAge is {seconds} seconds: browsers keep a cookie for 400 days at most \
             ({LONGEST_MAX_AGE} seconds)"
        )));
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
    let host = name.starts_with("__Host-");
    if (host || name.starts_with("__Secure-")) && !config.secure {
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

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11";

    fn id() -> SessionId {
        SessionId::parse(ID).unwrap()
    }

    fn cookie(change: impl FnOnce(&mut CookieConfig)) -> Result<SessionCookie> {
        let mut config = CookieConfig::default();
        change(&mut config);
        SessionCookie::new(&config)
    }

    fn read(header: &'static str) -> Ticket {
        let headers = CookieHeaders::from(HeaderValue::from_static(header));
        cookie(|_| {}).unwrap().read(&headers)
    }

    #[test]
    fn the_default_cookie_is_astros() {
        let cookie = cookie(|_| {}).unwrap();
        assert_eq!(
            cookie.hand_out(&id()),
            format!("astro-session={ID}; Path=/; HttpOnly; Secure; SameSite=Lax")
        );
        assert_eq!(
            cookie.delete(),
            "astro-session=deleted; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax"
        );
    }

    #[test]
    fn every_attribute_stands_in_astros_order_and_a_deletion_drops_only_max_age() {
        let cookie = cookie(|config| {
            config.name = "sid".into();
            config.domain = Some("example.com".into());
            config.path = "/shop".into();
            config.max_age = Some(60);
            config.partitioned = true;
            config.same_site = SameSite::None;
        })
        .unwrap();
        assert_eq!(
            cookie.hand_out(&id()),
            format!(
                "sid={ID}; Max-Age=60; Domain=example.com; Path=/shop; HttpOnly; Secure; Partitioned; SameSite=None"
            )
        );
        assert_eq!(
            cookie.delete(),
            "sid=deleted; Domain=example.com; Path=/shop; Expires=Thu, 01 Jan 1970 00:00:00 GMT; \
             HttpOnly; Secure; Partitioned; SameSite=None"
        );
    }

    #[test]
    fn empty_attributes_and_same_site_false_are_omitted() {
        let cookie = cookie(|config| {
            config.domain = Some(String::new());
            config.path = String::new();
            config.same_site = SameSite::Omit;
            config.secure = false;
        })
        .unwrap();
        assert_eq!(cookie.hand_out(&id()), format!("astro-session={ID}; HttpOnly"));
    }

    #[test]
    fn the_host_prefix_is_written_and_read_under_one_name_and_deleted_with_secure() {
        let cookie = cookie(|config| config.host_prefix = true).unwrap();
        assert!(cookie.hand_out(&id()).starts_with("__Host-astro-session="));
        assert!(cookie.delete().contains("; Secure"));
        let header = HeaderValue::try_from(format!("__Host-astro-session={ID}")).unwrap();
        assert_eq!(cookie.read(&header.into()), Ticket::Id(id()));
    }

    #[test]
    fn the_first_of_duplicate_names_wins() {
        assert_eq!(
            read("a=b; astro-session=0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11; astro-session=x"),
            Ticket::Id(id())
        );
        assert_eq!(
            read("astro-session=x; astro-session=0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11"),
            Ticket::Malformed
        );
    }

    #[test]
    fn a_header_split_in_two_is_read_whole() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("theme=dark"));
        headers
            .append(header::COOKIE, HeaderValue::try_from(format!("astro-session={ID}")).unwrap());
        assert_eq!(cookie(|_| {}).unwrap().read(&CookieHeaders::from(&headers)), Ticket::Id(id()));
    }

    #[test]
    fn hostile_cookies_are_malformed_and_others_names_are_not_ours() {
        assert_eq!(read("astro-session=../../etc/passwd"), Ticket::Malformed);
        assert_eq!(
            read("astro-session=\"0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11\""),
            Ticket::Malformed
        );
        assert_eq!(read("astro-session=%zz"), Ticket::Malformed);
        assert_eq!(read("astro-session="), Ticket::Malformed);
        assert_eq!(read("astro-session=deleted"), Ticket::Malformed);
        assert_eq!(
            read("my-astro-session=0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11; astro-session"),
            Ticket::Missing
        );
        assert_eq!(read(""), Ticket::Missing);
    }

    #[test]
    fn a_percent_encoded_id_is_read_as_astro_reads_it() {
        assert_eq!(read("astro-session=%30e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11"), Ticket::Id(id()));
    }

    #[test]
    fn a_cookie_that_browsers_would_refuse_is_an_error_at_start_up() {
        let refused = |change: fn(&mut CookieConfig)| cookie(change).unwrap_err().to_string();
        assert!(refused(|c| c.name = "a b".into()).contains("cookie.name"));
        assert!(refused(|c| c.name = "a".repeat(4096)).contains("4096"));
        assert!(refused(|c| c.max_age = Some(401 * 86_400)).contains("cookie.maxAge"));
        assert!(refused(|c| c.path = "shop".into()).contains("cookie.path"));
        assert!(refused(|c| c.domain = Some("a;b".into())).contains("cookie.domain"));
        assert!(
            refused(|c| {
                c.same_site = SameSite::None;
                c.secure = false
            })
            .contains("cookie.secure")
        );
        assert!(
            refused(|c| {
                c.host_prefix = true;
                c.secure = false
            })
            .contains("cookie.secure")
        );
        assert!(
            refused(|c| {
                c.host_prefix = true;
                c.path = "/shop".into()
            })
            .contains("cookie.path")
        );
        assert!(
            refused(|c| {
                c.name = "__Host-x".into();
                c.domain = Some("a.b".into())
            })
            .contains("cookie.domain")
        );
        assert!(
            refused(|c| {
                c.partitioned = true;
                c.secure = false
            })
            .contains("partitioned")
        );
    }
}
