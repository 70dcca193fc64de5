//! The stored record: the devalue text of `Map<key, {data, expires}>`. Beside it what is done to one, when it ends, and
//! what stands in its place when it was retired.
//!
//! Whatever is above may read it, and it does no I/O and knows nothing of what is above.
//!
//! Nothing in it is decoded before somebody asks, and a new record is written out of the pieces of the old
//! one, so entries that nobody touched keep their bytes.

mod changes;
mod draft;
mod entries;
mod indices;
mod lifetime;
#[cfg(test)]
mod merge;
mod principal;
mod replacing;
mod stored;
mod tombstone;
mod trace;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_devalue::{Flat, Index, Options, Reference};

use crate::error::{Error, ErrorKind, Result, Shown};
use crate::id::SessionId;

pub(crate) use changes::{Change, Changes, Place, Revision, Written};
pub(crate) use draft::{Draft, apply, entries, keys};
pub(crate) use lifetime::{CLOCK_SKEW, CREATED, Lifetime, REMEMBER, end, is_own};
pub(crate) use principal::{
    AUTHENTICATED, LONGEST_PRINCIPAL, Owner, PRINCIPAL, Path, authenticated, authenticated_at,
    is_principal, owned_by, principal,
};
pub(crate) use stored::{Found, Stored};
pub(crate) use tombstone::{Fate, REMEMBERED, Retirement, Tombstone};
pub(crate) use trace::Trace;

use entries::{Collector, Entry, Named};

/// How values are written and read: as Astro does, and with room for all that a session may hold. What is written is
/// held to what can be read.
pub(crate) const FORMAT: Options = Options::astro().allowance(64 << 20);

/// A record as it was loaded or written.
#[derive(Clone)]
pub(crate) struct Record {
    bytes: Bytes,
    /// Made when somebody first reads: most records that are written are not read again.
    index: OnceLock<Arc<Index>>,
    /// Entries whose `expires` is before this moment are not there (milliseconds since 1970). Fixed, so that
    /// one request sees one state.
    now: f64,
}

impl Record {
    /// Finds the record's parts.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] where the bytes are not a devalue text of a `Map`.
    pub(crate) fn parse(bytes: Bytes, now: f64) -> Result<Record> {
        let record = Record::made(bytes, None, now);
        let flat = record.flat()?;
        flat.root().and_then(|root| flat.map(root)).map_err(corrupt)?;
        Ok(record)
    }

    /// As [`parse`](Record::parse), for a session's own request, which may follow another.
    pub(crate) fn parse_of(id: SessionId, bytes: Bytes, now: f64) -> Result<Record> {
        if let Some(index) = indices::find(id, &bytes) {
            return Ok(Record::made(bytes, Some(index), now));
        }
        let record = Record::parse(bytes, now)?;
        if let Some(index) = record.index.get() {
            indices::keep(id, &record.bytes, index);
        }
        Ok(record)
    }

    /// Whether what cannot be read is what is left of a record, rather than something else altogether: whoever writes one
    /// begins at its beginning.
    pub(crate) fn is_torn(unreadable: &[u8]) -> bool {
        let begin = br#"[["Map""#;
        let length = begin.len().min(unreadable.len());
        unreadable[..length] == begin[..length]
    }

    /// A record that this side has written itself, and its index where that is known.
    fn made(bytes: Bytes, index: Option<Arc<Index>>, now: f64) -> Record {
        Record { bytes, index: index.map_or_else(OnceLock::new, OnceLock::from), now }
    }

    /// Notes that it is the session's now.
    pub(crate) fn was_written(&self, id: SessionId) {
        if let Some(index) = self.index.get() {
            indices::keep(id, &self.bytes, index);
        }
    }

