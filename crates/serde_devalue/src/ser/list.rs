//! Arrays and Sets.

use serde::{Serialize, ser};

use super::{Open, Writer};
use crate::{Error, Result, error::Step, reference::Reference, text::string};

/// An array or a Set that is being written.
pub(crate) struct ListWriter<'w> {
    writer: &'w mut Writer,
    list: Open,
    /// The object around it, for an enum's variant.
    variant: Option<(Open, &'static str)>,
    is_set: bool,
    length: u64,
}

impl<'w> ListWriter<'w> {
    pub(super) fn array(writer: &'w mut Writer) -> Result<Self> {
        let list = writer.open(b"[")?;
        Ok(ListWriter { writer, list, variant: None, is_set: false, length: 0 })
    }

    pub(super) fn set(writer: &'w mut Writer) -> Result<Self> {
        let list = writer.open(b"[\"Set\",")?;
        Ok(ListWriter { writer, list, variant: None, is_set: true, length: 0 })
    }

    /// `{"variant": […]}`
    pub(super) fn variant(writer: &'w mut Writer, variant: &'static str) -> Result<Self> {
        let object = writer.open(b"{")?;
        string::write(&mut writer.buffers.scratch, variant);
        writer.buffers.scratch.push(b':');
        let array = Self::array(writer)?;
        Ok(ListWriter { variant: Some((object, variant)), ..array })
    }

    fn push<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<()> {
        let mut item =
            value.serialize(&mut *self.writer).map_err(|error| self.under_item(error))?;
        if self.is_set {
            item = self.writer.key(item)?;
        }
        self.writer.push_reference(item);
        self.length += 1;
        Ok(())
    }

    /// A Set's members have no step in a path.
    fn under_item(&self, error: Error) -> Error {
        if self.is_set {
            return error;
        }
        let error = error.under(Step::Index(self.length));
        match self.variant {
            Some((_, variant)) => error.under(Step::Property(variant)),
            None => error,
        }
    }

    fn finish(self) -> Result<Reference> {
        let list = self.writer.close(self.list, b']');
        Ok(match self.variant {
            None => list,
            Some((object, _)) => {
                self.writer.push_reference(list);
                self.writer.close(object, b'}')
            }
        })
    }
}

macro_rules! list {
    ($($trait:ident $method:ident)*) => {$(
        impl ser::$trait for ListWriter<'_> {
            type Ok = Reference;
            type Error = Error;

            fn $method<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<()> {
                self.push(value)
            }

            fn end(self) -> Result<Reference> {
                self.finish()
            }
        }
    )*};
}

list! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}
