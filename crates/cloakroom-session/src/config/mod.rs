//! The configuration: Astro's `session: { driver, options, cookie, ttl }`, and a little more.
//!
//! Users fill it in or let it be read, and `Sessions` is made from it. It knows nothing of the sessions that come of it.

mod adapter;
mod advice;
#[cfg(feature = "astro-config")]
mod astro;
mod at_rest;
mod cookie;
mod corrupt;
mod environment;
mod fields;
mod limits;
mod outage;
mod place;
mod principal;
mod sources;
mod tables;
mod told;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use cloakroom_storage::Error as StorageError;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::record::Lifetime;
use environment::Environment;
use fields::{Fields, Unusable};
use sources::Sources;

pub use adapter::Adapter;
#[cfg(feature = "encryption")]
pub use at_rest::EncryptionConfig;
pub(crate) use cookie::LONGEST_MAX_AGE;
pub use cookie::{CookieConfig, SameSite};
pub use corrupt::CorruptPolicy;
pub(crate) use outage::Declared;
pub use outage::OutagePolicy;
pub use principal::{IndexSecret, WhenFull};

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
#[derive(Clone, PartialEq)]
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
    /// Seals records, so that who has the store alone cannot read or change them (feature `encryption`). An Astro site beside
    /// reads them where its package `@cloakroom/astro` has the same keys. Plain unless set.
    #[cfg(feature = "encryption")]
    pub encryption: Option<EncryptionConfig>,
    /// Keeps records under a hash of their ID, so that what is read in the store is no cookie (`hashIds`, feature `hash-ids`):
    /// `true` for SHA-256, or `{ secret }` for HMAC-SHA-256, the secret being a text of at least 16 bytes. An Astro site beside
    /// finds them where its package `@cloakroom/astro` does the same, and a session that is stored by its ID ends where this is
    /// turned on. Off unless set.
    #[cfg(feature = "hash-ids")]
    pub hash_ids: Option<cloakroom_storage::KeyHasher>,
    /// How long a session lives without being used (`idle`, in seconds): every request that reads or writes it moves
    /// the deadline, which the store keeps, and so does a streamed body that uses it. A task that outlives its request
    /// calls [`Session::save`](crate::Session::save) for that. For ever unless set.
    pub idle: Option<Duration>,
    /// How long a session lives from its creation, whatever its use and across `regenerate` (`absolute`, in seconds).
    /// For ever unless set.
    pub absolute: Option<Duration>,
    /// What `idle` is for a session that a handler has [remembered](crate::Session::remember) (`remember`, in seconds), and
    /// how long its cookie lives, which ends with the browser's session otherwise. It is longer than `idle`, without which it
    /// means nothing. No session can be remembered unless set.
    pub remember: Option<Duration>,
    /// How far the idle deadline has to move for it to be worth a call to the store (`touchInterval`, in seconds). A
    /// tenth of `idle`, and a minute at most, unless set.
    pub touch_interval: Option<Duration>,
    /// What requests get while the store does not answer (`outage`: `"unavailable"`, `"readOnly"` or `"anonymous"`).
    /// Unavailable unless set.
    pub outage: OutagePolicy,
    /// What becomes of a record that cannot be read (`corrupt`: `"error"`, or `"quarantine"`, which moves a torn one aside and
    /// lets its visitor begin anew). An error unless set.
    pub corrupt: CorruptPolicy,
    /// Where a session's record says whose it is (`principal`: the key of an entry, or a path into its value such as
    /// `"user.id"`), for sites that sign in by an entry of their own, or on their Astro side. Such a session enters the index of
    /// its principal when it is first seen. By [`Session::sign_in`](crate::Session::sign_in) alone unless set.
    pub principal: Option<String>,
    /// How many sessions one principal may have at once (`maxSessions`), 100 at most. As many as it likes unless set.
    pub max_sessions: Option<u32>,
    /// What becomes of a sign-in beyond that (`whenFull`: `"endOldest"` or `"refuse"`). The oldest is ended unless set.
    pub when_full: WhenFull,
    /// A text of at least 16 bytes (`indexSecret`), without which who reads the store can guess a principal and see whether it
    /// has sessions. The same for all programs that share the store: under another one the indexes are not found, and a session is
    /// back in its principal's when it next gets a new ID. None unless set.
    pub index_secret: Option<IndexSecret>,
    /// How often expired records are removed from a store that does not do so itself (`sweepInterval`, in
    /// seconds; 0 for never). Once a minute unless set.
    pub sweep_interval: Option<Duration>,
    sources: Sources,
}

