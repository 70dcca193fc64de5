//! How sessions are ended by the index, and what it takes out that is no more.

use std::sync::Arc;

use cloakroom_storage::When;
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::*;
use crate::machine::RetireOutcome;
use crate::observe::{EventKind, RevokedBy};
use crate::record::{Fate, REMEMBERED, Record, Retirement, Tombstone};
use crate::store::{Content, Details, Name, Whose};

/// How often others may be faster at one end.
const RIVALS: u32 = 32;

/// How long an entry may wait for its record, in milliseconds, before it is taken for one of a request that has died.
const PENDING: f64 = REMEMBERED.as_secs() as f64 * 1000.0;

/// What was marked on a page.
#[derive(Debug, Default)]
pub(super) struct Marked {
    /// All that is to be ended there, whoever marked it.
    pub(super) endings: Vec<Ending>,
    /// The sign-ins that were not to be ended before.
    pub(super) handles: Vec<SessionHandle>,
    /// How many pages there are, on the first.
    pages: u32,
}

/// A session that is to be ended, and what that is told as.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    pub(super) name: Name,
    handle: SessionHandle,
    /// When it was entered, in milliseconds since 1970.
    at: f64,
    kind: EventKind,
}

/// A session that is ended.
struct Ended {
    name: Name,
    handle: SessionHandle,
    /// By this end: there was one, or one was on its way.
    was_alive: bool,
}

/// What was marked by somebody else, who did not finish it or is about to.
pub(super) const UNFINISHED: EventKind = EventKind::Revoked { by: RevokedBy::Unknown };

impl Page {
    /// What is to be ended: told as this where its sign-in is meant.
    pub(super) fn endings(
        &self,
        is_meant: impl Fn(SessionHandle) -> bool,
        kind: &EventKind,
    ) -> Vec<Ending> {
        let ending = |item: &Item| Ending {
            name: item.name.clone(),
            handle: item.handle,
            at: item.at,
            kind: if is_meant(item.handle) { kind.clone() } else { UNFINISHED },
        };
        self.items.iter().filter(|item| item.is_ending).map(ending).collect()
    }

    /// What others have marked.
    pub(super) fn unfinished(&self) -> Vec<Ending> {
        self.endings(|_| false, &UNFINISHED)
    }
}

impl Index {
    /// Ends the sign-ins that are meant, on whatever page; answers which of them were alive, or on their way.
    ///
    /// One that is signed in meanwhile may be spared: it is as if that had been afterwards. One that somebody else was faster to
    /// end, who has seen the mark, is not among them.
    pub(crate) async fn revoke(
        &self,
        store: &Store,
        principal: &str,
        by: &RevokedBy,
        is_meant: impl Fn(SessionHandle) -> bool,
    ) -> Result<Vec<SessionHandle>> {
        let kind = EventKind::Revoked { by: by.clone() };
        let first = self.mark(store, principal, 0, &kind, &is_meant).await?;
        let pages = first.pages;
        let mut marked = vec![first];
        for number in 1..pages {
            marked.push(self.mark(store, principal, number, &kind, &is_meant).await?);
        }
        // One that cannot be ended keeps none of the others.
        let (mut revoked, mut outcome) = (Vec::new(), Ok(()));
        for (number, marked) in (0..).zip(marked) {
            let (ended, all) = self.end_each(store, principal, &marked.endings).await;
            let names: Vec<_> = ended.iter().map(|ended| ended.name.clone()).collect();
            self.take_out(store, principal, number, &names).await?;
            outcome = outcome.and(all);
            // Also those that another has marked and not ended yet.
            for ended in ended.iter().filter(|ended| ended.was_alive && is_meant(ended.handle)) {
                if !revoked.contains(&ended.handle) {
                    revoked.push(ended.handle);
                }
            }
        }
        outcome.map(|()| revoked)
    }

    /// Marks what is to be ended. A mark stays until its session has ended, whoever sees to that.
    ///
    /// A page with nothing to mark is written as it is: a near cache may have shown what it was a moment ago, and a sign-in that
    /// came before would be spared.
    pub(super) async fn mark(
        &self,
        store: &Store,
        principal: &str,
        number: u32,
        kind: &EventKind,
        is_meant: impl Fn(SessionHandle) -> bool,
    ) -> Result<Marked> {
        self.change(store, principal, number, |page| {
            let mut marked = Marked::default();
            // All IDs of a sign-in, of which one may be on its way.
            for item in
                page.items.iter_mut().filter(|item| !item.is_ending && is_meant(item.handle))
            {
                item.is_ending = true;
                if !marked.handles.contains(&item.handle) {
                    marked.handles.push(item.handle);
                }
            }
            marked.endings = page.endings(&is_meant, kind);
            marked.pages = page.pages;
            Change::Write(marked)
        })
        .await
    }

