//! The code units of a [`JsString`](crate::JsString) with unpaired surrogates.

use serde::{
    Serialize, Serializer,
    ser::{Impossible, SerializeSeq},
};

use super::unsupported::unsupported;
use crate::{Error, Result};

/// The code units that a value serializes as.
pub(super) fn units<T: ?Sized + Serialize>(value: &T) -> Result<Vec<u16>> {
    let mut units = Units(Vec::new());
    value.serialize(&mut units)?;
    Ok(units.0)
}

struct Units(Vec<u16>);

fn not_units() -> Error {
    Error::data("expected UTF-16 code units")
}

impl Serializer for &mut Units {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    fn serialize_u16(self, unit: u16) -> Result<()> {
        self.0.push(unit);
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self> {
        Ok(self)
    }

    unsupported! { not_units() =>
        bool i8 i16 i32 i64 i128 u8 u32 u64 u128 f32 f64 char str bytes none some unit unit_struct
        unit_variant newtype_struct newtype_variant tuple tuple_struct tuple_variant map struct
        struct_variant
    }
}

impl SerializeSeq for &mut Units {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, unit: &T) -> Result<()> {
        unit.serialize(&mut **self)
    }

    fn end(self) -> Result<()> {
        Ok(())
    }
}
