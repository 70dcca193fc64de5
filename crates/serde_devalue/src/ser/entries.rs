//! Objects and Maps.

use serde::{Serialize, ser};

use super::{
    Open, Writer,
    literal::{Kind, Literal},
    proto,
};
use crate::{
    Error, Result,
    error::Step,
    reference::Reference,
    text::string::{self, RawString, Unescaped},
    value::array_index,
};

/// An object or a Map that is being written.
pub(crate) struct EntryWriter<'w> {
    writer: &'w mut Writer,
    container: Open,
    /// The object around it, for an enum's variant.
    variant: Option<(Open, &'static str)>,
    form: Form,
    /// Where in `scratch` the key of the present property begins.
    key_start: usize,
    /// The key of the present entry of a Map.
    map_key: Option<Reference>,
    order: Order,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The first key decides.
    Undecided,
    Object,
    NullObject,
    Map,
}

/// The key that no object may have, as it is written.
const PROTO: &[u8] = b"\"__proto__\"";

/// How far the keys are in JavaScript's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Order {
    Begin,
    /// The last key was this array index.
    Index(u32),
    Names,
}

impl<'w> EntryWriter<'w> {
    fn new(writer: &'w mut Writer, form: Form) -> Result<Self> {
        let container = writer.open(match form {
            Form::Undecided | Form::Object => b"{",
            Form::NullObject => b"[\"null\",",
            Form::Map => b"[\"Map\",",
        })?;
        Ok(EntryWriter {
            writer,
            container,
            variant: None,
            form,
            key_start: 0,
            map_key: None,
            order: Order::Begin,
        })
    }

    pub(super) fn object_or_map(writer: &'w mut Writer) -> Result<Self> {
        Self::new(writer, Form::Undecided)
    }

    pub(super) fn object(writer: &'w mut Writer) -> Result<Self> {
        Self::new(writer, Form::Object)
    }

    pub(super) fn null_object(writer: &'w mut Writer) -> Result<Self> {
        Self::new(writer, Form::NullObject)
    }

    pub(super) fn map(writer: &'w mut Writer) -> Result<Self> {
        Self::new(writer, Form::Map)
    }

    /// `{"variant": {…}}`
    pub(super) fn variant(writer: &'w mut Writer, variant: &'static str) -> Result<Self> {
        let object = writer.open(b"{")?;
        string::write(&mut writer.buffers.scratch, variant);
        writer.buffers.scratch.push(b':');
        let inner = Self::object(writer)?;
        Ok(EntryWriter { variant: Some((object, variant)), ..inner })
    }

    #[inline]
    fn push_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<()> {
        if self.form == Form::Map {
            return self.push_map_key(key);
        }
        let end = self.begin_key();
        match key.serialize(Literal { out: &mut self.writer.buffers.scratch, end }) {
            Ok(Kind::String) => {
                if self.form == Form::Undecided {
                    self.form = Form::Object;
                }
                self.check_key()
            }
            Ok(Kind::Integer) | Err(_) => self.push_other_key(key),
        }
    }

    /// A key that is not a string.
    #[cold]
    fn push_other_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<()> {
        if self.form != Form::Undecided {
            return Err(self.under_variant(Error::data(
                "a key that is not a string in an object, which the first key made it: write a Map with \
                 #[serde(with = \"serde_devalue::map\")]",
            )));
        }
        self.form = Form::Map;
        // The key, and the brace before it.
        self.writer.buffers.scratch.truncate(self.key_start - 1);
        self.writer.buffers.scratch.extend_from_slice(b"[\"Map\",");
        self.push_map_key(key)
    }

    fn push_map_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<()> {
        let key = match key.serialize(&mut *self.writer) {
            Ok(key) => self.writer.key(key)?,
            Err(error) => return Err(self.writer.under_map_key(error, None)),
        };
        self.writer.push_reference(key);
        self.map_key = Some(key);
        Ok(())
    }

    /// A field's name, which is an object's key.
    #[inline]
    fn push_name(&mut self, name: &'static str) -> Result<()> {
        if self.form == Form::Map {
            return self.push_map_key(name);
        }
        let end = self.begin_key();
        string::write_with(&mut self.writer.buffers.scratch, name, [b'"', end]);
        self.check_key()
    }

    /// The byte behind the key that begins here.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn begin_key(&mut self) -> u8 {
        self.key_start = self.writer.buffers.scratch.len();
        if self.form == Form::NullObject { b',' } else { b':' }
    }

    /// Refuses `__proto__`, and notes whether the keys come in JavaScript's order.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn check_key(&mut self) -> Result<()> {
        match self.writer.buffers.scratch.get(self.key_start + 1) {
            Some(b'0'..=b'9' | b'_') => self.check_rare_key(),
            _ => {
                self.order = Order::Names;
                Ok(())
            }
        }
    }

    #[inline(never)]
    fn check_rare_key(&mut self) -> Result<()> {
        let key =
            &self.writer.buffers.scratch[self.key_start..self.writer.buffers.scratch.len() - 1];
        if key == PROTO {
            return Err(self.under_variant(proto()));
        }
        let index = match key {
            [b'"', digits @ .., b'"'] => std::str::from_utf8(digits).ok().and_then(array_index),
            _ => None,
        };
        let order = index.map_or(Order::Names, Order::Index);
        if order < self.order {
            self.writer.out_of_order = true;
        }
        self.order = order;
        Ok(())
    }

    fn push_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<()> {
        let value = value.serialize(&mut *self.writer).map_err(|error| self.under_entry(error))?;
        self.writer.push_reference(value);
        Ok(())
    }

    fn under_entry(&self, error: Error) -> Error {
        if self.form == Form::Map {
            return self.writer.under_map_key(error, self.map_key);
        }
        let key = match RawString::scan(&self.writer.buffers.scratch, self.key_start) {
            Ok((key, _)) => key.unescape(),
            Err(_) => Unescaped::WellFormed("".into()),
        };
        let error = match key {
            Unescaped::WellFormed(key) => error.under(Step::Property(&key)),
            Unescaped::IllFormed(units) => {
                error.under(Step::Property(&String::from_utf16_lossy(&units)))
            }
        };
        self.under_variant(error)
    }

    fn under_variant(&self, error: Error) -> Error {
        match self.variant {
            Some((_, variant)) => error.under(Step::Property(variant)),
            None => error,
        }
    }

    fn finish(self) -> Result<Reference> {
        let end = match self.form {
            Form::Undecided | Form::Object => b'}',
            Form::NullObject | Form::Map => b']',
        };
        let container = self.writer.close(self.container, end);
        Ok(match self.variant {
            None => container,
            Some((object, _)) => {
                self.writer.push_reference(container);
                self.writer.close(object, b'}')
            }
        })
    }
}

impl ser::SerializeMap for EntryWriter<'_> {
    type Ok = Reference;
    type Error = Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<()> {
        self.push_key(key)
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<()> {
        self.push_value(value)
    }

    fn end(self) -> Result<Reference> {
        self.finish()
    }
}

macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl ser::$trait for EntryWriter<'_> {
            type Ok = Reference;
            type Error = Error;

            fn serialize_field<T: ?Sized + Serialize>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<()> {
                self.push_name(name)?;
                self.push_value(value)
            }

            fn end(self) -> Result<Reference> {
                self.finish()
            }
        }
    )*};
}

fields! { SerializeStruct SerializeStructVariant }
