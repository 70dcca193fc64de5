//! Arrays with holes.

use serde::{
    Serialize, Serializer,
    ser::{Impossible, SerializeMap},
};

use super::{Writer, literal::Literal, unsupported::unsupported};
use crate::{Error, Result, error::Step, text::number};

/// Serializes a map of indices and items as the content of an array's slot.
pub(super) struct Entries<'w> {
    pub(super) writer: &'w mut Writer,
    /// The array's length, in decimal.
    pub(super) length: &'w [u8],
}

/// The content of an array with holes that is being written.
pub(super) struct SparseWriter<'w> {
    writer: &'w mut Writer,
    length: u64,
    sparse: bool,
    /// The index behind the last item.
    next: u64,
}

fn invalid() -> Error {
    Error::data("a sparse array needs items in ascending order, with indices below its length")
}

fn parse(digits: &[u8]) -> Result<u64> {
    let number = number::parse_integer(digits).and_then(|number| u64::try_from(number).ok());
    number.ok_or_else(invalid)
}

impl<'w> Serializer for Entries<'w> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Impossible<(), Error>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = SparseWriter<'w>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    /// Chooses the shorter form as devalue's `stringify` estimates it.
    fn serialize_map(self, count: Option<usize>) -> Result<SparseWriter<'w>> {
        let Entries { writer, length: text } = self;
        let (length, count) = (parse(text)?, count.unwrap_or(0) as u64);
        let holes = length.checked_sub(count).ok_or_else(invalid)?;
        let digits = text.len() as u64;
        let sparse = holes * 3 > 4 + digits + count * (digits + 1);
        if sparse {
            writer.buffers.scratch.extend_from_slice(b"-7,");
            writer.buffers.scratch.extend_from_slice(text);
            writer.buffers.scratch.push(b',');
        }
        Ok(SparseWriter { writer, length, sparse, next: 0 })
    }

    unsupported! { invalid() =>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes none some unit
        unit_struct unit_variant newtype_struct newtype_variant seq tuple tuple_struct
        tuple_variant struct struct_variant
    }
}

impl SparseWriter<'_> {
    /// Writes the holes up to an index, in the dense form.
    fn fill_up_to(&mut self, index: u64) {
        for _ in self.next..index {
            self.writer.buffers.scratch.extend_from_slice(b"-2,");
        }
        self.next = index;
    }
}

impl SerializeMap for SparseWriter<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<()> {
        let start = self.writer.buffers.scratch.len();
        key.serialize(Literal { out: &mut self.writer.buffers.scratch, end: b',' })?;
        let index =
            parse(&self.writer.buffers.scratch[start..self.writer.buffers.scratch.len() - 1])?;
        if index < self.next || index >= self.length {
            return Err(invalid());
        }
        if self.sparse {
            self.next = index;
        } else {
            self.writer.buffers.scratch.truncate(start);
            self.fill_up_to(index);
        }
        Ok(())
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<()> {
        let item = value
            .serialize(&mut *self.writer)
            .map_err(|error| error.under(Step::Index(self.next)))?;
        self.writer.push_reference(item);
        self.next += 1;
        Ok(())
    }

    fn end(mut self) -> Result<()> {
        if !self.sparse {
            self.fill_up_to(self.length);
        }
        Ok(())
    }
}
