//! The configuration: Astro's `session: { driver, options, cookie, ttl }`, and a little more.

mod adapter;
#[cfg(feature = "astro-config")]
mod astro;
mod environment;
mod fields;

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::lifetime::Lifetime;
use crate::outage::OutagePolicy;
use fields::{Fields, Unusable};

pub use adapter::Adapter;

/// How sessions are stored and which cookie names them.
///
/// The keys in TOML and JSON are Astro's: `driver`, `options`, `ttl` and
/// `cookie = { name, domain, path, maxAge, sameSite, secure }`; instead of a driver there may be an [`Adapter`]. A key or a value that makes no sense is an
/// error that names it, and the nearest right one.
///
/// ```
/// use std::time::Duration;
/// use cloakroom_session::Config;
///
/// let config = Config::from_toml(r#"
///     driver = "fs-lite"
///     options = { base = ".data/sessions" }
///     ttl = 3600
/// "#)?;
/// assert_eq!(config.ttl, Some(Duration::from_secs(3600)));
///
/// let error = Config::from_toml("tttl = 3600").unwrap_err();
/// assert!(error.to_string().contains("did you mean `ttl`"));
/// # Ok::<(), cloakroom_session::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The driver's unstorage name. `fs-lite` unless set, as in Astro's Node adapter.
    pub driver: String,
    /// The driver's own options, by their unstorage names.
    pub options: Map<String, Value>,
    /// The cookie that holds the ID.
    pub cookie: CookieConfig,
    /// How long an entry lives that is set without a ttl of its own (whole seconds in TOML, JSON and the
    /// environment). For ever unless set.
    pub ttl: Option<Duration>,
    /// The largest record that is written, in bytes (`maxSize`). 4 MiB unless set.
    pub max_size: usize,
    /// The longest time that one call to the store may take (`timeout`, in milliseconds). 5 s unless set.
    pub timeout: Duration,
    /// How often a call is tried again that failed without having changed anything (`retries`). 2 unless set.
    pub retries: u32,
    /// How long a session lives without being used (`idle`, in seconds): every request that reads or writes it moves
    /// the deadline, which the store keeps. For ever unless set.
    pub idle: Option<Duration>,
    /// How long a session lives from its creation, whatever its use and across `regenerate` (`absolute`, in seconds).
    /// For ever unless set.
    pub absolute: Option<Duration>,
    /// How far the idle deadline has to move for it to be worth a call to the store (`touchInterval`, in seconds). A
    /// tenth of `idle`, and a minute at most, unless set.
    pub touch_interval: Option<Duration>,
    /// What requests get while the store does not answer (`outage`: `"unavailable"`, `"readOnly"` or `"anonymous"`).
    /// Unavailable unless set.
    pub outage: OutagePolicy,
    /// How often expired records are removed from a store that does not do so itself (`sweepInterval`, in
    /// seconds; 0 for never). Once a minute unless set.
    pub sweep_interval: Option<Duration>,
}

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
    /// `maxAge`, in seconds; none for a cookie that ends with the browser's session.
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

impl Default for Config {
    fn default() -> Config {
        Config::new("fs-lite").option("base", ".data/sessions")
    }
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

impl Config {
    /// A configuration for this driver, everything else as by default.
    ///
    /// ```
    /// use cloakroom_session::Config;
    ///
    /// let mut config = Config::new("lru-cache").option("max", 5000);
    /// config.cookie.secure = false;
    /// ```
    pub fn new(driver: impl Into<String>) -> Config {
        Config {
            driver: driver.into(),
            options: Map::new(),
            cookie: CookieConfig::default(),
            ttl: None,
            max_size: 4 * 1024 * 1024,
            timeout: Duration::from_secs(5),
            retries: 2,
            idle: None,
            absolute: None,
            touch_interval: None,
            outage: OutagePolicy::Unavailable,
            sweep_interval: Some(Duration::from_secs(60)),
        }
    }

    /// Sets one of the driver's options.
    #[must_use]
    pub fn option(mut self, name: impl Into<String>, value: impl Into<Value>) -> Config {
        self.options.insert(name.into(), value.into());
        self
    }

    /// Sets how long an entry lives that is set without a ttl of its own.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Config {
        self.ttl = Some(ttl);
        self
    }

    /// Reads TOML.
    ///
    /// # Errors
    /// Where it is not TOML, or a key or value is not usable; the message names it.
    pub fn from_toml(text: &str) -> Result<Config> {
        Config::from_map(toml_map(text)?)
    }

    /// Reads JSON.
    ///
    /// # Errors
    /// Where it is not JSON, or a key or value is not usable; the message names it.
    pub fn from_json(text: &str) -> Result<Config> {
        Config::from_map(json_map(text)?)
    }

