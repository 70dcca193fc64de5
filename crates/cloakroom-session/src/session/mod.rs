//! The session as handlers hold it: Astro's methods in Rust's spelling, its keys, its updates and structs of its entries.
//!
//! Users touch all of it that is public. It tells the commit what to do, and knows neither frameworks nor the store.

mod data;
mod key;
mod update;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_devalue::Value;

use crate::commit;
use crate::commit::{Inner, Shared};
use crate::cookie::CookieHeaders;
use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::machine::{Goal, View, response_started};
use crate::record;
use crate::record::{CREATED, Found};

pub use data::SessionData;
pub use key::{EntryName, Key, SessionKey, WriteKey};

/// The session of one request.
///
/// Reads are async, because the first one loads the record; `set` and `delete` are not: they are seen at once
/// and saved once, by the framework at the end of the request. Cheap to clone: all clones are the same session.
///
/// ```
/// # use cloakroom_session::{Config, CookieHeaders, Key, Sessions};
/// const CART: Key<Vec<String>> = Key::new("cart");
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// # let sessions = Sessions::from_config(Config::new("memory")).await?;
/// # let session = sessions.session(CookieHeaders::default());
/// assert_eq!(session.get(CART).await?, None);
/// session.set("theme", "dark")?;
/// let cart = session.update(CART, |cart| cart.push("scarf".to_owned())).await?;
/// assert_eq!(cart, ["scarf"]);
/// assert_eq!(session.get::<String>("theme").await?.as_deref(), Some("dark"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Session {
    pub(crate) inner: Arc<Inner>,
}

/// How an entry is set.
///
/// ```
/// use std::time::Duration;
/// use cloakroom_session::SetOptions;
///
/// let one_hour = SetOptions::new().ttl(Duration::from_secs(3600));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SetOptions {
    pub(crate) ttl: Option<Duration>,
}

impl SetOptions {
    /// As `set` without options: the configured ttl.
    pub const fn new() -> SetOptions {
        SetOptions { ttl: None }
    }

