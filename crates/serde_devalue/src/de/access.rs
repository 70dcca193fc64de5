//! The content of containers, as serde asks for it.

use std::{ops::Range, rc::Rc};

use serde::Deserializer;
use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::{
    Frame, Item, Node, at_slot,
    key::{Key, UnitOnly},
    keys::too_long,
    shape::Shape,
};
use crate::{Error, Result, error::Step, reference::Reference};

/// The items of an array or a Set.
pub(super) struct ListAccess<'f, 'de> {
    container: Node<'f, 'de>,
    frame: &'f Frame<'f>,
    items: Range<usize>,
    index: u64,
    length: u64,
    is_set: bool,
}

impl<'f, 'de> ListAccess<'f, 'de> {
    /// The items of an array without holes, or of a Set.
    pub(super) fn visit_all<V: Visitor<'de>>(
        container: Node<'f, 'de>,
        items: Range<usize>,
        is_set: bool,
        visitor: V,
    ) -> Result<V::Value> {
        let length = items.len() as u64;
        Self::visit(container, items, length, is_set, visitor)
    }

    /// The items of an array, of which there are fewer than its length if it is sparse; or of a Set.
    pub(super) fn visit<V: Visitor<'de>>(
        container: Node<'f, 'de>,
        items: Range<usize>,
        length: u64,
        is_set: bool,
        visitor: V,
    ) -> Result<V::Value> {
        let frame = container.enter()?;
        let mut access =
            ListAccess { container, frame: &frame, items: items.clone(), index: 0, length, is_set };
        let value = visitor.visit_seq(&mut access)?;
        if access.index < length {
            return Err(too_long(length));
        }
        container.reader.release(items);
        Ok(value)
    }
}

impl<'de> SeqAccess<'de> for &mut ListAccess<'_, 'de> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if self.index >= self.length {
            return Ok(None);
        }
        let item =
            if self.items.is_empty() { None } else { self.container.reader.item(self.items.start) };
        let at = match item {
            Some(Item { index, .. }) if u64::from(index) > self.index => Reference::HOLE,
            Some(item) => {
                self.items.start += 1;
                item.reference
            }
            None => Reference::HOLE,
        };
        let value = seed.deserialize(self.container.inside(self.frame, at)).map_err(|error| {
            let error = at_slot(error, at);
            if self.is_set { error } else { error.under(Step::Index(self.index)) }
        })?;
        self.index += 1;
        Ok(Some(value))
    }

    fn size_hint(&self) -> Option<usize> {
        // What is really there: a sparse array's length may be anything.
        Some(self.items.len())
    }
}

/// The properties of an object, or the entries of a Map.
pub(super) struct EntryAccess<'f, 'de> {
    container: Node<'f, 'de>,
    frame: &'f Frame<'f>,
    /// An object's keys. A Map's are among the items.
    shape: Option<Rc<Shape<'de>>>,
    items: Range<usize>,
    /// How many keys were visited.
    keys: usize,
    /// Whether the value of the last key comes next.
    has_key: bool,
    /// The last key of a Map.
    map_key: Reference,
}

impl<'f, 'de> EntryAccess<'f, 'de> {
    fn new(
        container: Node<'f, 'de>,
        frame: &'f Frame<'f>,
        shape: Option<Rc<Shape<'de>>>,
        items: Range<usize>,
    ) -> Self {
        let map_key = Reference::UNDEFINED;
        EntryAccess { container, frame, shape, items, keys: 0, has_key: false, map_key }
    }

