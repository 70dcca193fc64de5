//! The sessions of one principal: to be seen, and to be ended.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;

use crate::clock::time;
use crate::commit::Shared;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::Result;
use crate::index::{Listed, SessionHandle};
use crate::machine::Rules;
use crate::observe::RevokedBy;
use crate::record::{self, Changes, End, Record, end};
use crate::session::{Session, SessionKey, check_principal};

use super::{Sessions, StoredName};

/// The sessions that one principal has signed in to, on all devices and by all servers that share the store.
///
/// ```
/// # use cloakroom_session::adapter::Commit;
/// # use cloakroom_session::{Config, CookieHeaders, Sessions};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// let sessions = Sessions::from_config(Config::new("memory")).await?;
/// for browser in ["Firefox", "Chromium"] {
///     let session = sessions.session(CookieHeaders::default());
///     session.set("browser", browser)?;
///     session.sign_in("ann").await?;
///     session.finish().await?;
/// }
///
/// let anns = sessions.of("ann");
/// let devices = anns.list().await?;
/// assert_eq!(devices[0].get::<String>("browser")?.as_deref(), Some("Chromium"));
/// assert!(anns.revoke(devices[1].handle()).await?);
/// assert_eq!(anns.count().await?, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PrincipalSessions {
    sessions: Sessions,
    principal: String,
    by: RevokedBy,
}

impl Sessions {
    /// The sessions of a principal. Asks nothing of the store yet.
    ///
    /// ```
    /// # use cloakroom_session::{Config, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// assert_eq!(sessions.of("ann").count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn of(&self, principal: impl Into<String>) -> PrincipalSessions {
        let (sessions, principal) = (self.clone(), principal.into());
        PrincipalSessions { sessions, principal, by: RevokedBy::Principal }
    }
}

impl PrincipalSessions {
    /// Says who revokes sessions by this, for whoever reads the [events](Sessions::events): a name for the log, such as that of
    /// somebody at a support desk. Where nobody says, it is the principal's own doing.
    ///
    /// ```
    /// # use cloakroom_session::{Config, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// sessions.of("ann").by("support: bob").revoke_all().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn by(mut self, name: impl Into<Arc<str>>) -> PrincipalSessions {
        self.by = RevokedBy::Other(name.into());
        self
    }

    /// Those that are alive, the newest sign-in first. One look at each, several at once; entries of sessions that are no more
    /// are taken out of the index.
    ///
    /// # Errors
    /// As [`Session::get`]; [`ErrorKind::Corrupt`] where the index cannot be read, [`ErrorKind::Config`] where the driver cannot
    /// compare and swap, so that there is none.
    pub async fn list(&self) -> Result<Vec<ListedSession>> {
        check_principal(&self.principal)?;
        let shared = self.shared();
        let listed = shared.index.list(&shared.store, &self.principal).await?;
        let rules = shared.rules();
        listed.into_iter().map(|listed| ListedSession::new(listed, &rules)).collect()
    }

    /// How many are alive.
    ///
    /// # Errors
    /// As [`PrincipalSessions::list`].
    pub async fn count(&self) -> Result<usize> {
        check_principal(&self.principal)?;
        let shared = self.shared();
        Ok(shared.index.list(&shared.store, &self.principal).await?.len())
    }

    /// How many are entered for this principal and alive, and say that they are somebody else's, or nobody's. A list leaves them out,
    /// and [`revoke_all`](PrincipalSessions::revoke_all) ends them. Where there are any, the configuration's `principal` is not
    /// what it was where they were signed in; or another program has signed them out and left them.
    ///
    /// # Errors
    /// As [`PrincipalSessions::list`].
    pub async fn count_strangers(&self) -> Result<usize> {
        check_principal(&self.principal)?;
        let shared = self.shared();
        shared.index.count_strangers(&shared.store, &self.principal).await
    }

    /// Ends one; answers whether one with this handle was alive, or on its way. A request that has it loaded saves nothing more,
    /// and its ID never works again, under whatever ID the session is by now.
    ///
    /// # Errors
    /// As [`PrincipalSessions::list`]. What was begun then is finished by whoever next lists the principal's sessions, ends some,
    /// or signs in where there is a limit.
    pub async fn revoke(&self, handle: SessionHandle) -> Result<bool> {
        let revoked = self.end(&self.by, |other| other == handle).await?;
        Ok(revoked > 0)
    }

    /// Ends all but this one; answers how many were alive, or on their way. Where this session is none of the principal's, all
    /// are ended. Where nobody says who does it, it is the principal in this session.
    ///
    /// # Errors
    /// As [`PrincipalSessions::revoke`].
    pub async fn revoke_others(&self, session: &Session) -> Result<usize> {
        check_principal(&self.principal)?;
        let shared = self.shared();
        let names = session.names().await?;
        let names =
            names.into_iter().map(|id| shared.store.name(id)).collect::<Result<Vec<_>>>()?;
        let spared = shared.index.handles(&shared.store, &self.principal, &names).await?;
        let current = session.inner.machine().id();
        let by = match (&self.by, current) {
            (RevokedBy::Principal, Some(id)) => RevokedBy::Session(shared.store.hash(&id.into())),
            (by, _) => by.clone(),
        };
        self.end(&by, |handle| !spared.contains(&handle)).await
    }

    /// Ends all; answers how many were alive, or on their way. One that is signed in meanwhile is ended too, or is there
    /// afterwards, listed.
    ///
    /// # Errors
    /// As [`PrincipalSessions::revoke`].
    pub async fn revoke_all(&self) -> Result<usize> {
        self.end(&self.by, |_| true).await
    }

    async fn end(&self, by: &RevokedBy, is_meant: impl Fn(SessionHandle) -> bool) -> Result<usize> {
        check_principal(&self.principal)?;
        let shared = self.shared();
        let revoked = shared.index.revoke(&shared.store, &self.principal, by, is_meant).await?;
        Ok(revoked.len())
    }

    fn shared(&self) -> &Shared {
        &self.sessions.shared
    }
}

