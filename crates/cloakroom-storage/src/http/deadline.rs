//! Deadlines that are written beside an item, where the store itself knows none.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// When an item expires, in milliseconds since 1970 by the clocks of those who share the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline(u64);

/// The last moment that JavaScript's `Date` knows.
const LATEST: u64 = 8_640_000_000_000_000;

impl Deadline {
    /// `ttl` from now; `None` where there is none, or where it is beyond the end of time. A part of a millisecond counts
    /// as a whole one.
    pub(crate) fn after(ttl: Option<Duration>) -> Option<Deadline> {
        let ttl = u64::try_from(ttl?.as_nanos().div_ceil(1_000_000)).ok()?;
        Deadline::now().0.checked_add(ttl).filter(|deadline| *deadline <= LATEST).map(Deadline)
    }

    /// As it was written. What cannot be a deadline is none.
    pub(crate) fn read(text: &str) -> Option<Deadline> {
        text.parse().ok().map(Deadline)
    }

    /// In seconds since 1970, rounded up.
    pub(crate) fn seconds(self) -> u64 {
        self.0.div_ceil(1000)
    }

    pub(crate) fn has_passed(self) -> bool {
        self <= Deadline::now()
    }

    /// How long it is until then.
    pub(crate) fn remaining(self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(Deadline::now().0))
    }

    pub(crate) fn now() -> Deadline {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Deadline(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_read_as_it_was_written() {
        let deadline = Deadline::after(Some(Duration::from_secs(60))).expect("a deadline");
        assert_eq!(Deadline::read(&deadline.to_string()), Some(deadline));
        assert!(!deadline.has_passed() && deadline.remaining() > Duration::from_secs(50));
        assert_eq!(Deadline::read("tomorrow"), None);
    }

    #[test]
    fn no_time_at_all_has_passed_and_too_much_never_does() {
        assert!(Deadline::after(Some(Duration::ZERO)).is_some_and(Deadline::has_passed));
        assert_eq!(Deadline::after(Some(Duration::MAX)), None);
        assert_eq!(Deadline::after(None), None);
    }
}
