//! A [`Value`] out of a text.
//!
//! What calls itself does little else, so that values may be deep on a small stack, also without optimisation: what it
//! does beside is in functions of their own, which are only made part of it where the optimiser lays the frames together.

use std::ops::Range;

use super::{
    Frame, Node, Reader, at_slot, budget::VALUE, content::Content, keys::FEW, shape::Shape,
};
use crate::{
    ArrayBuffer, Custom, Date, Error, JsString, Object, Options, Result, SparseArray, TypedArray,
    Value, error::Step, reference::Reference, value::mark_shared,
};

/// Which objects were seen, so that a second reference to one is not read again.
#[derive(Default)]
pub(super) struct Sharing {
    /// For each slot, the tree that it was last seen in and its number there.
    seen: Vec<(u32, u32)>,
    tree: u32,
    objects: u32,
    /// The numbers of the objects that were seen more than once.
    shared: Vec<u32>,
}

impl Sharing {
    fn begin(&mut self, slots: usize) {
        self.seen.resize(slots, (0, 0));
        self.tree += 1;
        self.objects = 0;
        self.shared.clear();
    }

    /// The number of an object that was seen before.
    fn seen_before(&mut self, slot: usize) -> Option<u32> {
        match self.seen.get(slot) {
            Some(&(tree, number)) if tree == self.tree => {
                self.shared.push(number);
                Some(number)
            }
            _ => None,
        }
    }

    /// Gives an object its number.
    fn see(&mut self, slot: usize) {
        if let Some(seen) = self.seen.get_mut(slot) {
            *seen = (self.tree, self.objects);
            self.objects += 1;
        }
    }
}

impl<'r, 'de> Node<'r, 'de> {
    /// The value with all that is in it.
    pub(super) fn value(self) -> Result<Value> {
        let reader = self.reader;
        let mut sharing = reader.sharing.take();
        sharing.begin(reader.index.len());
        let depth = self.outer.map_or(0, |outer| outer.depth);
        let mut tree = Tree { reader, outer: self.outer, sharing: &mut sharing };
        let value = tree.value(self.at, depth);
        let shared = std::mem::take(&mut sharing.shared);
        reader.sharing.replace(sharing);
        let mut value = value?;
        if !shared.is_empty() {
            mark_shared(&mut value, shared);
        }
        Ok(value)
    }
}

impl<'de> Reader<'_, 'de> {
    /// A string or a number in the canonical form.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn string_or_number(&self, slot: usize, (start, end): (usize, usize)) -> Result<Option<Value>> {
        let value = match self.text.get(start) {
            Some(b'"') => {
                self.spend(end - start)?;
                let Some(string) = self.plain_string(start, end) else { return Ok(None) };
                Value::String(JsString::copy_of(string))
            }
            Some(b'-' | b'0'..=b'9') => {
                let Some(number) = self.canonical_number(start, end) else { return Ok(None) };
                Value::Number(number)
            }
            _ => return Ok(None),
        };
        self.mark_read(slot);
        Ok(Some(value))
    }
}

/// A tree that is being read.
struct Tree<'t, 'r, 'de> {
    reader: &'r Reader<'r, 'de>,
    /// The containers around the tree.
    outer: Option<&'r Frame<'r>>,
    sharing: &'t mut Sharing,
}

