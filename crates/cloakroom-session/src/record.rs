//! The stored record: the devalue text of `Map<key, {data, expires}>`.
//!
//! Nothing in it is decoded before somebody asks, and a new record is written out of the pieces of the old
//! one, so entries that nobody touched keep their bytes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_devalue::{Flat, Index, Piece, Reference, Splice, Value};

use crate::changes::{Change, Changes, Place, Written};
use crate::error::{Error, ErrorKind, Result};
use crate::lifetime::{CLOCK_SKEW, CREATED, Lifetime};

/// A record as it was loaded or written.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    bytes: Bytes,
    /// Made when somebody first reads: most records that are written are not read again.
    index: OnceLock<Index>,
    /// Entries whose `expires` is before this moment are not there (milliseconds since 1970). Fixed, so that
    /// one request sees one state.
    now: f64,
}

/// So many entries are looked through and not looked up.
const FEW: usize = 16;

/// One entry of a record, undecoded.
#[derive(Clone, Copy)]
struct Entry {
    key: Reference,
    /// The object `{data, expires}`.
    whole: Reference,
    data: Reference,
    /// `None` for an entry that does not expire.
    expires: Option<f64>,
}

impl Entry {
    #[inline]
    fn read(flat: Flat<'_>, (key, whole): (Reference, Reference)) -> serde_devalue::Result<Entry> {
        let [data, expires] = flat.fields(whole, ["data", "expires"])?;
        // Not a number means no expiry, as in Astro; NaN and Infinity are never before now.
        let expires = expires.filter(|expires| !expires.is_undefined());
        let expires = expires.and_then(|expires| flat.number(expires).ok());
        Ok(Entry {
            key,
            whole,
            data: data.unwrap_or(Reference::UNDEFINED),
            expires: expires.filter(|at| *at < f64::INFINITY),
        })
    }
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
        let index = Index::new(&self.bytes).map_err(corrupt)?;
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

    /// The same record at another moment.
    pub(crate) fn at(mut self, now: f64) -> Record {
        self.now = now;
        self
    }

    /// When the session was created, where the record says so (milliseconds since 1970).
    pub(crate) fn created(&self) -> Result<Option<f64>> {
        let Some(entry) = self.find(CREATED)? else { return Ok(None) };
        let created = self.flat()?.number(entry.data).ok();
        Ok(created.filter(|at| at.is_finite() && *at <= self.now + CLOCK_SKEW))
    }

    /// How long it is until the last entry expires; `None` where one never does.
    pub(crate) fn ttl(&self, now: f64) -> Result<Option<Duration>> {
        let mut latest = Latest::default();
        for (key, entry) in self.entries()? {
            latest.add(&key, entry.expires);
        }
        Ok(latest.ttl(now))
    }

    /// The value under `key`, decoded.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        match self.find(key)?.filter(|_| key != CREATED) {
            Some(entry) => {
                self.flat()?.decode(entry.data).map(Some).map_err(|error| wrong_type(key, error))
            }
            None => Ok(None),
        }
    }

    pub(crate) fn has(&self, key: &str) -> Result<bool> {
        Ok(key != CREATED && self.find(key)?.is_some())
    }

    fn find(&self, key: &str) -> Result<Option<Entry>> {
        let flat = self.flat()?;
        match flat.root().and_then(|root| flat.entry(root, key)).map_err(corrupt)? {
            Some(pair) => {
                let entry = Entry::read(flat, pair).map_err(corrupt)?;
                Ok(Some(entry).filter(|entry| self.is_alive(entry)))
            }
            None => Ok(None),
        }
    }

    /// All live entries in `Map` order, each key once.
    fn entries(&self) -> Result<Vec<(Cow<'_, str>, Entry)>> {
        let flat = self.flat()?;
        let mut entries: Vec<(Cow<'_, str>, Entry)> = Vec::with_capacity(FEW);
        let mut places: HashMap<Cow<'_, str>, usize> = HashMap::new();
        for pair in flat.root().and_then(|root| flat.map(root)).map_err(corrupt)? {
            let pair = pair.map_err(corrupt)?;
            let key = flat.string(pair.0).map_err(corrupt)?;
            let entry = Entry::read(flat, pair).map_err(corrupt)?;
            let place = match entries.len() {
                // To look at each is faster than to hash.
                0..=FEW => entries.iter().position(|(earlier, _)| *earlier == key),
                _ => {
                    let unknown = entries.iter().enumerate().skip(places.len());
                    places.extend(unknown.map(|(place, (key, _))| (key.clone(), place)));
                    places.get(&key).copied()
                }
            };
            match place {
                Some(place) => entries[place].1 = entry,
                None => entries.push((key, entry)),
            }
        }
        entries.retain(|(_, entry)| self.is_alive(entry));
        Ok(entries)
    }

    /// Astro's rule: gone when `expires` is a number before now.
    fn is_alive(&self, entry: &Entry) -> bool {
        entry.expires.is_none_or(|expires| expires >= self.now)
    }
}

