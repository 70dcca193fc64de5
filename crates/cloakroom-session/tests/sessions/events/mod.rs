//! What an audit log is told: everything that has happened, once, after it has, and nothing that has not.

mod life;
mod others;
mod readers;
mod untold;

use cloakroom_session::storage::{Driver, ItemKey, When};
use cloakroom_session::testing::{Committed, TestSite};
use cloakroom_session::{Config, Event, EventKind, Events, Session, SessionHash, SessionId};
use futures_util::FutureExt as _;

/// A site, and what it has told.
struct Watched {
    site: TestSite,
    events: Events,
}

impl Watched {
    fn new() -> Watched {
        Watched::with(|_| {})
    }

    fn with(configure: impl FnOnce(&mut Config)) -> Watched {
        let mut config = Config::new("memory");
        configure(&mut config);
        let site = TestSite::with(config);
        let events = site.sessions().events();
        Watched { site, events }
    }

    /// What it was told since the last time.
    fn events(&mut self) -> Vec<Event> {
        let mut told = Vec::new();
        while let Some(next) = self.events.recv().now_or_never() {
            told.push(next.unwrap().unwrap());
        }
        told
    }

    fn kinds(&mut self) -> Vec<EventKind> {
        self.events().into_iter().map(|event| event.kind).collect()
    }

    /// A request that signs in, in this session.
    async fn signs_in(&self, session: &Session, principal: &str) -> Committed {
        session.sign_in(principal).await.unwrap();
        self.site.commit(session).await.unwrap()
    }

    /// As a new visitor, whom nobody is told of.
    async fn signed_in(&mut self, principal: &str) -> Committed {
        let committed = self.signs_in(&self.site.session(), principal).await;
        self.events();
        committed
    }

    /// A session of nobody's, of which nobody is told.
    async fn visited(&mut self) -> Committed {
        let session = self.site.session();
        session.set("cart", "hat").unwrap();
        let committed = self.site.commit(&session).await.unwrap();
        self.events();
        committed
    }

    async fn stored(&self, committed: &Committed) -> Option<Vec<u8>> {
        let store = self.site.store().undisturbed();
        Some(store.get(&key(committed)).await.unwrap()?.value.to_vec())
    }

    /// As a program that asks for nothing.
    async fn overwrites(&self, committed: &Committed, text: impl Into<Vec<u8>>) {
        let store = self.site.store().undisturbed();
        let written = store.set(&key(committed), text.into().into(), When::Always, None).await;
        _ = written.unwrap();
    }
}

fn id(committed: &Committed) -> SessionId {
    committed.id().unwrap()
}

fn hash(committed: &Committed) -> SessionHash {
    id(committed).into()
}

fn key(committed: &Committed) -> ItemKey {
    ItemKey::new(&id(committed).to_string()).unwrap()
}
