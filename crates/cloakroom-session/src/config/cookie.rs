//! The cookie's part of the configuration.

use serde_json::Value;

use super::fields::{self, Fields, Unusable, described};

/// RFC 6265bis: what a browser keeps at most, in seconds.
pub(crate) const LONGEST_MAX_AGE: u64 = 400 * 24 * 60 * 60;

/// The cookie that holds the ID. It is always `HttpOnly`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CookieConfig {
    /// `astro-session` unless set.
    pub name: String,
    /// The domain, or none for the host alone.
    pub domain: Option<String>,
    /// `/` unless set.
    pub path: String,
    /// `maxAge`, in seconds; none for a cookie that ends with the browser's session. The cookie is sent again where a
    /// request changes the session or moves its idle deadline, and lives no longer than `absolute` allows. What is not
    /// answered to a request, as an `update` over a WebSocket, cannot renew it.
    pub max_age: Option<u64>,
    /// `sameSite`: `"strict"` (or true), `"lax"`, `"none"`, or false to leave it out. Lax unless set.
    pub same_site: SameSite,
    /// On unless set.
    pub secure: bool,
    /// Off unless set.
    pub partitioned: bool,
    /// `hostPrefix`: puts `__Host-` before the name, which binds the cookie to this very host. Off unless set.
    pub host_prefix: bool,
}

/// Which requests from other sites bring the cookie along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// None of them.
    Strict,
    /// Top-level navigations.
    Lax,
    /// All; demands `secure`.
    None,
    /// The attribute is left out, and the browser decides.
    Omit,
}

impl Default for CookieConfig {
    fn default() -> CookieConfig {
        CookieConfig {
            name: "astro-session".to_owned(),
            domain: None,
            path: "/".to_owned(),
            max_age: None,
            same_site: SameSite::Lax,
            secure: true,
            partitioned: false,
            host_prefix: false,
        }
    }
}

impl CookieConfig {
    /// Astro's table. A name alone is one by now.
    pub(super) fn from_value(value: Value) -> fields::Result<CookieConfig> {
        let mut config = CookieConfig::default();
        let map = match value {
            Value::Object(map) => map,
            other => {
                let message = format!(
                    "cookie is {}: it must be a name or a table such as {{ name, sameSite }}",
                    described(&other)
                );
                return Err(Unusable::new("cookie", message));
            }
        };
        let mut fields = Fields::new("cookie.", map);
        if let Some(name) = fields.string("name")? {
            config.name = name;
        }
        config.domain = fields.string("domain")?;
        if let Some(path) = fields.string("path")? {
            config.path = path;
        }
        config.max_age = fields.integer("maxAge")?;
        if let Some(same_site) = fields.take("sameSite") {
            config.same_site = SameSite::from_value(&same_site)?;
        }
        if let Some(secure) = fields.boolean("secure")? {
            config.secure = secure;
        }
        if let Some(partitioned) = fields.boolean("partitioned")? {
            config.partitioned = partitioned;
        }
        if let Some(host_prefix) = fields.boolean("hostPrefix")? {
            config.host_prefix = host_prefix;
        }
        if fields.boolean("httpOnly")? == Some(false) {
            return Err(Unusable::new(
                "cookie.httpOnly",
                "cookie.httpOnly is false: a session cookie is always HttpOnly, leave it out",
            ));
        }
        fields.finish()?;
        Ok(config)
    }
}

impl SameSite {
    fn from_value(value: &Value) -> fields::Result<SameSite> {
        let lower = value.as_str().map(str::to_lowercase);
        match (value, lower.as_deref()) {
            (Value::Bool(true), _) | (_, Some("strict")) => Ok(SameSite::Strict),
            (_, Some("lax")) => Ok(SameSite::Lax),
            (_, Some("none")) => Ok(SameSite::None),
            (Value::Bool(false), _) => Ok(SameSite::Omit),
            _ => Err(Unusable::new(
                "cookie.sameSite",
                format!(
                    "cookie.sameSite is {}: it must be \"strict\", \"lax\", \"none\", true or false",
                    described(value)
                ),
            )),
        }
    }
}
