//! Sessions with drivers of one's own.

use cloakroom_drivers::Registry;
use cloakroom_storage::{Driver, DynDriver, Limits};
use serde_json::{Map, Value};

use super::Sessions;
use crate::config::Config;
use crate::cookie::SessionCookie;
use crate::error::Result;
use crate::store::from_storage;

/// Opens the driver that a configuration names, which may be one that the program brings along.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// use cloakroom_session::{Config, Sessions, drivers::memory::Memory};
///
/// let sessions = Sessions::builder(Config::new("shelf"))
///     // One's own type would stand here.
///     .driver("shelf", |_options| async { Ok(Memory::new()) })
///     .open()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is opened before `open`"]
pub struct SessionsBuilder {
    config: Config,
    registry: Registry,
}

impl SessionsBuilder {
    pub(super) fn new(config: Config) -> SessionsBuilder {
        SessionsBuilder { config, registry: Registry::new() }
    }

    /// Adds a driver under a name, which takes precedence over one of the same name that is there already.
    ///
    /// `open` gets the options that the configuration has for it;
    /// [`options::parse`](cloakroom_storage::options::parse) reads them into a struct. The configured `timeout` and
    /// `retries` are put around its calls.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// use cloakroom_session::{Config, Sessions, drivers::memory::Memory};
    /// use cloakroom_session::storage::options;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Options {
    ///     size: Option<u32>,
    /// }
    ///
    /// let config = Config::new("shelf").option("size", 10);
    /// let sessions = Sessions::builder(config)
    ///     .driver("shelf", |given| async move {
    ///         let _: Options = options::parse("shelf", &given)?;
    ///         Ok(Memory::new())
    ///     })
    ///     .open()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn driver<D, F, Opening>(mut self, name: impl Into<String>, open: F) -> SessionsBuilder
    where
        D: Driver,
        F: Fn(Map<String, Value>) -> Opening + Send + Sync + 'static,
        Opening: Future<Output = cloakroom_storage::Result<D>> + Send + 'static,
    {
        self.registry = self.registry.add(name, open);
        self
    }

    /// Opens the configured driver, as [`Sessions::from_config`] does.
    ///
    /// ```
    /// # use cloakroom_session::{Config, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let sessions = Sessions::builder(Config::new("memory")).open().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Where the configuration is not usable or the driver cannot be opened.
    pub async fn open(self) -> Result<Sessions> {
        let SessionsBuilder { config, registry } = self;
        // Before the driver, which may create a folder or a connection.
        config.check()?;
        SessionCookie::new(&config.cookie)?;
        let driver = open_driver(&config, &registry).await?;
        let sessions = Sessions::with_driver(driver, &config)?;
        sessions.tell_where(&config);
        Ok(sessions)
    }
}

impl Config {
    /// Opens the configured driver with `timeout` and `retries`, and nothing else around it: for a tool that copies or mends what is
    /// stored as it is, sealed and hashed. Sessions are opened by [`Sessions::from_config`].
    ///
    /// ```
    /// use cloakroom_session::Config;
    /// use cloakroom_session::storage::Driver;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let driver = Config::new("memory").open_driver().await?;
    /// assert_eq!(driver.name(), "memory");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Where the driver cannot be opened; the message names who has set the option that is wrong.
    pub async fn open_driver(&self) -> Result<DynDriver> {
        open_driver(self, &Registry::new()).await
    }
}

async fn open_driver(config: &Config, registry: &Registry) -> Result<DynDriver> {
    let limits = Limits { timeout: config.timeout, retries: config.retries };
    let opened = registry.open(&config.driver, &config.options, limits).await;
    opened.map_err(|error| match config.said_what_failed(&error) {
        Some(note) => from_storage(error).with_note(note),
        None => from_storage(error),
    })
}