    /// How long the entry lives, from now. Takes precedence over the configured ttl.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> SetOptions {
        self.ttl = Some(ttl);
        self
    }
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, cookies: CookieHeaders) -> Session {
        Session { inner: Arc::new(Inner::new(shared, cookies)) }
    }

    /// Whether it is one of these sessions.
    pub(crate) fn is_of(&self, owner: &Arc<Shared>) -> bool {
        self.inner.is_of(owner)
    }

    /// The value under `key`, or `None`.
    ///
    /// The first read of a request loads the record; a request without a cookie never does.
    ///
    /// # Errors
    /// [`ErrorKind::WrongType`] where the value is not a `T`, [`ErrorKind::BeyondLimit`] where it is more than can be
    /// read, [`ErrorKind::Corrupt`] where the record or the entry is none, [`ErrorKind::Unavailable`] where the store does
    /// not answer.
    pub async fn get<T: DeserializeOwned>(&self, key: impl SessionKey<T>) -> Result<Option<T>> {
        self.inner.load_unless(|machine| machine.has_changed(key.name())).await?;
        self.inner.seen(key.name()).value(key.name())
    }

    /// The value under `key`; where there is none the key's own default, or else `T::default()`. Writes nothing.
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn get_or_default<T>(&self, key: impl SessionKey<T>) -> Result<T>
    where
        T: Default + DeserializeOwned,
    {
        let value = self.get(key.name()).await?;
        Ok(value.unwrap_or_else(|| key.default_value()))
    }

    /// Whether there is an entry under `key`, even one whose value is undefined.
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn has(&self, key: impl EntryName) -> Result<bool> {
        self.inner.load_unless(|machine| machine.has_changed(key.name())).await?;
        self.inner.seen(key.name()).is_there(key.name())
    }

    /// The keys, in `Map` order, also of entries whose values cannot be read.
    ///
    /// JavaScript may have used keys that no Rust string can hold: numbers, dates, strings with an unpaired surrogate.
    /// They are left out, here and among the entries and the values. What is under them is kept as it is, and lives as long
    /// as it says.
    ///
    /// # Errors
    /// As [`Session::get`], but for those of a value.
    pub async fn keys(&self) -> Result<Vec<String>> {
        self.inner.load_unless(|_| false).await?;
        let View { record, changes, moment } = self.inner.view();
        record::keys(record.as_deref(), &changes, moment)
    }

    /// The values, in `Map` order.
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn values(&self) -> Result<Vec<Value>> {
        Ok(self.entries().await?.into_iter().map(|(_, value)| value).collect())
    }

    /// The keys and values, in `Map` order. What is stored may take no more, all together, than one value may.
    ///
    /// # Errors
    /// As [`Session::get`], of the first value that cannot be read: the error names its key. The others can be had one by
    /// one, by their [`keys`](Session::keys).
    pub async fn entries(&self) -> Result<Vec<(String, Value)>> {
        self.inner.load_unless(|_| false).await?;
        let View { record, changes, moment } = self.inner.view();
        record::entries(record.as_deref(), &changes, moment)
    }

    /// Sets an entry, with the configured ttl.
    ///
    /// The value is serialised now: changing it afterwards changes nothing, and one that cannot be stored fails
    /// here, where the mistake is. The first entry gives the session its ID.
    ///
    /// It is saved when the request is finished, or its streamed body ends. A task that outlives them calls
    /// [`Session::save`], or changes the session with [`Session::update`].
    ///
    /// # Errors
    /// [`ErrorKind::EmptyKey`], [`ErrorKind::NotSerializable`], [`ErrorKind::TooLarge`], and
    /// [`ErrorKind::ResponseStarted`] where the session does not exist yet and its cookie can no longer be sent.
    #[doc(alias = "insert")]
    pub fn set<V: Serialize + ?Sized>(&self, key: impl WriteKey<V>, value: &V) -> Result<()> {
        self.set_with(key, value, SetOptions::new())
    }

    /// Sets an entry with options of its own.
    ///
    /// # Errors
    /// As [`Session::set`].
    pub fn set_with<V: Serialize + ?Sized>(
        &self,
        key: impl WriteKey<V>,
        value: &V,
        options: SetOptions,
    ) -> Result<()> {
        let expires = self.inner.expiry(options.ttl);
        let written = self.inner.write_value(key.name(), value, expires)?;
        self.inner.use_machine().set(key.name(), written)
    }

    /// Removes an entry; of no effect where there is none.
    #[doc(alias = "remove")]
    pub fn delete(&self, key: impl EntryName) {
        if key.name() == CREATED {
            return;
        }
        self.inner.use_machine().delete(key.name());
    }

    /// Removes an entry and returns its value.
    ///
    /// Two requests at once may both get it, since neither removes it before it is finished: what must be used
    /// once alone, such as a code, is taken with [`Session::update`].
    ///
    /// # Errors
    /// As [`Session::get`].
    #[doc(alias = "remove")]
    pub async fn take<T: DeserializeOwned>(&self, key: impl SessionKey<T>) -> Result<Option<T>> {
        let value = self.get(key.name()).await?;
        if value.is_some() {
            self.delete(key.name());
        }
        Ok(value)
    }

    /// Gives the session a new ID and keeps its data; the old ID is dead once the request is finished.
    ///
    /// Call it whenever somebody gains privileges, at a login above all. As in Astro, a session is created where
    /// there was none.
    ///
    /// # Errors
    /// As [`Session::get`]; [`ErrorKind::ResponseStarted`] where the cookie can no longer be sent.
    #[doc(alias = "cycle_id")]
    pub async fn regenerate(&self) -> Result<()> {
        self.inner.load_unless(|_| false).await?;
        let _io = self.inner.io.lock().await;
        self.inner.machine().regenerate()
    }

    /// Ends the session: its record is removed from the store at the end of the request, its cookie deleted,
    /// its data gone at once. What is set afterwards begins a new session.
    #[doc(alias = "flush")]
    #[doc(alias = "clear")]
    pub fn destroy(&self) {
        self.inner.use_machine().destroy();
    }

    /// Replaces the session by the stored one with this ID and hands out its cookie. Returns whether there is
    /// one; where not, nothing changes. Unsaved changes to the current session are dropped, as in Astro.
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
        let found = self.inner.shared().store.look(id).await?;
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
        commit::run(&self.inner, Goal::Reload).await?;
        Ok(self.inner.machine().id().is_some())
    }

    /// Saves now instead of at the end of the request. Where nothing changes afterwards, the end of the request
    /// does not write again.
    ///
    /// Where nothing has changed, it asks whether the session is still there, and moves its idle deadline where that is
    /// due: a task that lives long keeps its session alive by calling it.
    ///
    /// # Errors
    /// [`ErrorKind::Destroyed`] where the session was ended elsewhere since it was loaded, [`ErrorKind::Expired`] where
    /// its time has passed, and as [`Session::update`].
    pub async fn save(&self) -> Result<()> {
        self.inner.mark_used();
        commit::run(&self.inner, Goal::Save).await
    }

    /// Whether the store did not answer and the request goes on without it, as its [`OutagePolicy`](crate::OutagePolicy) says: what can be
    /// read is an old copy, or nothing, and nothing can be changed.
    pub fn is_degraded(&self) -> bool {
        self.inner.machine().is_degraded()
    }

    /// The ID, once something has resolved it: a first read, or a write that began a new session.
    ///
    /// Whoever asks for the ID of a session that has not been handed out yet may tell it to somebody, so that such a session
    /// stays when its request is given up.
    pub fn id(&self) -> Option<SessionId> {
        self.inner.machine().tell_id()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Session")
            .field("id", &self.inner.machine().id())
            .finish_non_exhaustive()
    }
}
