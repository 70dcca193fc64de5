//! What became of a request's session.

use serde_devalue::Value;

use crate::adapter::Finished;
use crate::id::SessionId;

/// What the end of a request did to its session, and what its response says.
#[derive(Debug)]
pub struct Committed {
    presented: Option<SessionId>,
    finished: Finished,
    changed: Vec<String>,
}

impl Committed {
    pub(super) fn new(presented: Option<SessionId>, finished: Finished) -> Committed {
        Committed { presented, finished, changed: Vec::new() }
    }

    /// Notes what differs.
    pub(super) fn compare(&mut self, before: &[(String, Value)], after: &[(String, Value)]) {
        let differs = |one: &[(String, Value)], other: &[(String, Value)]| -> Vec<String> {
            let differing = one.iter().filter(|entry| !other.contains(entry));
            differing.map(|(key, _)| key.clone()).collect()
        };
        self.changed = differs(after, before);
        for key in differs(before, after) {
            if !self.changed.contains(&key) {
                self.changed.push(key);
            }
        }
    }

    /// The value of the `Set-Cookie` header, where the response has one.
    pub fn cookie(&self) -> Option<&str> {
        self.finished.set_cookie.as_deref()
    }

    /// The session that the browser has after it.
    pub fn id(&self) -> Option<SessionId> {
        match self.cookie() {
            // Without one it keeps what it has.
            None => self.presented,
            Some(cookie) => {
                let value = cookie.split_once('=')?.1;
                SessionId::parse(value.split(';').next().unwrap_or_default())
            }
        }
    }

    /// The keys of the entries that are others in the browser's session than they were, by their names or by their values:
    /// set, updated, or gone.
    pub fn changed(&self) -> &[String] {
        &self.changed
    }

    /// Whether the request read or changed the session, so that the response says `Vary: Cookie`.
    pub fn was_used(&self) -> bool {
        self.finished.used
    }

    /// Whether the browser's session has another ID than before.
    pub fn was_regenerated(&self) -> bool {
        self.presented.is_some() && self.id().is_some() && self.id() != self.presented
    }

    /// Whether the browser had a session and has none.
    pub fn was_destroyed(&self) -> bool {
        self.presented.is_some() && self.id().is_none()
    }
}
