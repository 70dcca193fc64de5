//! The stored record: the devalue text of `Map<key, {data, expires}>`. Beside it what is done to one, when it ends, and
//! what stands in its place when it was retired.
//!
//! Whatever is above may read it, and it does no I/O and knows nothing of what is above.
//!
//! Nothing in it is decoded before somebody asks, and a new record is written out of the pieces of the old
//! one, so entries that nobody touched keep their bytes.

mod changes;
mod entries;
mod lifetime;
#[cfg(test)]
mod merge;
mod stored;
mod tombstone;
mod trace;

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_devalue::{Flat, Index, Options, Piece, Splice, Value};

use crate::error::{Error, ErrorKind, Result, Shown};

pub(crate) use changes::{Change, Changes, Place, Revision, Written};
pub(crate) use lifetime::{CLOCK_SKEW, CREATED, Lifetime, REMEMBER, end, is_own};
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
    index: OnceLock<Index>,
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
        let record = Record::written(bytes, now);
        let flat = record.flat()?;
        flat.root().and_then(|root| flat.map(root)).map_err(corrupt)?;
        Ok(record)
    }

    /// Whether what cannot be read is what is left of a record, rather than something else altogether: whoever writes one
    /// begins at its beginning.
    pub(crate) fn is_torn(unreadable: &[u8]) -> bool {
        let begin = br#"[["Map""#;
        let length = begin.len().min(unreadable.len());
        unreadable[..length] == begin[..length]
    }

    /// A record that this side has written itself, so that it need not be looked at.
    pub(crate) fn written(bytes: Bytes, now: f64) -> Record {
        Record { bytes, index: OnceLock::new(), now }
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
        Ok(self.index.get_or_init(|| index))
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
            latest.add(name.as_deref(), entry.metadata.expires);
        }
        Ok(latest)
    }

    /// The value under `key` at this moment, decoded.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &str, moment: f64) -> Result<Option<T>> {
        match self.find(key, moment)?.filter(|_| !is_own(key)) {
            Some(entry) => self.decode(key, &entry).map(Some),
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

/// A record about to be written.
pub(crate) struct Draft {
    pub(crate) bytes: Bytes,
    /// How long the store has to keep it; `None` for ever.
    pub(crate) ttl: Option<Duration>,
    pub(crate) trace: Trace,
}

impl fmt::Debug for Record {
    /// As of a draft.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Record").field("length", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Draft {
    /// The length only: what is in a session is nobody's business in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Draft");
        debug.field("length", &self.bytes.len()).field("ttl", &self.ttl).finish()
    }
}

/// An entry of a draft, by where it comes from.
enum Planned<'a> {
    /// Kept from the record as it is, whether or not its key has a name.
    Kept(Option<Cow<'a, str>>, Entry),
    Set(&'a str, &'a Written),
}

impl Planned<'_> {
    /// Its name, unless it has none or is not the user's.
    fn name(&self) -> Option<&str> {
        let name = match self {
            Planned::Kept(name, _) => name.as_deref(),
            Planned::Set(name, _) => Some(*name),
        };
        name.filter(|name| !is_own(name))
    }
}

/// Applies a request's changes to a record, or to none.
///
/// The bytes are those that Astro would write after the same calls: an overwritten key keeps its place and a new
/// one goes to the end, but what was set before the load comes first; expired entries are left out.
///
/// `ttl` is the configured one, for a record without an entry that says how long it lives.
pub(crate) fn apply(
    record: Option<&Record>,
    changes: &Changes,
    now: f64,
    ttl: Option<Duration>,
    lifetime: &Lifetime,
) -> Result<Draft> {
    let mut changes = Cow::Borrowed(changes);
    let mut created = None;
    if lifetime.absolute.is_some() {
        created = record.map(Record::created).transpose()?.flatten();
        if created.is_none() {
            let creation = Lifetime::creation(now).map_err(not_serializable)?;
            changes.to_mut().set(CREATED, creation, true);
            created = Some(now);
        }
    }
    let mut splice = Splice::map();
    let kept = record.map(Record::flat).transpose()?.map(|flat| splice.source(flat));
    let mut latest = Latest::default();
    let moment = record.map_or(f64::NEG_INFINITY, |record| record.now);
    let plan = plan(record, &changes, moment)?;
    for planned in &plan.entries {
        match (planned, kept) {
            (Planned::Kept(name, entry), Some(source)) => {
                splice.keep(source, entry.key, entry.whole).map_err(corrupt)?;
                latest.add(name.as_deref(), entry.metadata.expires);
            }
            // A kept entry has a record.
            (Planned::Kept(..), None) => {}
            (Planned::Set(key, written), _) => {
                let flat = written.flat();
                let source = splice.source(flat);
                let data = Piece::Copy(source, flat.root().map_err(not_serializable)?);
                let expires = written.expires.map_or(Piece::Undefined, Piece::Number);
                splice
                    .object(key, &[("data", data), ("expires", expires)])
                    .map_err(not_serializable)?;
                latest.add(Some(*key), written.expires);
            }
        }
    }
    let bytes = splice.finish().map_err(not_serializable)?.into();
    let entries = if latest.none { ttl } else { latest.ttl(now) };
    let lifetime = lifetime.of(lifetime.remember.is_some() && remembers(record, &changes)?);
    let ttl = lifetime.ttl(entries, created, now);
    let trace = Trace {
        is_noted: lifetime.absolute.is_some(),
        has_deadline: ttl.is_some() && is_earlier(ttl, entries),
        ..Trace::of(plan.replaced)
    };
    Ok(Draft { bytes, ttl, trace })
}

