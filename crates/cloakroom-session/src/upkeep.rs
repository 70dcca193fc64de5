//! What keeps a session alive that was read and not written.

use cloakroom_storage::When;

use crate::changes::Changes;
use crate::clock::now;
use crate::error::Result;
use crate::inner::Inner;
use crate::observe;
use crate::record;
use crate::state::{Current, State};
use crate::store::Store;
use crate::stored::Stored;

/// Moves the session's idle deadline where that is due, and gives a session that Astro wrote its deadline and the note
/// of its creation. A failure costs the request nothing: it changed nothing that anybody asked for.
pub(crate) async fn keep_alive(inner: &Inner) {
    let stored = {
        let state = inner.lock();
        match &state.current {
            Current::Stored(stored) if may_be_due(&inner.shared().store, &state) => stored.clone(),
            _ => return,
        }
    };
    match Box::pin(keep(inner, &stored)).await {
        Ok(Some(newer)) => {
            let mut state = inner.lock();
            if state.current.id() == Some(newer.id) {
                state.current = Current::Stored(newer);
            }
        }
        Ok(None) => {}
        Err(error) => observe::upkeep_failed(&stored.id, &error),
    }
}

/// Whether there can be something to keep up, as far as is known without looking into the record.
pub(crate) fn may_be_due(store: &Store, state: &State) -> bool {
    let lifetime = store.lifetime();
    match &state.current {
        Current::Stored(stored) if state.outage.is_none() => {
            lifetime.absolute.is_some()
                || (store.expires() && lifetime.is_limited() && lifetime.may_be_due(stored.ttl))
        }
        _ => false,
    }
}

/// The session as it is stored then, where that changed.
async fn keep(inner: &Inner, stored: &Stored) -> Result<Option<Stored>> {
    let (shared, now) = (inner.shared(), now());
    let (store, lifetime) = (&shared.store, shared.store.lifetime());
    let created = match lifetime.absolute {
        Some(_) => stored.record.created()?,
        None => None,
    };
    let is_noted = !lifetime.needs_creation(created);
    let may_be_due = store.expires() && lifetime.may_be_due(stored.ttl);
    if is_noted && !may_be_due {
        return Ok(None);
    }
    let ttl = lifetime.ttl(stored.record.ttl(now)?, created, now);
    let is_due = may_be_due && lifetime.is_due(ttl, stored.ttl);
    // A JavaScript writer notes no creation and leaves no deadline, and entries that end sooner than an idle session
    // would bring its record's forward. Such a record is written again, on the condition that nobody has written
    // since: a touch might cut a newer record's longer life short. A driver that keeps no condition could overwrite
    // that record, so there it waits for the next change.
    let is_bare = is_due && stored.ttl.is_none();
    let is_shortened = is_due && ttl != lifetime.ttl(None, created, now);
    if (!is_noted || is_bare || is_shortened) && store.compares() {
        let draft =
            record::apply(Some(&stored.record), &Changes::default(), now, shared.ttl, lifetime)?;
        // On a conflict another request did the same, or the next one will.
        return store.write(stored.id, draft, When::Version(stored.version.clone())).await;
    }
    if !is_due {
        return Ok(None);
    }
    store.touch(stored.id, ttl).await?;
    Ok(Some(Stored { ttl, ..stored.clone() }))
}
