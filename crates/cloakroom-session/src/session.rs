//! The session object: Astro's methods in Rust's spelling.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_devalue::Value;

use crate::changes::Change;
use crate::commit;
use crate::cookie::{CookieHeaders, Ticket};
use crate::error::{Error, ErrorKind, Result};
use crate::finished::Finished;
use crate::id::SessionId;
use crate::inner::{Inner, response_started};
use crate::key::SessionKey;
use crate::lifetime::CREATED;
use crate::outage::OutagePolicy;
use crate::record;
use crate::shared::Shared;
use crate::state::{CookieIntent, Current, New, State};
use crate::upkeep;

/// The session of one request.
///
/// Reads are async, because the first one loads the record; `set` and `delete` are not: they are seen at once
/// and saved once, when the framework calls [`Session::finish`] at the end of the request. Cheap to clone: all
/// clones are the same session.
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
    inner: Arc<Inner>,
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
    ttl: Option<Duration>,
}

impl SetOptions {
    /// As `set` without options: the configured ttl.
    pub const fn new() -> SetOptions {
        SetOptions { ttl: None }
    }

    /// How long the entry lives, from now. Goes before the configured ttl.
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

    /// The value under `key`, or `None`.
    ///
    /// The first read of a request loads the record; a request without a cookie never does.
    ///
    /// # Errors
    /// [`ErrorKind::WrongType`] where the value is not a `T`, [`ErrorKind::Corrupt`] where the record cannot be
    /// read, [`ErrorKind::Unavailable`] where the store does not answer.
    pub async fn get<T: DeserializeOwned>(&self, key: impl SessionKey<T>) -> Result<Option<T>> {
        self.inner.resolve_unless(|state| state.changes.get(key.name()).is_some()).await?;
        self.inner.value(key.name())
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
    pub async fn has(&self, key: &str) -> Result<bool> {
        self.inner.resolve_unless(|state| state.changes.get(key).is_some()).await?;
        let (change, record) = self.inner.sources(key);
        match (change, record) {
            (Some(change), _) => Ok(matches!(change, Change::Set { .. })),
            (None, Some(record)) => record.has(key),
            (None, None) => Ok(false),
        }
    }

    /// The keys, in `Map` order.
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn keys(&self) -> Result<Vec<String>> {
        self.inner.resolve_unless(|_| false).await?;
        let (record, changes) = self.inner.view();
        record::keys(record.as_deref(), &changes)
    }

    /// The values, in `Map` order.
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn values(&self) -> Result<Vec<Value>> {
        Ok(self.entries().await?.into_iter().map(|(_, value)| value).collect())
    }

    /// The keys and values, in `Map` order.
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn entries(&self) -> Result<Vec<(String, Value)>> {
        self.inner.resolve_unless(|_| false).await?;
        let (record, changes) = self.inner.view();
        record::entries(record.as_deref(), &changes)
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
    pub fn set<T: Serialize + ?Sized>(&self, key: impl SessionKey<T>, value: &T) -> Result<()> {
        self.set_with(key, value, SetOptions::new())
    }

    /// Sets an entry with options of its own.
    ///
    /// # Errors
    /// As [`Session::set`].
    pub fn set_with<T: Serialize + ?Sized>(
        &self,
        key: impl SessionKey<T>,
        value: &T,
        options: SetOptions,
    ) -> Result<()> {
        let written = self.inner.write_value(key.name(), value, options.ttl)?;
        let mut state = self.inner.touched();
        self.inner.admit_creation(&mut state)?;
        let loaded = !state.current.is_unresolved();
        state.changes.set(key.name(), written, loaded);
        state.cookie = CookieIntent::HandOut;
        Ok(())
    }

    /// Removes an entry; of no effect where there is none.
    pub fn delete(&self, key: &str) {
        if key == CREATED {
            return;
        }
        let mut state = self.inner.touched();
        // Where there is no session there is nothing to delete; not even an empty record is left behind.
        if state.current.is_unresolved() && !matches!(self.inner.ticket(), Ticket::Id(_)) {
            state.current = Current::Absent;
        }
        // Without the store nobody knows what there is: the commit says that it cannot be deleted. What this request set
        // before it learned that there is no session can be deleted, too.
        let is_absent = matches!(state.current, Current::Absent) && state.outage.is_none();
        if !is_absent || state.changes.get(key).is_some() {
            state.changes.delete(key);
        }
    }

    /// Removes an entry and returns its value.
    ///
    /// Two requests at once may both get it, since neither removes it before it is finished: what must be used
    /// once alone, such as a code, is taken with [`Session::update`].
    ///
    /// # Errors
    /// As [`Session::get`].
    pub async fn take<T: DeserializeOwned>(&self, key: impl SessionKey<T>) -> Result<Option<T>> {
        self.inner.resolve_unless(|state| state.changes.get(key.name()).is_some()).await?;
        let value = self.inner.value(key.name())?;
        if value.is_some() {
            self.delete(key.name());
        }
        Ok(value)
    }

    /// Changes an entry without losing what any other request changes: load, apply, compare and swap, and
    /// again on a conflict. Returns what was stored. A missing entry starts as in [`Session::get_or_default`].
    ///
    /// Unlike `set` this writes at once, together with everything else that this request changed so far.
    /// `change` may run several times, each time on a newer value.
    ///
    /// # Errors
    /// As [`Session::get`] and [`Session::set`]; [`ErrorKind::Destroyed`] where the session was destroyed
    /// elsewhere in the meantime, and [`ErrorKind::Conflict`] where the retries ran out.
    pub async fn update<T>(&self, key: impl SessionKey<T>, change: impl FnMut(&mut T)) -> Result<T>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        self.update_with(key, SetOptions::new(), change).await
    }

    /// As [`Session::update`], with options for the entry.
    ///
    /// # Errors
    /// As [`Session::update`].
    pub async fn update_with<T>(
        &self,
        key: impl SessionKey<T>,
        options: SetOptions,
        mut change: impl FnMut(&mut T),
    ) -> Result<T>
    where
        T: Default + Serialize + DeserializeOwned,
    {
        let inner = &*self.inner;
        inner.touch();
        let mut updated = None;
        commit::update(inner, key.name(), || {
            let mut value = inner.value(key.name())?.unwrap_or_else(|| key.default_value());
            change(&mut value);
            let written = inner.write_value(key.name(), &value, options.ttl)?;
            updated = Some(value);
            Ok(written)
        })
        .await?;
        updated.ok_or_else(|| Error::new(ErrorKind::Conflict, "the update was never applied"))
    }

    /// Gives the session a new ID and keeps its data; the old ID is dead once the request is finished.
    ///
    /// Call it whenever somebody gains privileges, at a login above all. As in Astro, a session is created where
    /// there was none.
    ///
    /// # Errors
    /// As [`Session::get`]; [`ErrorKind::ResponseStarted`] where the cookie can no longer be sent.
    pub async fn regenerate(&self) -> Result<()> {
        self.inner.resolve_unless(|_| false).await?;
        let _io = self.inner.io.lock().await;
        self.inner.admit_change()?;
        let mut state = self.inner.lock();
        if state.response_started {
            return Err(response_started("regenerate"));
        }
        let (base, replaces) = match &state.current {
            Current::Stored(stored) => {
                (Some(Arc::clone(&stored.record)), Some((stored.id, stored.version.clone())))
            }
            Current::New(new) => (new.base.clone(), new.replaces.clone()),
            Current::Unresolved | Current::Absent => (None, None),
        };
        if let Current::New(new) = &state.current {
            let remnant = new.remnant();
            state.doomed.extend(remnant);
        }
        state.current = Current::New(New { base, replaces, regenerated: true, ..New::empty() });
        state.cookie = CookieIntent::HandOut;
        Ok(())
    }

    /// Ends the session: its record is removed from the store at the end of the request, its cookie deleted,
    /// its data gone at once. What is set afterwards begins a new session.
    pub fn destroy(&self) {
        let mut state = self.inner.touched();
        let presented = match self.inner.ticket() {
            Ticket::Id(id) => Some(id),
            Ticket::Malformed | Ticket::Missing => None,
        };
        state.destroy(presented);
    }

    /// Replaces the session by the stored one with this ID and hands out its cookie. Returns whether there is
    /// one; where not, nothing changes. Unsaved changes to the current session are dropped, as in Astro.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidId`] where `id` is not a v4 UUID, [`ErrorKind::ResponseStarted`] where the cookie can
    /// no longer be sent, and as [`Session::get`].
    pub async fn load(&self, id: &str) -> Result<bool> {
        self.inner.touch();
        let id = SessionId::parse(id).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidId,
                "the text is not a session ID: it must be a version 4 UUID",
            )
        })?;
        let _io = self.inner.io.lock().await;
        if self.inner.lock().response_started {
            return Err(response_started("load"));
        }
        let Some(stored) = self.inner.shared().store.load(id).await? else { return Ok(false) };
        let mut state = self.inner.lock();
        // Destroyed in this request: it is in the store only until the commit.
        if state.doomed.contains(&id) {
            return Ok(false);
        }
        state.give_up_new();
        state.current = Current::Stored(stored);
        // The store has answered.
        state.outage = None;
        state.changes.clear();
        state.cookie = CookieIntent::HandOut;
        Ok(true)
    }

    /// Saves now instead of at the end of the request. Where nothing changes afterwards, the end of the request
    /// does not write again.
    ///
    /// # Errors
    /// [`ErrorKind::Destroyed`] where the session was destroyed elsewhere since it was loaded, and as
    /// [`Session::update`].
    pub async fn save(&self) -> Result<()> {
        self.inner.touch();
        match commit::commit(&self.inner).await? {
            commit::Outcome::Saved => Ok(()),
            commit::Outcome::DestroyedElsewhere => Err(commit::destroyed()),
        }
    }

    /// Whether the store did not answer and the request goes on without it, as its [`OutagePolicy`] says: what can be
    /// read is an old copy, or nothing, and nothing can be changed.
    pub fn is_degraded(&self) -> bool {
        self.inner.lock().outage.is_some()
    }

    /// The ID, once something has resolved it: a first read, or a write that began a new session.
    pub fn id(&self) -> Option<SessionId> {
        self.inner.lock().current.id()
    }
}

