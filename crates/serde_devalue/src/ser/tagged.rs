//! What the crate's own types serialize as, inside their newtype structs.

use serde::{
    Serialize,
    ser::{Impossible, Serializer},
};

use super::{
    Writer, entries::EntryWriter, list::ListWriter, parts::PartsWriter, unsupported::unsupported,
};
use crate::{Error, Result, reference::Reference, tag, text::string};

/// Serializes the content of a newtype struct that has one of the names of [`tag`].
pub(super) struct Tagged<'w> {
    pub(super) writer: &'w mut Writer,
    pub(super) tag: &'static str,
}

impl<'w> Tagged<'w> {
    fn unexpected(&self) -> Error {
        let name = self.tag.strip_prefix(tag::PREFIX).unwrap_or(self.tag);
        Error::data(match self.tag {
            tag::SET => "a Set can only be written from a sequence".to_owned(),
            tag::MAP => "a Map can only be written from a map".to_owned(),
            _ => format!("this value cannot be written as {name}"),
        })
    }
}

impl Writer {
    /// A tag with one argument.
    #[inline]
    pub(super) fn tagged(&mut self, beginning: &[u8], argument: &str) -> Result<Reference> {
        self.container_of(|out| {
            out.extend_from_slice(beginning);
            string::write_with(out, argument, *b"\"]");
        })
    }
}

impl<'w> Serializer for Tagged<'w> {
    type Ok = Reference;
    type Error = Error;
    type SerializeSeq = ListWriter<'w>;
    type SerializeTuple = PartsWriter<'w>;
    type SerializeTupleStruct = ListWriter<'w>;
    type SerializeTupleVariant = Impossible<Reference, Error>;
    type SerializeMap = EntryWriter<'w>;
    type SerializeStruct = EntryWriter<'w>;
    type SerializeStructVariant = Impossible<Reference, Error>;

    #[cfg_attr(not(debug_assertions), inline(always))] // The tag is a constant.
    fn serialize_str(self, text: &str) -> Result<Reference> {
        let (writer, tag) = (&mut *self.writer, self.tag);
        match tag {
            tag::BIGINT => writer.primitive(|out| {
                out.extend_from_slice(b"[\"BigInt\",\"");
                out.extend_from_slice(text.as_bytes());
                out.extend_from_slice(b"\"]");
            }),
            tag::URL if writer.options.urls_by_reference => {
                let open = writer.open(b"[\"URL\",")?;
                let text = writer.string(text)?;
                writer.push_reference(text);
                Ok(writer.close(open, b']'))
            }
            tag::DATE => writer.tagged(b"[\"Date\",", text),
            tag::URL => writer.tagged(b"[\"URL\",", text),
            tag::URL_SEARCH_PARAMS => writer.tagged(b"[\"URLSearchParams\",", text),
            _ => Err(self.unexpected()),
        }
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Reference> {
        match self.tag {
            tag::ARRAY_BUFFER => self.writer.array_buffer(bytes),
            _ => Err(self.unexpected()),
        }
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<ListWriter<'w>> {
        match self.tag {
            tag::SET => ListWriter::set(self.writer),
            _ => Err(self.unexpected()),
        }
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<ListWriter<'w>> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple(self, _: usize) -> Result<PartsWriter<'w>> {
        match self.tag {
            tag::SET => ListWriter::set(self.writer).map(PartsWriter::Set),
            _ => PartsWriter::new(self.writer, self.tag),
        }
    }

    fn serialize_map(self, _: Option<usize>) -> Result<EntryWriter<'w>> {
        match self.tag {
            tag::MAP => EntryWriter::map(self.writer),
            tag::NULL_OBJECT => EntryWriter::null_object(self.writer),
            _ => Err(self.unexpected()),
        }
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<EntryWriter<'w>> {
        self.serialize_map(Some(length))
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Reference> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<Reference> {
        self.writer.serialize_none()
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Reference> {
        value.serialize(self)
    }

    unsupported! { Error::data("a type of this crate was given an unexpected content") =>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char unit unit_struct unit_variant
        newtype_variant tuple_variant struct_variant
    }
}
