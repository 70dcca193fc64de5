//! The sessions of a site.

use std::fmt;
use std::sync::Arc;

use cloakroom_storage::platform::OUTLIVES_REQUESTS;
use cloakroom_storage::{DynDriver, Limits};

use crate::config::Config;
use crate::cookie::{CookieHeaders, SessionCookie};
use crate::current::Scope;
use crate::error::{Error, Result};
use crate::outage::OutagePolicy;
use crate::prerendered::PrerenderedRoutes;
use crate::queues::Queues;
use crate::session::Session;
use crate::shared::Shared;
use crate::store::{Store, from_storage};

/// The sessions of a site: a driver, a cookie and limits. Cheap to clone.
///
/// ```
/// use cloakroom_session::{Config, CookieHeaders, Sessions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// let sessions = Sessions::from_config(Config::new("memory")).await?;
///
/// let session = sessions.session(CookieHeaders::default());
/// session.set("theme", "dark")?;
/// let finished = session.finish().await?;
/// assert!(finished.set_cookie.is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sessions {
    shared: Arc<Shared>,
}

impl Sessions {
    /// Opens the configured driver.
    ///
    /// Removes expired records in the background where the driver does not do so itself, until the last clone
    /// is dropped. Not inside of a Worker, which does not live between requests: there,
    /// [`sweep`](cloakroom_storage::Driver::sweep) the [`driver`](Sessions::driver) when a cron trigger fires.
    ///
    /// # Errors
    /// Where the configuration is not usable or the driver cannot be opened.
    pub async fn from_config(config: Config) -> Result<Sessions> {
        // Before the driver, which may create a folder or a connection.
        config.check()?;
        SessionCookie::new(&config.cookie)?;
        let limits = Limits { timeout: config.timeout, retries: config.retries };
        let driver = cloakroom_storage::open_with_limits(&config.driver, &config.options, limits)
            .await
            .map_err(from_storage)?;
        Sessions::with_driver(driver, &config)
    }

    /// Uses a driver that is open already; the configuration's `driver`, `options`, `timeout` and
    /// `retries` are ignored. Wrap it in [`Timeout`](cloakroom_storage::Timeout) where its calls have no deadline of
    /// their own.
    ///
    /// # Errors
    /// Where the rest of the configuration is not usable, and outside of a tokio runtime where there is something
    /// to sweep.
    pub fn with_driver(driver: DynDriver, config: &Config) -> Result<Sessions> {
        config.check()?;
        let cookie = SessionCookie::new(&config.cookie)?;
        let lifetime = config.lifetime();
        if lifetime.idle.is_some() && !driver.capabilities().expiry {
            return Err(Error::config(format!(
                "idle is set, and the driver `{}` cannot let a record expire: choose another driver, or leave \
                 idle out",
                driver.name()
            )));
        }
        let sweeper = match config.sweep_interval {
            None => None,
            // Nothing goes on between the requests of a Worker.
            Some(_) if !OUTLIVES_REQUESTS => None,
            Some(_) if tokio::runtime::Handle::try_current().is_err() => {
                return Err(Error::config(
                    "expired records are removed by a background task, which needs a tokio runtime: call this \
                     within one, or set sweep_interval to None",
                ));
            }
            Some(interval) => Some(cloakroom_storage::spawn_sweeper(Arc::clone(&driver), interval)),
        };
        let store = Store::new(driver, lifetime);
        if config.outage == OutagePolicy::ReadOnly {
            store.copies().want();
        }
        let shared = Shared {
            store,
            cookie,
            ttl: config.ttl,
            max_size: config.max_size,
            outage: config.outage,
            queues: Queues::default(),
            sweeper,
        };
        Ok(Sessions { shared: Arc::new(shared) })
    }

    /// The session of one request. No I/O, no parsing: both wait until somebody asks for data.
    pub fn session(&self, cookies: impl Into<CookieHeaders>) -> Session {
        Session::new(Arc::clone(&self.shared), cookies.into())
    }

    /// What a request to this path has: its session, or none where the page is prerendered. For authors of framework
    /// adapters.
    pub fn scope(
        &self,
        path: &str,
        prerendered: &PrerenderedRoutes,
        outage: Option<OutagePolicy>,
        cookies: impl FnOnce() -> CookieHeaders,
    ) -> Scope {
        if let Some(page) = prerendered.find(path) {
            return Scope::Prerendered(page);
        }
        let session = self.session(cookies());
        if let Some(policy) = outage {
            session.set_outage_policy(policy);
        }
        Scope::Session(session)
    }

    /// The driver in use.
    pub fn driver(&self) -> &DynDriver {
        self.shared.store.driver()
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sessions")
            .field("driver", &self.driver().name())
            .finish_non_exhaustive()
    }
}
