//! Whose session it is: sign-in, and how long ago that was.

use std::time::{Duration, SystemTime};

use crate::clock::time;
use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::index::ensure_comparing;
use crate::machine::{Entered, Entering, Entry, Moment, full};
use crate::observe::EventKind;
use crate::record::{self, CLOCK_SKEW, LONGEST_PRINCIPAL};
use crate::sessions::Sessions;
use crate::store::{Details, Whose};

use super::Session;

impl Session {
    /// Says whose the session is, which whoever calls it has shown: by a password, a passkey, another site's word.
    ///
    /// A principal is a text that the application chose, such as a user's ID. The session gets a new ID, as by
    /// [`Session::regenerate`], so that whoever had made the visitor take an ID has nothing of it. It is entered among the
    /// principal's sessions, to be listed and ended by [`Sessions::of`], before anybody can be told of it; the time is noted for
    /// [`Session::require_recent`]. It counts once the request is finished.
    ///
    /// Where the configuration has a `principal`, that entry says whose the session is: set it before this, to the same, once the
    /// session is loaded (by [`Session::principal`], or any read); and put it back where this is refused.
    ///
    /// Where the session was ended elsewhere ([`Session::was_ended`]), this begins a new one, with nothing of the old data. So it
    /// does where the session is another principal's, which ends: of two who share a browser neither sees what the other had.
    /// What this request has set before, and not saved by itself, is in the new one.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.sign_in("ann").await?;
    /// assert_eq!(session.principal().await?.as_deref(), Some("ann"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::TooManySessions`] where the principal has `max_sessions` and `when_full` is to refuse, with the session as it
    /// was; [`ErrorKind::InvalidPrincipal`] where the text is empty or longer than 1,024 bytes; [`ErrorKind::Config`] where the
    /// driver cannot compare and swap, or the configured entry says otherwise; and as [`Session::regenerate`].
    #[doc(alias = "login")]
    pub async fn sign_in(&self, principal: impl Into<String>) -> Result<()> {
        let principal = principal.into();
        check(&principal)?;
        self.inner.load_unless(|_| false).await?;
        let _io = self.inner.io.lock().await;
        let shared = self.inner.shared();
        let rules = shared.rules();
        ensure_comparing(&shared.store)?;
        let (id, since) = (SessionId::random(), Moment::now(&rules));
        let (instead_of, leaves) = {
            let machine = self.inner.machine();
            machine.ensure_open_to_sign_in()?;
            (machine.instead_of(&principal, &rules)?, machine.left_id())
        };
        if rules.path.is_some() && self.owner()?.as_deref() != Some(principal.as_str()) {
            return Err(Error::config(
                "the configuration says by `principal` which entry tells whose a session is, and it does not tell the one who \
                 signs in: set it before `sign_in`, or leave `principal` out",
            ));
        }
        let is_anothers = self.stored_owner()?.is_some_and(|owner| owner != principal);
        let owned = match rules.path {
            Some(_) => None,
            None => Some(record::owned_by(&principal)?),
        };
        let entry = Entry { id, principal, instead_of, leaves };
        let page = match shared.index.enter(&shared.store, &entry).await? {
            Entering::Entered(page) => page,
            Entering::Full => {
                let asking = self.inner.machine().id().unwrap_or(id);
                let whose = Whose::Principal(&entry.principal);
                let details = Details { whose, ..Details::default() };
                shared.store.tell(EventKind::SignInRefused, asking, details);
                return Err(full());
            }
            Entering::Ended => return Err(crate::machine::destroyed()),
        };
        let is_first = false;
        let entered = Entered { id, principal: entry.principal, page, since, is_first };
        let authenticated = record::authenticated_at(rules.now())?;
        self.inner.machine().sign_in(entered, owned, authenticated, is_anothers)
    }

    /// Whose the session is; `None` where nobody is signed in.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// assert_eq!(session.principal().await?, None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::has`].
    pub async fn principal(&self) -> Result<Option<String>> {
        self.inner.load_unless(|_| false).await?;
        self.owner()
    }

    /// When the principal was last authenticated: by [`Session::sign_in`] or [`Session::reauthenticated`]. `None` where nobody is
    /// signed in, and where that was elsewhere, such as on an Astro site.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.sign_in("ann").await?;
    /// assert!(session.authenticated_at().await?.is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::has`].
    pub async fn authenticated_at(&self) -> Result<Option<SystemTime>> {
        self.inner.load_unless(|_| false).await?;
        Ok(self.authenticated()?.map(time))
    }

