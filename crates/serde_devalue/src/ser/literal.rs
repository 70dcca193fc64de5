//! Strings and integers that stand in a container themselves: keys, and the arguments of tags.

use serde::{
    Serialize,
    ser::{Impossible, Serializer},
};

use super::unsupported::unsupported;
use crate::{
    Error, Result, tag,
    text::{number, string},
};

/// Appends a literal to the innermost container, and a byte behind it.
pub(super) struct Literal<'w> {
    pub(super) out: &'w mut Vec<u8>,
    pub(super) end: u8,
}

/// What kind of literal was written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    Integer,
}

fn not_a_literal() -> Error {
    Error::data("expected a string")
}

impl Serializer for Literal<'_> {
    type Ok = Kind;
    type Error = Error;
    type SerializeSeq = Impossible<Kind, Error>;
    type SerializeTuple = Impossible<Kind, Error>;
    type SerializeTupleStruct = Impossible<Kind, Error>;
    type SerializeTupleVariant = Impossible<Kind, Error>;
    type SerializeMap = Impossible<Kind, Error>;
    type SerializeStruct = Impossible<Kind, Error>;
    type SerializeStructVariant = Impossible<Kind, Error>;

    #[inline(always)]
    fn serialize_str(self, string: &str) -> Result<Kind> {
        string::write_with(self.out, string, [b'"', self.end]);
        Ok(Kind::String)
    }

    fn serialize_char(self, char: char) -> Result<Kind> {
        self.serialize_str(char.encode_utf8(&mut [0; 4]))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Kind> {
        self.serialize_str(variant)
    }

    fn serialize_u64(self, integer: u64) -> Result<Kind> {
        let integer = i64::try_from(integer).map_err(|_| not_a_literal())?;
        number::write_integer(self.out, integer);
        self.out.push(self.end);
        Ok(Kind::Integer)
    }

    fn serialize_u32(self, integer: u32) -> Result<Kind> {
        self.serialize_u64(integer.into())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Kind> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Kind> {
        match name {
            tag::STRING => {
                string::write_utf16(self.out, &super::utf16::units(value)?);
                self.out.push(self.end);
                Ok(Kind::String)
            }
            _ if name.starts_with(tag::PREFIX) => Err(not_a_literal()),
            _ => value.serialize(self),
        }
    }

    unsupported! { not_a_literal() =>
        bool i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 bytes none unit unit_struct newtype_variant
        seq tuple tuple_struct tuple_variant map struct struct_variant
    }
}
