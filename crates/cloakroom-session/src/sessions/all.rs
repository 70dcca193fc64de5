//! All sessions of a store, for those who run it.

use std::fmt;
use std::future::ready;
use std::sync::Arc;

use cloakroom_storage::BoxStream;
use futures_util::future::try_join_all;
use futures_util::{Stream, TryStreamExt as _, stream};

#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::Result;
use crate::id::SessionId;
use crate::index::end_one;
use crate::observe::RevokedBy;
use crate::store::{Name, Whose};

use super::stored::{StoredName, StoredSession};
use super::{Sessions, StoredHandle};

/// How many sessions are read at once.
pub(super) const AT_ONCE: usize = 32;

/// All sessions that the store has, whosever they are: for a console, a report, or an end of them all.
///
/// ```
/// # use cloakroom_session::adapter::Commit;
/// # use cloakroom_session::{Config, CookieHeaders, Sessions};
/// use futures_util::TryStreamExt as _;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cloakroom_session::Result<()> {
/// let sessions = Sessions::from_config(Config::new("memory")).await?;
/// # let session = sessions.session(CookieHeaders::default());
/// # session.sign_in("ann").await?;
/// # session.finish().await?;
/// let all = sessions.all();
/// let mut listed = all.list()?;
/// while let Some(session) = listed.try_next().await? {
///     println!("{} {} bytes, {:?}", session.handle(), session.size(), session.principal());
///     assert!(all.revoke(&session).await?);
/// }
/// assert!(all.list()?.try_next().await?.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct AllSessions {
    pub(super) sessions: Sessions,
    by: RevokedBy,
}

impl Sessions {
    /// All sessions in the store. Asks nothing of it yet.
    pub fn all(&self) -> AllSessions {
        AllSessions { sessions: self.clone(), by: RevokedBy::Unknown }
    }
}

impl AllSessions {
    /// Says who revokes sessions by this, for whoever reads the [events](Sessions::events).
    #[must_use]
    pub fn by(mut self, name: impl Into<Arc<str>>) -> AllSessions {
        self.by = RevokedBy::Other(name.into());
        self
    }

    /// Each session that is alive, in no order, as a stream that takes the same memory for any number of them. One that cannot
    /// be read is there too, and says so.
    ///
    /// # Errors
    /// [`ErrorKind::Storage`] where the store cannot list what it has, and [`ErrorKind::Unavailable`] where it does not answer.
    pub fn list(&self) -> Result<BoxStream<'_, Result<StoredSession>>> {
        let store = &self.sessions.shared.store;
        let seen = in_batches(store.names()?, move |name| async move { store.see(&name).await });
        let rules = store.configured();
        let listed = seen.try_filter_map(move |seen| {
            ready(Ok(seen.map(|seen| StoredSession::new(seen, rules))))
        });
        Ok(Box::pin(listed))
    }

    /// What each session is stored under, in no order, as a stream: no session is read for it, so that it takes no longer than to
    /// list the store's keys. What has ended in the last minute, or expired, may be among them, and with `hashIds` what is no
    /// session; [`get`](AllSessions::get) tells.
    ///
    /// ```
    /// # use cloakroom_session::adapter::Commit;
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// use futures_util::TryStreamExt as _;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// # session.set("theme", "dark")?;
    /// # session.finish().await?;
    /// let all = sessions.all();
    /// let names: Vec<_> = all.names()?.try_collect().await?;
    /// let session = all.get(&names[0]).await?;
    /// assert_eq!(session.unwrap().handle(), names[0].handle());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`AllSessions::list`].
    pub fn names(&self) -> Result<BoxStream<'_, Result<StoredName>>> {
        Ok(Box::pin(self.sessions.shared.store.names()?.map_ok(StoredName::new)))
    }

    /// The session of this name; `None` where there is none any more.
    ///
    /// # Errors
    /// With [`ErrorKind::Unavailable`] where the store does not answer, and [`ErrorKind::Storage`] where it refuses.
    pub async fn get(&self, name: &StoredName) -> Result<Option<StoredSession>> {
        let store = &self.sessions.shared.store;
        let seen = store.see(&name.name).await?;
        Ok(seen.map(|seen| StoredSession::new(seen, store.configured())))
    }

    /// The session of this handle; `None` where there is none. It is looked for among all keys of the store, and read alone.
    ///
    /// # Errors
    /// As [`AllSessions::list`].
    pub async fn find(&self, handle: StoredHandle) -> Result<Option<StoredSession>> {
        let store = &self.sessions.shared.store;
        let mut names = store.names()?;
        while let Some(name) = names.try_next().await? {
            if StoredHandle::of(&name) == handle {
                return self.see(&name).await;
            }
        }
        Ok(None)
    }

    /// The session of this ID; `None` where there is none.
    ///
    /// # Errors
    /// As [`AllSessions::list`].
    pub async fn find_by_id(&self, id: SessionId) -> Result<Option<StoredSession>> {
        let store = &self.sessions.shared.store;
        self.see(&store.name(id)?).await
    }

    /// The session of this name, as it is now.
    pub(super) async fn see(&self, name: &Name) -> Result<Option<StoredSession>> {
        let store = &self.sessions.shared.store;
        let seen = store.see(name).await?;
        Ok(seen.map(|seen| StoredSession::new(seen, store.configured())))
    }

    /// Ends one; answers whether it was alive. A request that has it loaded saves nothing more, and its ID never works again. One
    /// that has moved to a new ID since it was listed lives on under that. One that cannot be read is ended too.
    ///
    /// # Errors
    /// As [`Session::get`](crate::Session::get).
    pub async fn revoke(&self, session: &StoredSession) -> Result<bool> {
        let store = &self.sessions.shared.store;
        let whose = session.record().map_or(Whose::Unknown, |record| Whose::Record(record));
        end_one(store, session.name(), whose, self.by.clone()).await
    }
}

/// Reads so many at once, and goes on when all of them are there: while nobody asks for the next, no call is under way. One that
/// was would keep its connection to the store, which is what whoever ends the session that he was just given waits for.
pub(super) fn in_batches<'a, T: Send + 'a, Out: Send + 'a, Reading>(
    names: impl Stream<Item = Result<T>> + Send + 'a,
    read: impl Fn(T) -> Reading + Send + 'a,
) -> impl Stream<Item = Result<Out>> + Send + 'a
where
    Reading: Future<Output = Result<Out>> + Send + 'a,
{
    let batches = names.try_chunks(AT_ONCE).map_err(|error| error.1);
    let read = batches.and_then(move |batch| try_join_all(batch.into_iter().map(&read)));
    read.map_ok(|batch| stream::iter(batch.into_iter().map(Ok))).try_flatten()
}

impl fmt::Debug for AllSessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AllSessions").finish_non_exhaustive()
    }
}