/// Whether a record ends by so much before its entries that it is not because of them.
fn is_earlier(ttl: Option<Duration>, entries: Option<Duration>) -> bool {
    let Some(entries) = entries else { return true };
    ttl.is_some_and(|ttl| ttl.saturating_add(trace::APART) < entries)
}

/// Whether a session is remembered after these changes.
fn remembers(record: Option<&Record>, changes: &Changes) -> Result<bool> {
    match (changes.get(REMEMBER), record) {
        (Some(change), _) => Ok(matches!(change, Change::Set { .. })),
        (None, Some(record)) => record.is_remembered(),
        (None, None) => Ok(false),
    }
}

/// The keys that a record has after these changes, in `Map` order, those that no Rust string can hold left out.
pub(crate) fn keys(record: Option<&Record>, changes: &Changes, moment: f64) -> Result<Vec<String>> {
    let plan = plan(record, changes, moment)?.entries;
    Ok(plan.iter().filter_map(Planned::name).map(str::to_owned).collect())
}

/// The same with their values, which together may take what one may: all of them may refer to the same.
pub(crate) fn entries(
    record: Option<&Record>,
    changes: &Changes,
    moment: f64,
) -> Result<Vec<(String, Value)>> {
    let plan = plan(record, changes, moment)?.entries;
    let named = || plan.iter().filter_map(|planned| Some((planned.name()?, planned)));
    let stored = |planned: &Planned<'_>| match planned {
        Planned::Kept(_, entry) => entry.metadata.data,
        Planned::Set(..) => None,
    };
    let stored: Vec<_> = named().filter_map(|(_, planned)| stored(planned)).collect();
    let flat = record.map(Record::flat).transpose()?;
    let mut values = flat.iter().flat_map(|flat| flat.decode_each::<Value>(&stored, FORMAT));
    let decode = |(name, planned): (&str, &Planned<'_>)| {
        let value = match planned {
            Planned::Kept(_, entry) if entry.metadata.data.is_none() => Err(without_value(name)),
            Planned::Kept(..) => match values.next() {
                Some(value) => value.map_err(|error| unreadable(name, error)),
                None => Ok(Value::Undefined),
            },
            Planned::Set(_, written) => written.decode(name),
        };
        value.map(|value| (name.to_owned(), value))
    };
    named().map(decode).collect()
}

/// What a record becomes.
struct Plan<'a> {
    /// Undecoded, in `Map` order.
    entries: Vec<Planned<'a>>,
    /// The keys of entries that end later than they did, and when they did: see [`Trace`].
    replaced: Vec<(&'a str, f64)>,
}

/// What a record becomes by these changes.
fn plan<'a>(record: Option<&'a Record>, changes: &'a Changes, moment: f64) -> Result<Plan<'a>> {
    let kept = record.map(|record| record.entries(moment)).transpose()?.unwrap_or_default();
    let mut plan = Vec::with_capacity(kept.len() + changes.len());
    for (key, change) in changes.iter() {
        if let Change::Set { written, place: Place::First } = change {
            plan.push(Planned::Set(key, written));
        }
    }
    let mut overwritten = vec![false; changes.len()];
    let mut replaced = Vec::new();
    for (name, entry) in kept {
        let change = name.as_ref().and_then(|name| changes.get_full(name));
        if let (Some((_, key, change)), Some(end)) = (change, entry.metadata.expires)
            && change.end().is_some_and(|later| later - end >= trace::APART.as_secs_f64() * 1000.0)
        {
            replaced.push((key, end));
        }
        match change {
            None => plan.push(Planned::Kept(name, entry)),
            Some((at, key, Change::Set { written, place: Place::Kept })) => {
                overwritten[at] = true;
                plan.push(Planned::Set(key, written));
            }
            Some((.., Change::Set { .. } | Change::Delete)) => {}
        }
    }
    for ((key, change), is_overwritten) in changes.iter().zip(overwritten) {
        if let Change::Set { written, place: Place::Kept | Place::Last } = change
            && !is_overwritten
        {
            plan.push(Planned::Set(key, written));
        }
    }
    plan.retain(|planned| match planned {
        Planned::Set(_, written) => written.is_alive(moment),
        Planned::Kept(..) => true,
    });
    Ok(Plan { entries: plan, replaced })
}

/// When the last of a record's entries expires.
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
    fn add(&mut self, name: Option<&str>, expires: Option<f64>) {
        // Not an entry of the user's: it keeps nothing alive.
        if name.is_some_and(is_own) {
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