    pub(super) fn visit<V: Visitor<'de>>(
        container: Node<'f, 'de>,
        shape: Option<Rc<Shape<'de>>>,
        items: Range<usize>,
        visitor: V,
    ) -> Result<V::Value> {
        let frame = container.enter()?;
        let mut access = EntryAccess::new(container, &frame, shape, items.clone());
        let value = visitor.visit_map(&mut access)?;
        if !access.items.is_empty() {
            return Err(too_long(items.len() as u64));
        }
        container.reader.release(items);
        Ok(value)
    }

    fn next(&mut self) -> Option<Reference> {
        self.items.next().and_then(|at| self.container.reader.item(at)).map(|item| item.reference)
    }

    /// Says in an error that it is in the last entry.
    #[cold]
    fn under_entry(&self, error: Error) -> Error {
        let Some(shape) = &self.shape else {
            let key = self.container.reader.key_text(self.map_key);
            return error.under(Step::MapKey(&key));
        };
        let key = self.keys.checked_sub(1).and_then(|last| shape.keys.get(last));
        match key {
            Some(key) => error.under(Step::Property(&key.name.to_string_lossy())),
            None => error,
        }
    }
}

impl<'de> MapAccess<'de> for &mut EntryAccess<'_, 'de> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        let key = match &self.shape {
            Some(shape) => {
                let Some(key) = shape.keys.get(self.keys) else { return Ok(None) };
                self.keys += 1;
                seed.deserialize(Key(key.raw))
            }
            None => {
                let Some(at) = self.next() else { return Ok(None) };
                self.map_key = at;
                seed.deserialize(self.container.inside(self.frame, at))
                    .map_err(|error| at_slot(error, at))
            }
        };
        self.has_key = true;
        key.map(Some).map_err(|error| self.under_entry(error))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        let (true, Some(at)) = (std::mem::take(&mut self.has_key), self.next()) else {
            return Err(Error::data("a value was asked for before its key"));
        };
        seed.deserialize(self.container.inside(self.frame, at))
            .map_err(|error| self.under_entry(at_slot(error, at)))
    }

    fn size_hint(&self) -> Option<usize> {
        let each = if self.shape.is_some() { 1 } else { 2 };
        Some(self.items.len() / each)
    }
}

/// An enum's variant with its content: an object of one property.
pub(super) struct VariantEntry<'a, 'f, 'de>(pub(super) &'a mut EntryAccess<'f, 'de>);

impl<'f, 'de> EntryAccess<'f, 'de> {
    pub(super) fn visit_variant<V: Visitor<'de>>(
        container: Node<'f, 'de>,
        shape: Option<Rc<Shape<'de>>>,
        items: Range<usize>,
        visitor: V,
    ) -> Result<V::Value> {
        let frame = container.enter()?;
        let mut access = EntryAccess::new(container, &frame, shape, items.clone());
        if MapAccess::size_hint(&&mut access) != Some(1) {
            return Err(Error::data("an enum must be a string, or an object of one property"));
        }
        let value = visitor.visit_enum(VariantEntry(&mut access))?;
        container.reader.release(items);
        Ok(value)
    }
}

impl<'de> EnumAccess<'de> for VariantEntry<'_, '_, 'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self)> {
        let mut entries = &mut *self.0;
        match entries.next_key_seed(seed)? {
            Some(variant) => Ok((variant, self)),
            None => Err(Error::data("an enum must be a string, or an object of one property")),
        }
    }
}

impl<'de> VariantAccess<'de> for VariantEntry<'_, '_, 'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<()> {
        (&mut *self.0).next_value()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        (&mut *self.0).next_value_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        (&mut *self.0).next_value_seed(Tuple { length, visitor })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        (&mut *self.0).next_value_seed(Struct { fields, visitor })
    }
}

/// A tuple variant's content.
struct Tuple<V> {
    length: usize,
    visitor: V,
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Tuple<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_tuple(self.length, self.visitor)
    }
}

/// A struct variant's content.
struct Struct<V> {
    fields: &'static [&'static str],
    visitor: V,
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Struct<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_struct("", self.fields, self.visitor)
    }
}

/// A variant that is written as a string.
pub(super) struct UnitVariant<'f, 'de>(pub(super) Node<'f, 'de>);

impl<'de> EnumAccess<'de> for UnitVariant<'_, 'de> {
    type Error = Error;
    type Variant = UnitOnly;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, UnitOnly)> {
        Ok((seed.deserialize(self.0)?, UnitOnly))
    }
}
