//! What is cleaned up behind a request's back: records that nobody can name, and IDs that have to be retired still.
//!
//! Nothing that a response depends on. What fails here is tried again for a while, and then told to the operator.

use std::sync::Arc;
use std::time::Duration;

use cloakroom_storage::{When, platform};

use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::machine::{Cause, Destroyed, Leftover, Moved, RetireOutcome};
use crate::observe::{self, EventKind};
use crate::record::{Fate, Found, Record, Retirement, Stored, Tombstone};
use crate::store::{Details, Whose};

use super::Shared;

/// The pauses between tries: together longer than a store stands still that changes its leader.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(500),
    Duration::from_secs(2),
    Duration::from_secs(8),
    Duration::from_secs(20),
    Duration::from_secs(60),
];

/// How often others may be faster at one try.
const RIVALS: u32 = 32;

/// Cleans up once; what the store would not do is tried again in the background, each by itself.
pub(crate) async fn clean_up(shared: &Arc<Shared>, leftovers: Vec<Leftover>) {
    for mut leftover in leftovers {
        if !is_done_at_once(shared, &mut leftover).await {
            let (id, insisting) = (leftover.id(), Arc::clone(shared));
            detach(shared, id, async move { insist(&insisting, &mut leftover).await });
        }
    }
}

/// Cleans up in the background, each by itself.
pub(crate) fn clean_up_later(shared: &Arc<Shared>, leftovers: Vec<Leftover>) {
    for mut leftover in leftovers {
        let (id, insisting) = (leftover.id(), Arc::clone(shared));
        detach(shared, id, async move {
            if !is_done_at_once(&insisting, &mut leftover).await {
                insist(&insisting, &mut leftover).await;
            }
        });
    }
}

/// Whether the first try does it. There is none where the store has just failed at it.
async fn is_done_at_once(shared: &Shared, leftover: &mut Leftover) -> bool {
    let has_failed = match leftover {
        Leftover::Destroyed(destroyed) => destroyed.cause == Cause::Handler,
        Leftover::Moved { .. } => true,
        Leftover::Unnamed(_) | Leftover::TakenBack { .. } => false,
    };
    !has_failed && matches!(clean(shared, leftover).await, Ok(Cleaned::Done))
}

fn detach(shared: &Shared, id: SessionId, task: impl Future<Output = ()> + Send + 'static) {
    if platform::detach(task).is_err() {
        observe::left_over(&shared.store.shown(id), None);
    }
}

async fn insist(shared: &Shared, leftover: &mut Leftover) {
    let mut error = None;
    for pause in PAUSES {
        platform::sleep(pause).await;
        match clean(shared, leftover).await {
            Ok(Cleaned::Done) => return,
            Ok(Cleaned::Undecided) => error = None,
            Err(failed) => error = Some(failed),
        }
    }
    match (leftover, error) {
        // What was sent so long ago does not arrive any more.
        (Leftover::TakenBack { now, .. }, None) => {
            if let Err(error) = shared.store.remove(*now, When::Always).await {
                observe::left_over(&shared.store.shown(*now), Some(&error));
            }
        }
        (leftover, error) => {
            observe::left_over(&shared.store.shown(leftover.id()), error.as_ref());
        }
    }
}

enum Cleaned {
    Done,
    /// What the store was asked to do may happen still.
    Undecided,
}

async fn clean(shared: &Shared, leftover: &mut Leftover) -> Result<Cleaned> {
    let store = &shared.store;
    match leftover {
        Leftover::Unnamed(id) => _ = store.remove(*id, When::Always).await?,
        Leftover::Destroyed(destroyed) => destroy(shared, destroyed).await?,
        Leftover::Moved { left, by, now } => {
            let tombstone = Tombstone { fate: Fate::Moved, by: *by };
            let retired = retire(shared, *left, tombstone).await?;
            // A logout by the old ID was meant for the session whatever its ID.
            if matches!(retired, Retired::ByAnother(Fate::Destroyed)) {
                let tombstone = Tombstone { fate: Fate::Destroyed, by: Retirement::new() };
                retire(shared, *now, tombstone).await?;
            }
        }
        Leftover::TakenBack { .. } => return give_back(shared, leftover).await,
    }
    Ok(Cleaned::Done)
}

