//! What only another program can have done, which writes whole sessions.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::id::SessionHash;

use super::{EventKind, TARGET};

/// What nobody does to a session who writes on a condition, so that somebody has overwritten it as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overwrite {
    /// An entry that was replaced or removed is back, or a note of our own is gone.
    LostKey,
    /// The record's deadline is gone.
    LostDeadline,
    /// A session is back that was retired.
    Revived,
}

impl Overwrite {
    pub(super) fn kind(self) -> &'static str {
        match self {
            Overwrite::LostKey => "lost_key",
            Overwrite::LostDeadline => "lost_deadline",
            Overwrite::Revived => "revived",
        }
    }

    fn event(self) -> &'static str {
        match self {
            Overwrite::LostKey => "session.lost_key",
            Overwrite::LostDeadline => "session.lost_deadline",
            Overwrite::Revived => EventKind::Revived.name(),
        }
    }

    fn what(self) -> &'static str {
        match self {
            Overwrite::LostKey => "what was changed in a session is as it was before",
            Overwrite::LostDeadline => {
                "the deadline of a session is gone, which no server with `idle` or `absolute` takes away, and is set again"
            }
            Overwrite::Revived => EventKind::Revived.row().message,
        }
    }
}

/// Which kinds the operator was told of, once each: where there is one, each visitor brings more.
#[derive(Default)]
pub(super) struct Warned([AtomicBool; 3]);

impl Warned {
    /// Says that a session was overwritten as a whole.
    pub(super) fn log(&self, overwrite: Overwrite, session: SessionHash) {
        let (event, kind, what) = (overwrite.event(), overwrite.kind(), overwrite.what());
        if self.0[overwrite as usize].swap(true, Ordering::Relaxed) {
            tracing::debug!(target: TARGET, event, %session, kind, "{what}");
        } else {
            tracing::warn!(
                target: TARGET,
                event,
                %session,
                kind,
                "{what}: another program writes whole sessions over what was changed since it read them, as an Astro \
                 site does without the package `@cloakroom/astro`: install it there, with the same `idle` and \
                 `absolute` (docs/guarantees.md). This is said once; cloakroom_session_overwrites_total counts"
            );
        }
    }
}
