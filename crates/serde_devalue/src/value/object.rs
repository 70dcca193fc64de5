//! A plain object's properties.

use std::collections::{HashMap, hash_map::Entry};

use super::Value;
use crate::JsString;

/// The properties of a plain object, in JavaScript's order: keys that are array indices first and ascending, then the
/// others in the order of insertion (`OrdinaryOwnPropertyKeys`, ECMA-262, 10.1.11.1).
///
/// Lookup is linear: objects are small. Collect a large one into a map of Rust's.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Object {
    entries: Vec<(JsString, Value)>,
}

/// Up to this many keys, comparing each with each is faster than hashing.
const FEW: usize = 16;

impl Object {
    /// An object without properties.
    pub const fn new() -> Self {
        Object { entries: Vec::new() }
    }

    /// The object that comes out when the entries are set one after the other.
    pub(crate) fn from_entries(mut entries: Vec<(JsString, Value)>) -> Self {
        if has_repeated_key(&entries) {
            entries = without_repeated_keys(entries);
        }
        let index = |key: &JsString| key.as_str().and_then(array_index);
        if entries.iter().any(|(key, _)| index(key).is_some()) {
            // Stable: the others keep their order.
            entries.sort_by_key(|(key, _)| index(key).map_or(u64::MAX, u64::from));
        }
        Object { entries }
    }

    /// Of entries that are in order and have no key twice.
    pub(crate) fn from_ordered(entries: Vec<(JsString, Value)>) -> Self {
        Object { entries }
    }

    /// The number of properties.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a property.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// The value of a property, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.entries.iter_mut().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// Sets a property, and returns what it was before. An existing one keeps its place.
    pub fn insert(&mut self, key: impl Into<JsString>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        if let Some((_, old)) = self.entries.iter_mut().find(|(k, _)| *k == key) {
            return Some(std::mem::replace(old, value));
        }
        let place = match key.as_str().and_then(array_index) {
            None => self.entries.len(),
            Some(index) => self.entries.partition_point(|(k, _)| {
                k.as_str().and_then(array_index).is_some_and(|other| other < index)
            }),
        };
        self.entries.insert(place, (key, value));
        None
    }

    /// Removes a property, and returns what it was.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let place = self.entries.iter().position(|(k, _)| k == key)?;
        Some(self.entries.remove(place).1)
    }

    /// The properties, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&JsString, &Value)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The values, in order of their keys, to be changed.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Value> {
        self.entries.iter_mut().map(|(_, value)| value)
    }
}

impl IntoIterator for Object {
    type Item = (JsString, Value);
    type IntoIter = std::vec::IntoIter<(JsString, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<K: Into<JsString>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self::from_entries(
            entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect(),
        )
    }
}

impl<K: Into<JsString>, V: Into<Value>, const N: usize> From<[(K, V); N]> for Object {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

fn has_repeated_key(entries: &[(JsString, Value)]) -> bool {
    if entries.len() <= FEW {
        return entries
            .iter()
            .enumerate()
            .any(|(place, (key, _))| entries[..place].iter().any(|(other, _)| other == key));
    }
    let keys: std::collections::HashSet<_> = entries.iter().map(|(key, _)| key).collect();
    keys.len() < entries.len()
}

/// The last value of a key in the first one's place.
fn without_repeated_keys(entries: Vec<(JsString, Value)>) -> Vec<(JsString, Value)> {
    let mut places: HashMap<JsString, usize> = HashMap::new();
    let mut kept: Vec<(JsString, Value)> = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        match places.entry(key.clone()) {
            Entry::Occupied(place) => kept[*place.get()].1 = value,
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push((key, value));
            }
        }
    }
    kept
}

/// The key as a canonical array index, 0 to 2^32 - 2: those come first in JavaScript's objects.
pub(crate) fn array_index(key: &str) -> Option<u32> {
    match key.as_bytes() {
        [b'0'] => Some(0),
        [b'1'..=b'9', rest @ ..] if rest.len() < 10 && rest.iter().all(u8::is_ascii_digit) => {
            key.parse().ok().filter(|&index| index != u32::MAX)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(object: &Object) -> Vec<String> {
        object.iter().map(|(key, _)| key.to_string()).collect()
    }

    const MIXED: [&str; 9] = ["b", "2", "a", "1", "01", "-1", "4294967294", "4294967295", "b"];
    const ORDERED: [&str; 8] = ["1", "2", "4294967294", "b", "a", "01", "-1", "4294967295"];

    #[test]
    fn array_indices_come_first() {
        let collected: Object = MIXED.into_iter().zip(0u8..).collect();
        assert_eq!(keys(&collected), ORDERED);
        assert_eq!(collected.get("b"), Some(&Value::Number(8.0)));

        let mut inserted = Object::new();
        for (key, number) in MIXED.into_iter().zip(0u8..) {
            inserted.insert(key, number);
        }
        assert_eq!(inserted, collected);
    }

    #[test]
    fn the_last_of_many_repeated_keys_wins() {
        let entries = (0..100).map(|n| (format!("k{}", n % 50), n as u8));
        let object: Object = entries.collect();
        assert_eq!(object.len(), 50);
        assert_eq!(object.get("k7"), Some(&Value::Number(57.0)));
    }
}
