//! Types that serialize as a tuple of their parts, some of them literals in the slot, some of them references.

use serde::{Serialize, ser};

use super::{Open, Writer, list::ListWriter, literal::Literal, sparse};
use crate::{Error, Result, reference::Reference, tag, types::typed_array::ViewKind};

/// A slot of a tag and its arguments that is being written; or a Set, because Rust's arrays are tuples to serde.
pub(crate) enum PartsWriter<'w> {
    Set(ListWriter<'w>),
    Parts {
        writer: &'w mut Writer,
        tag: &'static str,
        open: Open,
        part: usize,
        /// A sparse array's, in decimal.
        length: Vec<u8>,
    },
}

impl<'w> PartsWriter<'w> {
    pub(super) fn new(writer: &'w mut Writer, tag: &'static str) -> Result<Self> {
        let open = writer.open(if tag == tag::REGEXP { b"[\"RegExp\"," } else { b"[" })?;
        Ok(PartsWriter::Parts { writer, tag, open, part: 0, length: Vec::new() })
    }
}

impl ser::SerializeTuple for PartsWriter<'_> {
    type Ok = Reference;
    type Error = Error;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<()> {
        let (writer, tag, part, length) = match self {
            PartsWriter::Set(list) => return ser::SerializeTuple::serialize_element(list, value),
            PartsWriter::Parts { writer, tag, part, length, .. } => {
                (&mut **writer, *tag, part, length)
            }
        };
        let start = writer.buffers.scratch.len();
        match (tag, *part) {
            (tag::VIEW, 1) => {
                let buffer = value.serialize(&mut *writer)?;
                if !writer.container_text(buffer).starts_with(b"[\"ArrayBuffer\",") {
                    return Err(Error::data("a typed array needs an ArrayBuffer"));
                }
                writer.push_reference(buffer);
            }
            (tag::CUSTOM, 1) => {
                let payload = value.serialize(&mut *writer)?;
                writer.push_reference(payload);
            }
            (tag::SPARSE_ARRAY, 0) => {
                value.serialize(Literal { out: length, end: b',' })?;
                length.pop();
            }
            (tag::SPARSE_ARRAY, 1) => {
                value.serialize(sparse::Entries { writer, length })?;
            }
            _ => {
                value.serialize(Literal { out: &mut writer.buffers.scratch, end: b',' })?;
                check_literal(writer, tag, *part, start)?;
            }
        }
        *part += 1;
        Ok(())
    }

    fn end(self) -> Result<Reference> {
        match self {
            PartsWriter::Set(list) => ser::SerializeTuple::end(list),
            PartsWriter::Parts { writer, open, .. } => Ok(writer.close(open, b']')),
        }
    }
}

/// Looks at the literal that was just written.
fn check_literal(writer: &mut Writer, tag: &str, part: usize, start: usize) -> Result<()> {
    let literal = &writer.buffers.scratch[start..];
    let is = |name: &str| {
        literal.strip_prefix(b"\"").is_some_and(|rest| rest.starts_with(name.as_bytes()))
    };
    match (tag, part) {
        // A RegExp without flags.
        (tag::REGEXP, 1) if literal == b"\"\"," => writer.buffers.scratch.truncate(start),
        (tag::TEMPORAL, 0) if writer.options.portable_types_only => {
            return Err(unportable("Temporal"));
        }
        (tag::VIEW, 0)
            if writer.options.portable_types_only && is(ViewKind::Float16Array.name()) =>
        {
            return Err(unportable(ViewKind::Float16Array.name()));
        }
        _ => {}
    }
    Ok(())
}

fn unportable(name: &str) -> Error {
    Error::data(format!(
        "{name} cannot be read by Node.js 22; Options::portable_types_only(false) writes it anyway"
    ))
}
