//! A deadline, which is the number of a lease.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::wall_clock;

/// The longest time that items wait for others to share their lease, in milliseconds.
const LONGEST_SHARE: u128 = 1000;

/// A lease by its number.
///
/// Those with a deadline have the sign bit set, and so are less than zero, which is no lease, and less than those of
/// other programs. What has expired is less than the number of the present, therefore, and nothing else is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lease(i64);

impl Lease {
    const NONE: Lease = Lease(0);

    pub(super) fn of(number: i64) -> Lease {
        Lease(number)
    }

    /// That of the items that expire in this millisecond.
    pub(super) fn now() -> Lease {
        Lease::at(wall_clock::now())
    }

    /// That of an item with this ttl; none where it stays.
    pub(super) fn after(ttl: Option<Duration>) -> Lease {
        let Some((ttl, deadline)) = ttl.and_then(|ttl| Some((ttl, wall_clock::after(ttl)?))) else {
            return Lease::NONE;
        };
        let share = (ttl.as_millis() / 1000).clamp(1, LONGEST_SHARE) as i64;
        Lease::at(deadline.saturating_add(share - 1) / share * share)
    }

    fn at(milliseconds: i64) -> Lease {
        Lease(milliseconds | i64::MIN)
    }

    /// How long its items still live; `None` where they stay.
    pub(super) fn remaining(self) -> Option<Duration> {
        let milliseconds = (self.0 & i64::MAX).saturating_sub(wall_clock::now());
        (self.0 < 0).then(|| Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default()))
    }

    pub(super) fn is_alive(self) -> bool {
        self > Lease::now()
    }
}

impl Serialize for Lease {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_tells_how_long_its_items_live() {
        for (seconds, share) in [(1, 1), (60, 60), (1800, 1000), (1 << 30, 1000)] {
            let ttl = Duration::from_secs(seconds);
            let lease = Lease::after(Some(ttl));
            let remaining = lease.remaining().expect("a deadline");
            assert!(remaining <= ttl + Duration::from_millis(share), "{remaining:?} of {ttl:?}");
            assert!(remaining + Duration::from_millis(500) >= ttl, "{remaining:?} of {ttl:?}");
            assert!(lease.is_alive());
        }
        assert!(!Lease::after(Some(Duration::ZERO)).is_alive());
    }

    #[test]
    fn what_has_no_deadline_or_another_programs_lease_lives() {
        for lease in [Lease::after(None), Lease::after(Some(Duration::MAX)), Lease::of(1 << 60)] {
            assert!(lease.is_alive());
            assert_eq!(lease.remaining(), None);
        }
        assert_eq!(Lease::after(None), Lease::NONE);
    }
}
