//! Versions: the message that wrote the bytes, and the deadline that it gave them.
//!
//! A message that only moves a deadline says in a header which version it goes on with. So an item's version stays,
//! and whether a version is that of the latest message, and of one that has not expired, can be told without asking.

use std::fmt;
use std::str::FromStr;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use crate::{Version, wall_clock};

const LENGTH: usize = 16;

/// For an item without a deadline.
const NEVER: i64 = i64::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The message's.
    pub(super) sequence: u64,
    expires: i64,
}

impl Seen {
    pub(super) fn new(sequence: u64, expires: Option<i64>) -> Seen {
        Seen { sequence, expires: expires.unwrap_or(NEVER) }
    }

    /// Takes a version apart; `None` if it was not made here.
    pub(super) fn of(version: &Version) -> Option<Seen> {
        let mut bytes: &[u8] = version.as_bytes().filter(|bytes| bytes.len() == LENGTH)?;
        Some(Seen { sequence: bytes.get_u64(), expires: bytes.get_i64() })
    }

    /// Whether the deadline passed that it was written with. It may have got another one since.
    pub(super) fn has_expired(self) -> bool {
        self.expires <= wall_clock::now()
    }
}

impl From<Seen> for Version {
    fn from(seen: Seen) -> Version {
        let mut bytes = BytesMut::with_capacity(LENGTH);
        bytes.put_u64(seen.sequence);
        bytes.put_i64(seen.expires);
        Version::from(Bytes::from(bytes))
    }
}

/// As the header has it.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sequence, self.expires)
    }
}

impl FromStr for Seen {
    type Err = ();

    fn from_str(text: &str) -> Result<Seen, ()> {
        let (sequence, expires) = text.split_once(' ').ok_or(())?;
        Ok(Seen {
            sequence: sequence.parse().map_err(|_| ())?,
            expires: expires.parse().map_err(|_| ())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_and_a_header_give_back_what_they_were_made_from() {
        for seen in [Seen::new(0, None), Seen::new(u64::MAX, Some(0)), Seen::new(7, Some(-1))] {
            assert_eq!(Seen::of(&seen.into()), Some(seen));
            assert_eq!(seen.to_string().parse(), Ok(seen));
        }
        assert_eq!(Seen::of(&Version::from(7)), None);
        assert_eq!(Seen::of(&Version::from(Bytes::from_static(b"short"))), None);
        assert_eq!("7".parse::<Seen>(), Err(()));
        assert_eq!("7 x".parse::<Seen>(), Err(()));
    }
}
