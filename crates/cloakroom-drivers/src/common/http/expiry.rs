//! Deadlines that are written beside an item, by the clocks of the machines that write and read it.

use std::fmt;
use std::time::Duration;

use crate::common::wall_clock;

/// When an item expires, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Expiry(i64);

/// The last number that JSON's readers take exactly. What expires later than that never does.
const LAST: i64 = 1 << 53;

impl Expiry {
    /// What is stored for a deadline that never comes, where something has to be.
    pub(crate) const NEVER: i64 = LAST;

    pub(crate) fn now() -> Expiry {
        Expiry(wall_clock::now())
    }

    /// The moment `ttl` from now, in whole milliseconds; `None` when there is none, or when it is beyond all reckoning.
    pub(crate) fn after(ttl: Option<Duration>) -> Option<Expiry> {
        Expiry::at(wall_clock::after(ttl?)?)
    }

    /// The moment that was stored; `None` where it is none that passes.
    pub(crate) fn at(milliseconds: i64) -> Option<Expiry> {
        (milliseconds < LAST).then_some(Expiry(milliseconds))
    }

    /// The moment that was stored as text; `None` where it cannot be one.
    pub(crate) fn read(text: &str) -> Option<Expiry> {
        text.parse().ok().and_then(Expiry::at)
    }

    pub(crate) fn milliseconds(self) -> i64 {
        self.0
    }

    /// In seconds since 1970, rounded up.
    pub(crate) fn seconds(self) -> u64 {
        self.0.unsigned_abs().div_ceil(1000)
    }

    pub(crate) fn has_passed(self) -> bool {
        self <= Expiry::now()
    }

    /// How long ago it was.
    pub(crate) fn elapsed(self) -> Duration {
        let elapsed = wall_clock::now().saturating_sub(self.0);
        Duration::from_millis(u64::try_from(elapsed).unwrap_or_default())
    }

    /// How long it is until then.
    pub(crate) fn remaining(self) -> Duration {
        let remaining = self.0.saturating_sub(wall_clock::now());
        Duration::from_millis(u64::try_from(remaining).unwrap_or_default())
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_read_as_it_was_written() {
        let expiry = Expiry::after(Some(Duration::from_secs(60))).expect("a deadline");
        assert_eq!(Expiry::read(&expiry.to_string()), Some(expiry));
        assert_eq!(Expiry::at(expiry.milliseconds()), Some(expiry));
        assert!(!expiry.has_passed() && expiry.remaining() > Duration::from_secs(50));
        assert_eq!(Expiry::read("tomorrow"), None);
    }

    #[test]
    fn no_time_at_all_has_passed_and_too_much_never_does() {
        assert!(Expiry::after(Some(Duration::ZERO)).is_some_and(Expiry::has_passed));
        assert_eq!(Expiry::after(Some(Duration::MAX)), None);
        assert_eq!(Expiry::after(None), None);
        assert_eq!(Expiry::at(Expiry::NEVER), None);
    }
}