    /// Refuses to go on where the principal was not authenticated within this time, for what asks for more than a cookie:
    /// another password, a payment. The application then asks for the password, and says
    /// [`reauthenticated`](Session::reauthenticated).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cloakroom_session::{Config, CookieHeaders, ErrorKind, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// let five_minutes = Duration::from_secs(5 * 60);
    /// let error = session.require_recent(five_minutes).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::NotSignedIn);
    /// session.sign_in("ann").await?;
    /// session.require_recent(five_minutes).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotSignedIn`] where nobody is signed in, [`ErrorKind::NotRecent`] where the authentication is older or is not
    /// known, and as [`Session::has`].
    pub async fn require_recent(&self, within: Duration) -> Result<()> {
        self.inner.load_unless(|_| false).await?;
        self.owner()?.ok_or_else(not_signed_in)?;
        let age = |at: f64| self.inner.shared().rules().now() - at;
        // One in the future comes from a clock that is ahead, by more than clocks are.
        let is_recent = |age: f64| age >= -CLOCK_SKEW && age <= within.as_secs_f64() * 1000.0;
        match self.authenticated()?.map(age).is_some_and(is_recent) {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::NotRecent,
                format!(
                    "the principal was not authenticated within {within:?}: ask for the password again, and call `reauthenticated`"
                ),
            )),
        }
    }

    /// Says that the principal has been authenticated once more. The session gets a new ID, as at a sign-in (OWASP ASVS 5.0,
    /// 7.2.4).
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// # session.sign_in("ann").await?;
    /// session.reauthenticated().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::NotSignedIn`] where nobody is signed in, and as [`Session::regenerate`].
    pub async fn reauthenticated(&self) -> Result<()> {
        self.inner.load_unless(|_| false).await?;
        let _io = self.inner.io.lock().await;
        self.owner()?.ok_or_else(not_signed_in)?;
        let authenticated = record::authenticated_at(self.inner.shared().rules().now())?;
        self.inner.machine().reauthenticate(authenticated)
    }

    /// Ends the session, as [`Session::destroy`]: what a sign-out wants, since nothing of one visitor is to be there for the next.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.sign_in("ann").await?;
    /// session.sign_out();
    /// assert_eq!(session.principal().await?, None);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "logout")]
    pub fn sign_out(&self) {
        self.destroy();
    }

    /// Whether the session that the browser has a cookie of was ended elsewhere: on another device, or to make room for another
    /// sign-in. Nobody could tell the browser, so that it is for a page to say.
    ///
    /// It is known for as long as a retired ID is remembered, a minute at least; then the cookie names nothing, as that of any
    /// session whose time has passed.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// let notice = match session.was_ended().await? {
    ///     true => "You have been signed out on this device.",
    ///     false => "",
    /// };
    /// # assert_eq!(notice, "");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::has`].
    pub async fn was_ended(&self) -> Result<bool> {
        self.inner.load_unless(|_| false).await?;
        Ok(self.inner.machine().was_ended())
    }

    /// The sessions that this is one of, where a handler has no other way to them.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.sign_in("ann").await?;
    /// session.sessions().of("ann").revoke_others(&session).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn sessions(&self) -> Sessions {
        Sessions::from_shared(self.inner.share())
    }

    /// The IDs that this request has the session under: the one that it leaves may still be the only one in an index.
    pub(crate) async fn names(&self) -> Result<Vec<SessionId>> {
        self.inner.load_unless(|_| false).await?;
        Ok(self.inner.machine().names())
    }

    /// Whose it is, by what is known.
    fn owner(&self) -> Result<Option<String>> {
        let view = self.inner.view();
        let path = self.inner.shared().store.configured().path.as_deref();
        record::principal(path, view.record.as_deref(), &view.changes, view.moment)
    }

    /// Whose it was before this request changed anything.
    fn stored_owner(&self) -> Result<Option<String>> {
        let record = self.inner.view().record;
        let path = self.inner.shared().store.configured().path.as_deref();
        Ok(record.map(|record| record.principal(path)).transpose()?.flatten())
    }

    fn authenticated(&self) -> Result<Option<f64>> {
        let view = self.inner.view();
        let path = self.inner.shared().store.configured().path.as_deref();
        record::authenticated(path, view.record.as_deref(), &view.changes, view.moment)
    }
}

/// Refuses what is no principal.
pub(crate) fn check(principal: &str) -> Result<()> {
    if record::is_principal(principal) {
        return Ok(());
    }
    let length = principal.len();
    Err(Error::new(
        ErrorKind::InvalidPrincipal,
        format!(
            "the principal has {length} bytes: it must have 1 to {LONGEST_PRINCIPAL}, such as a user's ID"
        ),
    ))
}

/// What is said where somebody has to be signed in.
pub(crate) fn not_signed_in() -> Error {
    Error::new(ErrorKind::NotSignedIn, "nobody is signed in to the session")
}