    fn flat(&self) -> Result<Flat<'_>> {
        Ok(Flat::new(&self.bytes, self.index()?))
    }

    fn index(&self) -> Result<&Index> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let index =
            Index::new(&self.bytes).map_err(|error| match self.bytes.starts_with(SEALED) {
                true => sealed(error),
                false => corrupt(error),
            })?;
        Ok(self.index.get_or_init(|| Arc::new(index)))
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many bytes it takes, about.
    pub(crate) fn size(&self) -> usize {
        let slots = self.index().map_or(0, Index::len);
        self.bytes.len() + slots * size_of::<u32>()
    }

    /// The moment of which a request sees it.
    pub(crate) fn now(&self) -> f64 {
        self.now
    }

    /// The same record at another moment.
    pub(crate) fn at(mut self, now: f64) -> Record {
        self.now = now;
        self
    }

    /// When the session was created, where the record says so (milliseconds since 1970).
    pub(crate) fn created(&self) -> Result<Option<f64>> {
        let Some(entry) = self.find(CREATED, self.now)? else { return Ok(None) };
        let Some(data) = entry.metadata.data else { return Ok(None) };
        let created = self.flat()?.number(data).ok();
        Ok(created.filter(|at| at.is_finite() && *at <= self.now + CLOCK_SKEW))
    }

    /// Whether there is a note of when the session was created, whatever it says.
    fn is_noted(&self) -> Result<bool> {
        Ok(self.find(CREATED, self.now)?.is_some())
    }

    /// Whose session it is.
    pub(crate) fn principal(&self, path: Option<&Path>) -> Result<Option<String>> {
        principal::principal(path, Some(self), &Changes::default(), self.now)
    }

    /// Whether the session is in the index of a principal, or was once.
    pub(crate) fn is_indexed(&self) -> Result<bool> {
        Ok(self.find(principal::INDEXED, self.now)?.is_some())
    }

    /// Whether the session lives for longer than others.
    pub(crate) fn is_remembered(&self) -> Result<bool> {
        Ok(self.find(REMEMBER, self.now)?.is_some())
    }

    /// When the last of its entries expires, also of those that have expired already.
    pub(crate) fn end(&self) -> Result<End> {
        Ok(match self.latest(f64::NEG_INFINITY)? {
            Latest { none: true, .. } => End::Empty,
            Latest { endless: true, .. } => End::Never,
            Latest { expires, .. } => End::At(expires),
        })
    }

    /// How long it is until the last entry expires; `None` where one never does.
    pub(crate) fn ttl(&self, now: f64) -> Result<Option<Duration>> {
        Ok(self.latest(self.now)?.ttl(now))
    }

    /// When the last of the entries expires that are alive at this moment.
    fn latest(&self, moment: f64) -> Result<Latest> {
        let mut latest = Latest::default();
        for (name, entry) in self.entries(moment)? {
            latest.add(name.is_some_and(|name| is_own(&*name)), entry.metadata.expires);
        }
        Ok(latest)
    }

    /// The value under `key` at this moment, decoded.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &str, moment: f64) -> Result<Option<T>> {
        Ok(self.get_with_end(key, moment)?.map(|(value, _)| value))
    }

    /// The same, and when its entry expires; `None` for the latter where it does not.
    pub(crate) fn get_with_end<T: DeserializeOwned>(
        &self,
        key: &str,
        moment: f64,
    ) -> Result<Option<(T, Option<f64>)>> {
        match self.find(key, moment)?.filter(|_| !is_own(key)) {
            Some(entry) => Ok(Some((self.decode(key, &entry)?, entry.metadata.expires))),
            None => Ok(None),
        }
    }

    pub(crate) fn has(&self, key: &str, moment: f64) -> Result<bool> {
        Ok(!is_own(key) && self.find(key, moment)?.is_some())
    }

    /// When the entry expires that is under `key` at this moment; `None` for the latter where it does not.
    pub(crate) fn expires(&self, key: &str, moment: f64) -> Result<Option<Option<f64>>> {
        let entry = self.find(key, moment)?.filter(|_| !is_own(key));
        Ok(entry.map(|entry| entry.metadata.expires))
    }

    /// Where the value is that is under `key` at this moment.
    fn data(&self, key: &str, moment: f64) -> Result<Option<(Flat<'_>, Reference)>> {
        let data = self.find(key, moment)?.and_then(|entry| entry.metadata.data);
        data.map(|data| Ok((self.flat()?, data))).transpose()
    }

    fn find(&self, key: &str, moment: f64) -> Result<Option<Entry>> {
        let flat = self.flat()?;
        match flat.root().and_then(|root| flat.entry(root, key)).map_err(corrupt)? {
            Some(pair) => {
                let entry = Entry::read(flat, pair).map_err(corrupt)?;
                Ok(Some(entry).filter(|entry| entry.is_alive(moment)))
            }
            None => Ok(None),
        }
    }

    /// All entries that are alive at this moment, in `Map` order, each name once.
    fn entries(&self, moment: f64) -> Result<Named<'_>> {
        let flat = self.flat()?;
        let mut entries = Collector::new(flat);
        for pair in flat.root().and_then(|root| flat.map(root)).map_err(corrupt)? {
            pair.and_then(|pair| entries.add(pair)).map_err(corrupt)?;
        }
        Ok(entries.alive_at(moment))
    }

    /// The value of an entry, decoded.
    fn decode<T: DeserializeOwned>(&self, key: &str, entry: &Entry) -> Result<T> {
        match entry.metadata.data {
            Some(data) => self.flat()?.decode_with(data, FORMAT).map_err(|e| unreadable(key, e)),
            None => Err(without_value(key)),
        }
    }
}

