//! Which items expire when, for the drivers that keep items in memory.

use std::collections::BTreeSet;
use std::num::NonZeroI64;
use std::sync::LazyLock;
use std::time::Duration;

use cloakroom_storage::ItemKey;
use cloakroom_storage::platform::{self, Instant};

/// A moment at which an item expires, in one word: there may be millions of them.
///
/// The clock is monotonic, so that setting the wall clock ends no session. It is tokio's, so that a test can
/// pause it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline(NonZeroI64);

impl Deadline {
    pub(crate) fn now() -> Deadline {
        static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);
        // Below zero where a paused clock began before the epoch.
        let now = platform::now();
        let nanoseconds = match now.checked_duration_since(*EPOCH) {
            Some(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            None => {
                i64::try_from(EPOCH.duration_since(now).as_nanos()).map_or(i64::MIN, |until| -until)
            }
        };
        Deadline::at(nanoseconds)
    }

    /// The moment `ttl` after this; `None` when there is none, or when it is centuries away.
    pub(crate) fn after(self, ttl: Option<Duration>) -> Option<Deadline> {
        let ttl = i64::try_from(ttl?.as_nanos()).ok()?;
        self.0.get().checked_add(ttl).map(Deadline::at)
    }

    /// Zero is taken to be one, so that an optional deadline is one word too.
    fn at(nanoseconds: i64) -> Deadline {
        Deadline(NonZeroI64::new(nanoseconds).unwrap_or(const { NonZeroI64::new(1).unwrap() }))
    }

    /// How long this is after the other; nothing where it is not.
    pub(crate) fn since(self, earlier: Deadline) -> Duration {
        let nanoseconds = self.0.get().saturating_sub(earlier.0.get());
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or_default())
    }
}

/// Names in the order of their deadlines, so that finding the expired ones costs nothing for the others.
#[derive(Debug)]
pub(crate) struct Deadlines<N = ItemKey>(BTreeSet<(Deadline, N)>);

impl<N: Clone + Ord> Deadlines<N> {
    /// Moves `name` from its old deadline to its new one. The copy of the name that is here already stays, since the
    /// caller's may be one more in memory.
    pub(crate) fn replace(&mut self, name: &N, old: Option<Deadline>, new: Option<Deadline>) {
        if old == new {
            return;
        }
        let known = old.and_then(|old| self.0.take(&(old, name.clone())));
        if let Some(new) = new {
            let name = known.map_or_else(|| name.clone(), |(_, name)| name);
            self.0.insert((new, name));
        }
    }

    /// Takes out what expired first, and when it did, if anything has expired by `now`.
    pub(crate) fn pop_expired(&mut self, now: Deadline) -> Option<(Deadline, N)> {
        self.0.first().filter(|(deadline, _)| *deadline <= now)?;
        self.0.pop_first()
    }
}

impl<N> Default for Deadlines<N> {
    fn default() -> Deadlines<N> {
        Deadlines(BTreeSet::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_that_moves_keeps_the_copy_of_the_key_that_it_has() {
        let key = || ItemKey::new("key").expect("valid");
        let (first, second) = (key(), key());
        let (early, late) = (Deadline::at(1), Deadline::at(2));
        let mut deadlines = Deadlines::default();
        deadlines.replace(&first, None, Some(early));
        deadlines.replace(&second, Some(early), Some(late));
        assert_eq!(deadlines.pop_expired(early), None);
        let (deadline, popped) = deadlines.pop_expired(late).expect("expired");
        assert_eq!(deadline, late);
        assert!(std::ptr::eq(popped.as_str(), first.as_str()));
        assert_eq!(deadlines.pop_expired(late), None);
    }
}
