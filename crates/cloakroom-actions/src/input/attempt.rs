//! One reading of a form, and what is settled by those before it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use super::form::{FormData, FormValue};
use super::rejection::{Path, Refused};
use crate::issue::PathSegment;

pub(super) struct Attempt<'a> {
    /// By name, so that the cost of a reading follows the length of the form and not its square.
    fields: BTreeMap<&'a str, Values<'a>>,
    settled: HashMap<Path, Settled>,
    reading: RefCell<Reading>,
}

/// All values of one name.
struct Values<'a> {
    /// Where in the form the first of them stands.
    place: usize,
    values: Vec<&'a FormValue>,
}

/// What is known of a field whose first reading was not good enough.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    pub(super) guise: Guise,
    /// What is wrong with it, if the reading ends with this.
    pub(super) wrong: Option<String>,
}

/// As what a field is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guise {
    /// Not at all, so that the type's default takes its place.
    LeftOut,
    /// As the type asks for it: `false`, or a list without values.
    Empty,
    /// As the type asks for it: any value, so that the other fields are looked at too.
    Replaced,
    /// To who does not say what they want: as one of these.
    Buffered(Buffered),
    /// An object whose fields are handed out by their full names instead.
    Ungrouped,
}

/// What a field can be for a type that reads it before it knows what it wants of it, as serde's tagged and flattened
/// types do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Buffered {
    /// Its first value as it is.
    Single,
    /// The fields that begin with its name.
    Object,
    Number,
    Boolean,
    /// All of its values.
    List(Scalar),
    /// An object without fields.
    Nothing,
}

/// As what the values of a list are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Single,
    Number,
    Boolean,
}

#[derive(Debug, Default)]
struct Reading {
    /// The fields that the type asked for, in its order.
    asked: Vec<Path>,
    /// What was handed out to be buffered, in the order of the form.
    offers: Vec<Offer>,
    /// How much was looked at, in all readings.
    work: usize,
}

/// A value that was handed out to be buffered.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) path: Path,
    pub(super) value: Refused,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(form: &'a FormData) -> Attempt<'a> {
        let mut fields: BTreeMap<&str, Values<'_>> = BTreeMap::new();
        for (place, (name, value)) in form.iter().enumerate() {
            let first = || Values { place, values: Vec::new() };
            fields.entry(name).or_insert_with(first).values.push(value);
        }
        Attempt { fields, settled: HashMap::new(), reading: RefCell::default() }
    }

    /// The first value of this name.
    pub(super) fn get(&self, name: &str) -> Option<&'a FormValue> {
        self.get_all(name).first().copied()
    }

    pub(super) fn get_all(&self, name: &str) -> &[&'a FormValue] {
        self.fields.get(name).map_or(&[], |field| field.values.as_slice())
    }

    /// Whether any value of this name is more than nothing.
    pub(super) fn is_filled(&self, name: &str) -> bool {
        self.get_all(name).iter().any(|value| !value.is_empty())
    }

    /// Whether any name begins so.
    pub(super) fn has_below(&self, prefix: &str) -> bool {
        self.fields.range(prefix..).next().is_some_and(|(name, _)| name.starts_with(prefix))
    }

    /// What the names go on with that begin so, in the form's order.
    pub(super) fn names_below(&self, prefix: &str) -> Vec<&'a str> {
        let fields = self.fields.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let below =
            fields.map_while(|(name, field)| Some((field.place, name.strip_prefix(prefix)?)));
        let mut names: Vec<_> = below.filter(|(_, name)| !name.is_empty()).collect();
        self.reading.borrow_mut().work += names.len();
        names.sort_unstable();
        names.into_iter().map(|(_, name)| name).collect()
    }

    /// Begins a reading.
    pub(super) fn begin(&self) -> &Attempt<'a> {
        let mut reading = self.reading.borrow_mut();
        reading.asked.clear();
        reading.offers.clear();
        self
    }

    /// Whether the field is to be read, and not left to the type's default.
    pub(super) fn ask(&self, path: &[PathSegment]) -> bool {
        let mut reading = self.reading.borrow_mut();
        reading.asked.push(path.to_vec());
        reading.work += 1;
        !matches!(self.guise(path), Some(Guise::LeftOut | Guise::Ungrouped))
    }

    /// Notes a value that is handed out to be buffered.
    pub(super) fn offer(&self, path: &[PathSegment], value: Refused) {
        let mut reading = self.reading.borrow_mut();
        reading.offers.push(Offer { path: path.to_vec(), value });
        reading.work += 1;
    }

    /// What was handed out below a place in this reading.
    pub(super) fn offers_below(&self, place: &[PathSegment]) -> Vec<Offer> {
        let reading = self.reading.borrow();
        reading.offers.iter().filter(|offer| offer.path.starts_with(place)).cloned().collect()
    }

    pub(super) fn work(&self) -> usize {
        self.reading.borrow().work
    }

    /// When the type asked for the field, or for the one that this is an element of.
    pub(super) fn position(&self, path: &[PathSegment]) -> usize {
        let asked = &self.reading.borrow().asked;
        let place = |path: &[PathSegment]| asked.iter().position(|other| other == path);
        let field = path.iter().rposition(|step| matches!(step, PathSegment::Key(_)));
        let field = field.map_or(path, |last| &path[..=last]);
        place(field).unwrap_or(asked.len())
    }

    pub(super) fn settled(&self, path: &[PathSegment]) -> Option<&Settled> {
        self.settled.get(path)
    }

    pub(super) fn guise(&self, path: &[PathSegment]) -> Option<Guise> {
        // Most forms are right at once.
        if self.settled.is_empty() {
            return None;
        }
        self.settled.get(path).map(|settled| settled.guise)
    }

    pub(super) fn is_replaced(&self, path: &[PathSegment]) -> bool {
        self.guise(path) == Some(Guise::Replaced)
    }

    pub(super) fn settle(&mut self, path: Path, guise: Guise, wrong: Option<String>) {
        self.settled.insert(path, Settled { guise, wrong });
    }

    /// Forgets as what the fields below a place were handed out to be buffered; answers whether there was anything to forget.
    pub(super) fn forget_guises(&mut self, place: &[PathSegment]) -> bool {
        let before = self.settled.len();
        let is_guise = |guise| matches!(guise, Guise::Buffered(_) | Guise::Ungrouped);
        self.settled.retain(|path, settled| !(path.starts_with(place) && is_guise(settled.guise)));
        self.settled.len() != before
    }

    /// Forgets what is known of a field.
    pub(super) fn forget(&mut self, path: &[PathSegment]) {
        self.settled.remove(path);
    }

    /// Forgets what is known of the elements of a list.
    pub(super) fn forget_elements(&mut self, list: &[PathSegment]) {
        self.settled.retain(|path, _| !(path.len() > list.len() && path.starts_with(list)));
    }

    /// The names of fields that an object is said to have, though the form does not.
    pub(super) fn added(&self, object: &[PathSegment]) -> Vec<&str> {
        let children = self.settled.iter().filter(|(path, settled)| {
            path.len() == object.len() + 1
                && path.starts_with(object)
                && matches!(settled.guise, Guise::Buffered(_) | Guise::Empty | Guise::Replaced)
        });
        let mut names: Vec<&str> = children
            .filter_map(|(path, _)| match path.last() {
                Some(PathSegment::Key(key)) => Some(key.as_str()),
                _ => None,
            })
            .collect();
        names.sort_unstable();
        names
    }

    /// What is known to be wrong, in no order.
    pub(super) fn wrong(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.settled.iter().filter_map(|(path, settled)| Some((path, settled.wrong.as_deref()?)))
    }
}
