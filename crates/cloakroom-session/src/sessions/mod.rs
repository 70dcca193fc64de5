//! The sessions of a site: what all requests share, opened from the configuration.
//!
//! Users touch all of it that is public. It opens the driver, and makes the session of each request.

mod advice;
mod all;
mod builder;
mod count;
mod principal;
mod shown;
mod stored;
mod verify;
mod watch;

use std::fmt;
use std::sync::Arc;

use cloakroom_storage::platform::{self, OUTLIVES_REQUESTS};
use cloakroom_storage::{Advice, DynDriver, Traced, warn_once};

use crate::clock::Clock;
use crate::commit::{Queues, Shared};
use crate::config::{Config, CorruptPolicy, OutagePolicy};
use crate::cookie::{CookieHeaders, SessionCookie};
use crate::error::{Error, Result};
use crate::id::SessionId;
use crate::index::{Index, cannot_compare};
use crate::machine::Rules;
use crate::observe::{self, Events};
use crate::session::Session;
use crate::store::Store;

pub use all::AllSessions;
pub use builder::SessionsBuilder;
pub use principal::{ListedSession, PrincipalSessions};
pub use shown::{Secrets, ShownEntry, printable};
pub use stored::{StoredHandle, StoredName, StoredSession};
pub use verify::{Fault, IndexPage, Repaired, Verified, VerifiedKind};
pub use watch::{ChangeKind, SessionChange, SessionsWatch};