/// For authors of framework adapters.
impl Session {
    /// Whether anything was asked of the session. Where not, the response needs nothing from it.
    pub fn is_used(&self) -> bool {
        self.inner.is_touched()
    }

    /// Whether a handle other than this one is still alive, so that the session may still change.
    pub fn is_shared(&self) -> bool {
        let is_shared = Arc::strong_count(&self.inner) > 1;
        // What was done through handles that are gone is seen by whoever looks after this.
        fence(Ordering::Acquire);
        is_shared
    }

    /// Says what this request gets while the store does not answer, over what the configuration says. To be called
    /// before the session is read; the last call counts.
    pub fn set_outage_policy(&self, policy: OutagePolicy) {
        self.inner.set_outage_policy(policy);
    }

    /// Commits: to be called after the handler returned and before the headers leave.
    ///
    /// # Errors
    /// As [`Session::save`], except that a session that was destroyed elsewhere is no error here: its changes
    /// are dropped. After an error no cookie may be sent.
    pub async fn finish(&self) -> Result<Finished> {
        if !self.is_used() {
            self.start_response();
            return Ok(Finished::default());
        }
        loop {
            let outcome = commit::commit(&self.inner).await;
            let mut state = self.inner.lock();
            // Another task began or destroyed a session meanwhile: the cookie may name only what is stored.
            if outcome.is_ok() && state.is_ahead() {
                continue;
            }
            state.response_started = true;
            outcome?;
            return Ok(self.finished(&state));
        }
    }

