//! The simulated store: items, deadlines, and what it was sent and has not done yet.

mod driver;
mod fault;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cloakroom_storage::{Item, RemoveOutcome, SetOutcome, Version, When};

use crate::content::Content;
use crate::history::{Fault, Setup, Versions};
use crate::trace::{Effect, Id, Owner, What};
use crate::world::World;

pub(crate) use driver::SimulatedDriver;

/// A store, and the calls that are on their way to it.
pub(crate) struct Store {
    /// By the number of the ID.
    items: Vec<Option<StoredItem>>,
    versions: Versions,
    expires: bool,
    writes: u64,
    calls: Vec<CallState>,
    /// When which call arrives.
    arrivals: BinaryHeap<Reverse<(Duration, usize)>>,
    faults: Vec<Fault>,
    /// How many calls each request has made.
    made: Vec<usize>,
    /// What is sent before then arrives then.
    stalled_until: Duration,
    full_until: Duration,
    latency: u64,
}

struct StoredItem {
    value: Bytes,
    content: Arc<Content>,
    version: Version,
    deadline: Option<Duration>,
}

struct CallState {
    id: Id,
    owner: Owner,
    request: Option<StoreRequest>,
    reply: Option<Reply>,
}

/// What a call asks for.
pub(crate) enum StoreRequest {
    Get,
    Set { value: Bytes, content: Option<Arc<Content>>, when: When, ttl: Option<Duration> },
    Remove(When),
    Touch(Option<Duration>),
}

/// What the store says.
pub(crate) enum Reply {
    Item(Option<(Item, Option<Duration>)>),
    Set(SetOutcome),
    Removed(RemoveOutcome),
    Touched(bool),
    NoRoom,
}

impl Store {
    pub(crate) fn new(setup: &Setup, faults: Vec<Fault>, requests: usize) -> Store {
        Store {
            items: Vec::new(),
            versions: setup.versions,
            expires: setup.expires,
            writes: 0,
            calls: Vec::new(),
            arrivals: BinaryHeap::new(),
            faults,
            made: vec![0; requests + 1],
            stalled_until: Duration::ZERO,
            full_until: Duration::ZERO,
            latency: setup.latency,
        }
    }

    /// When the next call arrives.
    pub(crate) fn next_arrival(&self) -> Option<Duration> {
        self.arrivals.peek().map(|Reverse((at, _))| *at)
    }

    /// Forgets what has expired, and gives what is there.
    fn item(&mut self, id: Id, now: Duration) -> &mut Option<StoredItem> {
        if self.items.len() <= id.0 {
            self.items.resize_with(id.0 + 1, || None);
        }
        let item = &mut self.items[id.0];
        if item.as_ref().is_some_and(|item| item.deadline.is_some_and(|at| at <= now)) {
            *item = None;
        }
        item
    }

    fn deadline(&self, ttl: Option<Duration>, now: Duration) -> Option<Duration> {
        ttl.filter(|_| self.expires).map(|ttl| now.saturating_add(ttl))
    }

    fn version(&mut self, value: &Bytes) -> Version {
        self.writes += 1;
        match self.versions {
            Versions::Counter => self.writes.into(),
            Versions::Bytes => value.clone().into(),
        }
    }

    /// Does what a call asks for, all at once.
    fn apply(&mut self, id: Id, request: StoreRequest, now: Duration) -> (Reply, Effect) {
        match request {
            StoreRequest::Get => self.get(id, now),
            StoreRequest::Set { value, content, when, ttl } => {
                if now < self.full_until {
                    return (Reply::NoRoom, Effect::NoRoom);
                }
                self.set(id, (value, content), &when, ttl, now)
            }
            StoreRequest::Remove(when) => self.remove(id, &when, now),
            StoreRequest::Touch(ttl) => self.touch(id, ttl, now),
        }
    }

    fn get(&mut self, id: Id, now: Duration) -> (Reply, Effect) {
        let Some(item) = self.item(id, now) else { return (Reply::Item(None), Effect::Read(None)) };
        let ttl = item.deadline.map(|at| at.saturating_sub(now));
        let answer = Item { value: item.value.clone(), version: item.version.clone() };
        (Reply::Item(Some((answer, ttl))), Effect::Read(Some(Arc::clone(&item.content))))
    }

    fn set(
        &mut self,
        id: Id,
        (value, content): (Bytes, Option<Arc<Content>>),
        when: &When,
        ttl: Option<Duration>,
        now: Duration,
    ) -> (Reply, Effect) {
        let there = self.item(id, now);
        let holds = match (when, &there) {
            (When::Always, _) | (When::Absent, None) => true,
            (When::Version(version), Some(item)) => *version == item.version,
            (When::Absent, Some(_)) | (When::Version(_), None) => false,
        };
        if !holds {
            return (Reply::Set(SetOutcome::Conflict), Effect::Conflict);
        }
        let old = there.take();
        let version = self.version(&value);
        let deadline = self.deadline(ttl, now);
        let unreadable =
            || Arc::new(Content { entries: Vec::new(), created: None, is_tombstone: false });
        let content = content.unwrap_or_else(unreadable);
        let effect = Effect::Wrote {
            before: old.as_ref().map(|item| Arc::clone(&item.content)),
            deadline_before: old.and_then(|item| item.deadline),
            after: Arc::clone(&content),
            deadline,
        };
        *self.item(id, now) =
            Some(StoredItem { value, content, version: version.clone(), deadline });
        (Reply::Set(SetOutcome::Written { version }), effect)
    }

    fn remove(&mut self, id: Id, when: &When, now: Duration) -> (Reply, Effect) {
        let there = self.item(id, now);
        let removed = match (&there, when) {
            (Some(item), When::Version(version)) if *version != item.version => {
                return (Reply::Removed(RemoveOutcome::Conflict), Effect::Conflict);
            }
            _ => there.take(),
        };
        match removed {
            Some(item) => (Reply::Removed(RemoveOutcome::Removed), Effect::Removed(item.content)),
            None => (Reply::Removed(RemoveOutcome::Missing), Effect::Missing),
        }
    }

    fn touch(&mut self, id: Id, ttl: Option<Duration>, now: Duration) -> (Reply, Effect) {
        let deadline = self.deadline(ttl, now);
        let Some(item) = self.item(id, now) else {
            return (Reply::Touched(false), Effect::Missing);
        };
        let before = std::mem::replace(&mut item.deadline, deadline);
        let content = Arc::clone(&item.content);
        (Reply::Touched(true), Effect::Touched { content, before, deadline })
    }
}

impl World {
    /// Does what has arrived at the store by now, in the order of arrival.
    pub(crate) fn store_arrivals(&mut self) {
        let now = self.now;
        while self.store.next_arrival().is_some_and(|at| at <= now) {
            let Some(Reverse((_, call))) = self.store.arrivals.pop() else { return };
            let state = &mut self.store.calls[call];
            let (id, owner) = (state.id, state.owner);
            // Withdrawn, because its caller went before it was sent.
            let Some(request) = state.request.take() else { continue };
            let (reply, effect) = self.store.apply(id, request, now);
            self.store.calls[call].reply = Some(reply);
            self.running = owner;
            self.note(What::Applied(call, effect));
        }
    }
}

#[cfg(test)]
mod tests;
