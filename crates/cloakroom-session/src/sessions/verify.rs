//! What in a store is not as it should be.

use std::fmt;

use cloakroom_storage::{BoxStream, ItemKey};

use crate::error::{Error, ErrorKind, Result};
use crate::index::{self, PageState};
use crate::store::{Kept, MovedAside, Name};

use super::all::in_batches;
use super::stored::StoredSession;
use super::{AllSessions, StoredHandle};

/// What was looked at in a store, and what is wrong with it.
#[derive(Debug)]
pub struct Verified {
    /// What it is.
    pub kind: VerifiedKind,
    /// What is not as it should be.
    pub faults: Vec<Fault>,
}

/// What a store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifiedKind {
    /// A session.
    Session,
    /// A page of the index of a principal's sessions.
    Index,
    /// What stands for a while in the place of a session that has ended, or has just expired.
    Ended,
    /// A record that could not be read and was moved aside.
    Aside,
    /// Somebody else's.
    Other,
}

/// Something that is not as it should be.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// A session's record cannot be read: its visitor gets errors.
    Unreadable(Box<StoredSession>),
    /// An entry of a session cannot be read, and the others can: whoever asks for it gets an error.
    BrokenEntry(Box<StoredSession>, Error),
    /// A session is larger than `maxSize`: it can be read, and be changed only where that makes it smaller.
    TooLarge(Box<StoredSession>),
    /// A session is alive, and missing in the index of its principal: `revoke_all` does not reach it. So is one whose principal an
    /// Astro site has set and no Rust server has seen yet.
    Unlisted(Box<StoredSession>),
    /// A page of an index has entries whose sessions are no more: they take up room until somebody lists that principal's.
    Outlived(IndexPage, usize),
    /// A page of an index has entries of living sessions that somebody began to end, and did not.
    Unfinished(IndexPage, usize),
    /// A page of an index cannot be read: nobody whose it is can sign in, or be signed out everywhere.
    UnreadableIndex(IndexPage, Error),
}

/// A page of the index of a principal's sessions, without the principal.
#[derive(Clone, Debug)]
pub struct IndexPage(ItemKey);

impl IndexPage {
    /// What it is called by: a hash of its key, as that of a session is of its ID.
    pub fn handle(&self) -> StoredHandle {
        StoredHandle::of(&Name::Alias(self.0.clone()))
    }
}

/// What became of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repaired {
    /// It is mended.
    Mended,
    /// The bytes that nobody can read are in a place of their own in the store, where they stay until somebody removes them.
    MovedAside,
    /// There was none any more.
    Gone,
    /// It is left as it is, since a person has to say what is right: what is too large, an entry that cannot be read, an index that cannot be read, a sealed record,
    /// which another key may open, and what does not begin as a record does, which may be another program's.
    Left,
}

impl Fault {
    /// What it is about, by its handle.
    pub fn handle(&self) -> StoredHandle {
        match self {
            Fault::Unreadable(session)
            | Fault::BrokenEntry(session, _)
            | Fault::TooLarge(session)
            | Fault::Unlisted(session) => session.handle(),
            Fault::Outlived(page, _)
            | Fault::Unfinished(page, _)
            | Fault::UnreadableIndex(page, _) => page.handle(),
        }
    }

    /// What it is called by in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Fault::Unreadable(_) => "unreadable",
            Fault::BrokenEntry(..) => "brokenEntry",
            Fault::TooLarge(_) => "tooLarge",
            Fault::Unlisted(_) => "unlisted",
            Fault::Outlived(..) => "outlived",
            Fault::Unfinished(..) => "unfinished",
            Fault::UnreadableIndex(..) => "unreadableIndex",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Unreadable(session) => match session.unreadable() {
                Some(reason) => reason.fmt(formatter),
                None => formatter.write_str("it cannot be read"),
            },
            Fault::BrokenEntry(_, error) => error.fmt(formatter),
            Fault::TooLarge(session) => {
                write!(formatter, "{} bytes are more than maxSize", session.size())
            }
            Fault::Unlisted(_) => formatter
                .write_str("it is alive and missing in its principal's index, so that revoke_all does not reach it"),
            Fault::Outlived(_, entries) => {
                write!(formatter, "entries of an index whose sessions are no more: {entries}")
            }
            Fault::Unfinished(_, entries) => {
                write!(formatter, "sessions that were begun to be ended and are alive: {entries}")
            }
            Fault::UnreadableIndex(_, error) => error.fmt(formatter),
        }
    }
}

