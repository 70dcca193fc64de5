//! A session's life: its ID, its end, and the store's word on both.

use std::pin::pin;

use crate::commit;
use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::machine::{Machine, response_started};
use crate::observe;
use crate::record::{Found, Lifetime, not_serializable};

use super::Session;

impl Session {
    /// Gives the session a new ID and keeps its data; the old ID is dead once the request is finished.
    ///
    /// Call it whenever somebody gains privileges, at a login above all. As in Astro, a session is created where
    /// there was none.
    ///
    /// Called twice in a request it is one new ID.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.set("cart", &["scarf"])?;
    /// let before = session.id();
    /// session.regenerate().await?;
    /// assert_ne!(session.id(), before);
    /// assert!(session.has("cart").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::get`]; [`ErrorKind::ResponseStarted`] where the cookie can no longer be sent.
    #[doc(alias = "cycle_id")]
    pub async fn regenerate(&self) -> Result<()> {
        self.inner.load_unless(|_| false).await?;
        let _io = self.inner.io.lock().await;
        self.inner.machine().regenerate()
    }

    /// Says whether the session outlives the browser's window: what "remember me" at a login asks.
    ///
    /// A session that is remembered ends after [`Config::remember`](crate::Config::remember) without use rather than after
    /// `idle`, and its cookie lives for as long; `absolute` holds as for any. It stays remembered across `regenerate`, until
    /// `destroy` or until this is called with `false`. As [`Session::set`] it begins a session where there is none, and counts
    /// from the end of the request; called twice, the last time counts.
    ///
    /// A note of it is kept in the session, which an Astro site carries along. DIFFERENCE: Astro has no such thing: a cookie
    /// that an Astro site sends itself has the site's own `maxAge`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let mut config = Config::new("memory");
    /// config.idle = Some(Duration::from_secs(2 * 60 * 60));
    /// config.remember = Some(Duration::from_secs(30 * 24 * 60 * 60));
    /// # let sessions = Sessions::from_config(config).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// # let is_ticked = true;
    /// session.regenerate().await?;
    /// session.set("user", "ann")?;
    /// session.remember(is_ticked)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Config`] where `remember` is not configured and the session shall be, [`ErrorKind::ResponseStarted`] where
    /// the cookie can no longer be sent, and as [`Session::set`].
    #[doc(alias = "set_expiry")]
    pub fn remember(&self, remember: bool) -> Result<()> {
        if remember && self.inner.shared().store.rules().lifetime.remember.is_none() {
            return Err(Error::config(
                "a session cannot be remembered, because nobody said for how long: set `remember`, in seconds",
            ));
        }
        let remembrance = remember.then(Lifetime::remembrance).transpose();
        let remembrance = remembrance.map_err(not_serializable)?;
        self.inner.use_machine().remember(remembrance)
    }

    /// Ends the session: its record is removed from the store at the end of the request, its cookie deleted,
    /// its data gone at once. What is set afterwards begins a new session.
    ///
    /// Without a cookie it does nothing. While the store is away the end of the request fails, and the session is ended in the
    /// background once the store is back, where the process lives so long.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.set("user", "ann")?;
    /// session.destroy();
    /// assert!(!session.has("user").await?);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "flush")]
    #[doc(alias = "clear")]
    pub fn destroy(&self) {
        self.inner.mark_used();
        self.inner.tell(Machine::destroy);
    }

    /// Replaces the session by the stored one with this ID and hands out its cookie. Returns whether there is
    /// one; where not, nothing changes. Unsaved changes to the current session are dropped, as in Astro.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// let nobody = "0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11";
    /// assert!(!session.load(nobody).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidId`] where `id` is not a v4 UUID, [`ErrorKind::ResponseStarted`] where the cookie can
    /// no longer be sent, and as [`Session::get`].
    pub async fn load(&self, id: &str) -> Result<bool> {
        self.inner.mark_used();
        let id = SessionId::parse(id).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidId,
                "the text is not a session ID: it must be a version 4 UUID",
            )
        })?;
        let _io = self.inner.io.lock().await;
        if self.inner.machine().is_closed() {
            return Err(response_started("load"));
        }
        let store = &self.inner.shared().store;
        let found = observe::load(Some(store.shown(id))).over(pin!(store.look(id))).await?;
        let mut machine = self.inner.machine();
        match found {
            // What this request has left is in the store only until the commit.
            Found::Alive(stored) if !machine.has_left(id) => {
                machine.adopt(stored);
                Ok(true)
            }
            Found::Alive(_) | Found::Retired(..) | Found::Missing => Ok(false),
        }
    }

    /// Looks at the store again, for a handle that lives long: in a WebSocket's task, or a stream. Returns whether there
    /// is a session.
    ///
    /// What this request has changed and not saved stays changed; everything else is read as it is stored now. After a
    /// logout elsewhere the answer is `false`, and stays so.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.update("visits", |visits: &mut u32| *visits += 1).await?;
    /// assert!(session.reload().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn reload(&self) -> Result<bool> {
        self.inner.mark_used();
        commit::reload(&self.inner).await?;
        Ok(self.inner.machine().id().is_some())
    }

    /// Saves now instead of at the end of the request. Where nothing changes afterwards, the end of the request
    /// does not write again.
    ///
    /// Where nothing has changed, it asks whether the session is still there, and moves its idle deadline where that is
    /// due: a task that lives long keeps its session alive by calling it.
    ///
    /// Without a cookie, and with nothing changed, it does nothing.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// session.set("step", &2)?;
    /// session.save().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Destroyed`] where the session was ended elsewhere since it was loaded, [`ErrorKind::Expired`] where
    /// its time has passed, and as [`Session::update`].
    pub async fn save(&self) -> Result<()> {
        self.inner.mark_used();
        commit::save(&self.inner).await
    }

    /// Whether the store did not answer and the request goes on without it, as its [`OutagePolicy`](crate::OutagePolicy) says: what can be
    /// read is an old copy, or nothing, and nothing can be changed.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// assert!(!session.is_degraded());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_degraded(&self) -> bool {
        self.inner.machine().is_degraded()
    }

    /// The ID, once something has resolved it: a first read, or a write that began a new session.
    ///
    /// Whoever asks for the ID of a session that has not been handed out yet may tell it to somebody, so that such a session
    /// stays when its request is given up.
    ///
    /// ```
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// assert_eq!(session.id(), None);
    /// session.set("theme", "dark")?;
    /// assert!(session.id().is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(&self) -> Option<SessionId> {
        self.inner.machine().tell_id()
    }
}
