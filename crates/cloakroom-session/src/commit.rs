//! The commit: one write that loses nobody's update.
//!
//! Changes are per key. They are applied to the record as it was loaded, and written on the condition that the
//! store still has that record. Where it has a newer one, the same changes are applied to that. Where it has
//! none any more, somebody logged out: the changes are dropped, and the session stays gone.

use std::time::Duration;

use cloakroom_storage::platform::{self, Instant, OUTLIVES_REQUESTS};
use cloakroom_storage::{RemoveOutcome, When};
use tokio::sync::MutexGuard;

use crate::changes::{Changes, Written};
use crate::clock::now;
use crate::error::{Error, ErrorKind, Result};
use crate::id::SessionId;
use crate::inner::Inner;
use crate::observe;
use crate::record::{self, Draft, Record};
use crate::state::{CookieIntent, Current, New};
use crate::stored::Stored;
use crate::upkeep;

/// After the first conflict the writers of one process queue up, so this many conflicts in a row mean this
/// many writes by other processes in the meantime.
const ATTEMPTS: u32 = 1000;

/// As many processes as are kept apart well that write one session at once.
const MOST_RIVALS: u32 = 16;

/// The bounds of the longest pause after a conflict.
const SHORTEST_PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// How a commit ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Saved,
    DestroyedElsewhere,
}

/// How one attempt to write ended.
enum Attempt {
    /// Written, or there was nothing to write.
    Done,
    /// More is known now; try again.
    Again,
    /// Another request was faster.
    Conflict(SessionId),
    DestroyedElsewhere(SessionId),
}

/// Writes everything that changed, then removes what was destroyed.
pub(crate) async fn commit(inner: &Inner) -> Result<Outcome> {
    let _io = inner.io.lock().await;
    let written = write_pending(inner).await;
    // A logout happens even where the write after it failed.
    let removed = remove_doomed(inner).await;
    let outcome = written?;
    removed?;
    // After a write there is nothing to keep up: it carried the deadlines along.
    upkeep::keep_alive(inner).await;
    Ok(outcome)
}

async fn write_pending(inner: &Inner) -> Result<Outcome> {
    let pending = !inner.lock().changes.is_empty();
    if pending && look_again(inner).await? == Outcome::DestroyedElsewhere {
        return Ok(Outcome::DestroyedElsewhere);
    }
    write(inner, Ok).await
}

/// Writes everything that changed and one entry more, which `change` makes anew from the newest value.
pub(crate) async fn update(
    inner: &Inner,
    key: &str,
    mut change: impl FnMut() -> Result<Written>,
) -> Result<()> {
    let _io = inner.io.lock().await;
    if look_again(inner).await? == Outcome::DestroyedElsewhere {
        return Err(destroyed());
    }
    inner.resolve().await?;
    inner.admit_creation(&mut inner.lock())?;
    let outcome = write(inner, |mut changes| {
        changes.set(key, change()?, true);
        Ok(changes)
    })
    .await?;
    match outcome {
        Outcome::Saved => {
            let mut state = inner.lock();
            if state.current.id().is_some() {
                state.cookie = CookieIntent::HandOut;
            }
            Ok(())
        }
        Outcome::DestroyedElsewhere => Err(destroyed()),
    }
}

async fn write(
    inner: &Inner,
    mut prepare: impl FnMut(Changes) -> Result<Changes>,
) -> Result<Outcome> {
    let mut turn = None;
    let mut began = Instant::now();
    for attempt in 1..=ATTEMPTS {
        let pending = inner.lock().changes.clone();
        let latest = pending.latest();
        let changes = prepare(pending)?;
        match write_once(inner, &changes).await? {
            Attempt::Done => {
                inner.lock().changes.forget(latest);
                return Ok(Outcome::Saved);
            }
            Attempt::Again => {}
            Attempt::DestroyedElsewhere(id) => {
                if destroyed_elsewhere(inner, id) {
                    return Ok(Outcome::DestroyedElsewhere);
                }
            }
            Attempt::Conflict(id) => {
                observe::conflict(&id, attempt);
                // Apart, as all that is large and seldom: every other commit would have to have room for it.
                if !Box::pin(catch_up(inner, id, attempt, &mut began, &mut turn)).await? {
                    return Ok(Outcome::DestroyedElsewhere);
                }
            }
        }
    }
    Err(Error::new(
        ErrorKind::Conflict,
        format!(
            "other requests changed the session {ATTEMPTS} times while this one tried to: try again"
        ),
    ))
}