impl AllSessions {
    /// Reads each record, and each index of a principal's sessions, and tells what is not as it should be. It changes nothing.
    ///
    /// ```
    /// # use cloakroom_session::adapter::Commit;
    /// # use cloakroom_session::{Config, CookieHeaders, Sessions};
    /// use futures_util::TryStreamExt as _;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cloakroom_session::Result<()> {
    /// # let sessions = Sessions::from_config(Config::new("memory")).await?;
    /// let all = sessions.all();
    /// let mut verified = all.verify()?;
    /// while let Some(verified) = verified.try_next().await? {
    ///     for fault in verified.faults {
    ///         println!("{fault:?}: {:?}", all.repair(&fault).await?);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`AllSessions::list`].
    pub fn verify(&self) -> Result<BoxStream<'_, Result<Verified>>> {
        let kept = self.sessions.shared.store.kept()?;
        let verified = in_batches(kept, move |kept| async move {
            match kept {
                Kept::Named(name) => self.verify_named(name).await,
                Kept::Other(key) if index::is_key(&key) => self.verify_page(key).await,
                Kept::Other(_) => Ok(Verified { kind: VerifiedKind::Other, faults: Vec::new() }),
                Kept::Aside => Ok(Verified { kind: VerifiedKind::Aside, faults: Vec::new() }),
            }
        });
        Ok(Box::pin(verified))
    }

    /// Mends a fault where that costs nobody anything: bytes that cannot be read are moved aside and never deleted, sessions are
    /// entered into their principal's index, whatever the limit there is, and entries without a session are taken out.
    ///
    /// It is safe while servers run. The old ID of a record that was moved aside begins a new session.
    ///
    /// # Errors
    /// As [`Session::get`](crate::Session::get).
    pub async fn repair(&self, fault: &Fault) -> Result<Repaired> {
        let shared = &self.sessions.shared;
        let mended = |mended| if mended { Repaired::Mended } else { Repaired::Gone };
        match fault {
            Fault::Unreadable(session) => {
                Ok(match shared.store.move_aside(session.name()).await? {
                    MovedAside::Moved => Repaired::MovedAside,
                    MovedAside::Gone => Repaired::Gone,
                    MovedAside::Left => Repaired::Left,
                })
            }
            Fault::Unlisted(session) => {
                let Some(principal) = session.principal() else { return Ok(Repaired::Gone) };
                let entered = shared.index.enter_found(&shared.store, principal, session.name());
                entered.await.map(mended)
            }
            Fault::Outlived(page, _) | Fault::Unfinished(page, _) => {
                shared.index.mend(&shared.store, &page.0).await.map(mended)
            }
            Fault::BrokenEntry(..) | Fault::TooLarge(_) | Fault::UnreadableIndex(..) => {
                Ok(Repaired::Left)
            }
        }
    }

    async fn verify_named(&self, name: Name) -> Result<Verified> {
        let shared = &self.sessions.shared;
        let Some(session) = self.see(&name).await? else {
            return match name {
                // Under hashed IDs a page has a name like any other.
                Name::Alias(key) if shared.index.is_page(&shared.store, &key).await? => {
                    self.verify_page(key).await
                }
                _ => Ok(Verified { kind: VerifiedKind::Ended, faults: Vec::new() }),
            };
        };
        let mut faults = Vec::new();
        if session.unreadable().is_some() {
            faults.push(Fault::Unreadable(Box::new(session)));
        } else {
            if let Err(error) = session.entries() {
                faults.push(Fault::BrokenEntry(Box::new(session.clone()), error));
            }
            if session.size() > shared.store.configured().max_size {
                faults.push(Fault::TooLarge(Box::new(session.clone())));
            }
            if self.is_unlisted(&session).await? {
                faults.push(Fault::Unlisted(Box::new(session)));
            }
        }
        Ok(Verified { kind: VerifiedKind::Session, faults })
    }

    /// Whether it is missing in its principal's index. An end takes out the entry once there is no session, so it is looked at once
    /// more.
    async fn is_unlisted(&self, session: &StoredSession) -> Result<bool> {
        let shared = &self.sessions.shared;
        let Some(principal) = session.principal().filter(|_| shared.rules().compares) else {
            return Ok(false);
        };
        let is_listed = match shared.index.lists(&shared.store, principal, session.name()).await {
            // It is told where the page itself is looked at.
            Err(error) if error.kind() == ErrorKind::Corrupt => true,
            is_listed => is_listed?,
        };
        if is_listed {
            return Ok(false);
        }
        let now = self.see(session.name()).await?;
        Ok(now.is_some_and(|now| now.principal() == Some(principal)))
    }

    async fn verify_page(&self, key: ItemKey) -> Result<Verified> {
        let shared = &self.sessions.shared;
        let state = shared.index.state(&shared.store, &key).await;
        let page = IndexPage(key);
        let faults = match state {
            Ok(PageState { outlived, unfinished }) => {
                let outlived = (outlived > 0).then(|| Fault::Outlived(page.clone(), outlived));
                let unfinished = (unfinished > 0).then(|| Fault::Unfinished(page, unfinished));
                outlived.into_iter().chain(unfinished).collect()
            }
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                vec![Fault::UnreadableIndex(page, error)]
            }
            Err(error) => return Err(error),
        };
        Ok(Verified { kind: VerifiedKind::Index, faults })
    }
}
