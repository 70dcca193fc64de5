//! What a record becomes by a request's changes.
//!
//! Written out of the pieces of the old one, so that entries that nobody touched keep their bytes.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_devalue::{Flat, Piece, Reference, Splice, Value};

use crate::error::Result;

use super::entries::Entry;
use super::lifetime::{CREATED, Lifetime, REMEMBER, is_own};
use super::principal::{INDEXED, Owner};
use super::replacing::Replacing;
use super::{
    Change, Changes, FORMAT, Latest, Place, Record, Trace, Written, corrupt, not_serializable,
    trace, unreadable, without_value,
};

/// A record about to be written.
pub(crate) struct Draft {
    pub(crate) record: Arc<Record>,
    /// How long the store has to keep it; `None` for ever.
    pub(crate) ttl: Option<Duration>,
    pub(crate) trace: Trace,
}

impl fmt::Debug for Draft {
    /// The length only: what is in a session is nobody's business in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Draft");
        debug.field("length", &self.record.bytes().len()).field("ttl", &self.ttl).finish()
    }
}

/// An entry of a draft, by where it comes from.
enum Planned<'a> {
    /// Kept from the record as it is, whether or not its key has a name.
    Kept(Option<Cow<'a, str>>, Entry),
    Set(&'a str, &'a Written),
}

impl<'a> Planned<'a> {
    fn is_under(&self, key: &str) -> bool {
        match self {
            Planned::Kept(name, _) => name.as_deref() == Some(key),
            Planned::Set(name, _) => *name == key,
        }
    }

    /// Where its value is.
    fn data(&self, kept: Option<Flat<'a>>) -> Option<(Flat<'a>, Reference)> {
        match self {
            Planned::Kept(_, entry) => kept.zip(entry.metadata.data),
            Planned::Set(_, written) => {
                let flat = written.flat();
                Some((flat, flat.root().ok()?))
            }
        }
    }

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
///
/// Beside it, whose index the session has to be entered into before that is written, with a note of it.
pub(crate) fn apply(
    record: Option<&Record>,
    changes: &Changes,
    now: f64,
    ttl: Option<Duration>,
    lifetime: &Lifetime,
    owner: &Owner<'_>,
) -> Result<(Draft, Option<String>)> {
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
    let moment = record.map_or(f64::NEG_INFINITY, |record| record.now);
    let changes = owner.noted(record, changes, moment)?;
    let replacing = record.map(|record| Replacing::of(record, &changes, owner)).transpose()?;
    let (made, index) = match replacing.flatten() {
        Some(replacing) => {
            let (bytes, index) = replacing.bytes().map_err(not_serializable)?;
            let prolonged = replacing.prolonged().into_iter().collect();
            let enter = replacing.unentered(owner);
            (Made { bytes, latest: replacing.latest, prolonged, enter }, index)
        }
        None => (make(record, &changes, moment, owner)?, None),
    };
    let Made { bytes, latest, prolonged, enter } = made;
    let entries = if latest.none { ttl } else { latest.ttl(now) };
    let lifetime = lifetime.of(lifetime.remember.is_some() && remembers(record, &changes)?);
    let ttl = lifetime.ttl(entries, created, now);
    let trace = Trace {
        is_noted: lifetime.absolute.is_some(),
        has_deadline: ttl.is_some() && is_earlier(ttl, entries),
        ..Trace::of(prolonged)
    };
    let record = Arc::new(Record::made(bytes.into(), index.map(Arc::new), now));
    Ok((Draft { record, ttl, trace }, enter))
}

/// What becomes of the entries.
struct Made<'a> {
    bytes: Vec<u8>,
    latest: Latest,
    /// The keys of entries that end later than they did, and when they did: see [`Trace`].
    prolonged: Vec<(&'a str, f64)>,
    enter: Option<String>,
}

/// Puts the record together out of its entries and what was changed.
fn make<'a>(
    record: Option<&'a Record>,
    changes: &'a Changes,
    moment: f64,
    owner: &Owner<'_>,
) -> Result<Made<'a>> {
    let mut splice = Splice::map();
    let flat = record.map(Record::flat).transpose()?;
    let kept = flat.map(|flat| splice.source(flat));
    let mut latest = Latest::default();
    let plan = plan(record, changes, moment)?;
    let data = |key: &str| plan.entries.iter().find(|planned| planned.is_under(key))?.data(flat);
    let enter = data(owner.key()).and_then(|data_of| owner.unentered(Some(data_of), data(INDEXED)));
    for planned in &plan.entries {
        match (planned, kept) {
            (Planned::Kept(name, entry), Some(source)) => {
                splice.keep(source, entry.key, entry.whole).map_err(corrupt)?;
                let is_own = name.as_deref().is_some_and(is_own);
                latest.add(is_own, entry.metadata.expires);
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
                latest.add(is_own(key), written.expires);
            }
        }
    }
    let bytes = splice.finish().map_err(not_serializable)?;
    Ok(Made { bytes, latest, prolonged: plan.prolonged, enter })
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
    prolonged: Vec<(&'a str, f64)>,
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
    let mut prolonged = Vec::new();
    for (name, entry) in kept {
        let change = name.as_ref().and_then(|name| changes.get_full(name));
        if let (Some((_, key, change)), Some(end)) = (change, entry.metadata.expires)
            && trace::is_prolonged(end, change.end())
        {
            prolonged.push((key, end));
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
    Ok(Plan { entries: plan, prolonged })
}
