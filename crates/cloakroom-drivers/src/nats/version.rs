//! Versions: the message that wrote the bytes, and the deadline that it gave them. Sequences come again in a bucket that is
//! made anew or restored from a copy; so there is a number beside that hardly does.
//!
//! A message that only moves a deadline says in a header which version it goes on with. So an item's version stays.

use std::fmt;
use std::str::FromStr;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use sha2::{Digest as _, Sha256};

use cloakroom_storage::Version;

const LENGTH: usize = 24;

/// For an item without a deadline.
const NEVER: i64 = i64::MAX;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The message's.
    pub(super) sequence: u64,
    expires: i64,
    write: u64,
}

impl Seen {
    pub(super) fn new(sequence: u64, expires: Option<i64>, write: u64) -> Seen {
        Seen { sequence, expires: expires.unwrap_or(NEVER), write }
    }

    /// Takes a version apart; `None` if it was not made here.
    pub(super) fn of(version: &Version) -> Option<Seen> {
        let mut bytes: &[u8] = version.as_bytes().filter(|bytes| bytes.len() == LENGTH)?;
        Some(Seen { sequence: bytes.get_u64(), expires: bytes.get_i64(), write: bytes.get_u64() })
    }
}

/// What stands for the number of a write where another program wrote the bytes and gave none.
pub(super) fn digest(value: &[u8]) -> u64 {
    Sha256::digest(value).iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

impl From<Seen> for Version {
    fn from(seen: Seen) -> Version {
        let mut bytes = BytesMut::with_capacity(LENGTH);
        bytes.put_u64(seen.sequence);
        bytes.put_i64(seen.expires);
        bytes.put_u64(seen.write);
        Version::from(Bytes::from(bytes))
    }
}

/// As the header has it.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.sequence, self.expires, self.write)
    }
}

impl FromStr for Seen {
    type Err = ();

    fn from_str(text: &str) -> Result<Seen, ()> {
        let (sequence, rest) = text.split_once(' ').ok_or(())?;
        let (expires, write) = rest.split_once(' ').ok_or(())?;
        Ok(Seen {
            sequence: sequence.parse().map_err(|_| ())?,
            expires: expires.parse().map_err(|_| ())?,
            write: write.parse().map_err(|_| ())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_and_a_header_give_back_what_they_were_made_from() {
        for seen in [
            Seen::new(0, None, 0),
            Seen::new(u64::MAX, Some(0), 1),
            Seen::new(7, Some(-1), u64::MAX),
        ] {
            assert_eq!(Seen::of(&seen.into()), Some(seen));
            assert_eq!(seen.to_string().parse(), Ok(seen));
        }
        assert_eq!(Seen::of(&Version::from(7)), None);
        assert_eq!(Seen::of(&Version::from(Bytes::from_static(b"short"))), None);
        assert_eq!("7".parse::<Seen>(), Err(()));
        assert_eq!("7 8".parse::<Seen>(), Err(()));
        assert_eq!("7 8 x".parse::<Seen>(), Err(()));
    }
}
