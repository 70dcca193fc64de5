//! Serde's data model onto devalue's types.

use serde::{Serialize, Serializer};

use super::{
    Word, Writer, beyond_number, entries::EntryWriter, list::ListWriter, tagged::Tagged, utf16,
};
use crate::{
    Error, Result,
    error::Step,
    reference::Reference,
    tag,
    text::string,
    types::{buffer::write_base64, typed_array::ViewKind},
};

impl<'w> Serializer for &'w mut Writer {
    type Ok = Reference;
    type Error = Error;
    type SerializeSeq = ListWriter<'w>;
    type SerializeTuple = ListWriter<'w>;
    type SerializeTupleStruct = ListWriter<'w>;
    type SerializeTupleVariant = ListWriter<'w>;
    type SerializeMap = EntryWriter<'w>;
    type SerializeStruct = EntryWriter<'w>;
    type SerializeStructVariant = EntryWriter<'w>;

    fn serialize_bool(self, bool: bool) -> Result<Reference> {
        self.word(if bool { Word::True } else { Word::False })
    }

    fn serialize_i8(self, integer: i8) -> Result<Reference> {
        self.integer(integer.into())
    }

    fn serialize_i16(self, integer: i16) -> Result<Reference> {
        self.integer(integer.into())
    }

    fn serialize_i32(self, integer: i32) -> Result<Reference> {
        self.integer(integer.into())
    }

    fn serialize_i64(self, integer: i64) -> Result<Reference> {
        self.integer(integer.into())
    }

    fn serialize_i128(self, integer: i128) -> Result<Reference> {
        self.integer(integer)
    }

    fn serialize_u8(self, integer: u8) -> Result<Reference> {
        self.integer(integer.into())
    }

    fn serialize_u16(self, integer: u16) -> Result<Reference> {
        self.integer(integer.into())
    }

    fn serialize_u32(self, integer: u32) -> Result<Reference> {
        self.integer(integer.into())
    }

    fn serialize_u64(self, integer: u64) -> Result<Reference> {
        self.integer(integer.into())
    }

    fn serialize_u128(self, integer: u128) -> Result<Reference> {
        match i128::try_from(integer) {
            Ok(integer) => self.integer(integer),
            Err(_) if self.options.lossy_integers => self.number(integer as f64),
            Err(_) => Err(beyond_number(integer)),
        }
    }

    fn serialize_f32(self, number: f32) -> Result<Reference> {
        self.number(number.into())
    }

    fn serialize_f64(self, number: f64) -> Result<Reference> {
        self.number(number)
    }

    fn serialize_char(self, char: char) -> Result<Reference> {
        self.string(char.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, string: &str) -> Result<Reference> {
        self.string(string)
    }

    /// A `Uint8Array` over a buffer of its own, as Node.js's `Buffer` is written.
    fn serialize_bytes(self, bytes: &[u8]) -> Result<Reference> {
        let view = self.open(b"[\"")?;
        self.buffers.scratch.extend_from_slice(ViewKind::Uint8Array.name().as_bytes());
        self.buffers.scratch.extend_from_slice(b"\",");
        let buffer = self.array_buffer(bytes)?;
        self.push_reference(buffer);
        Ok(self.close(view, b']'))
    }

    fn serialize_none(self) -> Result<Reference> {
        if self.options.none_as_undefined {
            Ok(Reference::UNDEFINED)
        } else {
            self.serialize_unit()
        }
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Reference> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Reference> {
        self.word(Word::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Reference> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Reference> {
        self.string(variant)
    }

    #[cfg_attr(not(debug_assertions), inline(always))] // The name is a constant.
    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Reference> {
        match name {
            _ if !name.starts_with(tag::PREFIX) => value.serialize(self),
            tag::UNDEFINED => Ok(Reference::UNDEFINED),
            tag::STRING => {
                let units = utf16::units(value)?;
                self.primitive(|out| string::write_utf16(out, &units))
            }
            tag::BOXED => self.boxed(value),
            tag::VALUE => self.whole_value(value),
            tag => value.serialize(Tagged { writer: self, tag }),
        }
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Reference> {
        match name {
            tag::SHARED => self.shared(index, |writer| value.serialize(writer)),
            tag::REFERENCE => self.shared_before(index),
            _ => {
                let object = self.open(b"{")?;
                string::write(&mut self.buffers.scratch, variant);
                self.buffers.scratch.push(b':');
                let value = value
                    .serialize(&mut *self)
                    .map_err(|error| error.under(Step::Property(variant)))?;
                self.push_reference(value);
                Ok(self.close(object, b'}'))
            }
        }
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<ListWriter<'w>> {
        ListWriter::array(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<ListWriter<'w>> {
        ListWriter::array(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<ListWriter<'w>> {
        ListWriter::array(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<ListWriter<'w>> {
        ListWriter::variant(self, variant)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<EntryWriter<'w>> {
        EntryWriter::object_or_map(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<EntryWriter<'w>> {
        EntryWriter::object(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<EntryWriter<'w>> {
        EntryWriter::variant(self, variant)
    }
}

impl Writer {
    /// An `ArrayBuffer`, which is never the same as another one.
    pub(super) fn array_buffer(&mut self, bytes: &[u8]) -> Result<Reference> {
        let buffer = self.open(b"[\"ArrayBuffer\",\"")?;
        write_base64(&mut self.buffers.scratch, bytes);
        self.buffers.scratch.push(b'"');
        Ok(self.close(buffer, b']'))
    }

    /// A primitive in an object.
    fn boxed<T: ?Sized + Serialize>(&mut self, primitive: &T) -> Result<Reference> {
        let open = self.open(b"[\"Object\",")?;
        let primitive = primitive.serialize(&mut *self)?;
        if primitive == Reference::UNDEFINED
            || !self.is_primitive(primitive)
            || Some(primitive) == self.words[Word::Null as usize]
        {
            return Err(Error::data("only primitives other than null and undefined can be boxed"));
        }
        self.push_reference(primitive);
        Ok(self.close(open, b']'))
    }

    /// A later occurrence of a shared value.
    pub(super) fn shared_before(&self, id: u32) -> Result<Reference> {
        self.shared.get(&id).copied().ok_or_else(|| {
            Error::data(format!("Value::Reference({id}) comes before its Value::Shared"))
        })
    }

    /// The first occurrence of a shared value. Its slot is known before it is written, for the sake of cycles.
    pub(super) fn shared(
        &mut self,
        id: u32,
        write: impl FnOnce(&mut Self) -> Result<Reference>,
    ) -> Result<Reference> {
        // A container takes the next number.
        let expected = Reference::to_slot(self.slots);
        if let Some(expected) = expected
            && self.shared.insert(id, expected).is_some()
        {
            return Err(Error::data(format!("Value::Shared({id}, …) occurs twice")));
        }
        let written = write(self)?;
        if Some(written) == expected && !self.is_primitive(written) {
            Ok(written)
        } else {
            Err(Error::data("only objects can be shared: Value::Shared holds a primitive"))
        }
    }
}
