//! What becomes of the sessions of a store, seen from one look to the next.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::clock::time;
use crate::error::Result;
use crate::record::Fate;
use crate::store::Sight;

use super::all::AT_ONCE;
use super::{AllSessions, Sessions, StoredHandle, StoredSession};

/// What has become of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// It is there, and was not before. A sign-in gives a session a new ID, so that one is created then, too.
    Created,
    /// Somebody has ended it: its own request, or a revocation.
    Ended,
    /// It lives on under another ID.
    Moved,
    /// Its time has passed.
    Expired,
    /// It is gone before its time without a note of who ended it: by hand, by another program, or longer ago than such a note
    /// is kept, which is a minute.
    Removed,
}

impl ChangeKind {
    /// The name that stays, for logs.
    pub fn name(self) -> &'static str {
        match self {
            ChangeKind::Created => "created",
            ChangeKind::Ended => "ended",
            ChangeKind::Moved => "moved",
            ChangeKind::Expired => "expired",
            ChangeKind::Removed => "removed",
        }
    }
}

/// One change that a look has found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionChange {
    /// Which session.
    pub handle: StoredHandle,
    /// What has become of it.
    pub kind: ChangeKind,
    /// When it was seen; it happened between the look before and this.
    pub at: SystemTime,
    /// Whose it is, or was when it was seen last.
    pub principal: Option<Arc<str>>,
}

/// Finds out what has changed in a store since it looked last, by reading all sessions: whoever made the change, on every store
/// that can list its keys. What came and went between two looks is not seen.
///
/// What a process has done itself, and what it has refused, its own [events](Sessions::events) tell at once.
#[derive(Debug)]
pub struct SessionsWatch {
    sessions: Sessions,
    known: HashMap<StoredHandle, Known>,
}

/// What is remembered of a session from one look to the next.
#[derive(Clone, Debug)]
struct Known {
    principal: Option<Arc<str>>,
    ends: Option<f64>,
}

/// What a look has found.
#[derive(Default)]
struct Looked {
    alive: HashMap<StoredHandle, Known>,
    retired: HashMap<StoredHandle, Fate>,
}

impl AllSessions {
    /// Looks for the first time, at what there is already.
    ///
    /// ```
    /// # use cloakroom_session::adapter::Commit;
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// use cloakroom_session::ChangeKind;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// let mut watch = sessions.all().watch().await?;
    /// # let session = sessions.session(CookieHeaders::default());
    /// # session.sign_in("ann").await?;
    /// # session.finish().await?;
    /// // Now and then, in a task of its own.
    /// for change in watch.look().await? {
    ///     println!("{} {}, {:?}", change.handle, change.kind.name(), change.principal);
    ///     assert_eq!(change.kind, ChangeKind::Created);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`AllSessions::list`].
    pub async fn watch(&self) -> Result<SessionsWatch> {
        let mut watch = SessionsWatch { sessions: self.sessions.clone(), known: HashMap::new() };
        watch.known = watch.walk().await?.alive;
        Ok(watch)
    }
}

impl SessionsWatch {
    /// How many sessions there were at the last look.
    pub fn count(&self) -> usize {
        self.known.len()
    }

    /// Looks again: what was created comes first, and then what is gone. Where it fails, the next look tells what this one would
    /// have told.
    ///
    /// # Errors
    /// As [`AllSessions::list`].
    pub async fn look(&mut self) -> Result<Vec<SessionChange>> {
        let looked = self.walk().await?;
        let now = self.sessions.shared.store.configured().now();
        let change = |handle: &StoredHandle, kind, known: &Known| {
            let principal = known.principal.clone();
            SessionChange { handle: *handle, kind, at: time(now), principal }
        };
        let created = looked.alive.iter().filter(|(handle, _)| !self.known.contains_key(handle));
        let created = created.map(|(handle, known)| change(handle, ChangeKind::Created, known));
        let gone = self.known.iter().filter(|(handle, _)| !looked.alive.contains_key(handle));
        let gone = gone.map(|(handle, known)| {
            let kind = match looked.retired.get(handle) {
                Some(Fate::Moved) => ChangeKind::Moved,
                Some(Fate::Destroyed) => ChangeKind::Ended,
                _ if known.is_over(now) => ChangeKind::Expired,
                _ => ChangeKind::Removed,
            };
            change(handle, kind, known)
        });
        let changes = created.chain(gone).collect();
        self.known = looked.alive;
        Ok(changes)
    }

    async fn walk(&self) -> Result<Looked> {
        let store = &self.sessions.shared.store;
        let rules = store.configured();
        let sights = store.names()?.map(|name| async move {
            let name = name?;
            Ok((StoredHandle::of(&name), store.sight(&name).await?))
        });
        let look = async |mut looked: Looked, (handle, sight)| {
            match sight {
                Sight::Alive(seen) => {
                    let session = StoredSession::new(seen, rules);
                    looked.alive.insert(handle, Known::of(&session));
                }
                Sight::Retired(fate) => drop(looked.retired.insert(handle, fate)),
                Sight::Nothing => {}
            }
            Ok(looked)
        };
        sights.buffer_unordered(AT_ONCE).try_fold(Looked::default(), look).await
    }
}

impl Known {
    fn of(session: &StoredSession) -> Known {
        Known { principal: session.principal().map(Arc::from), ends: session.ends() }
    }

    /// Whether its time has passed, or would have by another clock.
    fn is_over(&self, now: f64) -> bool {
        self.ends.is_some_and(|ends| ends <= now + SHORT)
    }
}

/// By how much a store may have let a session go before this process's clock has it so, in milliseconds.
const SHORT: f64 = 2_000.0;