/// Waits for the other writers and loads what they wrote; `false` where the session is gone.
async fn catch_up<'a>(
    inner: &'a Inner,
    id: SessionId,
    attempt: u32,
    began: &mut Instant,
    turn: &mut Option<MutexGuard<'a, ()>>,
) -> Result<bool> {
    // The requests of a Worker cannot wake each other: there, pauses keep them apart.
    if turn.is_none() && OUTLIVES_REQUESTS {
        *turn = Some(inner.shared().queues.wait(id).await);
    } else {
        pause(attempt, began.elapsed()).await;
    }
    *began = Instant::now();
    match inner.shared().store.load(id).await? {
        Some(newer) => replace(inner, id, Current::Stored(newer)),
        None if destroyed_elsewhere(inner, id) => return Ok(false),
        None => {}
    }
    Ok(true)
}

async fn write_once(inner: &Inner, changes: &Changes) -> Result<Attempt> {
    if !changes.is_empty() {
        inner.admit_change()?;
    }
    let current = inner.lock().current.clone();
    match current {
        Current::Unresolved if changes.is_empty() => Ok(Attempt::Done),
        Current::Unresolved => {
            inner.resolve().await?;
            Ok(Attempt::Again)
        }
        // Deletes alone do not make a session.
        Current::Absent if !changes.has_sets() => Ok(Attempt::Done),
        Current::Absent => {
            inner.lock().current = Current::New(New::empty());
            Ok(Attempt::Again)
        }
        Current::New(new) if !new.regenerated && !changes.has_sets() => {
            inner.lock().doomed.extend(new.remnant());
            replace(inner, new.id, Current::Absent);
            Ok(Attempt::Done)
        }
        // Apart, as above.
        Current::New(new) => Box::pin(create(inner, new, changes)).await,
        Current::Stored(_) if changes.is_empty() => Ok(Attempt::Done),
        Current::Stored(stored) => modify(inner, stored, changes).await,
    }
}

/// Writes a record that no store has seen: without a read, and after a `regenerate` before the old one goes.
async fn create(inner: &Inner, new: New, changes: &Changes) -> Result<Attempt> {
    let store = &inner.shared().store;
    if let (Some(base), Some((old, version))) = (&new.base, &new.replaces)
        && store.is_over(base)?
    {
        store.end(*old, version.clone()).await;
        return Ok(Attempt::DestroyedElsewhere(*old));
    }
    let draft = draft(inner, new.base.as_deref(), changes)?;
    if !begin_write(inner, new.id) {
        return Ok(Attempt::Again);
    }
    let Some(stored) = store.write(new.id, draft, When::Absent).await? else {
        // Either an earlier attempt that was interrupted left it, or somebody has this very ID: never seen with
        // 122 random bits, and still not overwritten.
        inner.lock().doomed.extend(new.remnant());
        let id = SessionId::random();
        replace(inner, new.id, Current::New(New { id, attempted: false, ..new.clone() }));
        return Ok(Attempt::Again);
    };
    let Some((old, version)) = new.replaces.clone() else {
        replace(inner, new.id, Current::Stored(stored));
        return Ok(Attempt::Done);
    };
    match store.remove(old, When::Version(version)).await {
        Ok(RemoveOutcome::Removed) => {
            replace(inner, new.id, Current::Stored(stored));
            Ok(Attempt::Done)
        }
        // Destroyed, or regenerated by another request that was faster: there is one winner.
        Ok(RemoveOutcome::Missing) => {
            store.remove(new.id, When::Always).await?;
            Ok(Attempt::DestroyedElsewhere(old))
        }
        // Changed since it was loaded: take the newer data along instead.
        Ok(RemoveOutcome::Conflict) => {
            observe::conflict(&old, 1);
            store.remove(new.id, When::Always).await?;
            let Some(newer) = store.load(old).await? else {
                return Ok(Attempt::DestroyedElsewhere(old));
            };
            let base = Some(newer.record);
            let replaces = Some((old, newer.version));
            replace(inner, new.id, Current::New(New { base, replaces, ..new.clone() }));
            Ok(Attempt::Again)
        }
        Err(error) => {
            // The browser keeps the old ID, so the new record would be nobody's.
            let _ = store.remove(new.id, When::Always).await;
            Err(error)
        }
    }
}