impl<'r, 'de> Tree<'_, 'r, 'de> {
    fn value(&mut self, at: Reference, depth: usize) -> Result<Value> {
        let mut value = Value::Undefined;
        self.read(at, depth, &mut value)?;
        Ok(value)
    }

    fn read_key(&mut self, at: Reference, depth: usize, place: &mut Value) -> Result<()> {
        self.read(at, depth, place)?;
        without_negative_zero(place);
        Ok(())
    }

    /// Reads a value to where it stays: moving values around takes longer than reading most of them.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn read(&mut self, at: Reference, depth: usize, place: &mut Value) -> Result<()> {
        let reader = self.reader;
        let node = Node { reader, at, outer: None };
        if let Some((slot, bounds)) = node.bounds()
            && let Some(value) = reader.string_or_number(slot, bounds)?
        {
            put(place, value);
            return Ok(());
        }
        self.object(node, depth, place)
    }

    /// What is not a string or a number in the canonical form.
    #[inline(never)]
    fn object(&mut self, node: Node<'r, 'de>, depth: usize, place: &mut Value) -> Result<()> {
        let Some(slot) = node.at.slot() else {
            return self.rare(node, depth, place);
        };
        if let Some(number) = self.sharing.seen_before(slot) {
            put(place, Value::Reference(number));
            return Ok(());
        }
        if self.frequent(slot, depth, place)? { Ok(()) } else { self.rare(node, depth, place) }
    }

    /// Reads an object, an array, a date or a word in the canonical form; whether it is one.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn frequent(&mut self, slot: usize, depth: usize, place: &mut Value) -> Result<bool> {
        let reader = self.reader;
        let Some((start, end)) = reader.index.bounds(slot) else { return Ok(false) };
        match reader.text.get(start..end) {
            Some([b'{', ..]) => {
                let mut values = [Reference::UNDEFINED; FEW];
                let Some(shape) = reader.canonical_object(start, end, &mut values) else {
                    return Ok(false);
                };
                reader.spend(shape.cost)?;
                self.begin(slot, depth)?;
                self.properties(&shape, &values, depth + 1, place)?;
            }
            Some([b'[', second, ..]) if *second != b'"' => {
                let Some(items) = reader.plain_items(start, end) else { return Ok(false) };
                reader.spend_each(items.len(), VALUE)?;
                self.begin(slot, depth)?;
                self.items(items, depth + 1, place)?;
            }
            Some(text) => {
                let Some(value) = self.frequent_leaf(slot, text) else { return Ok(false) };
                put(place, value);
            }
            None => return Ok(false),
        }
        Ok(true)
    }

    /// The same of what holds no other value.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn frequent_leaf(&mut self, slot: usize, text: &[u8]) -> Option<Value> {
        let value = match text {
            [b'[', b'"', b'D', b'a', b't', b'e', b'"', b',', b'"', date @ .., b'"', b']']
                if self.reader.options.custom_tags.is_empty() =>
            {
                let date = Date::from_iso_text(date)?;
                self.sharing.see(slot);
                Value::Date(date)
            }
            b"null" => Value::Null,
            bool @ (b"false" | b"true") => Value::Bool(bool == b"true"),
            _ => return None,
        };
        self.reader.mark_read(slot);
        Some(value)
    }

    /// Enters a container that was found to be well-formed.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn begin(&mut self, slot: usize, depth: usize) -> Result<()> {
        self.sharing.see(slot);
        self.reader.mark_read(slot);
        // Within the tree an object in itself is a reference, but not around it.
        match self.outer {
            None if depth < Options::MAX_DEPTH => Ok(()),
            outer => Frame::check(outer, slot, depth + 1),
        }
    }

    /// Reads what is not frequent, or not in the canonical form.
    fn rare(&mut self, node: Node<'r, 'de>, depth: usize, place: &mut Value) -> Result<()> {
        match self.begin_rare(node, depth, place)? {
            Some(container) => self.container(container, depth + 1, place),
            None => Ok(()),
        }
    }

    /// The same, but for what is in a container.
    #[inline(never)]
    fn begin_rare(
        &mut self,
        node: Node<'r, 'de>,
        depth: usize,
        place: &mut Value,
    ) -> Result<Option<Content<'de>>> {
        let content = node.content_beyond_leaf()?;
        if let Some(slot) = node.at.slot()
            && !content.is_primitive()
        {
            self.sharing.see(slot);
        }
        match leaf(content) {
            Ok(value) => {
                put(place, value);
                Ok(None)
            }
            Err(content) => {
                // Within the tree an object in itself is a reference, but not around it.
                Frame::check(self.outer, node.at.slot().unwrap_or_default(), depth + 1)?;
                Ok(Some(content))
            }
        }
    }

    fn container(&mut self, content: Content<'de>, depth: usize, place: &mut Value) -> Result<()> {
        match content {
            Content::Object(shape, values) => self.object_of(&shape, values, depth, place),
            Content::NullObject(shape, values) => {
                self.object_of(&shape, values, depth, place)?;
                if let Value::Object(object) = std::mem::take(place) {
                    put(place, Value::NullObject(object));
                }
                Ok(())
            }
            Content::Array(items) => self.items(items, depth, place),
            Content::SparseArray(length, items) => self.sparse(length, items, depth, place),
            Content::Map(entries) => self.entries(entries, depth, place),
            Content::Set(members) => self.members(members, depth, place),
            Content::Boxed(primitive) => {
                self.inner(primitive, depth, place)?;
                put_around(place, |inner| Value::Boxed(Box::new(inner)));
                Ok(())
            }
            Content::Custom(tag, payload) => {
                self.inner(payload, depth, place)?;
                put_around(place, |value| Value::Custom(Box::new(Custom { tag, value })));
                Ok(())
            }
            Content::View(kind, buffer, range) => {
                self.inner(buffer, depth, place)?;
                let range = range.map(|range| *range);
                put_around(place, |buffer| {
                    Value::TypedArray(Box::new(TypedArray { kind, buffer, range }))
                });
                Ok(())
            }
            _ => Err(Error::data("a value was asked for in another form than its own")),
        }
    }

    /// A value that has no step in a path.
    fn inner(&mut self, at: Reference, depth: usize, place: &mut Value) -> Result<()> {
        self.read(at, depth, place).map_err(|error| at_slot(error, at))
    }

    /// The item at a place of the stack.
    fn item(&self, at: usize) -> Reference {
        self.reader.item(at).map_or(Reference::UNDEFINED, |item| item.reference)
    }

    /// The items at some places of the stack, from which they are taken.
    fn take_items(&self, places: Range<usize>) -> Vec<Reference> {
        let items = places.clone().map(|at| self.item(at)).collect();
        self.reader.release(places);
        items
    }

    /// An object whose values are on the stack.
    fn object_of(
        &mut self,
        shape: &Shape<'de>,
        values: Range<usize>,
        depth: usize,
        place: &mut Value,
    ) -> Result<()> {
        let values = self.take_items(values);
        self.properties(shape, &values, depth, place)
    }

    fn properties(
        &mut self,
        shape: &Shape<'de>,
        values: &[Reference],
        depth: usize,
        place: &mut Value,
    ) -> Result<()> {
        let mut properties: Vec<_> =
            shape.keys.iter().map(|key| (key.name.clone(), Value::Undefined)).collect();
        for ((name, place), &at) in properties.iter_mut().zip(values) {
            if let Err(error) = self.read(at, depth, place) {
                return Err(under_property(error, at, name));
            }
        }
        put(place, Value::Object(Object::from_ordered(properties)));
        Ok(())
    }

    fn items(&mut self, places: Range<usize>, depth: usize, place: &mut Value) -> Result<()> {
        let mut items: Vec<_> = places.clone().map(|_| Value::Undefined).collect();
        let mut holes = false;
        for (index, (place, at)) in items.iter_mut().zip(places.clone()).enumerate() {
            let at = self.item(at);
            holes |= at.is_hole();
            if let Err(error) = self.read(at, depth, place) {
                return Err(under_index(error, at, index as u64));
            }
        }
        put(place, if holes { self.with_holes(items, &places) } else { Value::Array(items) });
        self.reader.release(places);
        Ok(())
    }

    /// The array of items of which some are holes.
    #[cold]
    fn with_holes(&self, items: Vec<Value>, places: &Range<usize>) -> Value {
        let length = items.len() as u32;
        let entries = (0..).zip(items).zip(places.clone());
        let entries = entries.filter(|(_, at)| !self.item(*at).is_hole());
        let entries = entries.map(|(entry, _)| entry).collect();
        Value::SparseArray(SparseArray { length, entries })
    }

    fn sparse(
        &mut self,
        length: u32,
        places: Range<usize>,
        depth: usize,
        place: &mut Value,
    ) -> Result<()> {
        let mut entries: Vec<_> = self.indices(&places);
        for ((index, place), at) in entries.iter_mut().zip(places.clone()) {
            let at = self.item(at);
            if let Err(error) = self.read(at, depth, place) {
                return Err(under_index(error, at, (*index).into()));
            }
        }
        self.reader.release(places);
        put(place, sparse_array(length, entries));
        Ok(())
    }

    /// The indices of a sparse array's items, with room for their values.
    fn indices(&self, places: &Range<usize>) -> Vec<(u32, Value)> {
        let items = places.clone().map_while(|at| self.reader.item(at));
        items.map(|item| (item.index, Value::Undefined)).collect()
    }

    fn entries(&mut self, places: Range<usize>, depth: usize, place: &mut Value) -> Result<()> {
        let mut entries: Vec<_> =
            places.clone().step_by(2).map(|_| (Value::Undefined, Value::Undefined)).collect();
        for (at, (key, value)) in places.clone().step_by(2).zip(&mut entries) {
            let (key_at, value_at) = (self.item(at), self.item(at + 1));
            if let Err(error) = self.read_key(key_at, depth, key) {
                return Err(self.under_key(at_slot(error, key_at), key_at));
            }
            if let Err(error) = self.read(value_at, depth, value) {
                return Err(self.under_key(at_slot(error, value_at), key_at));
            }
        }
        self.reader.release(places);
        put(place, Value::Map(entries));
        Ok(())
    }

    /// Says in an error that it is in the entry of a Map.
    #[cold]
    fn under_key(&self, error: Error, key: Reference) -> Error {
        error.under(Step::MapKey(&self.reader.key_text(key)))
    }

    fn members(&mut self, places: Range<usize>, depth: usize, place: &mut Value) -> Result<()> {
        let mut members: Vec<_> = places.clone().map(|_| Value::Undefined).collect();
        for (place, at) in members.iter_mut().zip(places.clone()) {
            let at = self.item(at);
            if let Err(error) = self.read_key(at, depth, place) {
                return Err(at_slot(error, at));
            }
        }
        self.reader.release(places);
        put(place, Value::Set(members));
        Ok(())
    }
}

