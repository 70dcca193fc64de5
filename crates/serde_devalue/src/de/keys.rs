//! What a container holds, in the order and with the uniqueness that JavaScript gives it.
//!
//! DIFFERENCE: of equal keys, JavaScript looks at every value of a Map, a sparse array or a null-prototype object, and
//! only at the last one of a plain object; here it is the last one's value, and every reference is checked. Nothing
//! writes equal keys.

use std::{borrow::Cow, ops::Range, rc::Rc};

use hashbrown::{HashMap, HashSet, hash_map::Entry};

use super::{
    Item, Reader,
    budget::KEY,
    shape::{KnownKey, Shape},
    tagged::read_bigint,
};
use crate::{
    BigInt, Error, Result,
    reference::Reference,
    slot::{Fields, MapEntries, Slot, SparseItems},
    text::{
        number,
        string::{RawString, Unescaped},
    },
    token::{Scalar, Tokens},
    value::array_index,
};

/// Up to this many keys, comparing each with each is faster than hashing.
pub(super) const FEW: usize = 16;

impl<'de> Reader<'_, 'de> {
    /// Puts the items of a container on the stack, where they stay until [`release`](Reader::release).
    pub(super) fn collect_items(
        &self,
        items: impl Iterator<Item = Result<Reference>>,
    ) -> Result<Range<usize>> {
        let mut stack = self.items.borrow_mut();
        let start = stack.len();
        for item in items {
            stack.push(Item::of(item?));
        }
        Ok(start..stack.len())
    }

    /// Takes a container's items off the stack.
    pub(super) fn release(&self, items: Range<usize>) {
        self.items.borrow_mut().truncate(items.start);
    }

    pub(super) fn item(&self, at: usize) -> Option<Item> {
        self.items.borrow().get(at).copied()
    }

    /// The properties of an object: array indices first, the last of equal keys in the place of the first.
    pub(super) fn collect_object(
        &self,
        mut fields: Fields<'de>,
    ) -> Result<(Rc<Shape<'de>>, Range<usize>)> {
        let mut properties = Vec::new();
        while let Some(field) = fields.next_raw() {
            properties.push(field?);
        }
        self.collect_properties(properties)
    }

    /// The same for an object without a prototype.
    pub(super) fn collect_null_object(
        &self,
        mut args: Tokens<'de>,
    ) -> Result<(Rc<Shape<'de>>, Range<usize>)> {
        let mut properties = Vec::new();
        while let Some(token) = args.next().transpose()? {
            let Scalar::String(key) = token.scalar else {
                return Err(args.invalid("an object's key must be a string", token));
            };
            if key.is("__proto__") {
                return Err(args.invalid("an object must not have a `__proto__` property", token));
            }
            match args.next_reference() {
                Some(value) => properties.push((key, value?)),
                None => return Err(args.missing("the last key of the object has no value")),
            }
        }
        self.collect_properties(properties)
    }

    fn collect_properties(
        &self,
        properties: Vec<Property<'de>>,
    ) -> Result<(Rc<Shape<'de>>, Range<usize>)> {
        // They are compared, whether or not they are kept.
        self.spend_each(properties.len(), KEY)?;
        let mut stack = self.items.borrow_mut();
        let start = stack.len();
        let properties = normalise_properties(properties);
        stack.extend(properties.iter().map(|(_, value)| Item::of(*value)));
        let keys = properties.into_iter().map(|(key, _)| KnownKey::new(key)).collect();
        Ok((Rc::new(Shape::new(keys)), start..stack.len()))
    }

    /// The items of a sparse array, in ascending order, the last of equal indices.
    pub(super) fn collect_sparse(&self, items: SparseItems<'de>) -> Result<Range<usize>> {
        let mut stack = self.items.borrow_mut();
        let start = stack.len();
        for item in items {
            let (index, value) = item?;
            stack.push(Item { reference: value, index });
        }
        let index = |item: &Item| item.index;
        if !stack[start..].is_sorted_by(|a, b| index(a) < index(b)) {
            let mut sorted = stack.split_off(start);
            sorted.reverse();
            sorted.sort_by_key(index);
            sorted.dedup_by_key(|item| index(item));
            stack.append(&mut sorted);
        }
        Ok(start..stack.len())
    }

    /// Keys and values of a Map in turn, the last of equal keys in the place of the first.
    pub(super) fn collect_map(&self, entries: MapEntries<'de>) -> Result<Range<usize>> {
        let mut stack = self.items.borrow_mut();
        let start = stack.len();
        for entry in entries {
            let (key, value) = entry?;
            stack.push(Item::of(key));
            stack.push(Item::of(value));
        }
        self.drop_repeated(&mut stack, start, 2)?;
        Ok(start..stack.len())
    }

    /// The members of a Set, each once.
    pub(super) fn collect_set(&self, mut members: Tokens<'de>) -> Result<Range<usize>> {
        let mut stack = self.items.borrow_mut();
        let start = stack.len();
        while let Some(member) = members.next_reference() {
            stack.push(Item::of(member?));
        }
        self.drop_repeated(&mut stack, start, 1)?;
        Ok(start..stack.len())
    }

    /// Keeps of keys that are the same to JavaScript (`SameValueZero`) the first, with the last one's value.
    pub(super) fn drop_repeated(
        &self,
        stack: &mut Vec<Item>,
        start: usize,
        step: usize,
    ) -> Result<()> {
        if stack.len() - start <= step {
            return Ok(());
        }
        self.spend_each((stack.len() - start) / step, KEY)?;
        let keys = stack[start..].iter().step_by(step).map(|item| self.identity(item.reference));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let repeated = if keys.len() <= FEW {
            keys.iter().enumerate().any(|(at, key)| keys[..at].contains(key))
        } else {
            keys.iter().collect::<HashSet<_>>().len() < keys.len()
        };
        if repeated {
            let old = stack.split_off(start);
            let mut places = HashMap::new();
            for (key, entry) in keys.into_iter().zip(old.chunks(step)) {
                match places.entry(key) {
                    Entry::Vacant(place) => {
                        place.insert(stack.len());
                        stack.extend_from_slice(entry);
                    }
                    Entry::Occupied(place) => {
                        let place = *place.get();
                        stack[place + 1..place + step].copy_from_slice(&entry[1..]);
                    }
                }
            }
        }
        Ok(())
    }

    /// By what a Map knows a key.
    fn identity(&self, at: Reference) -> Result<Identity<'de>> {
        let Some(slot) = at.slot() else {
            return Ok(match at {
                Reference::NEGATIVE_ZERO => Identity::Number(0),
                _ => Identity::Same(at),
            });
        };
        if let Some(string) = self.plain_string_slot(slot) {
            return Ok(Identity::String(Unescaped::WellFormed(Cow::Borrowed(string))));
        }
        Ok(match self.slot(slot)? {
            Slot::String(string) => Identity::String(string.unescape()),
            Slot::Number(number) => Identity::Number((number + 0.0).to_bits()),
            Slot::Bool(bool) => Identity::Bool(bool),
            Slot::Null => Identity::Null,
            Slot::Tagged { tag, mut args }
                if tag == "BigInt" && !self.options.custom_tags.contains(&&*tag) =>
            {
                Identity::BigInt(read_bigint(&mut args)?)
            }
            _ => Identity::Same(at),
        })
    }

    /// A Map's key as devalue shows it in a path.
    pub(super) fn key_text(&self, at: Reference) -> Cow<'static, str> {
        let Some(slot) = at.slot() else {
            return match at.number() {
                Some(value) if value != 0.0 => number::to_string(value).into(),
                _ => at.as_i32().to_string().into(),
            };
        };
        match self.slot(slot) {
            Ok(Slot::String(string)) => format!("\"{}\"", string.body()).into(),
            Ok(Slot::Number(value)) => number::to_string(value).into(),
            Ok(Slot::Bool(bool)) => bool.to_string().into(),
            Ok(Slot::Null) => "null".into(),
            _ => "...".into(),
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
enum Identity<'de> {
    Same(Reference),
    String(Unescaped<'de>),
    Number(u64),
    BigInt(BigInt),
    Bool(bool),
    Null,
}

/// A key and what the object has under it.
type Property<'de> = (RawString<'de>, Reference);

