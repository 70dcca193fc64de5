//! What stands in the place of a session that was retired, for as long as requests may still carry its ID.
//!
//! Without it an ID that a login or a logout retired could not be told from one that never was: a request that was on
//! its way would be given a new session, and its cookie would replace the login's.
//!
//! To JavaScript it is as if there were nothing. unstorage reads what looks like a number as one, and this is a number
//! too small to be other than zero, which Astro takes for a session that is not there: it makes a new ID, as it does
//! where a record was removed, and never adopts the old one.

use std::hash::BuildHasher;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use cloakroom_storage::platform::RandomState;

use crate::id::SessionId;

use super::CLOCK_SKEW;

/// How long a retired ID is remembered: longer than a request takes that was on its way when it was retired.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(60);

/// As many digits as unstorage reads as a number (16 before the point, 17 after it), and an exponent that leaves
/// nothing of them.
///
/// | digits | meaning |
/// |---|---|
/// | 1 | `1`, since no number begins with a zero |
/// | 10 | until when it counts, in seconds since 1970 |
/// | 1 | what became of the session: `1` moved, `2` destroyed |
/// | 4, the point, and 16 | who has retired it |
/// | 1 | `1`, the version of this format |
const LENGTH: usize = 39;
const UNTIL: Range<usize> = 1..11;
const FATE: usize = 11;
const BY: [Range<usize>; 2] = [12..16, 17..33];
const END: &[u8] = b"1e-999";

/// What became of a session that is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Its data has another ID now.
    Moved,
    /// It was destroyed.
    Destroyed,
    /// It was removed without a tombstone, as JavaScript does.
    Removed,
}

/// A note that a session was retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tombstone {
    pub(crate) fate: Fate,
    pub(crate) by: Retirement,
}

/// Which attempt to retire a session this is, so that one whose answer was lost is known by its tombstone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retirement(u64);

impl Retirement {
    /// A new one.
    pub(crate) fn new() -> Retirement {
        // Hashed, so that the tombstone shows no bits of a generator that makes IDs.
        Retirement(RandomState::new().hash_one(SessionId::random()))
    }
}

impl Tombstone {
    /// What is stored, from now on (milliseconds since 1970).
    pub(crate) fn to_record(self, now: f64) -> Bytes {
        let fate = match self.fate {
            Fate::Moved => 1,
            Fate::Destroyed | Fate::Removed => 2,
        };
        let until = (now / 1000.0).ceil() as u64 + REMEMBERED.as_secs();
        let by = format!("{:020}", self.by.0);
        let (before, after) = by.split_at(4);
        format!("1{until:010}{fate}{before}.{after}1e-999").into()
    }

    /// Whether this is a tombstone and no record.
    pub(crate) fn is_one(stored: &[u8]) -> bool {
        // A record begins with a bracket.
        stored.len() == LENGTH
            && stored.ends_with(END)
            && stored.first() == Some(&b'1')
            && stored[16] == b'.'
            && stored[..33].iter().enumerate().all(|(at, byte)| at == 16 || byte.is_ascii_digit())
    }

    /// Reads a tombstone; `None` where its time has passed, also where the store has lost its deadline.
    pub(crate) fn read(stored: &[u8], now: f64) -> Option<Tombstone> {
        if !Tombstone::is_one(stored) {
            return None;
        }
        let text = str::from_utf8(stored).ok()?;
        let until: f64 = text.get(UNTIL)?.parse().ok()?;
        let fate = match stored.get(FATE)? {
            b'1' => Fate::Moved,
            _ => Fate::Destroyed,
        };
        let by = BY.map(|range| text.get(range).unwrap_or_default()).concat().parse().ok()?;
        let is_remembered = now <= until * 1000.0 + CLOCK_SKEW;
        is_remembered.then_some(Tombstone { fate, by: Retirement(by) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: f64 = 1_795_431_615_459.0;

    #[test]
    fn a_tombstone_is_read_as_it_was_written_until_its_time_has_passed() {
        for fate in [Fate::Moved, Fate::Destroyed] {
            for by in [Retirement::new(), Retirement(0), Retirement(u64::MAX)] {
                let tombstone = Tombstone { fate, by };
                let record = tombstone.to_record(NOW);
                assert!(Tombstone::is_one(&record));
                assert_eq!(Tombstone::read(&record, NOW), Some(tombstone));
                assert_eq!(Tombstone::read(&record, NOW + 122_000.0), None);
            }
        }
    }

    /// What a later version has to read.
    #[test]
    fn the_bytes_are_fixed() {
        let tombstone = Tombstone { fate: Fate::Moved, by: Retirement(81_985_529_216_486_895) };
        let record = tombstone.to_record(NOW);
        assert_eq!(&record[..], b"1179543167610008.19855292164868951e-999");
    }

    #[test]
    fn no_record_is_a_tombstone() {
        for record in [
            &br#"[["Map"]]"#[..],
            br#"[["Map",1,2],"cart",{"data":3,"expires":-1},[4],"1"]"#,
            b"",
            b"1",
            b"1179543167610008.1985529216486895Xe-999",
            b"1179543167610008_19855292164868951e-999",
        ] {
            assert!(!Tombstone::is_one(record), "{record:?}");
        }
    }

    #[test]
    fn to_whoever_reads_a_number_it_is_zero() {
        let record = Tombstone { fate: Fate::Destroyed, by: Retirement::new() }.to_record(NOW);
        assert_eq!(str::from_utf8(&record).unwrap().parse::<f64>(), Ok(0.0));
    }
}