/// With the names of the options and without their values, since passwords are among them.
impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<&String> = self.options.keys().collect();
        formatter
            .debug_struct("Config")
            // A URL in its place is a mistake, and may have a password in it.
            .field("driver", if self.driver.contains("://") { &"…" } else { &self.driver })
            .field("options", &options)
            .field("cookie", &self.cookie)
            .field("ttl", &self.ttl)
            .field("max_size", &self.max_size)
            .field("timeout", &self.timeout)
            .field("retries", &self.retries)
            .field("at_rest", &at_rest::AtRest(self))
            .field("idle", &self.idle)
            .field("absolute", &self.absolute)
            .field("remember", &self.remember)
            .field("touch_interval", &self.touch_interval)
            .field("outage", &self.outage)
            .field("corrupt", &self.corrupt)
            .field("principal", &self.principal)
            .field("max_sessions", &self.max_sessions)
            .field("when_full", &self.when_full)
            .field("index_secret", &self.index_secret)
            .field("sweep_interval", &self.sweep_interval)
            .finish()
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::new("fs-lite").option("base", ".data/sessions")
    }
}

impl Config {
    /// A configuration for this driver, everything else as by default. What shall be otherwise is set in its fields.
    ///
    /// ```
    /// use std::time::Duration;
    /// use cloakroom_session::Config;
    ///
    /// let mut config = Config::new("lru-cache");
    /// config.ttl = Some(Duration::from_secs(7 * 24 * 60 * 60));
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
            #[cfg(feature = "encryption")]
            encryption: None,
            #[cfg(feature = "hash-ids")]
            hash_ids: None,
            idle: None,
            absolute: None,
            remember: None,
            touch_interval: None,
            outage: OutagePolicy::Unavailable,
            corrupt: CorruptPolicy::Error,
            principal: None,
            max_sessions: None,
            when_full: WhenFull::default(),
            index_secret: None,
            sweep_interval: Some(Duration::from_secs(60)),
            sources: Sources::default(),
        }
    }

    /// With one entry more in [`options`](Config::options).
    ///
    /// ```
    /// use cloakroom_session::Config;
    ///
    /// let config = Config::new("redis").option("url", "redis://localhost:6379").option("base", "sess");
    /// ```
    #[must_use]
    pub fn option(mut self, name: impl Into<String>, value: impl Into<Value>) -> Config {
        self.options.insert(name.into(), value.into());
        self
    }

    /// Reads TOML.
    ///
    /// ```
    /// use cloakroom_session::Config;
    ///
    /// let config = Config::from_toml("driver = \"redis\"\nidle = 1800\n[options]\nbase = \"sess\"")?;
    /// assert_eq!(config.driver, "redis");
    /// # Ok::<(), cloakroom_session::Error>(())
    /// ```
    ///
    /// # Errors
    /// Where it is not TOML, or a key or value is not usable; the message names it.
    pub fn from_toml(text: &str) -> Result<Config> {
        Config::from_map(tables::toml(text)?)
    }

    /// Reads JSON.
    ///
    /// ```
    /// use cloakroom_session::Config;
    ///
    /// let config = Config::from_json(r#"{ "driver": "redis", "cookie": { "secure": true } }"#)?;
    /// assert!(config.cookie.secure);
    /// # Ok::<(), cloakroom_session::Error>(())
    /// ```
    ///
    /// # Errors
    /// Where it is not JSON, or a key or value is not usable; the message names it.
    pub fn from_json(text: &str) -> Result<Config> {
        Config::from_map(tables::json(text)?)
    }

    /// Reads a file by its extension: TOML, JSON, or the configuration of an Astro site (`.mjs`, `.js`, `.cjs`, `.ts`
    /// and `.mts`, with the feature `astro-config`).
    ///
    /// ```no_run
    /// use cloakroom_session::Config;
    ///
    /// let config = Config::from_file("cloakroom.toml")?;
    /// # Ok::<(), cloakroom_session::Error>(())
    /// ```
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
        let mut sources = Sources::default();
        let read = tables::file(path).and_then(|map| {
            let map = tables::in_one_form(told::settled(map)?)?;
            sources.note(&map, &path.display().to_string());
            Config::from_map(map)
        });
        let config = read.map_err(|error| in_file(path, error))?;
        Ok(Config { sources, ..config })
    }

    /// Reads the environment variables that begin with `CLOAKROOM_SESSION_`.
    ///
    /// `CLOAKROOM_SESSION_COOKIE_MAX_AGE` is `cookie.maxAge`, `CLOAKROOM_SESSION_OPTIONS_BASE` is `options.base`, and
    /// `CLOAKROOM_SESSION_OPTIONS_SITE_ID` `options.siteID`. What is a text is the variable's text, letter by letter; a
    /// number, a switch, a list or a table is what it reads as in JSON.
    ///
    /// ```no_run
    /// use cloakroom_session::Config;
    ///
    /// // CLOAKROOM_SESSION_DRIVER=redis CLOAKROOM_SESSION_OPTIONS_URL=redis://localhost:6379
    /// let config = Config::from_env()?;
    /// # Ok::<(), cloakroom_session::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Config::from_toml`]; the message names the variable.
    pub fn from_env() -> Result<Config> {
        Config::over(Map::new(), Sources::default(), environment::read(std::env::vars_os())?, None)
    }

    /// What a program should use: `cloakroom.toml` or `cloakroom.json` in the current folder where there is
    /// one, and over it the environment. Where neither names a driver or an adapter, the platform's default
    /// ([`Adapter::detect`]), and files where there is none.
    ///
    /// What the environment does not name stays as the file has it. Where it names another driver than the file, or an
    /// adapter, the file's driver does not count, nor do its options unless they are for the same one.
    ///
    /// ```no_run
    /// use cloakroom_session::{Config, Sessions};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let sessions = Sessions::from_config(Config::load()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Config::from_file`] and [`Config::from_env`].
    pub fn load() -> Result<Config> {
        let (mut map, mut sources) = (Map::new(), Sources::default());
        // A link that leads nowhere is a mistake, and no reason to go on without what it should have said.
        let is_there = |path: &&Path| path.symlink_metadata().is_ok();
        let files = ["cloakroom.toml", "cloakroom.json"].map(Path::new);
        if files.iter().all(is_there) {
            return Err(Error::config(
                "there is a cloakroom.toml and a cloakroom.json: remove one, so that nobody changes the one that is not read",
            ));
        }
        if let Some(path) = files.into_iter().find(|path| is_there(path)) {
            let read = tables::file(path).and_then(|map| Ok(tables::in_one_form(map)?));
            map = read.map_err(|error| in_file(path, error))?;
            sources.note(&map, &path.display().to_string());
        }
        Config::over(map, sources, environment::read(std::env::vars_os())?, Adapter::detect())
    }

    /// What the environment says over a file.
    fn over(
        mut map: Map<String, Value>,
        mut sources: Sources,
        environment: Environment,
        detected: Option<Adapter>,
    ) -> Result<Config> {
        tables::put_over(&mut map, environment.map, detected);
        sources.keep(&map);
        for (key, variable) in environment.variables {
            sources.put(key, &variable);
        }
        adapter::fill_in(&mut map, detected);
        let config = Config::read(map).map_err(|unusable| match sources.of(&unusable.key) {
            Some(source) => {
                let note = format!("it is set by {source}");
                Error::from(unusable).with_note(note)
            }
            None => unusable.into(),
        })?;
        Ok(Config { sources, ..config })
    }

    fn from_map(map: Map<String, Value>) -> Result<Config> {
        Ok(Config::read(map)?)
    }

    fn read(map: Map<String, Value>) -> fields::Result<Config> {
        let mut fields = Fields::new("", tables::in_one_form(map)?);
        let driver = fields.string("driver")?;
        let adapter = fields.take("adapter").map(|name| Adapter::from_value(&name)).transpose()?;
        let mut config = match (driver, adapter) {
            (Some(driver), _) => Config::new(driver),
            (None, Some(adapter)) => adapter.config()?,
            (None, None) => Config::default(),
        };
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
            config.retries = u32::try_from(retries).map_err(|_| {
                Unusable::new(
                    "retries",
                    format!("retries is {retries}: it must be at most {}", u32::MAX),
                )
            })?;
        }
        at_rest::read(&mut fields, &mut config)?;
        config.idle = fields.integer("idle")?.map(Duration::from_secs);
        config.absolute = fields.integer("absolute")?.map(Duration::from_secs);
        config.remember = fields.integer("remember")?.map(Duration::from_secs);
        config.touch_interval = fields.integer("touchInterval")?.map(Duration::from_secs);
        if let Some(policy) = fields.take("outage") {
            config.outage = OutagePolicy::from_value(&policy)?;
        }
        if let Some(policy) = fields.take("corrupt") {
            config.corrupt = CorruptPolicy::from_value(&policy)?;
        }
        principal::read(&mut fields, &mut config)?;
        if let Some(seconds) = fields.integer("sweepInterval")? {
            config.sweep_interval = (seconds > 0).then(|| Duration::from_secs(seconds));
        }
        fields.finish()?;
        config.usable()?;
        Ok(config)
    }

    /// Where the store is, for logs: the options that say so, without secrets.
    ///
    /// ```
    /// use cloakroom_session::Config;
    ///
    /// let config = Config::new("redis").option("url", "redis://:hunter2@localhost:6379");
    /// assert!(config.place().contains("localhost") && !config.place().contains("hunter2"));
    /// ```
    pub fn place(&self) -> String {
        place::shown(&self.options)
    }

    /// Where each setting was said, for logs.
    pub(crate) fn said_by(&self) -> String {
        match self.sources.is_empty() {
            true => "the program".to_owned(),
            false => self.sources.to_string(),
        }
    }

    /// Who said what a driver could not be opened with.
    pub(crate) fn said_what_failed(&self, error: &StorageError) -> Option<String> {
        self.sources.of_failure(error)
    }

    /// When sessions end by themselves.
    pub(crate) fn lifetime(&self) -> Lifetime {
        let tenth = self.idle.map_or(Duration::ZERO, |idle| idle / 10);
        let touch_interval =
            self.touch_interval.unwrap_or_else(|| tenth.min(Duration::from_secs(60)));
        let (idle, absolute, remember) = (self.idle, self.absolute, self.remember);
        Lifetime { idle, absolute, remember, touch_interval }
    }

    /// What no driver and no cookie can tell by itself.
    pub(crate) fn check(&self) -> Result<()> {
        Ok(self.usable()?)
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