/// Whether a session is a principal's, so that it may have been ended by the index.
fn is_owned(shared: &Shared, stored: &Stored) -> Result<bool> {
    let (record, path) = (&stored.record, shared.store.configured().path.as_deref());
    Ok(record.principal(path)?.is_some() || record.is_indexed()?)
}

/// Restores what a login left, once it is known to have been retired, and removes the session of the new ID.
async fn give_back(shared: &Shared, leftover: &mut Leftover) -> Result<Cleaned> {
    let Leftover::TakenBack { moved: Moved { left, by, removed, .. }, now } = leftover else {
        return Ok(Cleaned::Done);
    };
    let when = match shared.store.look(left.id).await? {
        Found::Alive(_) if now == &left.id => return Ok(Cleaned::Done),
        Found::Alive(_) => return Ok(Cleaned::Undecided),
        Found::Retired(tombstone, version) if tombstone.by == *by => Some(When::Version(version)),
        // Where there are no tombstones, nothing tells that the principal has ended the session since.
        Found::Missing if *removed && !is_owned(shared, left)? => Some(When::Absent),
        Found::Retired(..) | Found::Missing => None,
    };
    if let Some(when) = when {
        // Where nothing tells whether it was restored, it is not restored again: another may have ended it since.
        let was_removed = std::mem::take(removed);
        if let Err(failed) = shared.store.restore(left, when).await {
            *removed = was_removed && failed.is_unapplied;
            return Err(failed.error);
        }
    }
    let (left, now) = (left.id, *now);
    if now != left {
        // What was restored is restored, whatever becomes of the rest.
        *leftover = Leftover::Unnamed(now);
        shared.store.remove(now, When::Always).await?;
    }
    Ok(Cleaned::Done)
}

/// Retires a session, and tells those who watch why, where it was this that has ended it.
async fn destroy(shared: &Shared, destroyed: &Destroyed) -> Result<()> {
    let Destroyed { id, by, record, cause } = destroyed;
    let tombstone = Tombstone { fate: Fate::Destroyed, by: *by };
    let Retired::ByThis(seen) = retire(shared, *id, tombstone).await? else { return Ok(()) };
    let record = seen.as_deref().or(record.as_deref());
    match cause {
        Cause::Handler => shared.store.tell_destroyed(*id, record),
        Cause::Full => {
            let details = Details { whose: Whose::of(record), ..Details::default() };
            shared.store.tell(EventKind::Evicted, *id, details);
        }
        Cause::Untold => {}
    }
    Ok(())
}

/// Who has retired a session.
enum Retired {
    /// This tombstone is in its place, or it was removed for it. With the record that was there, where it was seen.
    ByThis(Option<Arc<Record>>),
    /// What that other made of it.
    ByAnother(Fate),
    /// There is none.
    Missing,
}

/// Retires a session unless another has.
async fn retire(shared: &Shared, id: SessionId, tombstone: Tombstone) -> Result<Retired> {
    for _ in 0..RIVALS {
        let (when, record) = match shared.store.look(id).await {
            Ok(Found::Missing) => return Ok(Retired::Missing),
            Ok(Found::Retired(found, _)) if found.by == tombstone.by => {
                return Ok(Retired::ByThis(None));
            }
            Ok(Found::Retired(found, _)) => return Ok(Retired::ByAnother(found.fate)),
            Ok(Found::Alive(stored)) => (When::Version(stored.version), Some(stored.record)),
            Err(error) if error.kind() == ErrorKind::Corrupt => (When::Always, None),
            Err(error) => return Err(error),
        };
        match shared.store.retire(id, tombstone, when).await {
            Ok(RetireOutcome::Conflict) => {}
            Ok(RetireOutcome::Retired | RetireOutcome::Removed) => {
                return Ok(Retired::ByThis(record));
            }
            Ok(RetireOutcome::Missing) => return Ok(Retired::Missing),
            Err(failed) => return Err(failed.error),
        }
    }
    Err(Error::new(ErrorKind::Conflict, "others go on changing the session that is to be retired"))
}
