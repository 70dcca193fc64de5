//! One reading of a form, and what is settled by those before it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};

use super::form::{FormData, FormValue};

pub(super) struct Attempt<'a> {
    form: &'a FormData,
    /// By name, so that the cost of a reading follows the length of the form and not its square.
    values: BTreeMap<&'a str, Vec<&'a FormValue>>,
    /// Not there, and to be left to the type's default.
    left_out: HashSet<String>,
    /// Known to be wrong, and replaced by any value that the type has.
    replaced: HashSet<String>,
    /// The fields that the type asked for in this reading, in its order.
    asked: RefCell<Vec<String>>,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(form: &'a FormData) -> Attempt<'a> {
        let mut values: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, value) in form.iter() {
            values.entry(name).or_default().push(value);
        }
        Attempt {
            form,
            values,
            left_out: HashSet::new(),
            replaced: HashSet::new(),
            asked: RefCell::default(),
        }
    }

    /// The first value of this name.
    pub(super) fn get(&self, name: &str) -> Option<&'a FormValue> {
        self.get_all(name).first().copied()
    }

    pub(super) fn get_all(&self, name: &str) -> &[&'a FormValue] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether any name begins so.
    pub(super) fn has_below(&self, prefix: &str) -> bool {
        self.values.range(prefix..).next().is_some_and(|(name, _)| name.starts_with(prefix))
    }

    /// What the names go on with that begin so, in the form's order.
    pub(super) fn names_below(&self, prefix: &str) -> Vec<&'a str> {
        let mut seen = HashSet::new();
        let names = self.form.iter().filter_map(|(name, _)| name.strip_prefix(prefix));
        names.filter(|name| !name.is_empty() && seen.insert(*name)).collect()
    }

    /// Begins a reading.
    pub(super) fn begin(&self) -> &Attempt<'a> {
        self.asked.borrow_mut().clear();
        self
    }

    /// Whether the field is to be read, and not left to the type's default.
    pub(super) fn ask(&self, name: &str) -> bool {
        self.asked.borrow_mut().push(name.to_owned());
        !self.left_out.contains(name)
    }

    /// When the type asked for the field, or for the one that this is an element of.
    pub(super) fn position(&self, name: &str) -> usize {
        let field = name.split_once('[').map_or(name, |(field, _)| field);
        let asked = self.asked.borrow();
        asked.iter().position(|other| other == field).unwrap_or(asked.len())
    }

    /// False where that was settled already.
    pub(super) fn leave_out(&mut self, name: &str) -> bool {
        !self.replaced.contains(name) && self.left_out.insert(name.to_owned())
    }

    /// False where that was settled already.
    pub(super) fn replace(&mut self, name: &str) -> bool {
        self.left_out.remove(name);
        self.replaced.insert(name.to_owned())
    }

    pub(super) fn is_replaced(&self, name: &str) -> bool {
        self.replaced.contains(name)
    }
}