/// The sessions of a site: a driver, a cookie and limits. Cheap to clone.
///
/// ```
/// use cloakroom_session::adapter::Commit;
/// use cloakroom_session::{Config, CookieHeaders, Sessions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// let sessions = Sessions::from_config(Config::new("memory")).await?;
///
/// // What a layer does for each request.
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
    /// Says in the log which store that is and where each setting comes from, and asks it in the background for a session
    /// that nobody has: a warning says where it does not answer. A program that will not start without its store awaits
    /// [`Sessions::check`]. What is unsafe ([`Sessions::advice`]) is warned of once in a process.
    ///
    /// ```
    /// # use cloakroom_session::{Config, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// assert_eq!(sessions.driver().name(), "memory");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Where the configuration is not usable or the driver cannot be opened.
    pub async fn from_config(config: Config) -> Result<Sessions> {
        Sessions::builder(config).open().await
    }

    /// As [`from_config`](Sessions::from_config), for a program that adds drivers of its own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// use cloakroom_session::{Config, Sessions, drivers::memory::Memory};
    ///
    /// // One's own type would stand here.
    /// let builder = Sessions::builder(Config::new("shelf")).driver("shelf", |_options| async { Ok(Memory::new()) });
    /// let sessions = builder.open().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(config: Config) -> SessionsBuilder {
        SessionsBuilder::new(config)
    }

    /// Says where sessions are, and looks whether that is there.
    fn tell_where(&self, config: &Config) {
        let (store, at) = (self.driver().name(), config.place());
        tracing::info!(store, at, settings = config.said_by(), "sessions are kept in this store");
        config.tell_at_rest();
        // Where nothing goes on between requests, the first of them will see.
        if OUTLIVES_REQUESTS {
            let checked = self.clone();
            _ = platform::detach(async move {
                match checked.look_for_nobody().await {
                    Ok(()) => warn_once(checked.driver(), &at, &checked.driver().advice().await),
                    // The program ends before the store has answered, which says nothing of the store.
                    Err(error) if error.was_cancelled() => {}
                    Err(error) => observe::store_fails(store, &at, &error),
                }
            });
        }
    }

    /// Asks the store for a session that nobody has, and writes and removes something that is none, so that a store that is
    /// away, or refuses us, is known before the first visitor comes. One that is read-only is only read.
    ///
    /// ```
    /// use cloakroom_session::{Config, Sessions};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// sessions.check().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// With [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) where it does not answer, and
    /// [`ErrorKind::Storage`](crate::ErrorKind::Storage) where it refuses.
    pub async fn check(&self) -> Result<()> {
        self.look_for_nobody().await?;
        match self.driver().capabilities().read_only {
            true => Ok(()),
            false => self.shared.store.try_to_write().await,
        }
    }

    async fn look_for_nobody(&self) -> Result<()> {
        self.shared.store.look(SessionId::random()).await.map(drop)
    }

    /// Uses a driver that is open already; the configuration's `driver`, `options`, `timeout` and
    /// `retries` are ignored, and its `encryption` and `hash_ids` are put around it. Wrap it in [`Timeout`](cloakroom_storage::Timeout) where its calls have no deadline of
    /// their own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// use std::sync::Arc;
    /// use cloakroom_session::{Config, Sessions, drivers::memory::Memory};
    ///
    /// let sessions = Sessions::with_driver(Arc::new(Memory::new()), &Config::default())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Where the rest of the configuration is not usable, and outside of a tokio runtime where there is something
    /// to sweep.
    pub fn with_driver(driver: DynDriver, config: &Config) -> Result<Sessions> {
        Sessions::by_clock(driver, config, Clock::default())
    }

    pub(crate) fn by_clock(driver: DynDriver, config: &Config, clock: Clock) -> Result<Sessions> {
        config.check()?;
        observe::describe();
        let cookie = SessionCookie::new(&config.cookie)?;
        // Within what is around it, so that a span is the store's time alone.
        let driver = config.around(Arc::new(Traced::new(driver)))?;
        let lifetime = config.lifetime();
        if lifetime.idle.is_some() && !driver.capabilities().expiry {
            return Err(Error::config(format!(
                "idle is set, and the driver `{}` cannot let a record expire: choose another driver, or leave \
                 idle out",
                driver.name()
            )));
        }
        if config.corrupt == CorruptPolicy::Quarantine && !driver.capabilities().compare_and_swap {
            return Err(Error::config(format!(
                "corrupt is \"quarantine\", and the driver `{}` cannot compare and swap, so that a record could be \
                 moved aside that was mended meanwhile: choose another driver, or leave corrupt out",
                driver.name()
            )));
        }
        let indexes = config.principal.is_some() || config.max_sessions.is_some();
        if indexes && !driver.capabilities().compare_and_swap {
            return Err(cannot_compare(driver.name()));
        }
        let capabilities = driver.capabilities();
        let advice = config.advice(capabilities);
        let known = [&advice[..], &Advice::on(capabilities)].concat();
        warn_once(&*driver, &config.place(), &known);
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
        let rules = Rules {
            lifetime,
            ttl: config.ttl,
            max_size: config.max_size,
            renews_cookie: config.cookie.max_age.is_some(),
            compares: capabilities.compare_and_swap,
            expires: capabilities.expiry,
            path: config.principal_path().map(Arc::new),
            indexes,
            clock,
        };
        let store = Store::new(driver, rules, config.corrupt);
        if config.outage == OutagePolicy::ReadOnly {
            store.copies().want();
        }
        let shared = Shared {
            store,
            index: Index::new(config),
            cookie,
            outage: config.outage,
            queues: Queues::default(),
            advice,
            sweeper,
        };
        Ok(Sessions { shared: Arc::new(shared) })
    }

    /// The session of one request. No I/O, no parsing: both wait until somebody asks for data.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.set("theme", "dark")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn session(&self, cookies: impl Into<CookieHeaders>) -> Session {
        Session::new(Arc::clone(&self.shared), cookies.into())
    }

    /// What happens to sessions from now on, for an audit log: who has signed in, which session was ended, and why.
    ///
    /// Told is what has happened in this process, once the store has confirmed it, and nothing that a request has failed at. The
    /// last 1,024 events are kept for a reader who is behind; one who is further behind loses the oldest, and is told how many.
    /// No request waits for a reader, and where there is none, none pays for it.
    ///
    /// ```
    /// # use cloakroom_session::adapter::Commit;
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// use cloakroom_session::EventKind;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// let mut events = sessions.events();
    /// # let session = sessions.session(CookieHeaders::default());
    /// # session.sign_in("ann").await?;
    /// # session.finish().await?;
    /// # drop((sessions, session));
    /// # let mut seen = Vec::new();
    ///
    /// // In a task of its own.
    /// while let Some(event) = events.recv().await {
    ///     match event {
    ///         Ok(event) if event.kind == EventKind::SignedIn => println!("{:?} has signed in", event.principal),
    ///         Ok(event) => println!("{}", event.kind.name()),
    ///         Err(missed) => println!("{missed}"),
    ///     }
    /// #   seen.push(());
    /// }
    /// # assert_eq!(seen.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn events(&self) -> Events {
        self.shared.store.observer().listen()
    }

    pub(crate) fn from_shared(shared: Arc<Shared>) -> Sessions {
        Sessions { shared }
    }

    /// Where two are the same, their sessions are.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The driver in use.
    ///
    /// ```
    /// # use cloakroom_session::{Config, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// assert!(sessions.driver().capabilities().compare_and_swap);
    /// # Ok(())
    /// # }
    /// ```
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
