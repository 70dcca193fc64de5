//! A version of an item: when the database wrote it, and which bytes it has.

use bytes::Bytes;

use super::deadline::Deadline;
use super::message::VERSIONSTAMP;
use crate::common::http::Tagged;
use cloakroom_storage::Version;

/// What a version says of the item that was read.
#[derive(Clone)]
pub(super) struct Seen<'a> {
    tagged: Tagged<'a>,
    pub(super) versionstamp: Bytes,
    /// With it a write knows that what it replaces has expired since.
    pub(super) deadline: Option<Deadline>,
}

/// The version of an item of these bytes.
pub(super) fn version(versionstamp: &[u8], deadline: Option<Deadline>, value: &[u8]) -> Version {
    let number = versionstamp.iter().fold(0, |number, byte| number << 8 | u128::from(*byte));
    let deadline = deadline.map(|deadline| deadline.milliseconds().to_string());
    Tagged::version(&format!("{number:x}:{}", deadline.unwrap_or_default()), value)
}

impl<'a> Seen<'a> {
    /// `None` for a version that was not made here.
    pub(super) fn of(version: &'a Version) -> Option<Seen<'a>> {
        let tagged = Tagged::of(version)?;
        let (number, deadline) = tagged.token().split_once(':')?;
        let number = u128::from_str_radix(number, 16).ok()?.to_be_bytes();
        let versionstamp = Bytes::copy_from_slice(number.last_chunk::<VERSIONSTAMP>()?);
        let deadline = match deadline {
            "" => None,
            milliseconds => Some(Deadline::at(milliseconds.parse().ok()?)),
        };
        Some(Seen { tagged, versionstamp, deadline })
    }

    /// Whether it is a version of these bytes.
    pub(super) fn is_of(&self, value: &[u8]) -> bool {
        self.tagged.is_of(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_gives_back_what_it_was_made_of() {
        let versionstamp = b"\0\x01\x02\x03\x04\x05\x06\x07\x08\xff";
        for deadline in [None, Some(Deadline::at(1_800_000_000_000))] {
            let version = version(versionstamp, deadline, b"value");
            let seen = Seen::of(&version).expect("it was made here");
            assert_eq!((&*seen.versionstamp, seen.deadline), (&versionstamp[..], deadline));
            assert!(seen.is_of(b"value") && !seen.is_of(b"other"));
        }
        assert!(Seen::of(&Tagged::version("etag", b"value")).is_none());
    }
}
