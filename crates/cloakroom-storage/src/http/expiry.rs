//! Deadlines that are written beside an item, by the clocks of the machines that write and read it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// When an item expires, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Expiry(i64);

/// The last number that JSON's readers take exactly. What expires later than that never does.
const LAST: i64 = 1 << 53;

impl Expiry {
    /// What is stored for a deadline that never comes, where something has to be.
    pub(crate) const NEVER: i64 = LAST;

    pub(crate) fn now() -> Expiry {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Expiry(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// The moment `ttl` from now; `None` when there is none, or when it is beyond all reckoning.
    pub(crate) fn after(ttl: Option<Duration>) -> Option<Expiry> {
        let ttl = i64::try_from(ttl?.as_millis()).ok()?;
        Expiry::at(Expiry::now().0.checked_add(ttl)?)
    }

    /// The moment that was stored; `None` where it is none that passes.
    pub(crate) fn at(milliseconds: i64) -> Option<Expiry> {
        (milliseconds < LAST).then_some(Expiry(milliseconds))
    }

    pub(crate) fn milliseconds(self) -> i64 {
        self.0
    }

    pub(crate) fn has_passed(self) -> bool {
        self <= Expiry::now()
    }

    /// How long it is until then.
    pub(crate) fn remaining(self) -> Duration {
        let remaining = self.0.saturating_sub(Expiry::now().0);
        Duration::from_millis(u64::try_from(remaining).unwrap_or_default())
    }
}