fn normalise_properties(mut properties: Vec<Property<'_>>) -> Vec<Property<'_>> {
    let repeated = if properties.len() <= FEW {
        properties
            .iter()
            .enumerate()
            .any(|(at, (key, _))| properties[..at].iter().any(|(other, _)| same_key(*key, *other)))
    } else {
        let keys: HashSet<_> = properties.iter().map(|(key, _)| key.unescape()).collect();
        keys.len() < properties.len()
    };
    if repeated {
        let mut places = HashMap::new();
        let mut kept: Vec<Property<'_>> = Vec::with_capacity(properties.len());
        for property in properties {
            match places.entry(property.0.unescape()) {
                Entry::Vacant(place) => {
                    place.insert(kept.len());
                    kept.push(property);
                }
                Entry::Occupied(place) => kept[*place.get()] = property,
            }
        }
        properties = kept;
    }
    // A canonical index has no need of escapes, but may have them.
    let index = |(key, _): &Property<'_>| match key.plain() {
        Some(plain) => array_index(plain),
        None => array_index(&key.to_str().ok()?),
    };
    if properties.iter().any(|property| index(property).is_some()) {
        // Stable: the others keep their order.
        properties.sort_by_key(|property| index(property).map_or(u64::MAX, u64::from));
    }
    properties
}

fn same_key(a: RawString<'_>, b: RawString<'_>) -> bool {
    match (a.plain(), b.plain()) {
        (Some(a), Some(b)) => a == b,
        _ => a.unescape() == b.unescape(),
    }
}

/// The error of a container whose reader did not want all of it.
pub(super) fn too_long(length: u64) -> Error {
    Error::data(format!("the type expects fewer items than the {length} there are"))
}