/// Without the principal, which may be an address.
impl fmt::Debug for PrincipalSessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PrincipalSessions").finish_non_exhaustive()
    }
}

/// When a session was last used, where that can be told from when the store lets it go (milliseconds since 1970).
pub(super) fn last_used(
    record: &Record,
    created: Option<f64>,
    ends: Option<f64>,
    rules: &Rules,
) -> Result<Option<f64>> {
    let lifetime = rules.lifetime_of(record)?;
    // The store's deadline is as long after the last use as a session may live without one, unless something ends it before.
    let idle = lifetime.idle.zip(ends).filter(|(idle, ends)| {
        let over = lifetime.left(created, rules.now()).map(|left| end(rules.now(), left));
        let entries = match record.end() {
            Ok(End::At(entries)) => Some(entries),
            _ => None,
        };
        let is_later = |other: Option<f64>| other.is_none_or(|other| other - ends > 2_000.0);
        is_later(over) && is_later(entries) && *ends <= end(rules.now(), *idle) + 2_000.0
    });
    Ok(idle.map(|(idle, ends)| ends - idle.as_secs_f64() * 1000.0))
}

/// One of a principal's sessions, as it was when it was listed.
#[derive(Clone)]
pub struct ListedSession {
    listed: Listed,
    created: Option<f64>,
    authenticated: Option<f64>,
    used: Option<f64>,
}

impl ListedSession {
    fn new(listed: Listed, rules: &Rules) -> Result<ListedSession> {
        let record = &listed.record;
        let created = record.created()?;
        let authenticated = record::authenticated(
            rules.path.as_deref(),
            Some(record),
            &Changes::default(),
            record.now(),
        )?;
        let used =
            last_used(record, created, listed.ends, rules)?.map(|used| used.max(listed.since));
        Ok(ListedSession { listed, created, authenticated, used })
    }

    /// What to [`revoke`](PrincipalSessions::revoke) it by. Never its ID.
    pub fn handle(&self) -> SessionHandle {
        self.listed.handle
    }

    /// What it is stored under, for [`AllSessions::get`](super::AllSessions::get): two while it moves to another ID.
    pub fn names(&self) -> Vec<StoredName> {
        self.listed.names.iter().cloned().map(StoredName::new).collect()
    }

    /// When the session was created; where no `absolute` is configured, so that nobody notes that, when it was signed in.
    pub fn created_at(&self) -> SystemTime {
        time(self.created.unwrap_or(self.listed.since))
    }

    /// When its principal was last authenticated; `None` where that was elsewhere, such as on an Astro site.
    pub fn authenticated_at(&self) -> Option<SystemTime> {
        self.authenticated.map(time)
    }

    /// When it was last used, as exact as `touch_interval`. `None` where no `idle` is configured, so that nobody notes it.
    pub fn last_used_at(&self) -> Option<SystemTime> {
        self.used.map(time)
    }

    /// How long it was not used: see [`last_used_at`](ListedSession::last_used_at).
    pub fn idle_for(&self) -> Option<Duration> {
        let since = self.listed.record.now() - self.used?;
        Duration::try_from_secs_f64(since.max(0.0) / 1000.0).ok()
    }

    /// Whether it is this request's session.
    ///
    /// # Errors
    /// As [`Session::has`].
    pub async fn is_current(&self, session: &Session) -> Result<bool> {
        let store = &session.inner.shared().store;
        for id in session.names().await? {
            if self.listed.names.contains(&store.name(id)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An entry of the session, such as the browser that the application noted there.
    ///
    /// # Errors
    /// As [`Session::get`], of what has been loaded.
    pub fn get<T: DeserializeOwned>(&self, key: impl SessionKey<T>) -> Result<Option<T>> {
        self.listed.record.get(key.name(), self.listed.record.now())
    }
}

/// Without the ID and the entries.
impl fmt::Debug for ListedSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("ListedSession");
        shown.field("handle", &self.listed.handle).finish_non_exhaustive()
    }
}
