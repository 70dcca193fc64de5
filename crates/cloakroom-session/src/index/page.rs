//! A page of a principal's index, as it is stored.
//!
//! JSON of our own, so that a page can be looked at with any tool. No session has it in its way: a cookie's ID is a UUID, and a
//! page's key is none.

use std::fmt;
use std::hash::BuildHasher;
use std::str::FromStr;

use bytes::Bytes;
use cloakroom_storage::platform::RandomState;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::id::{SessionId, handle_of, parse_handle};
use crate::store::Name;

/// The version of the format.
const VERSION: u32 = 1;

/// So many sessions are on one page, unless they are all alive and the principal's are limited: about 14 KB, which every store
/// takes, and writes in one go.
pub(crate) const ROOM: usize = 128;

/// One of a principal's sign-ins, to end it by, for a page that lists them. It is no secret and names no session by itself:
/// who has it alone can do nothing with it.
///
/// It stays the same when its session gets a new ID.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionHandle(u64);

impl SessionHandle {
    pub(crate) fn random() -> SessionHandle {
        // Hashed, so that it shows no bits of a generator that makes IDs.
        SessionHandle(RandomState::new().hash_one(SessionId::random()))
    }

    /// That of a sign-in that leaves this session, in whatever process: a hash, which shows nothing of an ID.
    pub(crate) fn of(left: &Name) -> SessionHandle {
        SessionHandle(handle_of("sign-in", &left.to_text()))
    }
}

impl fmt::Display for SessionHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SessionHandle({self})")
    }
}

impl FromStr for SessionHandle {
    type Err = Error;

    /// Reads what `Display` shows: 16 hexadecimal digits.
    fn from_str(text: &str) -> Result<SessionHandle> {
        parse_handle(text).map(SessionHandle)
    }
}

/// One ID of one of the principal's sessions. While a session moves to a new ID it has two.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) name: Name,
    pub(crate) handle: SessionHandle,
    /// When it was entered, in milliseconds since 1970.
    pub(crate) at: f64,
    /// When its sign-in was.
    pub(crate) since: f64,
    /// It is to be ended: whatever is under its ID is retired, and nothing is written there any more.
    pub(crate) is_ending: bool,
}

/// A page. On the first one stands how many there are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page {
    pub(crate) pages: u32,
    pub(crate) items: Vec<Item>,
}

impl Default for Page {
    fn default() -> Page {
        Page { pages: 1, items: Vec::new() }
    }
}

#[derive(Serialize, Deserialize)]
struct StoredPage {
    version: u32,
    pages: u32,
    sessions: Vec<StoredItem>,
}

#[derive(Serialize, Deserialize)]
struct StoredItem {
    key: String,
    handle: String,
    at: f64,
    /// Where it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<f64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ending: bool,
}

impl Page {
    /// # Errors
    /// With [`ErrorKind::Corrupt`] where it is none, or one of a later version.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Page> {
        let stored: StoredPage = serde_json::from_slice(bytes).map_err(unreadable)?;
        if stored.version != VERSION {
            return Err(unreadable(format!("its format is version {}", stored.version)));
        }
        let item = |item: StoredItem| {
            let StoredItem { key, handle, at, since, ending } = item;
            let (name, handle) = (Name::parse(&key)?, handle.parse()?);
            Ok(Item { name, handle, at, since: since.unwrap_or(at), is_ending: ending })
        };
        let items = stored.sessions.into_iter().map(item).collect::<Result<_>>();
        Ok(Page { pages: stored.pages.max(1), items: items.map_err(unreadable)? })
    }

    /// Whether these bytes are a page's: a record begins with a bracket, and a tombstone with a digit.
    pub(crate) fn is_one(bytes: &[u8]) -> bool {
        bytes.starts_with(b"{")
    }

    pub(crate) fn to_bytes(&self) -> Result<Bytes> {
        let item = |item: &Item| StoredItem {
            key: item.name.to_text(),
            handle: item.handle.to_string(),
            at: item.at,
            since: Some(item.since).filter(|since| *since != item.at),
            ending: item.is_ending,
        };
        let sessions = self.items.iter().map(item).collect();
        let stored = StoredPage { version: VERSION, pages: self.pages, sessions };
        serde_json::to_vec(&stored).map(Bytes::from).map_err(unreadable)
    }

    pub(crate) fn find(&self, name: &Name) -> Option<&Item> {
        self.items.iter().find(|item| item.name == *name)
    }

    /// Takes these out; answers whether one of them was there.
    pub(crate) fn take_out(&mut self, names: &[Name]) -> bool {
        let before = self.items.len();
        self.items.retain(|item| !names.contains(&item.name));
        self.items.len() < before
    }

    /// When a sign-in was.
    pub(crate) fn since(&self, handle: SessionHandle) -> Option<f64> {
        let items = self.items.iter().filter(|item| item.handle == handle);
        items.map(|item| item.since).reduce(f64::min)
    }

    /// The sign-ins that nobody ends, the oldest first, each with when it was.
    pub(crate) fn handles(&self) -> Vec<(SessionHandle, f64)> {
        let mut handles: Vec<(SessionHandle, f64)> = Vec::new();
        for item in self.items.iter().filter(|item| !item.is_ending) {
            match handles.iter_mut().find(|(handle, _)| *handle == item.handle) {
                Some((_, since)) => *since = since.min(item.since),
                None => handles.push((item.handle, item.since)),
            }
        }
        handles.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        handles
    }
}

fn unreadable(reason: impl fmt::Display) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!(
            "the index of a principal's sessions cannot be read, and is left as it is ({reason}): restore or remove it"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a later version has to read.
    #[test]
    fn the_bytes_are_fixed() {
        let text = br#"{"version":1,"pages":2,"sessions":[{"key":"0e7d2a53-6d0f-4a52-9d0e-2f8a4f1f6b11","handle":"00000000000000ff","at":1795431615459.0},{"key":"hashed:ab","handle":"00000000000000ff","at":1795431615460.0,"ending":true}]}"#;
        let page = Page::parse(text).unwrap();
        assert_eq!(page.pages, 2);
        assert_eq!(page.items[0].handle, SessionHandle(255));
        assert!(page.items[1].is_ending && !page.items[0].is_ending);
        assert_eq!(page.handles(), [(SessionHandle(255), 1_795_431_615_459.0)]);
        assert_eq!(page.to_bytes().unwrap(), &text[..]);
    }

    #[test]
    fn what_is_no_page_is_an_error_that_shows_none_of_it() {
        for text in [
            "",
            "1",
            "{}",
            r#"{"version":2,"pages":1,"sessions":[]}"#,
            r#"{"version":1,"pages":1,"sessions":[{"key":"hunter2","handle":"x","at":1}]}"#,
            r#"[["Map"]]"#,
        ] {
            let error = Page::parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{text}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn a_handle_is_read_as_it_is_shown() {
        let handle = SessionHandle::random();
        assert_eq!(handle.to_string().parse::<SessionHandle>().unwrap(), handle);
        for text in ["", "1", "+000000000000001", "000000000000000g", "00000000000000001"] {
            assert!(text.parse::<SessionHandle>().is_err(), "{text}");
        }
    }
}
