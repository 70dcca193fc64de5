//! The entries of a record, undecoded.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_devalue::{Flat, Reference, Result};

/// One entry of a record.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) key: Reference,
    /// The object `{data, expires}`.
    pub(crate) whole: Reference,
    pub(crate) metadata: Metadata,
}

/// What stands in the object of an entry.
#[derive(Clone, Copy)]
pub(crate) struct Metadata {
    /// `None` for an entry that is no object: it has nothing to read, and is carried along.
    pub(crate) data: Option<Reference>,
    /// `None` for an entry that does not expire.
    pub(crate) expires: Option<f64>,
}

impl Entry {
    #[inline]
    pub(crate) fn read(flat: Flat<'_>, (key, whole): (Reference, Reference)) -> Result<Entry> {
        let metadata = Metadata::read(flat, whole, |expires| flat.number(expires).ok())?;
        Ok(Entry { key, whole, metadata })
    }

    /// Astro's rule: gone when `expires` is a number before now.
    pub(crate) fn is_alive(&self, moment: f64) -> bool {
        self.metadata.expires.is_none_or(|expires| expires >= moment)
    }
}

impl Metadata {
    /// `number` reads when the entry expires.
    #[inline]
    pub(super) fn read(
        flat: Flat<'_>,
        whole: Reference,
        number: impl FnOnce(Reference) -> Option<f64>,
    ) -> Result<Metadata> {
        let [data, expires] = match flat.fields(whole, ["data", "expires"]) {
            Ok(fields) => fields,
            Err(error) if error.is_data() => return Ok(Metadata { data: None, expires: None }),
            Err(error) => return Err(error),
        };
        // Not a number means no expiry, as in Astro; NaN and Infinity are never before now.
        let expires = expires.filter(|expires| !expires.is_undefined()).and_then(number);
        Ok(Metadata {
            data: Some(data.unwrap_or(Reference::UNDEFINED)),
            expires: expires.filter(|at| *at < f64::INFINITY),
        })
    }
}

/// The entries of a record with their names, in `Map` order.
///
/// An entry without a name has a key that no Rust string can hold: JavaScript may take any value for one.
pub(crate) type Named<'r> = Vec<(Option<Cow<'r, str>>, Entry)>;

/// So many entries are looked through and not looked up.
const FEW: usize = 16;

/// Collects entries, each name once.
///
/// Entries may share whatever they refer to, which then is read once: a text of some length could have it read for as
/// long times the number of its entries otherwise.
pub(crate) struct Collector<'r> {
    flat: Flat<'r>,
    entries: Named<'r>,
    /// How many were added, repeated ones among them.
    added: usize,
    /// Where the named entries stand, up to the one that was looked at last.
    places: HashMap<Cow<'r, str>, usize>,
    looked_at: usize,
    /// The places of keys; `None` for one without a name.
    keys: HashMap<Reference, Option<usize>>,
    metadata: HashMap<Reference, Metadata>,
    numbers: HashMap<Reference, Option<f64>>,
}

impl<'r> Collector<'r> {
    pub(crate) fn new(flat: Flat<'r>) -> Collector<'r> {
        Collector {
            flat,
            entries: Vec::with_capacity(FEW),
            added: 0,
            places: HashMap::new(),
            looked_at: 0,
            keys: HashMap::new(),
            metadata: HashMap::new(),
            numbers: HashMap::new(),
        }
    }

    /// Adds an entry. Of a repeated name the last entry counts, in the place of the first.
    pub(crate) fn add(&mut self, (key, whole): (Reference, Reference)) -> Result<()> {
        self.added += 1;
        if self.added > FEW {
            return self.add_to_many((key, whole));
        }
        let name = self.name(key)?;
        let entry = Entry::read(self.flat, (key, whole))?;
        let is_same = |(earlier, _): &&mut (Option<Cow<'_, str>>, Entry)| *earlier == name;
        match self.entries.iter_mut().find(is_same).filter(|_| name.is_some()) {
            Some((_, earlier)) => *earlier = entry,
            None => self.entries.push((name, entry)),
        }
        Ok(())
    }

    fn add_to_many(&mut self, (key, whole): (Reference, Reference)) -> Result<()> {
        let metadata = match self.metadata.get(&whole) {
            Some(known) => *known,
            None => {
                let (flat, numbers) = (self.flat, &mut self.numbers);
                let metadata = Metadata::read(flat, whole, |expires| {
                    *numbers.entry(expires).or_insert_with(|| flat.number(expires).ok())
                })?;
                self.metadata.insert(whole, metadata);
                metadata
            }
        };
        let entry = Entry { key, whole, metadata };
        match self.keys.get(&key) {
            Some(Some(place)) => self.entries[*place].1 = entry,
            Some(None) => self.entries.push((None, entry)),
            None => {
                let name = self.name(key)?;
                let place = name.as_ref().map(|name| self.place(name));
                self.keys.insert(key, place);
                match place.and_then(|place| self.entries.get_mut(place)) {
                    Some((_, earlier)) => *earlier = entry,
                    None => self.entries.push((name, entry)),
                }
            }
        }
        Ok(())
    }

    /// Where the entry of a name stands, or would be added.
    fn place(&mut self, name: &str) -> usize {
        for (place, (name, _)) in self.entries.iter().enumerate().skip(self.looked_at) {
            if let Some(name) = name {
                self.places.insert(name.clone(), place);
            }
        }
        self.looked_at = self.entries.len();
        self.places.get(name).copied().unwrap_or(self.entries.len())
    }

    /// The key, if it is a string that Rust can hold.
    fn name(&self, key: Reference) -> Result<Option<Cow<'r, str>>> {
        match self.flat.string(key) {
            Ok(name) => Ok(Some(name)),
            Err(error) if error.is_data() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The entries that are alive at a moment.
    pub(crate) fn alive_at(mut self, moment: f64) -> Named<'r> {
        self.entries.retain(|(_, entry)| entry.is_alive(moment));
        self.entries
    }
}
