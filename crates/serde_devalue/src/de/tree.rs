//! A [`Value`] out of a text.

use std::ops::Range;

use super::{Frame, Node, Reader, at_slot, content::Content, keys::FEW, shape::Shape};
use crate::{
    ArrayBuffer, Custom, Date, Error, JsString, Object, Options, Result, SparseArray, TypedArray,
    Value,
    error::Step,
    reference::Reference,
    types::typed_array::{ViewKind, ViewRange},
    value::mark_shared,
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
    #[inline(always)]
    fn read(&mut self, at: Reference, depth: usize, place: &mut Value) -> Result<()> {
        let reader = self.reader;
        let node = Node { reader, at, outer: None };
        let Some((slot, (start, end))) = node.bounds() else {
            return self.object(node, depth, place);
        };
        match reader.text.get(start) {
            Some(b'"') => {
                if let Some(string) = reader.plain_string(start, end) {
                    reader.spend_bytes(string.len())?;
                    reader.mark_read(slot);
                    put(place, Value::String(JsString::copy_of(string)));
                    return Ok(());
                }
            }
            Some(b'-' | b'0'..=b'9') => {
                if let Some(number) = reader.canonical_number(start, end) {
                    reader.mark_read(slot);
                    put(place, Value::Number(number));
                    return Ok(());
                }
            }
            _ => {}
        }
        self.object(node, depth, place)
    }

    /// What is not a string or a number in the canonical form.
    #[inline(never)]
    fn object(&mut self, node: Node<'r, 'de>, depth: usize, place: &mut Value) -> Result<()> {
        let Some(slot) = node.at.slot() else {
            put(place, self.other(node, depth)?);
            return Ok(());
        };
        if let Some(number) = self.sharing.seen_before(slot) {
            put(place, Value::Reference(number));
            return Ok(());
        }
        if !self.frequent(slot, depth, place)? {
            put(place, self.other(node, depth)?);
        }
        Ok(())
    }

    /// Reads an object, an array, a date or a word in the canonical form; whether it is one.
    #[inline(always)]
    fn frequent(&mut self, slot: usize, depth: usize, place: &mut Value) -> Result<bool> {
        let reader = self.reader;
        let Some((start, end)) = reader.index.bounds(slot) else { return Ok(false) };
        match reader.text.get(start..end) {
            Some([b'{', ..]) => {
                let mut values = [Reference::UNDEFINED; FEW];
                let Some(shape) = reader.canonical_object(start, end, &mut values) else {
                    return Ok(false);
                };
                self.begin(slot, depth)?;
                put(place, Value::Object(self.properties(&shape, &values, depth + 1)?));
            }
            Some([b'[', second, ..]) if *second != b'"' => {
                let Some(items) = reader.plain_items(start, end) else { return Ok(false) };
                self.begin(slot, depth)?;
                put(place, self.items(items, depth + 1)?);
            }
            Some([b'[', b'"', b'D', b'a', b't', b'e', b'"', b',', b'"', date @ .., b'"', b']'])
                if reader.options.custom_tags.is_empty() =>
            {
                let Some(date) = Date::from_iso_text(date) else { return Ok(false) };
                self.sharing.see(slot);
                reader.mark_read(slot);
                put(place, Value::Date(date));
            }
            Some(b"null") => {
                reader.mark_read(slot);
                put(place, Value::Null);
            }
            Some(bool @ (b"false" | b"true")) => {
                reader.mark_read(slot);
                put(place, Value::Bool(bool == b"true"));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Enters a container that was found to be well-formed.
    #[inline(always)]
    fn begin(&mut self, slot: usize, depth: usize) -> Result<()> {
        self.sharing.see(slot);
        self.reader.mark_read(slot);
        // Within the tree an object in itself is a reference, but not around it.
        match self.outer {
            None if depth < Options::MAX_DEPTH => Ok(()),
            outer => Frame::check(outer, slot, depth + 1),
        }
    }

    /// What is not frequent, or not in the canonical form.
    #[inline(never)]
    fn other(&mut self, node: Node<'r, 'de>, depth: usize) -> Result<Value> {
        let content = node.content()?;
        if let Some(slot) = node.at.slot()
            && !content.is_primitive()
        {
            self.sharing.see(slot);
        }
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
            content => {
                // Within the tree an object in itself is a reference, but not around it.
                Frame::check(self.outer, node.at.slot().unwrap_or_default(), depth + 1)?;
                return self.container(content, depth + 1);
            }
        })
    }

    fn container(&mut self, content: Content<'de>, depth: usize) -> Result<Value> {
        match content {
            Content::Object(shape, values) => {
                let values = self.take_items(values);
                self.properties(&shape, &values, depth).map(Value::Object)
            }
            Content::NullObject(shape, values) => {
                let values = self.take_items(values);
                self.properties(&shape, &values, depth).map(Value::NullObject)
            }
            Content::Array(items) => self.items(items, depth),
            Content::SparseArray(length, items) => self.sparse(length, items, depth),
            Content::Map(entries) => self.entries(entries, depth).map(Value::Map),
            Content::Set(members) => self.members(members, depth).map(Value::Set),
            Content::Boxed(primitive) => {
                self.inner(primitive, depth).map(|inner| Value::Boxed(Box::new(inner)))
            }
            Content::Custom(tag, payload) => {
                let value = self.inner(payload, depth)?;
                Ok(Value::Custom(Box::new(Custom { tag, value })))
            }
            Content::View(kind, buffer, range) => self.view(kind, buffer, range, depth),
            _ => Err(Error::data("a value was asked for in another form than its own")),
        }
    }

    /// A value that has no step in a path.
    fn inner(&mut self, at: Reference, depth: usize) -> Result<Value> {
        self.value(at, depth).map_err(|error| at_slot(error, at))
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

    fn properties(
        &mut self,
        shape: &Shape<'de>,
        values: &[Reference],
        depth: usize,
    ) -> Result<Object> {
        self.reader.spend_nodes(shape.keys.len())?;
        let mut properties: Vec<_> =
            shape.keys.iter().map(|key| (key.name.clone(), Value::Undefined)).collect();
        for ((name, place), &at) in properties.iter_mut().zip(values) {
            self.read(at, depth, place).map_err(|error| {
                at_slot(error, at).under(Step::Property(&name.to_string_lossy()))
            })?;
        }
        Ok(Object::from_ordered(properties))
    }

    fn items(&mut self, places: Range<usize>, depth: usize) -> Result<Value> {
        self.reader.spend_nodes(places.len())?;
        let mut items: Vec<_> = places.clone().map(|_| Value::Undefined).collect();
        let mut holes = false;
        for (index, (place, at)) in items.iter_mut().zip(places.clone()).enumerate() {
            let at = self.item(at);
            holes |= at.is_hole();
            self.read(at, depth, place)
                .map_err(|error| at_slot(error, at).under(Step::Index(index as u64)))?;
        }
        if holes {
            let length = items.len() as u32;
            let entries = (0..).zip(items).zip(places.clone());
            let entries = entries.filter(|(_, at)| !self.item(*at).is_hole());
            let entries = entries.map(|(entry, _)| entry).collect();
            self.reader.release(places);
            return Ok(Value::SparseArray(SparseArray { length, entries }));
        }
        self.reader.release(places);
        Ok(Value::Array(items))
    }

    fn sparse(&mut self, length: u32, places: Range<usize>, depth: usize) -> Result<Value> {
        let mut entries = Vec::with_capacity(places.len());
        for at in places.clone() {
            let Some(item) = self.reader.item(at) else { break };
            let value = self.value(item.reference, depth).map_err(|error| {
                at_slot(error, item.reference).under(Step::Index(item.index.into()))
            })?;
            entries.push((item.index, value));
        }
        self.reader.release(places);
        if entries.len() == length as usize {
            return Ok(entries.into_iter().map(|(_, item)| item).collect());
        }
        Ok(Value::SparseArray(SparseArray { length, entries }))
    }

    fn entries(&mut self, places: Range<usize>, depth: usize) -> Result<Vec<(Value, Value)>> {
        self.reader.spend_nodes(places.len() / 2)?;
        let mut entries: Vec<_> =
            places.clone().step_by(2).map(|_| (Value::Undefined, Value::Undefined)).collect();
        for (place, (key, value)) in places.clone().step_by(2).zip(&mut entries) {
            let key_at = self.item(place);
            let value_at = self.item(place + 1);
            self.read_key(key_at, depth, key)
                .map_err(|error| self.under_key(at_slot(error, key_at), key_at))?;
            self.read(value_at, depth, value)
                .map_err(|error| self.under_key(at_slot(error, value_at), key_at))?;
        }
        self.reader.release(places);
        Ok(entries)
    }

    /// Says in an error that it is in the entry of a Map.
    #[cold]
    fn under_key(&self, error: Error, key: Reference) -> Error {
        error.under(Step::MapKey(&self.reader.key_text(key)))
    }

    fn members(&mut self, places: Range<usize>, depth: usize) -> Result<Vec<Value>> {
        self.reader.spend_nodes(places.len())?;
        let mut members: Vec<_> = places.clone().map(|_| Value::Undefined).collect();
        for (place, at) in members.iter_mut().zip(places.clone()) {
            let at = self.item(at);
            self.read_key(at, depth, place).map_err(|error| at_slot(error, at))?;
        }
        self.reader.release(places);
        Ok(members)
    }

    fn view(
        &mut self,
        kind: ViewKind,
        buffer: Reference,
        range: Option<Box<ViewRange>>,
        depth: usize,
    ) -> Result<Value> {
        let buffer = self.inner(buffer, depth)?;
        let range = range.map(|range| *range);
        Ok(Value::TypedArray(Box::new(TypedArray { kind, buffer, range })))
    }
}

/// Puts a value where there is `undefined`, without looking for what to drop.
#[inline(always)]
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