/// When a record ends, by its entries.
pub(crate) enum End {
    At(f64),
    Never,
    /// There are no entries to say.
    Empty,
}

impl fmt::Debug for Record {
    /// As of a draft.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Record").field("length", &self.bytes.len()).finish_non_exhaustive()
    }
}

/// When the last of a record's entries expires.
#[derive(Clone, Copy)]
struct Latest {
    expires: f64,
    /// An entry without expiry is kept for ever, and its record with it.
    endless: bool,
    /// There are no entries.
    none: bool,
}

impl Default for Latest {
    fn default() -> Latest {
        Latest { expires: 0.0, endless: false, none: true }
    }
}

impl Latest {
    fn add(&mut self, is_own: bool, expires: Option<f64>) {
        // Not an entry of the user's: it keeps nothing alive.
        if is_own {
            return;
        }
        self.none = false;
        match expires {
            Some(expires) => self.expires = self.expires.max(expires),
            None => self.endless = true,
        }
    }

    fn ttl(&self, now: f64) -> Option<Duration> {
        if self.endless || self.none {
            return None;
        }
        // One millisecond more, because an entry is still alive in the millisecond it expires at.
        Duration::try_from_secs_f64((self.expires - now + 1.0).max(1.0) / 1000.0).ok()
    }
}

/// What a record begins with that somebody else has sealed.
const SEALED: &[u8] = b"sealed.";

fn sealed(error: serde_devalue::Error) -> Error {
    let message = "the stored session is sealed, which this program does not open, and is left as it is: set `encryption` as the \
                   programs beside it have it";
    Error::new(ErrorKind::Corrupt, message).with_source(error)
}

fn corrupt(error: serde_devalue::Error) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!(
            "the stored session is not a record that can be read, and is left as it is ({error}): \
             restore or remove it"
        ),
    )
    .with_source(error)
}

pub(crate) fn not_serializable(error: serde_devalue::Error) -> Error {
    Error::new(ErrorKind::NotSerializable, format!("the session could not be serialised: {error}"))
        .with_source(error)
}

fn without_value(key: &str) -> Error {
    let message = format!(
        "the stored session entry {} is not an object with its value in it, and is left as it is: set or delete it",
        Shown(key)
    );
    Error::new(ErrorKind::Corrupt, message)
}

/// What is wrong with the value of one entry. The others can be read all the same.
pub(crate) fn unreadable(key: &str, error: serde_devalue::Error) -> Error {
    let (kind, what) = if error.is_limit() {
        (ErrorKind::BeyondLimit, "is more than can be read, and is left as it is")
    } else if error.is_data() {
        (ErrorKind::WrongType, "does not hold the type that was asked for")
    } else {
        (ErrorKind::Corrupt, "is not in the devalue format, and is left as it is")
    };
    Error::new(kind, format!("the session entry {} {what}: {error}", Shown(key))).with_source(error)
}