    /// Reads a file by its extension: TOML, JSON, or the configuration of an Astro site (`.mjs`, `.js`, `.cjs`, `.ts`
    /// and `.mts`, with the feature `astro-config`).
    ///
    /// # Errors
    /// Where the file cannot be read, and as [`Config::from_toml`]; the message names the file.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Config> {
        let path = path.as_ref();
        if is_script(path) {
            #[cfg(feature = "astro-config")]
            return Config::from_astro(path);
            #[cfg(not(feature = "astro-config"))]
            return Err(in_file(
                path,
                Error::config(
                    "an Astro site's configuration is read with the feature `astro-config` of cloakroom: enable it",
                ),
            ));
        }
        file_map(path).and_then(Config::from_map).map_err(|error| in_file(path, error))
    }

    /// Reads the environment variables that begin with `CLOAKROOM_SESSION_`.
    ///
    /// `CLOAKROOM_SESSION_COOKIE_MAX_AGE` is `cookie.maxAge`, `CLOAKROOM_SESSION_OPTIONS_BASE` is
    /// `options.base`. A value is JSON where it reads as JSON (`true`, `3600`), and else a string.
    ///
    /// # Errors
    /// As [`Config::from_toml`].
    pub fn from_env() -> Result<Config> {
        Config::from_map(environment::map(std::env::vars_os())?)
    }

    /// What a program should use: `cloakroom.toml` or `cloakroom.json` in the current folder where there is
    /// one, and over it the environment. Where neither names a driver or an adapter, the platform's default
    /// ([`Adapter::detect`]), and files where there is none.
    ///
    /// # Errors
    /// As [`Config::from_file`] and [`Config::from_env`].
    pub fn load() -> Result<Config> {
        let mut map = Map::new();
        for path in ["cloakroom.toml", "cloakroom.json"].map(Path::new) {
            if path.exists() {
                map = unwrap_session(file_map(path).map_err(|error| in_file(path, error))?);
                break;
            }
        }
        merge(&mut map, environment::map(std::env::vars_os())?);
        adapter::fill_in(&mut map, Adapter::detect());
        Config::from_map(map)
    }

    fn from_map(map: Map<String, Value>) -> Result<Config> {
        Ok(Config::read(map)?)
    }

    fn read(map: Map<String, Value>) -> fields::Result<Config> {
        let mut fields = Fields::new("", unwrap_session(map));
        let (driver, driver_options) = driver(fields.take("driver"))?;
        let adapter = fields.take("adapter").map(|name| Adapter::from_value(&name)).transpose()?;
        let mut config = match (driver, adapter) {
            (Some(driver), _) => Config::new(driver),
            (None, Some(adapter)) => adapter.config()?,
            (None, None) => Config::default(),
        };
        config.options.extend(driver_options);
        if let Some(options) = fields.table("options")? {
            config.options.extend(options);
        }
        if let Some(cookie) = fields.take("cookie") {
            config.cookie = CookieConfig::from_value(cookie)?;
        }
        config.ttl = fields.integer("ttl")?.map(Duration::from_secs);
        if let Some(bytes) = fields.integer("maxSize")? {
            config.max_size = usize::try_from(bytes).unwrap_or(usize::MAX);
        }
        if let Some(milliseconds) = fields.integer("timeout")? {
            config.timeout = Duration::from_millis(milliseconds);
        }
        if let Some(retries) = fields.integer("retries")? {
            config.retries = u32::try_from(retries).unwrap_or(u32::MAX);
        }
        config.idle = fields.integer("idle")?.map(Duration::from_secs);
        config.absolute = fields.integer("absolute")?.map(Duration::from_secs);
        config.touch_interval = fields.integer("touchInterval")?.map(Duration::from_secs);
        if let Some(policy) = fields.take("outage") {
            config.outage = outage_policy(&policy)?;
        }
        if let Some(seconds) = fields.integer("sweepInterval")? {
            config.sweep_interval = (seconds > 0).then(|| Duration::from_secs(seconds));
        }
        fields.finish()?;
        config.usable()?;
        Ok(config)
    }

    /// When sessions end by themselves.
    pub(crate) fn lifetime(&self) -> Lifetime {
        let tenth = self.idle.map_or(Duration::ZERO, |idle| idle / 10);
        let touch_interval =
            self.touch_interval.unwrap_or_else(|| tenth.min(Duration::from_secs(60)));
        Lifetime { idle: self.idle, absolute: self.absolute, touch_interval }
    }

    /// What no driver and no cookie can tell by itself.
    pub(crate) fn check(&self) -> Result<()> {
        Ok(self.usable()?)
    }

    fn usable(&self) -> fields::Result<()> {
        let zero =
            |key: &str| Unusable::new(key, format!("{key} is 0: leave it out, or set it above 0"));
        if self.ttl == Some(Duration::ZERO) {
            return Err(zero("ttl"));
        }
        for (key, limit) in [("idle", self.idle), ("absolute", self.absolute)] {
            if limit == Some(Duration::ZERO) {
                return Err(zero(key));
            }
        }
        if let (Some(idle), Some(interval)) = (self.idle, self.touch_interval)
            && interval >= idle
        {
            let message = format!(
                "touchInterval is {interval:?} and idle {idle:?}: a session in use would end between two touches, \
                 so touchInterval must be the smaller"
            );
            return Err(Unusable::new("touchInterval", message));
        }
        if self.timeout == Duration::ZERO {
            return Err(zero("timeout"));
        }
        if self.max_size == 0 {
            return Err(zero("maxSize"));
        }
        if self.sweep_interval == Some(Duration::ZERO) {
            return Err(Unusable::new(
                "sweepInterval",
                "sweep_interval is zero seconds, which never rests: set it to None for never",
            ));
        }
        Ok(())
    }
}