/// A record about to be written.
pub(crate) struct Draft {
    pub(crate) bytes: Bytes,
    /// How long the store has to keep it; `None` for ever.
    pub(crate) ttl: Option<Duration>,
}

/// Where an entry of a draft comes from.
enum Origin<'a> {
    /// Kept from the record as it is.
    Kept(Entry),
    Set(&'a Written),
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
    for (key, origin) in &plan(record, &changes)? {
        match (origin, kept) {
            (Origin::Kept(entry), Some(source)) => {
                splice.keep(source, entry.key, entry.whole).map_err(corrupt)?;
                latest.add(key, entry.expires);
            }
            // A kept entry has a record.
            (Origin::Kept(_), None) => {}
            (Origin::Set(written), _) => {
                let flat = written.flat();
                let source = splice.source(flat);
                let data = Piece::Copy(source, flat.root().map_err(not_serializable)?);
                let expires = written.expires.map_or(Piece::Undefined, Piece::Number);
                splice
                    .object(key, &[("data", data), ("expires", expires)])
                    .map_err(not_serializable)?;
                latest.add(key, written.expires);
            }
        }
    }
    let bytes = splice.finish().map_err(not_serializable)?.into();
    let entries = if latest.none { ttl } else { latest.ttl(now) };
    Ok(Draft { bytes, ttl: lifetime.ttl(entries, created, now) })
}

/// The keys that a record has after these changes, in `Map` order.
pub(crate) fn keys(record: Option<&Record>, changes: &Changes) -> Result<Vec<String>> {
    let visible = plan(record, changes)?.into_iter().filter(|(key, _)| key != CREATED);
    Ok(visible.map(|(key, _)| key.into_owned()).collect())
}

/// The keys and values that a record has after these changes, in `Map` order.
pub(crate) fn entries(record: Option<&Record>, changes: &Changes) -> Result<Vec<(String, Value)>> {
    let decode = |(key, origin): (Cow<'_, str>, Origin<'_>)| {
        let value = match (origin, record) {
            (Origin::Kept(entry), Some(record)) => {
                record.flat()?.decode(entry.data).map_err(corrupt)?
            }
            (Origin::Kept(_), None) => Value::Undefined,
            (Origin::Set(written), _) => written.decode().map_err(corrupt)?,
        };
        Ok((key.into_owned(), value))
    };
    plan(record, changes)?.into_iter().filter(|(key, _)| key != CREATED).map(decode).collect()
}

/// The entries after these changes, undecoded, in `Map` order.
fn plan<'a>(
    record: Option<&'a Record>,
    changes: &'a Changes,
) -> Result<Vec<(Cow<'a, str>, Origin<'a>)>> {
    let kept = record.map(Record::entries).transpose()?.unwrap_or_default();
    let mut plan = Vec::with_capacity(kept.len() + changes.len());
    for (key, change) in changes.iter() {
        if let Change::Set { written, place: Place::First } = change {
            plan.push((key.into(), Origin::Set(written)));
        }
    }
    let mut overwritten = vec![false; changes.len()];
    for (key, entry) in kept {
        match changes.get_full(&key) {
            None => plan.push((key, Origin::Kept(entry))),
            Some((place, Change::Set { written, place: Place::Kept })) => {
                overwritten[place] = true;
                plan.push((key, Origin::Set(written)));
            }
            Some((_, Change::Set { .. } | Change::Delete)) => {}
        }
    }
    for ((key, change), is_overwritten) in changes.iter().zip(overwritten) {
        if let Change::Set { written, place: Place::Kept | Place::Last } = change
            && !is_overwritten
        {
            plan.push((key.into(), Origin::Set(written)));
        }
    }
    Ok(plan)
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
    fn add(&mut self, key: &str, expires: Option<f64>) {
        // Not an entry of the user's: it keeps nothing alive.
        if key == CREATED {
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

fn not_serializable(error: serde_devalue::Error) -> Error {
    Error::new(ErrorKind::NotSerializable, format!("the session could not be serialised: {error}"))
        .with_source(error)
}

pub(crate) fn wrong_type(key: &str, error: serde_devalue::Error) -> Error {
    Error::new(
        ErrorKind::WrongType,
        format!("the session entry {key:?} does not hold the type that was asked for: {error}"),
    )
    .with_source(error)
}
