//! What is stored, and under which conditions it is replaced.

use std::fmt;

use bytes::Bytes;

/// An item as it was when it was read.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// The stored bytes.
    pub value: Bytes,
    /// Which version of the item this is, for [`When::Version`].
    pub version: Version,
}

impl Item {
    /// An item of `value` at `version`.
    pub fn new(value: impl Into<Bytes>, version: impl Into<Version>) -> Item {
        Item { value: value.into(), version: version.into() }
    }
}

impl fmt::Debug for Item {
    /// Prints the length only: what is in a session is nobody's business in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item").field("length", &self.value.len()).finish_non_exhaustive()
    }
}

/// Tells one version of an item from another.
///
/// The token is the driver's own: a counter, an ETag, or the bytes themselves where a foreign writer keeps no
/// token. A caller only hands it back.
///
/// **A version never matches other bytes than those that it was given for**: not after any number of writes, not after the
/// item was removed or expired and was made anew, and not after the store was restarted, opened anew, restored from a copy
/// or taken over by another server. Where a store may begin to count anew, its numbers are not enough: what is random or
/// what the bytes are belongs into the token as well. Whether it matches the *same* bytes when they are written again is
/// what [`version_per_write`](crate::Capabilities::version_per_write) says.
#[derive(Clone, PartialEq, Eq)]
pub struct Version(Token);

#[derive(Clone, PartialEq, Eq)]
enum Token {
    Number(u64),
    Bytes(Bytes),
}

impl Version {
    /// The token, if the driver made this version from a number.
    pub fn as_number(&self) -> Option<u64> {
        match self.0 {
            Token::Number(number) => Some(number),
            Token::Bytes(_) => None,
        }
    }

    /// The token, if the driver made this version from bytes.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Token::Number(_) => None,
            Token::Bytes(bytes) => Some(bytes),
        }
    }
}

impl From<u64> for Version {
    fn from(number: u64) -> Version {
        Version(Token::Number(number))
    }
}

impl From<Bytes> for Version {
    fn from(bytes: Bytes) -> Version {
        Version(Token::Bytes(bytes))
    }
}

impl fmt::Debug for Version {
    /// Never prints bytes, since they may be the item's own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Token::Number(number) => write!(f, "Version({number})"),
            Token::Bytes(bytes) => write!(f, "Version({} bytes)", bytes.len()),
        }
    }
}

/// On which condition a write happens. An expired item counts as missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// Whatever is there.
    Always,
    /// Only if there is no such item.
    Absent,
    /// Only if the item is there at this very version.
    Version(Version),
}

/// What became of a [`set`](crate::Driver::set).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a conflict means that nothing was written"]
pub enum SetOutcome {
    /// The value was written, and is at this version now.
    Written {
        /// The version to hand to the next [`When::Version`].
        version: Version,
    },
    /// The condition did not hold, so nothing was written.
    Conflict,
}

/// What became of a [`remove`](crate::Driver::remove).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoveOutcome {
    /// The item was there and is gone.
    Removed,
    /// There was no such item.
    Missing,
    /// The item is there at another version, and was kept.
    Conflict,
}

/// What one [`sweep`](crate::Driver::sweep) did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many expired items it removed.
    pub removed: usize,
    /// How many items it looked at.
    pub examined: usize,
    /// Whether it came to the end of the store. Otherwise the next call goes on from here.
    pub finished: bool,
}