/// Notes that the store may hold the new session from now on; `false` where it is no longer wanted.
fn begin_write(inner: &Inner, id: SessionId) -> bool {
    match &mut inner.lock().current {
        Current::New(new) if new.id == id => {
            new.attempted = true;
            true
        }
        _ => false,
    }
}

/// The record to write, which is not too large, or at least no larger than it was.
fn draft(inner: &Inner, base: Option<&Record>, changes: &Changes) -> Result<Draft> {
    let draft =
        record::apply(base, changes, now(), inner.shared().ttl, inner.shared().store.lifetime())?;
    if base.is_none_or(|base| draft.bytes.len() > base.bytes().len()) {
        inner.check_size(draft.bytes.len(), || "the session".into())?;
    }
    Ok(draft)
}

/// Writes a record on top of the one that was loaded.
async fn modify(inner: &Inner, stored: Stored, changes: &Changes) -> Result<Attempt> {
    let store = &inner.shared().store;
    let id = stored.id;
    if store.is_over(&stored.record)? {
        Box::pin(store.end(id, stored.version)).await;
        return Ok(Attempt::DestroyedElsewhere(id));
    }
    let draft = draft(inner, Some(&stored.record), changes)?;
    if draft.bytes == *stored.record.bytes() {
        return Ok(Attempt::Done);
    }
    match store.write(id, draft, When::Version(stored.version)).await? {
        Some(stored) => {
            replace(inner, id, Current::Stored(stored));
            Ok(Attempt::Done)
        }
        None => Ok(Attempt::Conflict(id)),
    }
}

/// A driver that cannot compare is asked once more, as late as possible.
async fn look_again(inner: &Inner) -> Result<Outcome> {
    let store = &inner.shared().store;
    let loaded = match &inner.lock().current {
        Current::Stored(stored) if !store.compares() => stored.id,
        _ => return Ok(Outcome::Saved),
    };
    match Box::pin(store.load(loaded)).await? {
        Some(newest) => replace(inner, loaded, Current::Stored(newest)),
        None if destroyed_elsewhere(inner, loaded) => return Ok(Outcome::DestroyedElsewhere),
        None => {}
    }
    Ok(Outcome::Saved)
}

async fn remove_doomed(inner: &Inner) -> Result<()> {
    loop {
        let Some(id) = inner.lock().doomed.first().copied() else { return Ok(()) };
        Box::pin(inner.shared().store.remove(id, When::Always)).await?;
        // Forgotten only now, so that a failure leaves it to the next attempt.
        inner.lock().doomed.retain(|doomed| *doomed != id);
    }
}

/// Takes over what is known now of session `id`, unless `destroy` was called while the store was at work.
fn replace(inner: &Inner, id: SessionId, current: Current) {
    let mut state = inner.lock();
    if state.current.id() == Some(id) {
        state.current = current;
    }
}

/// Drops the changes to session `id`; `false` where this request has left it for another by itself.
fn destroyed_elsewhere(inner: &Inner, id: SessionId) -> bool {
    observe::destroyed_elsewhere(&id);
    let mut state = inner.lock();
    if !state.current.concerns(id) {
        return false;
    }
    state.current = Current::Absent;
    state.changes.clear();
    // No deletion either: whoever ended the session told the browser, and if that was a login that gave it a new
    // ID, a deletion that arrives later would throw the new cookie away.
    state.cookie = CookieIntent::Keep;
    true
}

pub(crate) fn destroyed() -> Error {
    Error::new(
        ErrorKind::Destroyed,
        "the session was destroyed by another request since this one loaded it: nothing was saved",
    )
}

/// Apart, so that processes that collided do not collide again: for as long as some attempts take, the more the more
/// often they collided, since that tells how many they are.
async fn pause(attempt: u32, took: Duration) {
    let ceiling = (took * attempt.min(MOST_RIVALS)).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    let random = SessionId::random().random_bits() % (ceiling.as_micros() as u64);
    platform::sleep(Duration::from_micros(random)).await;
}