#[cold]
fn under_property(error: Error, at: Reference, name: &JsString) -> Error {
    at_slot(error, at).under(Step::Property(&name.to_string_lossy()))
}

#[cold]
fn under_index(error: Error, at: Reference, index: u64) -> Error {
    at_slot(error, at).under(Step::Index(index))
}

fn sparse_array(length: u32, entries: Vec<(u32, Value)>) -> Value {
    if entries.len() == length as usize {
        return entries.into_iter().map(|(_, item)| item).collect();
    }
    Value::SparseArray(SparseArray { length, entries })
}

/// Puts a value where there is `undefined`, without looking for what to drop.
#[cfg_attr(not(debug_assertions), inline(always))]
fn put(place: &mut Value, value: Value) {
    debug_assert!(matches!(place, Value::Undefined));
    std::mem::forget(std::mem::replace(place, value));
}

/// Maps and Sets make -0 a 0.
fn without_negative_zero(key: &mut Value) {
    if let Value::Number(number) = key {
        *number += 0.0;
    }
}

/// What holds no other value; and anything else as it is.
fn leaf(content: Content<'_>) -> Result<Value, Content<'_>> {
    Ok(match content {
        Content::Undefined | Content::Hole => Value::Undefined,
        Content::Null => Value::Null,
        Content::Bool(bool) => Value::Bool(bool),
        Content::Number(number) => Value::Number(number),
        Content::Plain(string) => Value::String(string.into()),
        Content::String(string) => Value::String(string.unescape().into()),
        Content::BigInt(integer) => Value::BigInt(integer),
        Content::Date(date, _) => Value::Date(date),
        Content::RegExp(regexp) => Value::RegExp(regexp),
        Content::Url(url) => Value::Url(url),
        Content::UrlSearchParams(params) => Value::UrlSearchParams(params),
        Content::Temporal(temporal) => Value::Temporal(temporal),
        Content::Bytes(bytes) => Value::ArrayBuffer(ArrayBuffer(bytes)),
        container => return Err(container),
    })
}

/// Puts a value around the one that was read.
fn put_around(place: &mut Value, around: impl FnOnce(Value) -> Value) {
    let inner = std::mem::take(place);
    put(place, around(inner));
}