impl CookieConfig {
    /// Astro's forms: the name alone, or a table.
    fn from_value(value: Value) -> fields::Result<CookieConfig> {
        let mut config = CookieConfig::default();
        let map = match value {
            Value::String(name) => {
                config.name = name;
                return Ok(config);
            }
            Value::Object(map) => map,
            other => {
                let message = format!(
                    "cookie is {other}: it must be a name or a table such as {{ name, sameSite }}"
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
                    "cookie.sameSite is {value}: it must be \"strict\", \"lax\", \"none\", true or false"
                ),
            )),
        }
    }
}

fn outage_policy(value: &Value) -> fields::Result<OutagePolicy> {
    match value.as_str() {
        Some("unavailable") => Ok(OutagePolicy::Unavailable),
        Some("readOnly" | "read_only") => Ok(OutagePolicy::ReadOnly),
        Some("anonymous") => Ok(OutagePolicy::Anonymous),
        _ => Err(Unusable::new(
            "outage",
            format!("outage is {value}: it must be \"unavailable\", \"readOnly\" or \"anonymous\""),
        )),
    }
}

/// Astro 5's string, or Astro 6's `{ entrypoint, config }`.
fn driver(value: Option<Value>) -> fields::Result<(Option<String>, Map<String, Value>)> {
    match value {
        None => Ok((None, Map::new())),
        Some(Value::String(name)) => Ok((Some(name), Map::new())),
        Some(Value::Object(map)) => {
            let mut fields = Fields::new("driver.", map);
            let entrypoint = fields.string("entrypoint")?.ok_or_else(|| {
                Unusable::new(
                    "driver",
                    "driver is a table without `entrypoint`: name the driver, such as \"fs-lite\"",
                )
            })?;
            let options = fields.table("config")?.unwrap_or_default();
            fields.finish()?;
            let name = entrypoint.rsplit('/').next().unwrap_or_default().to_owned();
            Ok((Some(name), options))
        }
        Some(other) => Err(Unusable::new(
            "driver",
            format!("driver is {other}: it must be a driver's name, such as \"fs-lite\""),
        )),
    }
}

/// A file may hold Astro's `session` object alone, or be the object itself.
fn unwrap_session(mut map: Map<String, Value>) -> Map<String, Value> {
    let alone = map.len() == 1;
    match map.get_mut("session") {
        Some(Value::Object(session)) if alone => std::mem::take(session),
        _ => map,
    }
}

fn merge(base: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(base)), Value::Object(over)) => merge(base, over),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn toml_map(text: &str) -> Result<Map<String, Value>> {
    toml::from_str(text).map_err(|error| {
        Error::config(format!("the configuration is not TOML: {error}")).with_source(error)
    })
}

fn json_map(text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text).map_err(|error| {
        Error::config(format!("the configuration is not a JSON object: {error}")).with_source(error)
    })
}

fn file_map(path: &Path) -> Result<Map<String, Value>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::config(error.to_string()).with_source(error))?;
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => toml_map(&text),
        Some("json") => json_map(&text),
        _ => Err(Error::config(
            "the file's name must end with .toml or .json, or be an Astro site's configuration",
        )),
    }
}

/// Whether Astro would read its configuration from a file of this name.
fn is_script(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("mjs" | "js" | "cjs" | "ts" | "mts"))
}

fn in_file(path: &Path, error: Error) -> Error {
    Error::config(format!("the configuration file {}: {error}", path.display())).with_source(error)
}

#[cfg(test)]
mod tests;
