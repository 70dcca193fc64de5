//! One session of a store, as those who run it see it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde_devalue::Value;

use crate::clock::time;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::{Error, Result};
use crate::id::{SessionId, handle_of, parse_handle};
use crate::machine::Rules;
use crate::record::{self, Changes, Record};
use crate::session::SessionKey;
use crate::store::{Name, Seen};

use super::principal::last_used;

/// What a session is called by where its ID would be a credential: on a page, in a report, on a command line.
///
/// A hash of what it is stored under, the same in every process, and no secret: nobody finds an ID from it. It changes with the
/// ID. Of a principal's sessions [`SessionHandle`](crate::SessionHandle) names a sign-in, whatever its ID is by now.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoredHandle(u64);

impl StoredHandle {
    pub(super) fn of(name: &Name) -> StoredHandle {
        StoredHandle(handle_of("stored", &name.to_text()))
    }
}

/// Of a session in a store that is given the IDs as they are.
impl From<SessionId> for StoredHandle {
    fn from(id: SessionId) -> StoredHandle {
        StoredHandle::of(&Name::Id(id))
    }
}

impl fmt::Display for StoredHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl fmt::Debug for StoredHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StoredHandle({self})")
    }
}

impl FromStr for StoredHandle {
    type Err = Error;

    /// Reads what `Display` shows: 16 hexadecimal digits.
    fn from_str(text: &str) -> Result<StoredHandle> {
        parse_handle(text).map(StoredHandle)
    }
}

/// What a session is stored under, for [`AllSessions::get`](super::AllSessions::get): its ID, or what stands for that. It is small,
/// so that a program can keep one of each session, and shows nothing but its handle.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredName {
    handle: StoredHandle,
    pub(super) name: Name,
}

impl StoredName {
    pub(super) fn new(name: Name) -> StoredName {
        StoredName { handle: StoredHandle::of(&name), name }
    }

    /// What to call it by.
    pub fn handle(&self) -> StoredHandle {
        self.handle
    }
}

/// Without the ID.
impl fmt::Debug for StoredName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "StoredName({})", self.handle)
    }
}

/// A session as it was found in the store. Never its ID.
#[derive(Clone)]
pub struct StoredSession {
    seen: Seen,
    notes: Notes,
}

/// What the record says of itself.
#[derive(Clone, Default)]
struct Notes {
    principal: Option<String>,
    created: Option<f64>,
    authenticated: Option<f64>,
    used: Option<f64>,
    are_there: bool,
}

impl Notes {
    fn of(record: &Record, ends: Option<f64>, rules: &Rules) -> Result<Notes> {
        let path = rules.path.as_deref();
        let created = record.created()?;
        let changes = Changes::default();
        let authenticated = record::authenticated(path, Some(record), &changes, record.now())?;
        let are_there = created.is_some()
            || authenticated.is_some()
            || record.is_indexed()?
            || record.is_remembered()?;
        Ok(Notes {
            are_there,
            principal: record.principal(path)?,
            created,
            authenticated,
            // By the store's clock, which may be behind.
            used: last_used(record, created, ends, rules)?
                .map(|used| created.map_or(used, |created| used.max(created))),
        })
    }
}

impl StoredSession {
    pub(super) fn new(mut seen: Seen, rules: &Rules) -> StoredSession {
        let notes = seen.record.as_ref().ok().map(|record| Notes::of(record, seen.ends, rules));
        let notes = notes.transpose().unwrap_or_else(|error| {
            seen.record = Err(Arc::new(error));
            None
        });
        StoredSession { seen, notes: notes.unwrap_or_default() }
    }

    /// What to find it by again.
    pub fn handle(&self) -> StoredHandle {
        StoredHandle::of(&self.seen.name)
    }

    /// How many bytes its record takes, without what the store adds.
    pub fn size(&self) -> usize {
        self.seen.size
    }

    /// Why it cannot be read, where it cannot: all that is said of its contents is empty then.
    pub fn unreadable(&self) -> Option<&Error> {
        self.seen.record.as_ref().err().map(|error| &**error)
    }

    /// What tells this state of the record from others, in each process: a hash of its bytes. `None` where they cannot be read.
    pub fn version(&self) -> Option<String> {
        let hash = |text| format!("{:016x}", handle_of("version", text));
        self.text().map(hash)
    }

    /// Whether something of the library's own is noted in it, so that a Rust server has written it once, or an Astro site with
    /// `@cloakroom/astro`. One without notes any of them may have written, or plain Astro.
    pub fn has_notes(&self) -> bool {
        self.notes.are_there
    }

    /// Whose it is.
    pub fn principal(&self) -> Option<&str> {
        self.notes.principal.as_deref()
    }

    /// When it was created; `None` where no `absolute` is configured, so that nobody notes that.
    pub fn created_at(&self) -> Option<SystemTime> {
        self.notes.created.map(time)
    }

    /// When its principal was last authenticated.
    pub fn authenticated_at(&self) -> Option<SystemTime> {
        self.notes.authenticated.map(time)
    }

    /// When it was last used, as exact as `touch_interval`; `None` where no `idle` is configured, so that nobody notes it.
    pub fn last_used_at(&self) -> Option<SystemTime> {
        self.notes.used.map(time)
    }

    /// When the store lets it go; `None` where it never does.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.seen.ends.map(time)
    }

    /// Its keys, in the order in which they were set.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] where an entry makes no sense.
    pub fn keys(&self) -> Result<Vec<String>> {
        let Some(record) = self.record() else { return Ok(Vec::new()) };
        record::keys(Some(record), &Changes::default(), record.now())
    }

    /// Its keys and values, in the order in which they were set.
    ///
    /// # Errors
    /// As [`StoredSession::keys`].
    pub fn entries(&self) -> Result<Vec<(String, Value)>> {
        let Some(record) = self.record() else { return Ok(Vec::new()) };
        record::entries(Some(record), &Changes::default(), record.now())
    }

    /// The value of an entry.
    ///
    /// # Errors
    /// As [`Session::get`](crate::Session::get).
    pub fn get<T: DeserializeOwned>(&self, key: impl SessionKey<T>) -> Result<Option<T>> {
        let Some(record) = self.record() else { return Ok(None) };
        record.get(key.name(), record.now())
    }

    /// The record as Astro writes it, with what the library notes in it.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.record()?.bytes()).ok()
    }

    /// When the store lets it go, in milliseconds since 1970; `None` for never.
    pub(super) fn ends(&self) -> Option<f64> {
        self.seen.ends
    }

    pub(super) fn name(&self) -> &Name {
        &self.seen.name
    }

    pub(super) fn record(&self) -> Option<&Arc<Record>> {
        self.seen.record.as_ref().ok()
    }
}

/// Without the ID and the entries.
impl fmt::Debug for StoredSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("StoredSession");
        shown.field("handle", &self.handle()).finish_non_exhaustive()
    }
}