    /// Takes entries out of a page.
    pub(super) async fn take_out(
        &self,
        store: &Store,
        principal: &str,
        number: u32,
        names: &[Name],
    ) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        self.change(store, principal, number, |page| match page.take_out(names) {
            true => Change::Write(()),
            false => Change::Keep(()),
        })
        .await
    }

    /// Retires what is to be ended.
    pub(super) async fn end_all(
        &self,
        store: &Store,
        principal: &str,
        endings: &[Ending],
    ) -> Result<()> {
        self.end_each(store, principal, endings).await.1
    }

    /// As [`end_all`](Index::end_all), with those that are ended, and the first failure of the others.
    async fn end_each(
        &self,
        store: &Store,
        principal: &str,
        endings: &[Ending],
    ) -> (Vec<Ended>, Result<()>) {
        let ends: Vec<_> = endings.iter().map(|ending| end(store, principal, ending)).collect();
        let ends: Vec<Result<Ended>> = stream::iter(ends).buffer_unordered(AT_ONCE).collect().await;
        let (mut ended, mut outcome) = (Vec::new(), Ok(()));
        for end in ends {
            match end {
                Ok(end) => ended.push(end),
                Err(error) => outcome = outcome.and(Err(error)),
            }
        }
        (ended, outcome)
    }

    /// Which of a page's entries have no session any more.
    pub(super) async fn gone(&self, store: &Store, page: &Page) -> Result<Vec<Name>> {
        let looks = self.look_at_all(store, page).await?.into_iter();
        Ok(looks.filter_map(|look| look.is_gone.then_some(look.item.name)).collect())
    }

    /// What became of a page's sessions that are not to be ended, in its order.
    pub(super) async fn look_at_all(&self, store: &Store, page: &Page) -> Result<Vec<Look>> {
        let items = page.items.iter().filter(|item| !item.is_ending);
        let looks: Vec<_> = items.map(|item| look(store, item)).collect();
        stream::iter(looks).buffered(AT_ONCE).try_collect().await
    }
}

/// Ends a session, whoever's it is and whether or not an index has it; answers whether it was alive. Who lists its principal's
/// sessions takes out its entry.
pub(crate) async fn end_one(
    store: &Store,
    name: &Name,
    whose: Whose<'_>,
    by: RevokedBy,
) -> Result<bool> {
    // Nothing is on its way to what was seen in the store, whenever it was entered.
    retire(store, whose, name, f64::NEG_INFINITY, &EventKind::Revoked { by }).await
}

/// Retires a session; tells which, and whether there was anything to end.
async fn end(store: &Store, principal: &str, ending: &Ending) -> Result<Ended> {
    let Ending { name, handle, at, kind } = ending;
    let was_alive = retire(store, Whose::Principal(principal), name, *at, kind).await?;
    Ok(Ended { name: name.clone(), handle: *handle, was_alive })
}

/// Retires a session, so that it is read no more, and nobody brings it back or writes it who was on his way. Answers whether
/// there was one, or one was on its way.
pub(super) async fn retire(
    store: &Store,
    whose: Whose<'_>,
    name: &Name,
    at: f64,
    kind: &EventKind,
) -> Result<bool> {
    let tombstone = Tombstone { fate: Fate::Destroyed, by: Retirement::new() };
    for _ in 0..RIVALS {
        let mut is_there = false;
        let when = match store.look_at(name).await {
            Ok(Content::Missing) => When::Absent,
            Ok(Content::Retired(found, _)) if found.fate == Fate::Destroyed => return Ok(false),
            // One that has moved to another ID may be given its old one back.
            Ok(Content::Retired(_, version)) => When::Version(version),
            Ok(Content::Alive { version, .. }) => {
                is_there = true;
                When::Version(version)
            }
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                is_there = true;
                When::Always
            }
            Err(error) => return Err(error),
        };
        let is_absent = when == When::Absent;
        match store.retire_at(name, tombstone, when).await {
            Ok(RetireOutcome::Retired | RetireOutcome::Removed) => {
                if is_there {
                    let details = Details { whose, ..Details::default() };
                    store.tell(kind.clone(), name.clone(), details);
                }
                return Ok(is_there || is_absent && is_pending(store, at));
            }
            // Where there can be no tombstone, who is on his way looks at the index once more.
            Ok(RetireOutcome::Missing) if is_absent => return Ok(is_pending(store, at)),
            Ok(RetireOutcome::Missing | RetireOutcome::Conflict) => {}
            Err(failed) => return Err(failed.error),
        }
    }
    Err(Error::new(
        ErrorKind::Conflict,
        "others go on changing the session that is to be ended: try again",
    ))
}

/// Whether a session has been ended, as far as that is still known.
pub(super) async fn is_ended(store: &Store, name: &Name) -> Result<bool> {
    let content = store.look_at(name).await?;
    Ok(matches!(content, Content::Retired(tombstone, _) if tombstone.fate == Fate::Destroyed))
}

/// What became of an entry's session.
pub(super) struct Look {
    pub(super) item: Item,
    /// With when the store lets it go.
    pub(super) alive: Option<(Arc<Record>, Option<f64>)>,
    /// There is none any more, and none will be written for it.
    pub(super) is_gone: bool,
}

/// Looks at the session of an entry.
pub(super) async fn look(store: &Store, item: &Item) -> Result<Look> {
    let (mut alive, mut is_gone) = (None, false);
    match store.look_at(&item.name).await {
        Ok(Content::Alive { record, ends, .. }) => alive = Some((record, ends)),
        // One that has moved may be given its old ID back.
        Ok(Content::Retired(tombstone, _)) => is_gone = tombstone.fate == Fate::Destroyed,
        Ok(Content::Missing) if is_pending(store, item.at) => {}
        // Whatever the clocks say: who still writes it finds that it is over.
        Ok(Content::Missing) => {
            let tombstone = Tombstone { fate: Fate::Destroyed, by: Retirement::new() };
            let retired = store.retire_at(&item.name, tombstone, When::Absent).await;
            is_gone = retired.map_err(|failed| failed.error)? != RetireOutcome::Conflict;
        }
        Err(error) if error.kind() == ErrorKind::Corrupt => {}
        Err(error) => return Err(error),
    }
    Ok(Look { item: item.clone(), alive, is_gone })
}

/// Whether the record of one that was entered then may be on its way.
pub(super) fn is_pending(store: &Store, at: f64) -> bool {
    let age = store.configured().now() - at;
    (-PENDING..PENDING).contains(&age)
}
