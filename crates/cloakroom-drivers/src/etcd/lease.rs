//! A deadline and an owner, which are the number of a lease.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::common::wall_clock;

/// The longest time that items wait for others to share their lease, in milliseconds.
const LONGEST_SHARE: u128 = 1000;

/// What is left of 63 bits by the milliseconds of the next two hundred years.
const OWNER_BITS: u32 = 20;
const OWNERS: u64 = 1 << OWNER_BITS;
const LATEST: i64 = i64::MAX >> OWNER_BITS;

/// A lease by its number.
///
/// Those with a deadline have the sign bit set, and so are less than zero, which is no lease, and less than those of
/// other programs. Below the milliseconds since 1970 is the number of an owner: etcd refuses to attach an item to a lease
/// that has one which the user may not write. What has expired is less than the last number of the present, therefore, and
/// nothing else is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lease(i64);

impl Lease {
    const NONE: Lease = Lease(0);

    pub(super) fn of(number: i64) -> Lease {
        Lease(number)
    }

    /// The last of those whose items expire in this millisecond.
    pub(super) fn now() -> Lease {
        Lease::at(wall_clock::now(), OWNERS - 1)
    }

    /// That of an item with this ttl, of this owner; none where it stays.
    pub(super) fn after(ttl: Option<Duration>, owner: u64) -> Lease {
        let Some((ttl, deadline)) = ttl.and_then(|ttl| Some((ttl, wall_clock::after(ttl)?))) else {
            return Lease::NONE;
        };
        let share = (ttl.as_millis() / 1000).clamp(1, LONGEST_SHARE) as i64;
        Lease::at(deadline.saturating_add(share - 1) / share * share, owner)
    }

    fn at(milliseconds: i64, owner: u64) -> Lease {
        let milliseconds = milliseconds.min(LATEST).unsigned_abs();
        let number = (milliseconds << OWNER_BITS) | (owner % OWNERS);
        Lease(number.cast_signed() | i64::MIN)
    }

    /// How long its items still live; `None` where they stay.
    pub(super) fn remaining(self) -> Option<Duration> {
        let deadline = (self.0 & i64::MAX) >> OWNER_BITS;
        let milliseconds = deadline.saturating_sub(wall_clock::now());
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
            let lease = Lease::after(Some(ttl), u64::MAX);
            let remaining = lease.remaining().expect("a deadline");
            assert!(remaining <= ttl + Duration::from_millis(share), "{remaining:?} of {ttl:?}");
            assert!(remaining + Duration::from_millis(500) >= ttl, "{remaining:?} of {ttl:?}");
            assert!(lease.is_alive());
        }
        for owner in [0, u64::MAX] {
            assert!(!Lease::after(Some(Duration::ZERO), owner).is_alive());
        }
    }

    #[test]
    fn what_has_no_deadline_or_another_programs_lease_lives() {
        for lease in
            [Lease::after(None, 1), Lease::after(Some(Duration::MAX), 1), Lease::of(1 << 60)]
        {
            assert!(lease.is_alive());
            assert_eq!(lease.remaining(), None);
        }
        assert_eq!(Lease::after(None, 1), Lease::NONE);
    }

    #[test]
    fn owners_share_no_lease_and_the_deadline_decides_before_them() {
        assert_ne!(Lease::at(5, 1), Lease::at(5, 2));
        assert!(Lease::at(5, OWNERS - 1) < Lease::at(6, 0));
        assert!(Lease::at(i64::MAX, OWNERS - 1) < Lease::NONE);
    }
}