    /// As [`Session::finish`] where there is nothing to write and nothing to wait for.
    pub(crate) fn finish_at_once(&self) -> Option<Finished> {
        let _io = self.inner.io.try_lock().ok()?;
        let mut state = self.inner.lock();
        if state.is_changed() || upkeep::may_be_due(&self.inner.shared().store, &state) {
            return None;
        }
        state.response_started = true;
        Some(self.finished(&state))
    }

    fn finished(&self, state: &State) -> Finished {
        let cookie = &self.inner.shared().cookie;
        let set_cookie = match (state.cookie, state.current.id()) {
            (CookieIntent::HandOut, Some(id)) => Some(cookie.hand_out(&id)),
            // A browser that presented no cookie has none to forget. A session that was begun after `destroy`, and got
            // nothing in the end, leaves the cookie to be forgotten as well.
            (CookieIntent::Delete, _) | (CookieIntent::HandOut, None)
                if state.destroyed > 0 && self.inner.ticket() != Ticket::Missing =>
            {
                Some(cookie.delete())
            }
            _ => None,
        };
        Finished { set_cookie, used: true, degraded: state.outage.is_some() }
    }

    /// Says that the headers have left, for a session that nobody has used so far.
    pub fn start_response(&self) {
        self.inner.lock().response_started = true;
    }

    /// Whether something changed that no commit has written yet.
    pub fn is_changed(&self) -> bool {
        self.is_used() && self.inner.lock().is_changed()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").field("id", &self.id()).finish_non_exhaustive()
    }
}
